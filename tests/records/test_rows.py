"""Lines of metrics: half of one at the end is left out; any other fault is named by its line."""

import math
from pathlib import Path

import pytest

from gantext.records.content import Damaged
from gantext.records.rows import read_rows

WHOLE = '{"phase": "mle", "step": 1, "total": 1, "nll": 2.5}\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


@pytest.mark.parametrize("size", range(1, len(WHOLE) - 1))
def test_a_last_line_that_was_half_written_is_left_out(path: Path, size: int) -> None:
    path.write_text(WHOLE * 2 + WHOLE[:size])
    assert [row["step"] for row in read_rows(path)] == [1, 1]


def test_a_last_line_without_its_end_counts_where_it_is_whole(path: Path) -> None:
    path.write_text(WHOLE + WHOLE.rstrip())
    assert len(read_rows(path)) == 2
    path.write_text("")
    assert read_rows(path) == [] and read_rows(path.with_name("none")) == []


def test_values_that_are_not_finite_are_read(path: Path) -> None:
    path.write_text('{"total": 1, "a": NaN, "b": Infinity, "c": -1e999}\n')
    row = read_rows(path)[0]
    assert math.isnan(row["a"]) and row["b"] == math.inf and row["c"] == -math.inf


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[1]", "found a list, expected a mapping"),
        ("{}, {}", "Extra data"),
        ('{"step": "x"}', '"step": found "x", expected a number'),
        ('{"step": NaN}', '"step": found NaN, expected a number'),
        ('{"phase": 1}', '"phase": found 1, expected text'),
        ('{"nll": null}', '"nll": found null, expected a number'),
        ('{"nll": true}', '"nll": found true, expected a number'),
        ('{"nll": {"a": 1}}', '"nll": found a mapping, expected a number'),
        ('{"nll": 1, "nll": 2}', '"nll" stands in it twice'),
        ('{"nll": ' + "9" * 400 + "}", "found a number of 400 digits"),
        ('{"nll": ' + "[" * 100_000 + "}", "nested too deeply"),
    ],
    ids=lambda text: text[:24],
)
def test_a_damaged_line_is_named(path: Path, line: str, fault: str) -> None:
    path.write_text(f"{WHOLE}{line}\n{WHOLE}")
    with pytest.raises(Damaged) as caught:
        read_rows(path)
    assert str(caught.value).startswith(f"cannot read {path}: line 2: ")
    assert fault in str(caught.value)


def test_two_rows_on_a_line_do_not_make_up_for_another(path: Path) -> None:
    path.write_text('{"a": [1\n2]}\n{}, {}\n')
    with pytest.raises(Damaged, match="line 1: "):
        read_rows(path)
    path.write_bytes(WHOLE.encode() + b'{"nll\xff": 1}\n')
    with pytest.raises(Damaged, match="line 2 is not UTF-8"):
        read_rows(path)
