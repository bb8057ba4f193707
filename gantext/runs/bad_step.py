"""The step at which a run diverged, as its folder keeps it: where it was, and its batch."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gantext.errors import UserError
from gantext.runs import checkpoint
from gantext.runs.folder import RunDir
from gantext.runs.stored_checkpoint import CheckpointDamaged


@dataclass(frozen=True)
class BadStep:
    """The first step of a run whose numbers were not finite.

    Attributes:
        phase: in which it was.
        step: of that phase.
        total: of all phases.
        what: the metric or the weights, and what became of them.
        batch: its tensors by name: "tokens" of text; "pictures", "labels" and "tokens" of pictures.
    """

    phase: str
    step: int
    total: int
    what: str
    batch: dict[str, Any]


FIELDS = {"phase": str, "step": int, "total": int, "what": str, "batch": dict}


def save(run: RunDir, step: BadStep) -> None:
    """Write it whole or not at all, in the place of an earlier one."""
    checkpoint.write(run.bad_step, vars(step), run.path)


def load(run: RunDir) -> BadStep | None:
    """The step at which a run diverged; None where it did not, or kept none.

    Raises:
        UserError: what it kept is damaged.
    """
    # A run that went on and ended well keeps the folder of an earlier try.
    if run.status != "diverged" or not run.bad_step.is_dir():
        return None
    try:
        kept = checkpoint.read(run.bad_step)
    except CheckpointDamaged as error:
        raise UserError(f"{run.bad_step} is damaged: {error}") from error
    if {key: type(value) for key, value in kept.items()} != FIELDS or not all(
        isinstance(part, Tensor) for part in kept["batch"].values()
    ):
        raise UserError(f"{run.bad_step} is damaged: it holds no step that a run diverged at")
    return BadStep(**kept)
