"""How quick the phases of a run will be, by a few steps of each on a copy of its model.

The copy is thrown away. It has weights, optimisers, an order of the data and generators of its
own, and the global generators are put back: a run is the same bit for bit with and without it.
Rough: its model is untrained, so its sentences may be longer than those of the run. Points of the
curve count; what comes less often, such as looks at samples, is left out.

A probe, and no table of what earlier runs took: these are of another machine, or of this one beside
other work, and there is none of a model that somebody has just changed.
"""

import contextlib
import dataclasses
import random
import statistics
import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from gantext.models.build import build, task_of
from gantext.models.contract import Phase, PictureTask, Task
from gantext.nn import ranks
from gantext.nn.text.sampling import LogitsNotFinite
from gantext.training.curve import Curve, spacing
from gantext.training.needs import memory_of
from gantext.training.phases import chosen_phases
from gantext.training.preparation import Job
from gantext.training.stepper import Stepper

FIRST, TIMED = 1, 2  # steps in which torch sets up what it needs, and those after it
ON_GPU = 12, 9  # the same: shapes of batches that come for the second time are captured as graphs
SHARE = 50  # a probe has at most one step in so many of a phase: 2 %
SECONDS = 3.0  # after which no other phase is probed, unless the run is known to take much longer


def rates(job: Job) -> dict[str, float]:
    """Steps a second of the phases that are worth it, by name; none where there is no room for
    the copy, or where several processes share the steps.
    """
    most = sum(_first_and_timed(job.device))
    steps = {phase.name: min(phase.steps // SHARE, most) for phase in job.phases}
    steps = {name: count for name, count in steps.items() if count > 1}
    if not steps or ranks.current().count > 1 or not _has_room(job):
        return {}
    with _generators_put_back(job.device):
        return _measured(job, steps)


def _has_room(job: Job) -> bool:
    """Whether a second model, and a step of it, fit beside the run's."""
    needs = job.needs
    return 2 * needs.model + needs.batch + needs.torch <= memory_of(job.device).free


@contextlib.contextmanager
def _generators_put_back(device: torch.device) -> Iterator[None]:
    """Leave Python's, numpy's and torch's global random numbers as they are."""
    of_python, of_numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            yield
        finally:
            random.setstate(of_python)
            np.random.set_state(of_numpy)


def _measured(job: Job, steps: dict[str, int]) -> dict[str, float]:
    task = unjudged(task_of(job.data, job.device, job.settings.cuda_graphs))
    copy = build(job.settings.model, job.settings.seed, task)
    phases = tuple(chosen_phases(copy, job.settings))
    stepper = Stepper(dataclasses.replace(job, algorithm=copy, phases=phases))
    found: dict[str, float] = {}
    began = time.monotonic()
    for number, phase in enumerate(phases):
        if phase.name not in steps:
            continue
        # A run that breaks says so itself, at the step that it breaks at.
        with contextlib.suppress(ArithmeticError, RuntimeError, ValueError):
            stepper.phase, stepper.step = number, 0
            found[phase.name] = _rate(stepper, steps[phase.name])
        known = sum(one.steps / found[one.name] for one in phases if one.name in found)
        if time.monotonic() - began > max(SECONDS, known / SHARE):
            break
    return _with_points(found, Curve(job.settings, job.data, copy, job.device), phases)


def unjudged(task: Task | PictureTask) -> Task | PictureTask:
    """A task by which no discriminator is looked at: one that is untrained would reward nothing,
    and the steps of the run were taken to be as quick as those without a policy gradient."""
    return dataclasses.replace(task, held_out=None) if isinstance(task, Task) else task


def _with_points(
    found: dict[str, float], curve: Curve, phases: Sequence[Phase]
) -> dict[str, float]:
    """The same steps a second with the points of the curve on the way, of which one is computed."""
    spaced = {phase.name: spacing(curve.settings, phase) for phase in phases}
    if not any(spaced[name] for name in found):
        return found
    began = time.monotonic()
    with contextlib.suppress(ArithmeticError, RuntimeError, ValueError, LogitsNotFinite):
        curve.point(0)
    taken = time.monotonic() - began
    shares = {name: taken / every for name, every in spaced.items() if every}
    return {name: 1 / (1 / rate + shares.get(name, 0.0)) for name, rate in found.items()}


def _first_and_timed(device: torch.device) -> tuple[int, int]:
    return ON_GPU if device.type == "cuda" else (FIRST, TIMED)


def _rate(stepper: Stepper, steps: int) -> float:
    """Steps a second of the phase by the median of so many, without the first ones."""
    first, seconds = min(_first_and_timed(stepper.device)[0], steps // 2), list[float]()
    for _ in range(steps):
        began = time.monotonic()
        stepper.take()
        _wait_for(stepper.device)
        seconds.append(time.monotonic() - began)
    return 1 / max(statistics.median(seconds[first:]), 1e-9)


def _wait_for(device: torch.device) -> None:
    """Until a GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
