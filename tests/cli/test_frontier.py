"""gantext eval frontier: curves over temperatures, the real text, readings, files."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gantext.evaluation import at_real
from gantext.metrics.text.frontier import Point, bleu_at
from gantext.runs.folder import RunDir
from tests.conftest import Command, scores_in

FEW = ["-n", "30", "--temperatures", "0.5,1.0"]


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "runs" / "one"))


def document(cli: Command, *words: str) -> dict[str, Any]:
    found = cli("eval", "frontier", *words, "--json")
    assert found.code == 0, found.err
    return dict(json.loads(found.out))


def test_curves_stand_beside_their_mle_generator(cli: Command, run: Path) -> None:
    found = cli("eval", "frontier", str(run), *FEW)
    assert found.code == 0, found.err
    rows = [line.split()[:2] for line in found.out.splitlines()]
    for row in (["one", "0.5"], ["one", "1"], ["one@mle", "0.5"], ["one@mle", "1"]):
        assert row in rows
    assert "BLEU-4 at the real text's Self-BLEU-4" in found.out
    png = run / "plots" / "frontier.png"
    assert png.read_bytes().startswith(b"\x89PNG") and str(png) in found.err


def test_a_point_equals_eval(cli: Command, run: Path) -> None:
    """The curve's scores at one temperature are those of `eval` there."""
    found = document(cli, str(run), *FEW)
    alone = cli("eval", "bleu", str(run), "-n", "30", "--temperature", "0.5", "--json")
    [want] = [r for r in scores_in(alone.out) if r["name"] == "bleu-4"]
    assert want in [one for run in found["runs"] for one in run["scores"]]


def test_the_csv_has_every_draw(cli: Command, run: Path, tmp_path: Path) -> None:
    words = [str(run), *FEW, "--seeds", "0,1", "--out", "figures"]
    found = document(cli, *words)
    assert [Path(path).name for path in found["files"]] == ["frontier.csv", "frontier.png"]
    rows = list(csv.DictReader((tmp_path / "figures" / "frontier.csv").open()))
    draws = [(r["curve"], r["temperature"], r["seed"]) for r in rows if r["temperature"]]
    assert len(draws) == len(set(draws)) == 2 * 2 * 2
    assert rows[-1]["curve"] == "real"  # published points are of 10,000 COCO samples


def test_the_reading_is_the_interpolation_of_the_csv(
    cli: Command, run: Path, tmp_path: Path
) -> None:
    """Mean and sd over the seeds of what each seed's points give."""
    words = [str(run), "-n", "30", "--temperatures", "0.2,1.0,4.0", "--seeds", "0,1"]
    found = document(cli, *words, "--out", str(tmp_path), "--order", "3")
    rows = list(csv.DictReader((tmp_path / "frontier.csv").open()))
    target = float(rows[-1]["self-bleu-3"])
    for reading in found["at_real"]:
        values = []
        for seed in "01":
            own = [r for r in rows if (r["curve"], r["seed"]) == (reading["label"], seed)]
            points = [
                Point("", "", 1.0, {3: float(r["bleu-3"])}, {3: float(r["self-bleu-3"])})
                for r in own
            ]
            values.append(bleu_at(points, target, 3))
        if None in values:
            assert reading["value"] is None
        else:
            assert reading["value"] == pytest.approx(sum(values) / 2)


def test_a_named_phase_stands_alone(cli: Command, run: Path) -> None:
    found = document(cli, f"{run}@mle", *FEW)
    assert [one["label"] for one in found["at_real"]] == ["one@mle"]


def test_it_needs_a_real_text(cli: Command, run: Path, tmp_path: Path) -> None:
    (tmp_path / "samples.txt").write_text("a\nb\n")
    found = cli("eval", "frontier", "--samples", "samples.txt")
    assert found.code == 2 and "data=NAME" in found.err


def test_the_score_of_a_whole_curve_is_its_reading(
    cli: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From nearly greedy to wild, on whose way is the real text's Self-BLEU."""
    monkeypatch.setattr(at_real, "TEMPERATURES", (0.001, 1.0))
    folder = RunDir(run)
    (score,) = at_real.at_real(folder, folder.settings, 2, lambda line: None)
    chosen = folder.settings.eval
    words = ["-n", str(chosen.samples), "--temperatures", "0.001,1", "--seeds", f"{chosen.seed},"]
    found = document(cli, str(run), *words, "--order", "2")
    assert (score.name, score.value) == ("bleu-2-at-real", found["at_real"][0]["value"])
    assert score.signature["temperatures"] == "0.001,1"
    monkeypatch.setattr(at_real, "TEMPERATURES", (1.0,))
    assert not at_real.at_real(folder, folder.settings, 2, lambda line: None)
