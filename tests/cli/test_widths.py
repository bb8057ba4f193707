"""What compares runs, on terminals of 60 to 120 columns: no name, status or score is lost."""

import itertools
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from rich.cells import cell_len

from gantext.cli import compare, frontier, sweeps, tables
from gantext.cli.eval_tables import ScoreTables
from gantext.cli.formats import Format
from gantext.evaluation import measures
from gantext.evaluation.comparison import Comparison, Mean
from gantext.evaluation.frontier import Frontier, Place, Reading
from gantext.metrics.score import Score, shown
from gantext.metrics.text.frontier import Point
from gantext.metrics.text.planes import bleu
from gantext.runs.folder import RunDir
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_state import JobState
from gantext.training.terminal import Terminal, tell
from tests.conftest import Command

STATUSES = ("finished", "running", "diverged", "stopped", "failed")
RUNS = [
    f"2026-11-25_23-44-{i}6-{model}-coco-s{i}"
    for i, model in enumerate(("leakgan", "mle", "gan", "vae", "gan"))
]
SWEEP = "2026-11-25_22-10-06-sweep"
SIGNATURE = {"preset": "texygen", "hypotheses": 500, "data": "3fa1b2c3d4", "temperature": 1.0}
COMPARED = [name for name in measures.columns() if "-" in name][:11]
DIGITS = itertools.count(1)

pytestmark = pytest.mark.parametrize("width", [60, 80, 100, 120])


def scores(names: Sequence[str], prefix: str = "") -> list[Score]:
    """Each of another value, by which it is found again."""
    return [Score(f"{prefix}{name}", next(DIGITS) / 10_000, SIGNATURE, 0.0012) for name in names]


def texts(table: dict[str, list[Score]]) -> list[str]:
    return [shown(score.value) for own in table.values() for score in own]


@pytest.fixture
def printed(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[], object], list[str]], str]:
    """What a function prints on a terminal of that width, which holds all these words whole."""
    monkeypatch.setattr(tables.out, "width", width)

    def run(function: Callable[[], object], words: list[str]) -> str:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        function()
        out = capsys.readouterr().out
        assert not [line for line in out.splitlines() if cell_len(line) > width]
        found = out.split()
        assert not [word for word in words if word not in found]
        return out

    return run


Printed = Callable[[Callable[[], object], list[str]], str]


def test_eval(printed: Printed, width: int) -> None:
    names = [name for name in COMPARED if "bleu" in name]
    table = {run: scores(names) for run in (f"{RUNS[0]}@mle", *RUNS)}
    table["real"] = scores(names, "real-")
    how = ScoreTables("BLEU, preset texygen", "coco", signatures=False, form=Format.table)
    out = printed(lambda: how.print(table), [*table, *names, *texts(table)])
    assert ("±" in out) == (width == 120) and "texygen · 500 samples · coco 3fa1 · signature" in out
    few = {run: table[run] for run in (RUNS[0], "real")}
    assert "±.0012" in printed(lambda: how.print(few), [RUNS[0], *names, *texts(few)])


def test_compare(printed: Printed) -> None:
    table = {run: scores(COMPARED) for run in RUNS} | {"real": scores(COMPARED, "real-")}
    means = {f"{RUNS[2]} and 1 more": {"bleu-4": Mean(0.7777, 0.0888)}}
    keys = ("model.adversarial.learning_rate", "model.generator.hidden")
    settings = {key: {run: f"{key[6:9]}{i}" for i, run in enumerate(RUNS)} for key in keys}
    damaged = {"2026-11-24_08-00-00-mle-coco-s9": "damaged: run.json"}
    one = Comparison("coco", table, settings, means, damaged=damaged)
    values = [value for own in settings.values() for value in own.values()]
    words = [*RUNS, *damaged, "0.7777", "0.0888", *values, *keys, *COMPARED, *texts(table)]
    printed(lambda: compare._show(one, False, Format.table), words)


def test_frontier(printed: Printed) -> None:
    plane = bleu(4)

    def points(label: str) -> list[Point]:
        both = [{name: next(DIGITS) / 10_000 for name in plane.columns} for _ in range(2)]
        return [Point(label, label, heat, own, 0) for heat, own in zip((0.5, 1), both, strict=True)]

    curves = [RUNS[0], f"{RUNS[0]}@mle", RUNS[1]]
    drawn = [point for curve in curves for point in points(curve)]
    own = {curve: scores(plane.columns) for curve in curves}
    readings = [Reading(curve, None if curve == RUNS[1] else 0.6543, 0.01) for curve in curves]
    place, real = Place(0.5, "the real text's Self-BLEU-4 (0.5)"), points("real")[0]
    found = Frontier(plane, drawn, real, (), place, readings, own)
    values = [shown(value) for point in drawn for value in point.values.values()]
    words = [*curves, *plane.columns, "0.6543", *values]
    printed(lambda: frontier._show(found, "texygen", "coco", False, Format.table), words)


