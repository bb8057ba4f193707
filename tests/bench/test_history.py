"""The table, its JSON, the history of measurements, and what has fallen since."""

import json
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.history import Entry, fallen, measured, read
from bench.row import Row, least, ratios
from bench.table import markdown


def entry(machine: str = "a", **plain: float) -> Entry:
    """Rows whose product costs 1."""
    rows = {name: measured("ms", {"gantext": 1.0, "plain": cost}) for name, cost in plain.items()}
    return {
        "date": "2026-01-01",
        "commit": "abc",
        "version": "1",
        "machine": {"processor": machine, "threads": 1},
        "versions": {"torch": "2"},
        "rows": rows,
    }


def test_ways_have_their_turns_and_the_least_counts() -> None:
    turns: list[str] = []

    def way(name: str, *costs: float):
        left = iter(costs)

        def cost() -> float:
            turns.append(name)
            return next(left)

        return cost

    ways = {"gantext": way("gantext", 3, 2, 4), "plain": way("plain", 9, 8, 7)}
    found = least(ways, rounds=3, budget=1e9)
    assert found == {"gantext": 2, "plain": 7} and ratios(found) == {"plain": 3.5}
    assert turns == ["gantext", "plain"] * 3
    assert least({"gantext": way("gantext", 5)}, rounds=9, budget=-1) == {"gantext": 5}


def test_what_fell_by_over_a_fifth_is_said() -> None:
    """Beside 10: 8 is a fifth less, 7.9 is more than that."""
    before = [entry(step=10.0, other=1.0)]
    assert fallen(before, entry(step=8.0, other=1.0, new=1.0)) == []
    assert fallen(before, entry(step=7.9)) == ["step: beside plain 10, now 7.9"]
    assert fallen(before, entry("b", step=1.0)) == []


def test_a_row_is_compared_with_its_own_last_entry() -> None:
    before = [entry(step=10.0, other=10.0), entry(step=5.0), entry("b", step=50.0)]
    assert fallen(before, entry(step=4.5, other=1.0)) == ["other: beside plain 10, now 1"]


def test_the_table_has_a_line_a_row() -> None:
    found = entry(step=1234.5)
    found["rows"]["start"] = measured("MB", {"gantext": 100.0, "floor": 90.0})
    found["rows"]["read"] = measured("ms", {"gantext": 2.0}, tokens=64)
    lines = markdown(found).splitlines()
    assert lines[0] == "2026-01-01, gantext 1 (abc): a, 1 thread(s); torch 2"
    assert lines[4:] == [
        "| step | 1 ms | 1,234 ms |  | 1,230x |  |  |",
        "| start | 100 MB |  | 90 MB |  | 0.9x |  |",
        "| read | 2 ms |  |  |  |  | 32,000 |",
    ]


def test_a_measurement_is_written_kept_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = 10.0

    def toys(sizes) -> list[Row]:
        ways = {"gantext": lambda: 1.0, "plain": lambda: plain}
        return [Row("toy", "a step", lambda sizes: ways), Row("other", "b", lambda sizes: {})]

    def run(*words: str) -> int:
        words = ("--rows", "toy", "--out", str(tmp_path / "build"), *words)
        return bench.main(words, history=tmp_path / "history.jsonl")

    monkeypatch.setattr(bench, "all_rows", toys)
    assert run() == 0 and not (tmp_path / "history.jsonl").exists()
    assert run("--keep", "--check") == 0
    (kept,) = read(tmp_path / "history.jsonl")
    assert json.loads((tmp_path / "build" / "bench.json").read_text()) == kept
    assert set(kept) == set(Entry.__annotations__)
    assert kept["machine"]["threads"] == 1 and kept["versions"]["torch"]
    costs, ratio = {"gantext": 1, "plain": 10}, {"plain": 10}
    assert kept["rows"] == {"a step": {"unit": "ms", "costs": costs, "ratios": ratio, "tokens": 0}}
    plain = 7.0
    capsys.readouterr()
    assert run("--check") == 1
    said = capsys.readouterr().out
    assert "fell: a step: beside plain 10, now 7\n" in said
    assert (tmp_path / "build" / "bench.md").read_text() in said
    with pytest.raises(SystemExit):
        bench.main(["--rows", "toys"])
    assert "no rows are called toys: toy, other" in capsys.readouterr().err


def test_the_kept_history_can_be_read() -> None:
    for kept in read(bench.HISTORY):
        assert kept["rows"] and set(kept) == set(Entry.__annotations__)
