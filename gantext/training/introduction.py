"""What a run says of itself as soon as it is known: where it lies, what it does and takes."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch

import gantext
from gantext.config.settings import Memory, Settings
from gantext.data.memory import size
from gantext.models.contract import Phase
from gantext.nn.memory import keep_blocks
from gantext.training import curve
from gantext.training.arithmetic import said
from gantext.training.preparation import Job
from gantext.training.threads import counted
from gantext.training.timetable import Timetable


def introduction(job: Job, run: Path, timetable: Timetable) -> list[str]:
    """At most seven lines, each of which has room in 80 columns unless a name in it has not."""
    settings, data = job.settings, job.data
    computed = f"{job.device}{said(settings, job.device)}, {counted(torch.get_num_threads())}"
    kept = ", memory kept" if settings.memory is Memory.keep and keep_blocks() else ""
    networks = job.algorithm.networks().values()
    weights = {id(weight): weight.numel() for net in networks for weight in net.parameters()}
    words = f", {len(data.vocabulary):,} words" if data.vocabulary else ""
    splits = " + ".join(f"{len(s):,}" for s in (data.train, data.validation, data.test))
    return [
        f"run: {run}",
        f"gantext {gantext.__version__} on {computed}, data {data.hash[:8]}{kept}",
        f"model {settings.model.name}: {sum(weights.values()):,} weights",
        f"data {data.name}: {splits} rows{words}",
        f"phases: {phases_said(job.phases)}",
        *curve.said(curve.points(settings, job.phases), getattr(data, "truth", None) is not None),
        f"expected: {expected(job, run, timetable)}",
    ]


def phases_said(phases: Sequence[Phase]) -> str:
    """'mle 84, discriminator 1,500 steps'."""
    return f"{', '.join(f'{phase.name} {phase.steps:,}' for phase in phases)} steps"


def expected(job: Job, run: Path, timetable: Timetable) -> str:
    """What a run takes from its beginning, as far as that is known: time, and room on the disk."""
    left = timetable.of_run(0, job.phases[0].steps)
    parts = [] if left is None else [f"~{str(left).lstrip('~')} of training"]
    most, free = disk(job), shutil.disk_usage(run.parent if run.parent.is_dir() else ".").free
    tight = f"; only {size(free)} are free" if most > free else ""
    return ", ".join([*parts, f"up to {size(most)} of checkpoints{tight}"])


def disk(job: Job) -> int:
    """Bytes of the checkpoints that a run keeps at its end: those of its phases, and the others."""
    return job.needs.checkpoint * (len(job.phases) + _others(job.settings))


def _others(settings: Settings) -> int:
    """How many checkpoints are kept that are none of a phase's end."""
    kept = settings.checkpoint
    passing = kept.keep if kept.every_seconds or kept.every_steps else 0
    return passing + (kept.best is not None)
