"""YAML files of plain values: read as OmegaConf writes them; all else refused with its line."""

import itertools
import time
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from gantext.records.content import Damaged
from gantext.records.yaml_file import LIMIT, NESTING, read_yaml

FAULTS = {
    "a: &x 1\nb: *x": "line 1: an anchor, &x",
    "a: 1\nb: *x": "line 2: an alias, *x",
    "a: !!python/object/apply:os.system [x]": "line 1: a tag, tag:yaml.org,2002:python",
    "a: !!binary aGk=": "line 1: a tag",
    "a:\n  b: x${oc.env:HOME}": "line 2: an interpolation",
    "a: '${b}'": "line 1: an interpolation",
    "a: 1\na: 2": "line 2: 'a' stands there twice",
    "? [a]\n: 1": "line 1: a key that is no name",
    "a: 1\n---\nb: 1": "line 2: a second document begins",
    "a: b: c": "line 1: a second ': ' in a line, or indentation that does not fit the lines above",
    "a: [": "line 1: expected the node content",
    "a: " + "[" * (NESTING + 1): f"line 1: more than {NESTING} levels within each other",
    "a: " + "9" * 30: "line 1: a number of 30 digits",
    "a: \0": "unacceptable character",
    "a: 1\n" * LIMIT: "it is larger than 64 KB",
    "- 1": "it holds no settings",
    "": "it holds no settings",
    "a: \udce9": "line 1 is not UTF-8",
}


@pytest.mark.parametrize("text", FAULTS, ids=lambda text: text[:25].encode("ascii", "replace"))
def test_damage_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Damaged) as caught:
        read_yaml(path)
    said = str(caught.value)
    assert said.startswith(f"cannot read {path}: {FAULTS[text]}") and "\n" not in said


def test_ten_levels_of_aliases_are_refused_at_once(tmp_path: Path) -> None:
    names = "abcdefghij"
    rows = [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in itertools.pairwise(names)]
    (tmp_path / "config.yaml").write_text("\n".join(["a: &a [1]", *rows]))
    began = time.process_time()
    with pytest.raises(Damaged, match="line 1: an anchor"):
        read_yaml(tmp_path / "config.yaml")
    assert time.process_time() - began < 1


def test_what_omegaconf_writes_comes_back(tmp_path: Path) -> None:
    values = {
        "whole": [0, -3, 10**18],
        "numbers": [0.5, 1e-05, 1e30, -2.0, float("inf"), 123456789.0],
        "words": ["", "1", "1e5", "null", "yes", "~/x: #y", "é\n\ttail", ".5", "on", "0x1f", "1_0"],
        "others": [None, True, False],
        "empty": {},
        "deep": {"er": {"est": []}},
    }
    (tmp_path / "a.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(values)), encoding="utf-8")
    found = read_yaml(tmp_path / "a.yaml")
    assert found == values and repr(found) == repr(values)
