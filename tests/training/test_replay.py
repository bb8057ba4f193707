"""gantext train --replay: the way to the step at which a run diverged, and what broke there."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from gantext.models.mle import MLE
from gantext.nn.optim import Metrics
from gantext.runs import bad_step, state_tree
from gantext.runs.folder import RunDir
from tests import conftest
from tests.conftest import Command

# Of each model the rate of one phase: as large as can be, and no longer rising to it.
HUGE = {
    "mle": [*conftest.SMALL_MLE, "model.mle.learning_rate=1e30", "model.mle.warmup_steps=0"],
    "gan": [
        *conftest.SMALL_GAN,
        "model.adversarial.learning_rate=1e30",
        "model.mle.epochs=1",
        "model.d_training.pretrain_steps=1",
    ],
    "leakgan": [
        *conftest.SMALL_LEAKGAN,
        "model.adversarial.learning_rate=1e30",
        "model.mle.epochs=1",
        "model.d_training.pretrain_steps=1",
        "model.d_training.alone_steps=0",
    ],
    "vae": [*conftest.SMALL_VAE, "model.mle.learning_rate=1e30", "model.mle.warmup_steps=1"],
    "image_gan": [*conftest.SMALL_IMAGE_GAN, "model.discriminator.learning_rate=1e15"],
    "dpr_gan": [*conftest.SMALL_DPR_GAN, "model.decoding.learning_rate=1e12"],
}


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("model", HUGE)
def test_a_huge_learning_rate_diverges_and_its_way_there_is_found_again(
    cli: Command, tmp_path: Path, model: str
) -> None:
    """No model ends in a foreign exception, nor keeps weights that are not finite."""
    found = cli("train", *HUGE[model], "name=r", "eval.samples=20", "log.sample_every_steps=0")
    assert found.code == 1 and "Traceback" not in found.err, found.err
    folder = tmp_path / "runs" / "r"
    run = RunDir(folder)
    assert run.status == "diverged" and found.errors[-1] == f"error: {folder} {run.divergence}"
    assert "learning_rate=1e+" in str(run.divergence)
    state, _ = run.load_checkpoint()
    assert state_tree.not_finite(state) is None
    wanted, before = bad_step.load(run), contents(folder)
    assert wanted is not None and wanted.total == run.info["total"]
    replayed = cli("train", "--replay", "r")
    assert replayed.code == 0, replayed.err
    assert f"step {wanted.step:,}: {wanted.what} (as in the run)" in replayed.out.splitlines()
    assert "operation" in replayed.out
    assert contents(folder) == before


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss of the 8th step of a language model is infinite, by the logarithm of 0 at last."""
    phases = MLE.phases

    def broken(self: MLE) -> Any:
        (phase,) = phases(self)

        def step(batch: torch.Tensor, rng: torch.Generator) -> Metrics:
            found = dict(phase.step(batch, rng))
            if self.trainer.done == 8:
                found["nll"] = torch.zeros(()).reciprocal()
            return found

        return [phase.__class__(phase.name, phase.steps, phase.rows, step)]

    monkeypatch.setattr(MLE, "phases", broken)


@pytest.mark.usefixtures("breaking")
def test_it_goes_on_from_the_last_checkpoint_and_names_the_operation(
    cli: Command, small_mle: list[str], tmp_path: Path
) -> None:
    """Checkpoints are written every 3 steps. `threads=0` leaves their number to torch."""
    assert cli("train", *small_mle, "name=r", "threads=0").code == 1
    found = cli("train", "--replay", "r")
    assert found.code == 0
    assert found.out.splitlines()[:4] == [
        "replayed from step 6 to step 8 of mle",
        "step 8: nll is inf (as in the run)",
        "first operation that is not finite: aten.reciprocal gives inf",
        "  in the forward pass",
    ]
    run = RunDir(tmp_path / "runs" / "r")
    if not run.info.get("threads"):
        assert [line for line in found.errors if "threads" in line]
    told = json.loads(cli("train", "--replay", "r", "--json").out)
    assert told["operation"]["name"] == "aten.reciprocal" and told["same"] is True
    shown = cli("runs", "show", "r")
    assert f"the batch of that step is in {run.bad_step}" in shown.out.splitlines()
    assert "how it broke: gantext train --replay" in shown.err
    (run.bad_step / "state.json").write_text("{}")
    damaged = cli("train", "--replay", "r")
    assert damaged.code == 2 and len(damaged.errors) == 1 and "is damaged" in damaged.err


@pytest.mark.usefixtures("breaking")
def test_a_step_that_is_looked_at_late_is_the_first_one_still(
    cli: Command, small_mle: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, which is waited for at reports: here the 10th step, and the 8th is broken."""
    words = [*small_mle, "checkpoint.every_steps=0", "log.sample_every_steps=0"]
    assert cli("train", *words, "name=often").code == 1
    monkeypatch.setattr("gantext.training.loop.has_to_wait", lambda device: True)
    found = cli("train", *words, "name=seldom", "log.every_steps=5")
    assert found.code == 1
    often, seldom = (RunDir(tmp_path / "runs" / name) for name in ("often", "seldom"))
    assert seldom.divergence == often.divergence
    assert seldom.divergence is not None and seldom.divergence.startswith("diverged at step 8 of")
    assert seldom.info["total"] == 8 and len(seldom.metrics()) == 1
    kept, same = bad_step.load(seldom), bad_step.load(often)
    assert kept is not None and same is not None
    assert torch.equal(kept.batch["tokens"], same.batch["tokens"])


def test_a_run_that_did_not_diverge_is_refused(
    cli: Command, small_mle: list[str], tmp_path: Path
) -> None:
    assert cli("train", *small_mle, "name=r", "model.mle.epochs=1").code == 0
    found = cli("train", "--replay", "r")
    assert found.code == 2
    assert found.errors == ["error: r is finished: --replay is for a run that diverged"]
    RunDir(tmp_path / "runs" / "r").update(status="diverged")  # as a run of before kept nothing
    found = cli("train", "--replay", "r")
    assert found.code == 2 and len(found.errors) == 1 and "kept nothing of the step" in found.err
