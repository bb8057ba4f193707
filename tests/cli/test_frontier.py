"""gantext eval frontier: curves over temperatures, the real text, readings, files."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gantext.cli.options import asked_for
from gantext.config.settings import Device
from gantext.evaluation import at_real
from gantext.evaluation.planes import chosen_plane
from gantext.inference import candidates
from gantext.metrics.text.frontier import Point, value_at
from gantext.metrics.text.planes import PlaneName
from gantext.metrics.two_classes import KNOWING_NOTHING, Calibration, Held
from gantext.nn.text.sampling import SamplingOptions
from gantext.runs.folder import RunDir
from tests.conftest import SMALL_GAN, Command, finished, scores_in

FEW = ["-n", "30", "--temperatures", "0.5,1.0", "--plane", "bleu"]
AXES = ("reverse-lm", "lm-score")
HEATS = ["-n", "30", "--temperatures", "0.3,1.0,3.0"]
# Sequences of four of nine words, each of which its LSTM can write.
ORACLE_GAN = [
    *(word for word in SMALL_GAN if word != "data=scenes"),
    "data=oracle",
    "data.vocab_size=9",
    "data.length=4",
]


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "runs" / "one"))


@pytest.fixture(scope="module")
def oracle_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(tmp_path_factory.mktemp("oracle"), ORACLE_GAN)


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


def test_the_curve_of_kept_candidates_stands_beside_the_runs_own(
    cli: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 0.5 the judge knows nothing, and at 1 by how long sentences are; the MLE generator has no
    curve of its own there."""
    held = Held(0.5, 0.01, 0.8, Calibration(1.0, 0.0), 10, 20)
    nothing = replace(held, loss=KNOWING_NOTHING)

    def checked(judge: Any, sides: Any, options: SamplingOptions, say: Any) -> Held:
        return held if options.temperature == 1 else nothing

    monkeypatch.setattr(candidates, "check", checked)
    kept = ["--candidates", "2", "--judge", "discriminator"]
    found = document(cli, str(run), *FEW, *kept)
    curves = {of["run"]: of["scores"] for of in found["runs"]}
    assert [*curves] == ["one", "one@mle", "one 1 of 2", "real"]
    heats = {one["signature"]["temperature"] for one in curves["one 1 of 2"]}
    assert heats == {1.0} and all("judge" in one["signature"] for one in curves["one 1 of 2"])
    assert any(
        note.startswith("no candidates at temperature 0.5: one: no") for note in found["notes"]
    )
    assert any(note.startswith("one 1 of 2: 1 of 2 kept by disc") for note in found["notes"])
    alone = cli("eval", "frontier", str(run), *FEW[:2], "--temperatures", "0.5", *kept)
    assert alone.code == 2 and alone.errors[-1].startswith("error: one: no judge that tells")
    oracle = cli("eval", "frontier", str(run), "--plane", "oracle", *kept)
    assert oracle.code == 2 and "kept candidates have no nll-test" in oracle.err


def test_a_point_equals_eval(cli: Command, run: Path) -> None:
    """The curve's scores at one temperature are those of `eval` there."""
    found = document(cli, str(run), *FEW)
    alone = cli("eval", "bleu", str(run), "-n", "30", "--temperature", "0.5", "--json")
    [want] = [r for r in scores_in(alone.out) if r["name"] == "bleu-4"]
    assert want in [one for run in found["runs"] for one in run["scores"]]
    assert [one["path"] for one in found["runs"]] == [str(run.resolve())] * 2 + [None]


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
    words += ["--plane", "bleu"]
    found = document(cli, *words, "--out", str(tmp_path), "--order", "3")
    rows = list(csv.DictReader((tmp_path / "frontier.csv").open()))
    target = float(rows[-1]["self-bleu-3"])
    assert found["readings"]["at"] == target
    for reading in found["readings"]["curves"]:
        values = []
        for seed in "01":
            own = [r for r in rows if (r["curve"], r["seed"]) == (reading["label"], seed)]
            names = ("bleu-3", "self-bleu-3")
            points = [Point("", "", 1.0, {name: float(r[name]) for name in names}) for r in own]
            values.append(value_at(points, *names, target))
        if None in values:
            assert reading["value"] is None
        else:
            assert reading["value"] == pytest.approx(sum(values) / 2)


def test_a_named_phase_stands_alone(cli: Command, run: Path) -> None:
    found = document(cli, f"{run}@mle", *FEW)
    assert [one["label"] for one in found["readings"]["curves"]] == ["one@mle"]


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
    found = document(cli, str(run), *words, "--plane", "bleu", "--order", "2")
    (own, _) = found["readings"]["curves"]
    assert (score.name, score.value) == ("bleu-2-at-real", own["value"])
    assert score.signature["temperatures"] == "0.001,1"
    monkeypatch.setattr(at_real, "TEMPERATURES", (1.0,))
    assert not at_real.at_real(folder, folder.settings, 2, lambda line: None)


