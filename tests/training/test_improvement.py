"""The best state of a run, phases that end early, and resumes of both."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gantext import data
from gantext.config.compose import compose
from gantext.evaluation.ground import ground_of_corpus
from gantext.evaluation.phase import text_score
from gantext.models.contract import Phase
from gantext.runs.folder import RunDir
from gantext.runs.shapes import EarlyEnd
from gantext.runs.trained import restore
from gantext.training.improvement import Improvement, is_better
from gantext.training.preparation import Job
from gantext.training.stepper import Stepper, batch_of
from tests.conftest import SMALL_GAN, SMALL_MLE, Command, finished
from tests.torture import back_to, difference

# Looks are at every second step, and two in vain are enough.
EARLY = ["early_stop.patience=2", "early_stop.min_delta=0.2", "log.sample_every_steps=2"]
JUDGED = [*SMALL_GAN, *EARLY, "model.mle.epochs=6", "checkpoint.keep=1", "eval.samples=10"]


@pytest.fixture(scope="module")
def by_likelihood(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run of the tiny GAN that keeps its best state by nll_valid, and whose mle ends early."""
    words = [*JUDGED, "checkpoint.best=nll_valid", "model.mle.learning_rate=0.02"]
    words += ["model.mle.warmup_steps=0"]
    return RunDir(finished(tmp_path_factory.mktemp("likelihood"), words))


