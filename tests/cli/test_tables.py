"""Tables on a terminal: nothing of them is lost where it is narrow."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich import box
from rich.cells import cell_len
from rich.table import Table

from gantext.cli import tables
from tests.conftest import Command

NAME, SCORES = "2026-11-25_23-44-46-leakgan-coco-s1", [f"score-{i}" for i in range(8)]


@pytest.mark.parametrize("status", ["finished", "damaged: " + "why " * 30])
@pytest.mark.parametrize("width", [60, 80, 160])
def test_every_cell_is_whole(
    width: int,
    status: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Eight scores, each below its head, and a name and a status that fold where they have to."""
    monkeypatch.setattr(tables.out, "width", width)
    values = [f"0.{i}234" for i in range(8)]
    rows = [[NAME, status, *values]]
    tables.table("runs", ["run", "status", *SCORES], rows, text_columns=2)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    for score, value in zip(SCORES, values, strict=True):
        (head,), (row,) = ([x for x in lines if word in x.split()] for word in (score, value))
        assert head.index(score) + len(score) == row.index(value) + len(value)
        assert lines.index(row) == lines.index(head) + 2
        assert row.split()[0] == NAME or len(f"{NAME} {status}") > width - tables.FOLDED


def test_runs_list_fits(cli: Command, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.out, "width", 80)
    found = cli("runs", "list", "--runs-dir", str(trained.parent))
    assert found.code == 0 and max(map(len, found.out.splitlines())) <= 80
    assert " run   finished   adversarial " in found.out and "…" not in found.out


def lines_of_rich(columns: Sequence[str], rows: Sequence[Sequence[str]], texts: int) -> list[str]:
    """The same part of a table as rich lays it out."""
    plain = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=any(columns))
    for i, column in enumerate(columns):
        if i < texts:
            plain.add_column(column, overflow="fold")
        else:
            plain.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        plain.add_row(*(tables.out.render_str(cell, markup=False, emoji=False) for cell in row))
    with tables.out.capture() as printed:
        tables.out.print(plain)
    return [line.rstrip() for line in printed.get().splitlines()]


def letters(lines: Sequence[str]) -> Counter[str]:
    return Counter("".join(lines).replace(" ", "").replace("─", ""))


WORDS = ["a", "of", "leakgan", "-", "seed=1", "\u4e00\u4e8c", "é"]
ODD = ["", "x" * 70, "two\nlines", "[bold]a[/]", ":smile:", "a\x1bb", "a" * 38 + " b"]
TEXT = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join) | st.sampled_from(ODD)


@given(
    rows=st.lists(st.tuples(TEXT, TEXT, TEXT, st.sampled_from(["-", "0.1234"])), max_size=4),
    heads=st.sampled_from([("run", "status", "phase", "bleu-2"), ("", "", "", "")]),
    texts=st.integers(1, 3),
    width=st.integers(50, 200),
)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_tables_look_as_those_of_rich(
    rows: list[tuple[str, ...]],
    heads: tuple[str, ...],
    texts: int,
    width: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Line by line, whatever folds: letters two cells wide, long words, lines of their own."""
    columns, rows = heads[:texts] + heads[3:], [row[:texts] + row[3:] for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables.out, "width", width)
        theirs = lines_of_rich(columns, rows, texts)
        tables.table("runs", columns, rows, text_columns=texts)
    title, *ours = capsys.readouterr().out.splitlines()
    assert title == "runs"
    natural = sum(max(map(cell_len, column)) + 3 for column in zip(columns, *rows, strict=True))
    if texts == 1 or natural <= width:
        assert [line.rstrip() for line in ours] == theirs
    else:  # how much each of several is narrowed is not the same, to a letter
        assert max(map(cell_len, ours)) <= width
        assert letters(ours) == letters(theirs)