def test_a_sweep(printed: Printed) -> None:
    jobs: list[JobState] = []
    for i, (rate, seed) in enumerate(itertools.product((0.001, 0.01), (1, 2, 3))):
        words = [f"model.mle.learning_rate={rate}", f"seed={seed}", "data=coco"]
        own = [score.to_json() for score in scores(measures.summary()[:6])]
        status = "finished" if i < 4 else "running"
        jobs.append({"job": str(i), "overrides": words, "status": status, "scores": own})
    jobs[5]["headway"] = {"phase": "mle", "step": 3, "steps": 9, "left": 60.0, "rate": 1.0}
    values = [shown(float(record["value"])) for job in jobs for record in job["scores"]]
    words = [*"012345", "finished", "running", "0.001", "0.01", "3/9,", "mean", "0-2", *values]
    sweep = SweepDir(Path("runs") / SWEEP)
    out = printed(lambda: sweeps.show(sweep, jobs, Format.table), words)
    assert "learning_rate: model.mle.learning_rate" in out
    few = {
        "job": "7",
        "overrides": ["seed=1"],
        "status": "finished",
        "scores": [*map(Score.to_json, scores(["nll-test", "bleu-4"]))],
    }
    alone: list[JobState] = [few]
    assert "±.0012" in printed(lambda: sweeps.show(sweep, alone, Format.table), ["7"])


def test_a_line_is_broken_between_words(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal, which gets a word that is longer than it as one; a file gets the line."""
    path = "/runs/" + "x" * width
    line = f"next: {'gantext sample run ' * 9}{path} \x1b[2J a"
    tell(Terminal(width=width, force_terminal=True, color_system=None), line)
    out = capsys.readouterr().out
    assert out.split() == [*line.replace("\x1b", "\\x1b").split()]
    assert [one for one in out.splitlines() if len(one) > width] == [path]
    tell(Terminal(width=width), line)
    assert capsys.readouterr().out == f"{line}\n"


def test_a_number_stays_beside_its_name(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [f"{'nll' * (i % 3)}_{i} {i / 7:.3f}" for i in range(40)]
    tell(Terminal(width=width, force_terminal=True, color_system=None), "  ".join(pairs))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert [pair.strip() for line in lines for pair in line.split("  ")] == pairs


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Five runs of text, one of pictures, a sweep's job and one that cannot be read."""
    folder = tmp_path / "runs"
    everything = dict(zip(RUNS, STATUSES, strict=True))
    pictures = "2026-11-25_23-59-59-image_gan-mnist-s1"
    for run, status in (everything | {pictures: "finished", f"{SWEEP}/0": "finished"}).items():
        named = {"model": run.split("-")[-3], "data_name": "coco", "seed": int(run[-1])}
        info = {"status": status, "phase": "adversarial", **named}
        names = measures.summary()[9:] if run == pictures else measures.summary()[:6]
        extra = {"channels": 1} if run == pictures else {}
        made = RunDir.create(folder / run, "seed: 1\n", None, {**info, **extra})
        made.save_result({"scores": [score.to_json() for score in scores(names)]})
    (folder / RUNS[4] / "run.json").write_text("{")
    return folder


def test_runs_list(cli: Command, runs: Path, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.out, "width", width)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    out = cli("runs", "list").out
    assert max(map(len, out.splitlines())) <= width
    text, pictures = out.split("runs in runs: pictures")
    assert "runs in runs: text" in text and "frechet" in pictures and "frechet" not in text
    words, columns = text.split(), text.split("─")[0].split()
    for run, status in zip(RUNS[:4], ("finished", "killed", "diverged", "stopped"), strict=True):
        assert words[words.index(run) :].index(status) <= 4
    assert f"{SWEEP}/0" in words and "damaged" in words and "damaged: run.json" in text
    left = text.partition("no room for ")[2].replace(",", "").split()
    for column in ("created", "model", "data", "seed", "phase", *measures.summary()[:6]):
        assert (column in columns) is not (column in left)


def test_runs_show(
    cli: Command, trained: Path, tmp_path: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / RUNS[2]
    run.symlink_to(trained)
    monkeypatch.setattr(tables.out, "width", width)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    out = cli("runs", "show", str(run)).out
    assert max(map(len, out.splitlines())) <= width
    assert re.search(r"rates +mle [\d.]+ (step/s|s/step), discriminator ", " ".join(out.split()))
    table = out.partition("scores after each phase")[2].split()
    stored = (RunDir(trained).scores("phase-mle") or {})["scores"]
    assert {"mle", "adversarial", *(record["name"] for record in stored)} <= set(table)