@pytest.fixture(scope="module")
def by_score(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """The session's run of the tiny GAN, with its best state by a score computed on the way."""
    words = [*SMALL_GAN, "checkpoint.best=bleu-2", "eval.every_steps=3"]
    return RunDir(finished(tmp_path_factory.mktemp("score"), words))


def test_better_is_lower_or_higher_by_the_metric() -> None:
    assert is_better("nll_valid", 2.0, None) and is_better("nll_valid", 2.0, 2.1)
    assert not is_better("nll_valid", 2.1, 2.0) and not is_better("nll_valid", 2.0, 2.0)
    assert is_better("bleu-4", 0.3, 0.2) and not is_better("bleu-4", 0.2, 0.3)
    assert is_better("frechet", 0.2, 0.3) and is_better("recall", 0.3, 0.2)
    assert not is_better("nll_valid", 2.0, 2.5, by=0.5) and is_better("nll_valid", 2.0, 2.6, by=0.5)
    assert not any(is_better("nll_valid", value, None) for value in (math.nan, math.inf))


def phase(name: str, steps: int = 100, rows: int = 1, **said: bool) -> Phase:
    return Phase(name, steps, rows, lambda batch, rng: {}, **said)


def test_a_phase_waits_for_so_many_looks() -> None:
    """With min_delta=.5 4.6 is not better than 5, and 4.4 is; 4 and NaN are two looks in vain."""
    words = ["model=mle", "data=scenes", "early_stop.patience=2", "early_stop.min_delta=0.5"]
    judge = Improvement(compose(words))
    ends = [
        judge.ends(phase("mle"), step, {"nll_valid": value})
        for step, value in [(1, 9.0), (2, 5.0), (3, 4.6), (4, 4.4), (5, 4.0), (6, math.nan)]
    ]
    assert ends == [
        *[None] * 5,
        EarlyEnd(step=6, metric="nll_valid", best=4.4, best_step=4),
    ]
    assert judge.ends(phase("mle"), 7, {}) is None  # no look
    assert judge.ends(phase("other"), 1, {"nll_valid": 9.0}) is None  # a phase of its own
    for left_out in (phase("d", scored=False), phase("adversarial", adversarial=True)):
        for step in range(5):
            assert judge.ends(left_out, step, {"nll_valid": 9.0}) is None


def test_the_best_state_is_kept_beside_the_newest(by_likelihood: RunDir) -> None:
    """The lowest nll_valid of the scored phases, whatever checkpoint.keep=1 drops."""
    looks = [row for row in by_likelihood.metrics() if "nll_valid" in row]
    least = min((row for row in looks if row["phase"] != "discriminator"), key=value_of)
    best = by_likelihood.info["best"]
    assert best == {
        "metric": "nll_valid",
        "value": least["nll_valid"],
        **{key: least[key] for key in ("phase", "step", "total")},
    }
    kept = sorted(path.name for path in by_likelihood.checkpoints.glob("*-best"))
    assert kept == [f"{best['total']:09d}-best"]
    assert by_likelihood.checkpoint("best").state["best"] == best
    assert "best" not in by_likelihood.phase_ends()
    assert len(list(by_likelihood.checkpoints.iterdir())) == 1 + 3 + 1  # best, ends, newest


def value_of(row: dict[str, float]) -> float:
    return row["nll_valid"]


def test_a_phase_ends_early_and_says_so(by_likelihood: RunDir) -> None:
    looks = [row for row in by_likelihood.metrics() if row["phase"] == "mle" and "nll_valid" in row]
    end = by_likelihood.info["early_ends"]["mle"]
    assert end["step"] == looks[-1]["step"] == by_likelihood.phase_steps()["mle"] < 48
    best = next(row for row in looks if row["step"] == end["best_step"])
    assert best["nll_valid"] == end["best"]
    later = [value_of(row) for row in looks if row["step"] > end["best_step"]]
    assert len(later) == 2 and min(later) >= end["best"] - 0.2
    said = f"mle ends early, at step {end['step']} of 48: nll_valid was best at step"
    assert said in by_likelihood.log.read_text()
    assert by_likelihood.info.keys() & {"early_ends"} and by_likelihood.status == "finished"


def test_best_is_a_phase_wherever_one_is_named(by_likelihood: RunDir, cli: Command) -> None:
    name, best = f"{by_likelihood.path}@best", by_likelihood.info["best"]
    drawn = json.loads(cli("sample", name, "-n", "2", "--json").out)
    assert drawn["signature"]["step"] == best["total"] and drawn["signature"]["phase"] == "best"
    shown = json.loads(cli("runs", "show", name, "--json").out)
    assert (shown["phase"], shown["total"]) == (best["phase"], best["total"])
    assert f"nll_valid {best['value']:.4g} at step {best['step']}" in cli("runs", "show", name).out
    table = cli("eval", "self-bleu", name, str(by_likelihood.path), "-n", "10")
    assert table.code == 0 and "run@best" in table.out


def test_a_run_without_a_best_state_says_how_to_keep_one(trained: Path, cli: Command) -> None:
    for words in (["sample", f"{trained}@best"], ["runs", "show", f"{trained}@best"]):
        found = cli(*words)
        assert found.code == 2 and "run keeps no best state: only a run with" in found.err


@pytest.mark.parametrize("place", ["best", "mle"])
def test_it_goes_on_exactly(
    by_likelihood: RunDir, place: str, cli: Command, tmp_path: Path
) -> None:
    """From the best state amid a phase, and from the end of one that ended early."""
    ends = by_likelihood.phase_steps()
    total = by_likelihood.info["best"]["total"] if place == "best" else ends["mle"]
    copy = back_to(by_likelihood, total, tmp_path)
    ended = by_likelihood.info["early_ends"]["mle"]  # that of the other phase is of a lost future
    lost = {"mle": ended, "adversarial": ended}
    copy.update(best={**by_likelihood.info["best"], "value": 0.0}, early_ends=lost)
    found = cli("train", "--resume", str(copy.path))
    assert found.code == 0 and f"at step {total}" in found.err, found.err
    assert difference(copy.path, by_likelihood.path) == ""


def test_scores_on_the_way_change_nothing(by_score: RunDir, trained: Path) -> None:
    """The session's run has the same rows but for the score of each third step of scored phases."""
    rows, plain = by_score.metrics(), RunDir(trained).metrics()
    scores = {row["total"]: row.pop("score/bleu-2") for row in rows if "score/bleu-2" in row}
    assert rows == plain
    assert list(scores) == [3, 6, 9, 12, 15, 25, 28]  # 16 of mle, 6 of d, 8 adversarial ones
    ends = {
        total: score["value"]
        for name, total in by_score.phase_steps().items()
        for score in (by_score.scores(f"phase-{name}") or {"scores": []})["scores"]
        if score["name"] == "bleu-2"
    }
    best = by_score.info["best"]
    assert best["value"] == max((scores | ends).values())
    assert (scores | ends)[best["total"]] == best["value"]


def test_a_score_on_the_way_is_that_of_a_phases_end(by_score: RunDir) -> None:
    trained = restore(by_score)
    ground = ground_of_corpus(data.load(by_score.settings.data))
    last = {score["name"]: score["value"] for score in (by_score.result or {})["scores"]}
    for name in ("bleu-2", "nll-test", "grammatical"):
        assert text_score(trained, ground, name) == last[name]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["checkpoint.best=blue-4"], "writes text (did you mean bleu-4?)"),
        (["checkpoint.best=frechet"], "nothing that judges model=mle, which writes text"),
        (["early_stop.patience=1", "early_stop.metric=bleu-4"], "set eval.every_steps, which is 0"),
        (["checkpoint.best=nll_valid", "log.sample_every_steps=0"], "it needs log.every_steps"),
        (["checkpoint.best=nll_valid", "data.validation_size=0"], "has no validation sentences"),
        (["early_stop.phases=[mel]"], "no phase that is scored (did you mean mle?)"),
        (["early_stop.patience=-1"], "early_stop.patience=-1: it must be at least 0"),
    ],
)
def test_what_cannot_judge_a_run_is_refused(
    words: list[str], said: str, cli: Command, tmp_path: Path
) -> None:
    found = cli("train", *SMALL_MLE, *words)
    assert found.code == 2 and said in found.errors[-1]
    assert not list(tmp_path.glob("runs/*"))


class Numbers:
    """A split of 20 rows, each of which is its own number."""

    def __len__(self) -> int:
        return 20

    def batch(self, chosen: torch.Tensor) -> torch.Tensor:
        return chosen


def test_a_batch_is_found_again_behind_an_early_end() -> None:
    """After 2 of the 4 steps of a phase of 3 rows each, its end: the next phase draws 5 a step."""
    settings, device = compose(["model=mle", "data=scenes"]), torch.device("cpu")
    phases = [phase("a", steps=4, rows=3), phase("b", rows=5)]
    algorithm, split = SimpleNamespace(state_dict=dict), SimpleNamespace(train=Numbers())
    job = Job(settings, split, algorithm, device, tuple(phases))
    stepper = Stepper(job)
    for _ in range(2):
        stepper.take()
    stepper.ended = True
    state = stepper.state()
    assert stepper.is_at_end
    stepper.end_phase()
    drawn = [stepper.batches.next(stepper.current.rows) for _ in range(3)]
    assert torch.equal(batch_of(job, state, 5), drawn[2])
