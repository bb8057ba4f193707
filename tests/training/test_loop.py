"""The loop: what is reported, scored, warned about and left behind."""

import json
import math
from pathlib import Path

from gantext.runs.folder import RunDir
from gantext.training.watch import Watch
from tests.conftest import Command


def test_a_run_leaves_its_files(trained: Path) -> None:
    run = RunDir(trained)
    assert run.phase_ends() == ["mle", "discriminator", "adversarial"]
    rows = run.metrics()
    assert [row["total"] for row in rows] == list(range(1, 31))
    assert {row["phase"]: row["step"] for row in rows} == {
        "mle": 16,
        "discriminator": 6,
        "adversarial": 8,
    }
    # Looks at the samples: every 5 steps of a phase and at its end.
    looked = [(row["phase"], row["step"]) for row in rows if "unique" in row]
    assert looked == [
        ("mle", 5),
        ("mle", 10),
        ("mle", 15),
        ("mle", 16),
        ("discriminator", 5),
        ("discriminator", 6),
        ("adversarial", 5),
        ("adversarial", 8),
    ]
    assert len(run.samples("adversarial")) == 50
    assert len(run.samples("000000005-mle")) == 200
    assert run.scores("phase-discriminator") is None  # it changes no sample
    result = run.result
    assert result is not None and result["status"] == "finished"
    names = [score["name"] for score in result["scores"]]
    assert {"nll-test", "forward-kl", "grammatical", "bleu-4", "self-bleu-4", "unique"} <= set(
        names
    )
    assert run.info["total"] == 30 and run.info["overrides"][0] == "model=gan"
    assert "phase adversarial: 8 steps" in run.log.read_text()


def test_logging_less_changes_no_weight(
    trained: Path, cli: Command, small_gan: list[str], tmp_path: Path
) -> None:
    """Looking at samples draws from generators of its own."""
    words = ["log.every_steps=0", "log.sample_every_steps=0", "checkpoint.every_steps=0"]
    found = cli("train", *small_gan, *words, "name=quiet")
    assert found.code == 0, found.err
    quiet = RunDir(tmp_path / "runs" / "quiet")
    assert quiet.metrics() == []
    a, b = quiet.load_checkpoint()[0], RunDir(trained).load_checkpoint()[0]
    assert a is not None and b is not None
    for name, weight in a["algorithm"]["generator"].items():
        assert weight.equal(b["algorithm"]["generator"][name])


def test_tensorboard_writes_events(cli: Command, small_mle: list[str], tmp_path: Path) -> None:
    words = [w for w in small_mle if "trackers" not in w]
    assert cli("train", *words, "log.trackers=[tensorboard]", "name=r").code == 0
    events = list((tmp_path / "runs/r/tensorboard").glob("events.out.tfevents.*"))
    assert events and events[0].stat().st_size > 500


def test_the_watch_warns_once_of_each_kind() -> None:
    watch = Watch()
    assert watch.look(1, {"nll": 2.0, "unique": 0.9}) == []
    assert watch.look(2, {"nll": math.nan, "reward": math.inf}) == [
        "step 2: not a number: nll, reward"
    ]
    assert watch.look(3, {"nll": math.nan}) == []
    assert watch.look(4, {"unique": 0.4})[0].startswith("step 4: the samples collapse")
    assert watch.look(5, {"unique": 0.1}) == []
    other = Watch()
    other.load_state_dict(json.loads(json.dumps(watch.state_dict())))
    assert other.warnings == watch.warnings and other.look(6, {"unique": 0.1}) == []


def test_the_watch_warns_of_a_discriminator_that_is_right_20_times() -> None:
    watch, strong = Watch(), {"d_accuracy_real": 1.0, "d_accuracy_fake": 0.99}
    for step in range(19):
        assert watch.look(step, strong) == []
    assert watch.look(19, {"d_accuracy_real": 1.0, "d_accuracy_fake": 0.5}) == []
    for step in range(19):
        assert watch.look(step, strong) == []
    assert "too strong" in watch.look(40, strong)[0]


