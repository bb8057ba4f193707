"""gantext compare: runs side by side, settings that differ, means over seeds, protocols."""

import csv
import dataclasses
import json
import shutil
import statistics
from pathlib import Path
from typing import Any

import pytest

from gantext.cli.compare import _grid
from gantext.config.compose import compose
from gantext.evaluation.comparison import Comparison, _repetitions, mixed_names, score_names
from gantext.metrics.score import Score
from gantext.runs.folder import RunDir
from tests.conftest import Command


@pytest.fixture
def runs(trained: Path, tmp_path: Path) -> list[str]:
    """The tiny run and two copies: one of another seed, one of another learning rate."""
    found = []
    for name, old, new in (
        ("a", "seed: 1\n", "seed: 1\n"),
        ("b", "seed: 1\n", "seed: 2\n"),
        ("c", "learning_rate: 0.0003", "learning_rate: 0.0004"),
    ):
        folder = Path(shutil.copytree(trained, tmp_path / "runs" / name))
        text = (folder / "config.yaml").read_text()
        assert old in text
        (folder / "config.yaml").write_text(text.replace(old, new))
        found.append(name)
    return found


def document(cli: Command, *words: str) -> list[dict[str, Any]]:
    found = cli("compare", *words, "-n", "30", "--json")
    assert found.code == 0, found.err
    return list(json.loads(found.out))


def test_settings_that_differ_are_listed(cli: Command, runs: list[str]) -> None:
    [found] = document(cli, *runs)
    assert [run["run"] for run in found["runs"]] == [*runs, "real"]
    assert found["settings"]["seed"] == {"a": "1", "b": "2", "c": "1"}
    assert set(found["settings"]) == {"seed", "model.adversarial.learning_rate"}


def test_means_over_runs_that_differ_in_their_seed_only(cli: Command, runs: list[str]) -> None:
    """Runs a and b; c has another learning rate, and is no repetition of them."""
    [found] = document(cli, *runs)
    assert list(found["means"]) == ["a and 1 more"]
    values = [
        score["value"]
        for run in found["runs"][:2]
        for score in run["scores"]
        if score["name"] == "bleu-2"
    ]
    assert found["means"]["a and 1 more"]["bleu-2"]["mean"] == pytest.approx(
        statistics.fmean(values)
    )


def test_repetitions_have_all_been_scored() -> None:
    """Two seeds of a phase; with one of them cut off there is no mean."""
    one = compose([])
    settings = {f"s{seed}": dataclasses.replace(one, seed=seed) for seed in (1, 2, 3)}
    phases = {"s1": None, "s2": None, "s3": "mle"}
    whole: dict[str, list[Score]] = {"s1": [], "s2": [], "s3": []}
    assert _repetitions(settings, phases, whole) == {"s1 and 1 more": ["s1", "s2"]}
    assert not _repetitions(settings, phases, {"s1": [], "s3": []})


def test_other_data_is_another_table(cli: Command, runs: list[str], tmp_path: Path) -> None:
    RunDir(tmp_path / "runs" / "c").update(data="0" * 64)
    shutil.rmtree(tmp_path / "runs" / "c" / "scores")
    found = cli("compare", *runs, "-n", "30")
    assert found.code == 2 and "trained on other data" in found.err  # its likelihood


def test_every_score_goes_to_the_csv(cli: Command, runs: list[str]) -> None:
    found = cli("compare", *runs[:2], "-n", "30", "--format", "csv")
    rows = list(csv.DictReader(found.out.splitlines()))
    assert {row["run"] for row in rows} == {"a", "b", "real"}
    assert all(row["signature"] for row in rows)


def test_one_run_is_refused(cli: Command, runs: list[str]) -> None:
    found = cli("compare", "a")
    assert found.code == 2 and "two or more" in found.err


def test_a_column_of_two_protocols_is_marked() -> None:
    """500 samples beside 1,000: their Self-BLEU are not comparable, their unique shares are."""

    def own(size: int) -> list[Score]:
        sign = {"preset": "texygen", "hypotheses": size}
        return [Score("self-bleu-4", 0.5, sign), Score("unique", 1.0, {"run": str(size)})]

    mixed = Comparison("scenes", {"a": own(500), "b": own(1000)}, {}, {})
    assert mixed_names(mixed.table) == {"self-bleu-4"}
    assert score_names(mixed) == ["self-bleu-4", "unique"]
    assert _grid(mixed).labels == ["self-bleu-4 ≈ *", "unique ≈"]
    [note] = mixed.notes
    assert note == "self-bleu-4: not comparable as it stands: hyp:500 of a; hyp:1000 of b"


def test_differences_and_what_they_are_made_of(cli: Command, runs: list[str]) -> None:
    """a and c are the same model: the likelihoods of the same sentences do not differ at all."""
    [found] = document(cli, "a", "a@mle", "--beside", "a@mle")
    apart = {one["score"]: one for one in found["differences"]}
    assert {(one["run"], one["beside"]) for one in apart.values()} == {("a", "a@mle")}
    assert (apart["nll-test"]["by"], apart["bleu-2"]["by"]) == ("paired", "samples")
    assert apart["bleu-2"]["low"] <= apart["bleu-2"]["value"] <= apart["bleu-2"]["high"]
    shown = cli("compare", "a", "a@mle", "-n", "30")
    assert shown.code == 0 and "differences from a" in shown.out
    assert "paired, sentence by sentence: nll-test" in shown.out
    refused = cli("compare", "a", "c", "--beside", "b")
    assert refused.code == 2 and "--beside b is none of what is compared" in refused.err
