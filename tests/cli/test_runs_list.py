"""gantext runs list: which runs, in which order, by which columns, and tables for elsewhere."""

import csv
import json
from pathlib import Path

import pytest

from gantext.metrics.score import Score
from gantext.runs.folder import RunDir
from tests.conftest import Command


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Four runs of text, the last one without a score, and the oldest by older code."""
    for i, (model, status) in enumerate(
        [("mle", "finished"), ("gan", "finished"), ("mle", "stopped"), ("mle", "finished")]
    ):
        info = {"status": status, "phase": "mle"}
        facts = {**info, "model": model, "data_name": "coco", "seed": i} if i else info
        config = "seed: 7\nmodel:\n  name: mle\ndata:\n  name: scenes\n"
        run = RunDir.create(tmp_path / "runs" / f"r{i}", config, None, facts)
        own = [] if i == 3 else [Score("bleu-4", [0.5, 0.4567891, 0.6][i])]
        run.save_result({"scores": [score.to_json() for score in own]})
    return tmp_path / "runs"


def named(cli: Command, *words: str) -> list[str]:
    found = cli("runs", "list", *words, "--json")
    assert found.code == 0, found.err
    return [row["run"] for row in json.loads(found.out)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", "r3 r2 r1 r0"),
        ("-n 2", "r3 r2"),
        ("--sort created", "r0 r1 r2 r3"),
        ("--sort -bleu-4", "r2 r0 r1 r3"),
        ("--sort bleu-4", "r1 r0 r2 r3"),
        ("--sort -seed -n 1", "r0"),
        ("--model mle --status finished", "r3 r0"),
        ("--model vae", ""),
        ("--data scenes", "r0"),
    ],
)
def test_which_runs_and_in_which_order(cli: Command, runs: Path, words: str, expected: str) -> None:
    assert named(cli, *words.split()) == expected.split()


def test_columns_are_chosen(cli: Command, runs: Path) -> None:
    found = cli("runs", "list", "--columns", "seed,bleu-4,steps", "--sort", "seed")
    rows = [line.split() for line in found.out.splitlines() if line.startswith(" r")]
    assert rows == [
        ["run", "seed", "bleu-4", "≈", "steps"],
        ["r1", "1", "0.4568", "-"],
        ["r2", "2", "0.6000", "-"],
        ["r3", "3", "-", "-"],
        ["r0", "7", "0.5000", "-"],
    ]
    found = cli("runs", "list", "--model", "gan")
    assert "1 of 4 runs in runs" in found.err and "gan" in found.out and "r0" not in found.out
    found = cli("runs", "list", "--model", "vae")
    assert found.code == 0 and found.err == "no runs in runs with --model vae\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--columns sed", "--columns sed: no such column (did you mean seed?)"),
        ("--sort blue-4", "--sort blue-4: no such column (did you mean bleu-4?)"),
        ("--status finnished", "--status finnished: no such status (did you mean finished?)"),
        ("--model leakgna", "--model leakgna: no such model (did you mean leakgan?)"),
        ("--json --format md", "--json and --format md: leave one out"),
    ],
)
def test_what_there_is_not_is_refused(cli: Command, runs: Path, words: str, said: str) -> None:
    found = cli("runs", "list", *words.split())
    assert (found.code, found.out, found.err) == (2, "", f"error: {said}\n")


def test_runs_for_elsewhere(cli: Command, runs: Path) -> None:
    found = cli("runs", "list", "--format", "csv")
    rows = list(csv.DictReader(found.out.splitlines()))
    assert [row["run"] for row in rows] == ["r3", "r2", "r1", "r0"]
    assert rows[2]["bleu-4"] == "0.4567891" and rows[0]["bleu-4"] == ""
    assert rows[3]["model"] == "mle" and rows[3]["data"] == "scenes" and rows[3]["seed"] == "7"
    found = cli("runs", "list", "--format", "md", "--columns", "status,bleu-4")
    assert "| r1 | finished | 0.4568 |" in found.out.splitlines()
    found = cli("runs", "list", "--format", "latex", "--columns", "status,bleu-4")
    assert r"r1 & finished & 0.4568 \\" in found.out and r"bleu-4 $\approx$" in found.out
