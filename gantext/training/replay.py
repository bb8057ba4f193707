"""The steps of a diverged run again, from its last checkpoint to the one at which it diverged.

The last of them runs under anomaly detection, and the first of its operations whose result is not
finite is named. Nothing is written.
"""

from dataclasses import dataclass
from typing import Any

import torch
from rich.console import Console

from gantext.config.words import command
from gantext.errors import UserError
from gantext.nn.optim import Metrics
from gantext.records.json_file import fitting
from gantext.runs import bad_step
from gantext.runs.bad_step import BadStep
from gantext.runs.checkpoint import State
from gantext.runs.folder import RunDir
from gantext.runs.state_tree import not_finite
from gantext.runs.trained import began_on
from gantext.training.finite import Broken, Lookout
from gantext.training.first_broken import FirstBroken, Operation
from gantext.training.preparation import prepare, take_pretrained
from gantext.training.stepper import Stepper, parts_of
from gantext.training.threads import UNKNOWN, threads_of


@dataclass(frozen=True)
class Replay:
    """What came of the steps.

    Attributes:
        wanted: the step at which the run diverged.
        began: the total step of the checkpoint that the steps were run from; 0: the beginning.
        broken: the first step of the same phase that was not finite now; None where all were.
        operation: the first of that step's operations that was not finite; None where all were.
        error: what that step failed by, if it did not come to its end.
        notes: why the numbers may not be those of the run, a line each.
    """

    wanted: BadStep
    began: int
    broken: Broken | None
    operation: Operation | None
    error: str | None
    notes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether it broke at the same step by the same number."""
        return self.broken == Broken(self.wanted.step, self.wanted.what)


def replay(run: RunDir, console: Console) -> Replay:
    """Run the steps up to the one at which a run diverged; the data's notes go to the console.

    Raises:
        UserError: it did not diverge, it kept nothing of that step, or its data has changed.
    """
    wanted = bad_step.load(run)
    if wanted is None:
        raise UserError(_not_kept(run))
    known = run.info.get("threads", UNKNOWN) or run.settings.threads
    with threads_of(known) as used:
        notes = [] if known else [_unknown_threads(run, used)]
        job = prepare(run.settings, console)
        if not began_on(run, job.data):
            raise UserError(f"the data has changed since {run.path.name} began")
        state, damaged = run.load_checkpoint()
        if state is None:
            take_pretrained(job)
        stepper = Stepper(job)
        if state is not None:
            stepper.load_state(fitting(run.checkpoints, State, state), run.checkpoints)
        if job.device.type != "cpu" and not job.settings.deterministic:
            notes.append(f"sums on {job.device} need not come in the same order twice")
        began = stepper.total
        if began >= wanted.total:
            raise UserError(f"{run.path.name} has a checkpoint from after step {wanted.total:,}")
        result = _run(stepper, wanted)
    return Replay(wanted, began, *result, (*damaged, *notes))


def _not_kept(run: RunDir) -> str:
    if run.status == "diverged":
        again = command("train", "--resume", run.path)
        return f"{run.path.name} kept nothing of the step at which it diverged: first {again}"
    return f"{run.path.name} is {run.status}: --replay is for a run that diverged"


def _unknown_threads(run: RunDir, used: int) -> str:
    return (
        f"how many threads {run.path.name} was trained with is not known: with {used} the "
        "numbers may differ in the last bits"
    )


def _run(stepper: Stepper, wanted: BadStep) -> tuple[Broken | None, Operation | None, str | None]:
    """Run to the wanted step, or to one before it that breaks already."""
    lookout = Lookout(stepper.algorithm.networks())
    while stepper.total < wanted.total - 1:
        _enter_phase(stepper)
        lookout.note(stepper.step + 1, stepper.take())
        broken = lookout.broken()
        if broken is not None:
            return broken, None, None
    _enter_phase(stepper)
    error: str | None = None
    metrics: Metrics = {}
    first = FirstBroken(stepper.algorithm.networks())
    _check_batch(stepper, wanted)
    with first.on():
        try:
            metrics = stepper.take()
        except Exception as failure:  # networks that broke amid the step fail in many ways
            error = f"{type(failure).__name__}: {failure}".partition("\n")[0]
    lookout.note(stepper.step, metrics)
    return lookout.broken() or _of_state(stepper), first.found, error


def _enter_phase(stepper: Stepper) -> None:
    """Go to the next phase from the end of one."""
    if stepper.is_at_end:
        stepper.end_phase()


def _of_state(stepper: Stepper) -> Broken | None:
    """What keeps the state after a step from being saved, such as an optimiser's."""
    what = not_finite(stepper.state())
    return None if what is None else Broken(stepper.step, what)


def _check_batch(stepper: Stepper, wanted: BadStep) -> None:
    """Raise UserError where the step's batch is not the one that the run kept."""
    state = stepper.batches.state_dict()
    parts = parts_of(stepper.batches.next(stepper.current.rows))
    stepper.batches.load_state_dict(state)
    same = parts.keys() == wanted.batch.keys() and all(
        torch.equal(part.cpu(), wanted.batch[name]) for name, part in parts.items()
    )
    if not same:
        raise UserError(f"step {wanted.step:,} has another batch now than when the run diverged")


def lines(result: Replay) -> list[str]:
    """What a replay has found, for people."""
    wanted = result.wanted
    origin = f"from step {result.began:,}" if result.began else "from the beginning"
    said = [f"replayed {origin} to step {wanted.step:,} of {wanted.phase}"]
    if result.broken is None:
        return [*said, f"this time all of it is finite, where {wanted.what}"]
    again = "as in the run" if result.same else f"in the run, step {wanted.step:,}: {wanted.what}"
    said.append(f"step {result.broken.step:,}: {result.broken.what} ({again})")
    if result.error:
        said.append(f"the step fails by {result.error}")
    return [*said, *_of_operation(result.operation)]


def _of_operation(found: Operation | None) -> list[str]:
    if found is None:
        return ["no operation gave NaN or infinity: the numbers only grew too large to go on with"]
    where = f"the gradient {found.backward}" if found.backward else "the forward pass"
    inside = f" in {found.module}" if found.module else ""
    said = [f"first operation that is not finite: {found.name} gives {found.value}"]
    said.append(f"  in {where}{inside}")
    return [*said, f"  {found.line}"] if found.line else said


def to_json(result: Replay) -> dict[str, Any]:
    """The same for programs."""
    operation = None if result.operation is None else vars(result.operation)
    wanted = {key: value for key, value in vars(result.wanted).items() if key != "batch"}
    return {
        "wanted": wanted,
        "began": result.began,
        "broken": None if result.broken is None else vars(result.broken),
        "same": result.same,
        "operation": operation,
        "error": result.error,
        "notes": list(result.notes),
    }
