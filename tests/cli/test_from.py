"""Runs that begin with the weights of another."""

import json
from pathlib import Path

import pytest

from gantext.runs.folder import RunDir
from tests.conftest import Command


def test_pretraining_goes_on_from_a_run_on_other_data(cli: Command, trained: Path) -> None:
    other = ["data=scenes", "data.seed=5", "data.train_size=24", "data.test_size=12"]
    words = [*other, "data.validation_size=8", "model.mle.epochs=1", "name=b", "runs_dir=runs"]
    found = cli("pretrain", "--from", f"{trained}@mle", *words, "model.d_training.pretrain_steps=1")
    assert found.code == 0, found.err
    run = RunDir(Path("runs/b"))
    origin, source = run.info["origin"], RunDir(trained).checkpoint("mle")
    assert origin["run"] == "run@mle" and origin["step"] == 16
    assert origin["weights"] == source.digest
    kept, added = origin["kept"], origin["added"]
    said = f"from run@mle: {kept} words keep their rows, {added} are new, {origin['gone']} are gone"
    assert said in run.log.read_text()
    assert kept + added + 4 == len(run.vocabulary or ())
    # The overrides of the run are this one's, but for those of its data.
    assert run.settings.model.generator == RunDir(trained).settings.model.generator
    shown = cli("runs", "show", "b").out
    assert f"run@mle at step 16; {kept} words kept, {added} added" in shown
    assert json.loads(cli("runs", "show", "b", "--json").out)["origin"] == origin


@pytest.mark.parametrize("phase", ["mle", "discriminator"])
def test_a_discriminator_that_was_never_trained_is_said(
    cli: Command, trained: Path, phase: str
) -> None:
    words = ["name=b", "model.adversarial.steps=1", "eval.samples=10", "runs_dir=runs"]
    found = cli("adversarial-train", "--from", f"{trained}@{phase}", *words)
    assert found.code == 0, found.err
    said = "from run@mle: the discriminator starts untrained: it has made no step there"
    assert (said in " ".join(found.err.split())) is (phase == "mle")
