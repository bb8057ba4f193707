"""A run whose numbers stop being finite: how that is seen, and how it is said."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


class Diverged(Exception):
    """A run's numbers stopped being finite, and its training with them.

    An Exception, other than `Stopped`, so that a sweep goes on with its other jobs.

    Attributes:
        run: its folder.
        phase: in which it was.
        step: of that phase, the first at which it was seen.
        what: the metric or the weights, and what became of them.
        checkpoint: the last good one; None where none was written before.
    """

    def __init__(
        self, run: Path, phase: str, step: int, what: str, checkpoint: Path | None
    ) -> None:
        left = "it has no checkpoint from before"
        if checkpoint is not None:  # as it is named also where the folder is moved to
            left = f"its last good checkpoint is {checkpoint.relative_to(run)}"
        super().__init__(f"diverged at step {step:,} of {phase}: {what}; {left}")
        self.run, self.phase, self.step, self.what = run, phase, step, what
        self.checkpoint = checkpoint


def broken_metric(metrics: Mapping[str, float]) -> str | None:
    """The first metric of a step that is not finite, and its value; None where all are."""
    broken = (f"{key} is {value}" for key, value in metrics.items() if not math.isfinite(value))
    return next(broken, None)


def broken_weights(networks: "Mapping[str, nn.Module]") -> str | None:
    """The first network whose weights are not finite, or whose products overflow; None: no one.

    The squares tell both, since those of weights over 1.8e19 are infinite in fp32: the next step
    could not be finite. One wait for the device a network.
    """
    for role, network in networks.items():
        squares = sum(weight.detach().float().square().sum() for weight in network.parameters())
        if not math.isfinite(float(squares)):
            return f"the weights of {role} are no longer finite, or overflow"
    return None
