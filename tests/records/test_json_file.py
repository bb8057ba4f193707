"""JSON files: what is refused, with the file, the key, what was found and what expected."""

import os
import time
from pathlib import Path
from typing import Any, Literal, TypedDict

import pytest

from gantext.errors import UserError
from gantext.records.content import Damaged, content, lines
from gantext.records.json_file import NESTING, JsonFile, parsed
from gantext.records.shape import Misfit, Positive, Whole, check_of


class Inner(TypedDict):
    name: str
    value: float | Literal["nan"]


class Shape(TypedDict, total=False):
    format: Positive
    count: Whole
    share: float
    done: bool
    words: list[str]
    counts: list[Whole]
    parts: list[Inner]
    settings: dict[str, str | int | float | bool | None]
    folder: str | None


KIND = JsonFile(Shape, limit=2048)
DEEP = "[" * 100_000
FAULTS = {
    "": "Expecting value",
    "{": "Expecting property name",
    '{"format": 1': "Expecting ',' delimiter",
    "[]": "found a list, expected a mapping",
    "null": "found null, expected a mapping",
    '{"format": "x"}': '"format": found "x", expected a whole number of at least 1',
    '{"format": 0}': '"format": found 0, expected a whole number of at least 1',
    '{"format": true}': '"format": found true, expected a whole number',
    '{"count": 1.0}': '"count": found 1.0, expected a whole number',
    '{"count": 9223372036854775808}': '"count": found 9223372036854775808, expected',
    f'{{"count": {10**400}}}': '"count": found a huge number, expected a whole number',
    '{"share": "1"}': '"share": found "1", expected a number',
    '{"share": 1e999}': '"share": found Infinity, expected a finite number',
    '{"share": NaN}': "NaN is no number",
    '{"done": 1}': '"done": found 1, expected true or false',
    '{"words": ["a", 2]}': '"words.1": found 2, expected text',
    '{"words": "a"}': '"words": found "a", expected a list',
    '{"words": [["a"]]}': '"words.0": found a list, expected text',
    '{"counts": [1, -1]}': '"counts.1": found -1, expected a whole number of at least 0',
    '{"counts": [true]}': '"counts.0": found true, expected a whole number',
    '{"parts": [{"name": "a"}]}': '"parts.0": found a mapping, expected one with "value"',
    '{"parts": [{"name": "a", "value": "b"}]}': '"parts.0.value": found "b", expected a number',
    '{"settings": {"a": []}}': '"settings.a": found a list, expected text or a whole number',
    '{"settings": {"a": 1e999}}': '"settings.a": found Infinity, expected',
    '{"folder": 3}': '"folder": found 3, expected text or null',
    '{"done": true, "done": false}': '"done" stands in it twice',
    '{"folder": "\\ud800"}': "half a letter",
    '{"folder": "a\nb"}': "Invalid control character",
    '{"x": ' + "[" * NESTING + "]" * NESTING + "}": "nested too deeply",
    '{"folder": "' + "é" * 2000 + '"}': "it is larger than 2 KB",
}


def refused(path: Path, kind: JsonFile[Any] = KIND) -> str:
    with pytest.raises(Damaged) as caught:
        kind.read(path)
    said = str(caught.value)
    assert said.startswith(f"cannot read {path}: ") and "\n" not in said
    assert caught.value.short == said.removeprefix(f"cannot read {path.parent}/")
    return said


@pytest.mark.parametrize("text", FAULTS, ids=lambda text: text[:30].encode("ascii", "replace"))
def test_damage_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    assert FAULTS[text] in refused(tmp_path / "a.json")


def test_what_fits_is_read_and_unknown_keys_stay(tmp_path: Path) -> None:
    text = '{"format": 1, "share": 2, "parts": [{"name": "[{\\"", "value": "nan"}], "later": [1]}'
    (tmp_path / "a.json").write_text(text)
    parts = [{"name": '[{"', "value": "nan"}]
    assert KIND.read(tmp_path / "a.json") == {
        "format": 1,
        "share": 2,
        "parts": parts,
        "later": [1],
    }
    assert KIND.read(tmp_path / "none.json") is None
    settings = {"a": 1, "b": 2.5, "c": None, "d": "x", "e": False}
    check_of(Shape)({"settings": settings, "folder": None, "counts": [0, 2**63 - 1]})


def test_deep_nesting_is_refused_at_once() -> None:
    began = time.process_time()
    for text in (DEEP, '{"a":' * 100_000, "]" * 100_000):
        with pytest.raises(Damaged):
            parsed(Path("a.json"), text.encode())
    assert time.process_time() - began < 2
    assert parsed(Path("a.json"), b"[" * NESTING + b"]" * NESTING)
    # Brackets in texts are no nesting.
    assert parsed(Path("a.json"), b'["' + b"[" * 1000 + b'", "\\"]"]')


def test_a_list_within_a_list_of_numbers_does_not_fit() -> None:
    with pytest.raises(Misfit, match=r'"1": found a list, expected a whole number'):
        check_of(tuple[int, ...])([1, [1]])


def test_a_pipe_a_folder_and_other_encodings(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "no regular file" in refused(tmp_path / "pipe")
    with pytest.raises(UserError, match=r"cannot read .*: Is a directory"):
        content(tmp_path, 10)
    (tmp_path / "a.json").write_bytes(b'{"folder":\n"\xe9"}')
    assert "line 2 is not UTF-8" in refused(tmp_path / "a.json")
    (tmp_path / "a.txt").write_bytes(b"a\n\xff\n")
    with pytest.raises(Damaged, match="line 2 is not UTF-8"):
        lines(tmp_path / "a.txt", 100)
    with pytest.raises(Damaged, match="larger than 0 KB"):
        lines(tmp_path / "a.txt", 3)
    assert lines(tmp_path / "none.txt", 3) == []
