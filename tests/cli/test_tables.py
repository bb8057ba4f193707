"""Tables on a terminal: nothing of them is lost where it is narrow."""

from pathlib import Path

import pytest

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