def values_of(document: dict[str, Any], run: str, name: str) -> dict[Any, float]:
    """A score of a run by the temperature of its signature; None of a score without one."""
    (own,) = [one["scores"] for one in document["runs"] if one["run"] == run]
    return {s["signature"].get("temperature"): s["value"] for s in own if s["name"] == name}


def test_where_the_truth_is_known_its_plane_is_the_default(
    cli: Command, oracle_run: Path, tmp_path: Path
) -> None:
    """Read at the lowest nll-test that run and baseline both reach; the truth's own is below.

    It is that of `eval` at the temperature. There 1 is the default, where <unk> counts, which no
    training sentence has: without it a word has more, by -log(1 - p(<unk>)), a tenth of a nat.
    """
    found = document(cli, str(oracle_run), *HEATS, "--out", str(tmp_path))
    assert found["plane"] == {"name": "oracle", "x": "nll-test", "y": "nll-oracle"}
    curves = {run: values_of(found, run, "nll-test") for run in ("run", "run@mle")}
    assert all(set(curve) == {0.3, 1.0, 3.0} for curve in curves.values())
    reached = max(min(curve.values()) for curve in curves.values())
    assert found["readings"]["at"] == reached > found["real"]["nll-test"]
    written = {one["label"]: one["value"] for one in found["readings"]["curves"]}
    (last,) = (run for run, curve in curves.items() if min(curve.values()) == reached)
    heat = min(curves[last], key=lambda heat: curves[last][heat])
    assert written[last] == pytest.approx(values_of(found, last, "nll-oracle")[heat])
    assert found["published"] == [] and found["files"][1].endswith("frontier.png")
    rows = list(csv.DictReader((tmp_path / "frontier.csv").open()))
    assert list(rows[0])[:5] == ["curve", "temperature", "seed", "nll-test", "nll-oracle"]
    hot, plain, own = (
        scores_in(cli("eval", "likelihood", str(oracle_run), *words, "--json").out)[0]
        for words in (["--temperature", "0.3"], ["--temperature", "1"], [])
    )
    assert hot["name"] == "nll-test" and hot["value"] == curves["run"][0.3]
    assert hot["signature"]["temperature"] == 0.3 and "temperature" not in plain["signature"]
    assert own == plain and 0.05 < own["value"] - curves["run"][1.0] < 0.2


def test_a_model_whose_likelihood_is_an_estimate_has_no_place_on_the_oracle_s_plane(
    cli: Command, trained_vae: Path, tmp_path: Path
) -> None:
    run = str(shutil.copytree(trained_vae, tmp_path / "runs" / "v"))
    found = cli("eval", "frontier", run, *HEATS, "--plane", "oracle")
    assert found.code == 2 and len(found.errors) == 1
    assert "that of model=vae is an estimate, made for temperature 1 alone" in found.err
    likelihood = cli("eval", "likelihood", run, "-n", "30", "--temperature", "0.3", "--json")
    names = {score["name"] for score in scores_in(likelihood.out)}
    assert "grammatical" in names and "nll-test" not in names
    assert "note: v: no nll-test at temperature 0.3: that of model=vae is an" in likelihood.err
    asked = asked_for([run], None, "texygen", None, None, Device.cpu, Path("runs"))
    assert chosen_plane(asked, None, None, [1.0]).name is PlaneName.bleu


@pytest.mark.parametrize(
    "words, said",
    [
        (["--order", "3"], "--order 3: of --plane bleu"),
        (["--plane", "oracle", "data=coco"], "the true distribution of data=coco is not known"),
        (["--plane", "oracle", "--temperatures", "0,1"], "no nll-test at temperature 0"),
        (["--plane", "orcale"], "orcale"),
    ],
)
def test_what_has_no_place_on_a_plane_is_refused(
    cli: Command, oracle_run: Path, words: list[str], said: str
) -> None:
    found = cli("eval", "frontier", str(oracle_run), *words)
    assert found.code == 2 and said in found.err and len(found.errors) == 1


def test_the_plane_of_language_models_reads_coverage_at_the_real_fluency(
    cli: Command, oracle_run: Path, brief_judge: None
) -> None:
    words = [f"{oracle_run}@mle", *HEATS, "--plane", "lm"]
    found = document(cli, *words)
    readings = found["readings"]
    assert (readings["score"], readings["where"]) == AXES
    assert readings["at"] == found["real"]["lm-score"]
    y, x = (values_of(found, "run@mle", name) for name in ("lm-score", "reverse-lm"))
    curve = [Point("", "", t, {"lm-score": y[t], "reverse-lm": x[t]}) for t in x]
    assert readings["curves"][0]["value"] == value_at(curve, *AXES, readings["at"])
    between = str((y[0.3] + y[1.0]) / 2)  # the brief judge of the toy is not as sure as real text's
    (own,) = document(cli, *words, "--at", between)["readings"]["curves"]
    assert own["value"] == value_at(curve, *AXES, float(between)) is not None
