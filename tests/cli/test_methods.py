"""gantext methods: what there is, how it is trained, and that each is explained by a page."""

import json
from pathlib import Path

import pytest

from gantext import models
from gantext.config.methods import methods
from tests.conftest import ROOT, Command

MARKED = "# @package _global_\n# @method\n# A method of one's own\n# Its remarks.\nseed: 2\n"


def test_every_model_is_a_method_with_the_command_that_trains_it(cli: Command) -> None:
    found = cli("methods")
    assert found.code == 0 and found.err == ""
    for name in models.available():
        assert f"gantext train model={name} " in found.out
    listed = json.loads(cli("methods", "--json").out)
    (mle,) = [one for one in listed if one["name"] == "mle"]
    assert mle["about"].startswith("Language model by maximum likelihood")
    assert (mle["command"], mle["page"]) == ("gantext train model=mle", "docs/methods/mle.md")
    (senti,) = [one for one in listed if one["name"] == "sentigan"]
    assert senti["command"] == "gantext train model=sentigan data.label=relation"


def test_an_experiment_is_a_method_if_it_says_so(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment/mine.yaml").write_text(MARKED)
    (tmp_path / "experiment/other.yaml").write_text(MARKED.replace("# @method\n", ""))
    listed = json.loads(cli("methods", "--config-dir", str(tmp_path), "--json").out)
    named = {one["name"]: one for one in listed}
    assert named["mine"]["command"] == "gantext train experiment=mine"
    assert (named["mine"]["about"], named["mine"]["page"]) == ("A method of one's own", "")
    assert "other" not in named
    assert "Its remarks." in cli("explain", "experiment=mine", "--config-dir", str(tmp_path)).out


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.name)
def test_each_method_has_a_page_of_at_most_forty_lines(method) -> None:
    text = (ROOT / method.page).read_text()
    assert len(text.splitlines()) <= 40
    assert f"{method.group}={method.name}`" in text.splitlines()[0]
    for part in ("Equations", "What it needs", "Defaults", "Departures", "When to use it"):
        assert f"\n## {part}\n" in text, part
