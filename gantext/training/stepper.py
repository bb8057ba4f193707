"""Where a run's training is, and its next step; knows neither the run's folder nor its reports."""

import collections
import contextlib
import itertools
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gantext.config.settings import Precision, Settings
from gantext.data.batches import Batches, Rows, set_generator
from gantext.data.resident import resident
from gantext.errors import UserError
from gantext.models.contract import Phase, Trainable
from gantext.nn import ranks
from gantext.nn.optim import Metrics
from gantext.nn.rng import generator
from gantext.nn.state import restore
from gantext.runs.checkpoint import State
from gantext.training.arithmetic import arithmetic
from gantext.training.preparation import Job


class Stepper:
    """All that the next step depends on is in its `state`.

    Attributes:
        phase: number of the phase that it is in; `step` of its steps are done.
        total: steps done in all phases.
        ended: whether the phase ends here, before its steps are done.
    """

    def __init__(self, job: Job) -> None:
        self.settings, self.device = job.settings, job.device
        self.algorithm: Trainable = job.algorithm
        self.phases = job.phases
        self.batches = _batches(job, resident(job.data.train, self.device))
        self.noise = generator(self.settings.seed, "noise", self.device)
        self.phase, self.step, self.total = 0, 0, 0
        self.ended = False

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {
            "algorithm": self.algorithm.state_dict(),
            "batches": self.batches.state_dict(),
            "noise": self.noise.get_state(),
            "phase": self.phase,
            "step": self.step,
            "total": self.total,
            "ended": self.ended,
        }

    def load_state(self, state: State, place: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            UserError: it is of another kind of device, or does not fit, naming `place`.
        """
        if state["noise"].shape != self.noise.get_state().shape:
            kind = self.device.type
            raise UserError(f"the run began on another kind of device than {kind}: go on there")
        restore(self.algorithm, state["algorithm"], place, "algorithm")
        self.batches.load_state_dict(state["batches"])
        set_generator(self.noise, state["noise"])
        self.phase, self.step, self.total = state["phase"], state["step"], state["total"]
        self.ended = state["ended"]

    @property
    def current(self) -> Phase:
        """The phase that it is in."""
        return self.phases[self.phase]

    @property
    def is_at_end(self) -> bool:
        """Whether the phase has no step left."""
        return self.ended or self.step >= self.current.steps

    def take(self) -> Metrics:
        """One step of the phase, by all ranks together; its metrics, on the device."""
        batch = self.batches.next(self.current.rows).to(self.device)
        self.step, self.total = self.step + 1, self.total + 1
        with (
            ranks.together(),
            arithmetic(self.settings, self.device),
            autocast(self.settings, self.device),
        ):
            return averaged(self.current.step(batch, self.noise))

    def agree(self, signal: int | None) -> int | None:
        """Before each step: all ranks go on in the phase that the first of them is in.

        Args:
            signal: that has asked this process to stop, or None.

        Returns:
            One that has asked any of them.
        """
        with ranks.together():
            phase, asked = ranks.largest(self.phase, signal or 0)
        while self.phase < phase:
            self.end_phase()
        return asked or None

    def end_phase(self) -> None:
        """Go to the beginning of the next phase."""
        self.phase, self.step, self.ended = self.phase + 1, 0, False

    def back_to(self, step: int) -> None:
        """Count only the steps up to `step` of the phase: the later ones came of a broken one."""
        self.total -= self.step - step
        self.step = step


def _batches(job: Job, split: Rows[Any]) -> Batches[Any]:
    """Of the run's training data, or of what holds its rows."""
    data_seed = generator(job.settings.seed, "data", torch.device("cpu")).initial_seed()
    return Batches(split, data_seed)


def batch_of(job: Job, state: dict[str, Any] | None, total: int) -> Any:
    """The batch of the run's step `total` on the CPU, drawn again after the state of one before it.

    Args:
        state: what a checkpoint holds; None: the run's beginning.
    """
    batches, phase, step, done = _batches(job, job.data.train), 0, 0, 0
    if state is not None:
        batches.load_state_dict(state["batches"])
        phase, step, done = state["phase"], state["step"], state["total"]
        if state["ended"]:
            phase, step = phase + 1, 0
    left = [(one.rows, one.steps) for one in job.phases[phase:]]
    rows = (number for number, steps in left for number in itertools.repeat(number, steps))
    drawn = (batches.next(n) for n in itertools.islice(rows, step, step + total - done))
    return collections.deque(drawn, maxlen=1)[0]


def averaged(metrics: Metrics) -> Metrics:
    """The metrics of a step as those of the whole batch; plain numbers are all ranks' already."""
    shares = {key: value for key, value in metrics.items() if isinstance(value, Tensor)}
    if not ranks.shared() or not shares:
        return metrics
    values = torch.stack([value.detach().float().reshape(()) for value in shares.values()])
    ranks.average([values])
    return {**metrics, **dict(zip(shares, values, strict=True))}


def parts_of(batch: Any) -> dict[str, Any]:
    """The tensors of a batch by name: sentences (B, T) are "tokens", pictures have several."""
    return {"tokens": batch} if isinstance(batch, torch.Tensor) else dict(vars(batch))


def autocast(settings: Settings, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """bf16 forward passes when they are asked for.

    Without autocast's cache of cast weights: one step updates weights and uses them again, and
    would go on with the old ones.
    """
    if settings.precision is Precision.fp32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)