def test_a_warm_up_that_is_longer_than_its_phase_is_noted_once(
    cli: Command, small_mle: list[str], tmp_path: Path
) -> None:
    """64 sentences in batches of 8, 2 epochs: 16 steps, where a warm-up of 16 still fits."""
    found = cli("train", *small_mle, "name=long", "model.mle.warmup_steps=17")
    notes = [line for line in found.errors if "warm-up" in line]
    assert notes == [
        "note: mle has 16 steps, fewer than the 17 of its warm-up: in it the learning rate does "
        "not reach its peak"
    ]
    fits = cli("train", *small_mle, "name=fits", "model.mle.warmup_steps=16")
    assert fits.code == 0 and "warm-up" not in fits.err


def test_the_watch_warns_of_a_posterior_that_tells_nothing() -> None:
    """A KL under .1 nats, or no unit whose mean varies; without either nothing is said."""
    watch = Watch()
    assert watch.look(1, {"kl": 0.0}) == []  # of a batch in training: only looks are judged
    assert watch.look(2, {"kl_valid": 0.1, "active_units": 1}) == []
    assert watch.look(3, {"kl_valid": 0.09, "active_units": 1}) == [
        "step 3: the posterior collapses: KL 0.090 nats per sentence, 1 active units"
    ]
    assert watch.look(4, {"kl_valid": 0.01, "active_units": 0}) == []
    assert "0 active units" in Watch().look(5, {"kl_valid": 3.0, "active_units": 0})[0]


def test_a_vae_whose_posterior_collapses_says_so(
    cli: Command, small_vae: list[str], tmp_path: Path
) -> None:
    """A KL that weighs 100 times its own leaves nothing of it. One that costs nothing stays, and
    the normalised mean's units are active."""
    words = [*small_vae, "model.aggressive.enabled=false", "model.pretrain_ae=0"]
    words += ["model.objective.anneal.schedule=none", "model.mle.learning_rate=0.02"]
    words += ["model.objective.free_bits=0", "log.sample_every_steps=1000"]
    costly = cli("train", *words, "model.objective.beta=100", "name=a")
    assert costly.code == 0, costly.err
    (warning,) = [line for line in costly.errors if "the posterior" in line]
    assert warning.startswith("warning: step ") and "the posterior collapses: KL 0.0" in warning
    words += ["model.encoder.bn_gamma=4", "model.mle.epochs=6"]
    kept = cli("train", *words, "model.objective.beta=0", "name=b")
    last = RunDir(tmp_path / "runs" / "b").metrics()[-1]
    assert kept.code == 0 and last["kl_valid"] >= 0.1 and last["active_units"] >= 1
    for name, said in (("a", [warning.removeprefix("warning: ")]), ("b", [])):
        result = RunDir(tmp_path / "runs" / name).result
        assert result is not None
        assert [text for text in result["warnings"] if "posterior" in text] == said, name


def test_a_run_of_nan_says_so(cli: Command, small_mle: list[str], tmp_path: Path) -> None:
    """A learning rate of 1e30 breaks the weights; the run ends there, and never silently."""
    words = ["model.mle.learning_rate=1e30", "model.mle.clip=1e30", "model.mle.warmup_steps=0"]
    found = cli("train", *small_mle, *words, "name=r")
    run = RunDir(tmp_path / "runs/r")
    assert found.code == 1 and "Traceback" not in found.err
    said = f"error: {run.path} diverged at step 1 of mle: the weights generator."
    assert found.errors[-1].startswith(said)
    assert "diverged at step 1" in run.log.read_text() and run.status == "diverged"


def test_phases_that_a_model_does_not_have(
    cli: Command, trained: Path, small_mle: list[str], tmp_path: Path
) -> None:
    found = cli("train", *small_mle, "phases=adversarial", f"from_run={trained}")
    assert found.code == 2
    assert found.errors[-1] == "error: phases=adversarial: model mle has no step to run there"
    assert not list((tmp_path / "runs").iterdir())


def test_an_objective_that_is_no_score_is_said(cli: Command, small_mle: list[str]) -> None:
    found = cli("train", *small_mle, "objective=blue-4")
    assert found.code == 0 and "warning: objective=blue-4 is none of" in found.err
