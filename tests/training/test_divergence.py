"""A run whose numbers stop being finite stops, says so, and keeps its last good state."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

import gantext
from gantext.cli.runs import next_steps
from gantext.models.mle import MLE
from gantext.nn.optim import Metrics
from gantext.runs import checkpoint
from gantext.runs.folder import RunDir
from gantext.training.divergence import Diverged
from tests.conftest import Command

FAST = ["model.mle.learning_rate=1e30", "model.mle.warmup_steps=0"]
LINE = "diverged at step 8 of mle: nll is nan; its last good checkpoint is checkpoints/000000006"


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss of the 8th step of a language model is no number."""
    phases = MLE.phases

    def broken(self: MLE) -> Any:
        (phase,) = phases(self)

        def step(batch: torch.Tensor, rng: torch.Generator) -> Metrics:
            found = phase.step(batch, rng)
            return {**found, "nll": math.nan} if self.trainer.done == 8 else found

        return [phase.__class__(phase.name, phase.steps, phase.rows, step)]

    monkeypatch.setattr(MLE, "phases", broken)


@pytest.mark.usefixtures("breaking")
@pytest.mark.parametrize("every", [1, 0])
def test_it_stops_at_the_step_and_keeps_the_checkpoint_before(
    cli: Command, small_mle: list[str], tmp_path: Path, every: int
) -> None:
    """Checkpoints are written every 3 steps; a step is looked at also where it is not reported."""
    found = cli("train", *small_mle, "name=r", f"log.every_steps={every}")
    assert found.code == 1
    assert found.errors[-1] == f"error: {tmp_path / 'runs/r'} {LINE}"
    run = RunDir(tmp_path / "runs" / "r")
    assert run.status == "diverged" and run.info["total"] == 8 and run.divergence == LINE
    assert [path.name for path in checkpoint.folders(run.checkpoints)] == ["000000003", "000000006"]
    assert len(run.metrics()) == 7 * every and LINE in run.log.read_text()
    assert run.result is not None and run.result["status"] == "diverged"


@pytest.mark.usefixtures("breaking", "brief_judge")
def test_every_command_that_reads_it_says_so_in_a_line(
    cli: Command, small_mle: list[str], tmp_path: Path
) -> None:
    assert cli("train", *small_mle, "name=r").code == 1
    (tmp_path / "a.txt").write_text("a red circle .\na blue circle is above a red square .\n")
    listed = cli("runs", "list")
    assert "diverged" in listed.out and "next: gantext train --replay runs/r" in listed.err
    shown = cli("runs", "show", "r")
    assert f"it {LINE}" in shown.out and shown.out.count("diverged at") == 1 and shown.code == 0
    assert json.loads(cli("runs", "show", "r", "--json").out)["error"] == LINE
    assert f"next: {next_steps(RunDir(tmp_path / 'runs/r'), str(tmp_path / 'runs/r'))}" in shown.err
    commands = [
        ["sample", "r", "-n", "2"],
        ["score", "r", "a.txt"],
        ["impute", "r", "a ___ circle ."],
        ["eval", "bleu", "r", "-n", "20"],
        ["eval", "bleu", "r", "-n", "20"],  # scores that are stored already
        ["eval", "all", "r", "-n", "20"],
        ["compare", "r", "r", "-n", "20"],
        ["report", "r", "--temperatures", "none", "-n", "20"],
    ]
    for words in commands:
        found = cli(*words)
        assert found.code == 0, (words, found.err)
        assert [line for line in found.errors if "diverged" in line] == [f"note: r {LINE}"], words


@pytest.mark.usefixtures("breaking")
def test_a_sweep_goes_on_with_its_other_jobs(
    cli: Command, small_mle: list[str], tmp_path: Path
) -> None:
    """An epoch of 64 sentences is 8 steps in batches of 8, and 4 in batches of 16."""
    words = [word for word in small_mle if "epochs" not in word]
    found = cli("train", "-m", *words, "model.mle.batch_size=8,16", "model.mle.epochs=1")
    assert found.code == 1
    (folder,) = (tmp_path / "runs").glob("*-sweep")
    assert [RunDir(folder / job).status for job in "01"] == ["diverged", "finished"]
    assert "diverged at step 8 of mle" in found.out and "diverged" in found.err


def test_a_huge_learning_rate_diverges_before_it_saves(
    cli: Command, small_mle: list[str], tmp_path: Path
) -> None:
    """Weights of 1e30 are finite, but no step could follow: they are not saved."""
    found = cli("train", *small_mle, *FAST, "name=r", "checkpoint.every_steps=1")
    assert found.code == 1 and "Traceback" not in found.err
    line = (
        "diverged at step 1 of mle: the weights generator.embedding.weight are no longer finite, "
        "or overflow (likely by model.mle.learning_rate=1e+30); it has no checkpoint from before"
    )
    assert found.errors[-1] == f"error: {tmp_path / 'runs/r'} {line}"
    assert RunDir(tmp_path / "runs/r").last_checkpoint() is None
    for words in (["sample", "r"], ["impute", "r", "a ___ ."], ["eval", "bleu", "r"]):
        refused = cli(*words)
        assert refused.code == 2 and len(refused.errors) == 1, words
        assert refused.errors == [f"error: {tmp_path / 'runs/r'} {line}"], words
    shown = cli("runs", "show", "r")
    assert shown.code == 0 and line in shown.out and "next:" not in shown.err


@pytest.mark.usefixtures("breaking")
def test_training_from_it_says_so(cli: Command, small_mle: list[str], small_gan: list[str]) -> None:
    assert cli("train", *small_mle, "name=r").code == 1
    found = cli("adversarial-train", "--from", "r", *small_gan, "name=s")
    assert found.code == 0, found.err
    assert [line for line in found.errors if "diverged" in line] == [f"note: r {LINE}"]


def test_from_python_it_is_an_error_of_its_own(
    small_mle: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(gantext.Diverged, match="diverged at step 1 of mle: the weights") as caught:
        gantext.train(*small_mle, *FAST, "checkpoint.every_steps=0", name="r")
    assert isinstance(caught.value, Diverged) and not isinstance(caught.value, gantext.UserError)
    assert (caught.value.phase, caught.value.step) == ("mle", 1)
    assert caught.value.checkpoint is None and gantext.load_run("r").status == "diverged"
