"""What a command of training would do, checked as far as that can be without data: for --dry-run.

Nothing is written. What only the data decides stays open: whether its files are there, how many
words a model gets, and steps that are counted in epochs.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gantext import data, models
from gantext.config import recipe, schema
from gantext.config.compose import compose, compose_sweep, task_words
from gantext.config.settings import Settings
from gantext.config.words import check_name
from gantext.metrics.two_classes import LEAST
from gantext.models.build import build
from gantext.models.contract import Phase, PictureTask, Task
from gantext.runs.folder import RunDir
from gantext.runs.kinds import PICTURES, TEXT, Kind, model_kind
from gantext.training import curve
from gantext.training.phases import chosen_phases
from gantext.training.preparation import check, check_reads, device_of, settled
from gantext.training.threads import counted

# What a model is built for where only its data knows: large enough that nothing is refused.
WORDS, LONGEST, HELD_OUT = 1000, 1000, LEAST
CLASSES = {data.Reads.labelled: (1, 1)}
NOWHERE = torch.device("meta")  # where tensors have shapes and no content
SIZES = (10**4, 10**6)  # of training data


@dataclass(frozen=True)
class Intent:
    """A run that would begin.

    Attributes:
        settings: of it.
        run: its folder; None: it is named by the time.
        phases: names and steps; the steps are None where the size of the data decides them.
        points: of its curve; None where the size of the data decides them.
    """

    settings: Settings
    run: Path | None
    phases: tuple[tuple[str, int | None], ...]
    points: int | None

    @property
    def lines(self) -> list[str]:
        """What it says of itself, as far as that is known."""
        chosen = self.settings
        threads = counted(chosen.threads) if chosen.threads else "as many threads as torch takes"
        source = f", from {chosen.from_run}" if chosen.from_run else ""
        run = self.run or f"in {chosen.runs_dir}, named by the time"
        named = [f"{name} {steps:,}" if steps else f"{name} ?" for name, steps in self.phases]
        steps = f"phases: {', '.join(named)} steps" if named else ""
        return [
            f"run: {run}",
            f"model {chosen.model.name}, data {chosen.data.name}{source}",
            f"on {device_of(chosen)}, {threads}",
            *filter(None, [steps]),
            *curve.said(self.points, None),
        ]

    def to_json(self) -> dict[str, Any]:
        """The same for programs, with all settings."""
        phases = [{"name": name, "steps": steps} for name, steps in self.phases]
        return {
            "run": None if self.run is None else str(self.run),
            "device": str(device_of(self.settings)),
            "phases": phases,
            "curve_points": self.points,
            "settings": schema.plain(self.settings),
        }


def intent(settings: Settings) -> Intent:
    """What a run of these settings would do.

    Raises:
        UserError: it could not begin, for a reason that is known without its data.
    """
    check(settings)
    check_reads(settings)
    settings = settled(settings)
    run = None
    if settings.name is not None:
        check_name(settings.name)
        run = Path(settings.runs_dir) / settings.name
        if RunDir(run).config.exists():
            raise RunDir(run).taken
    size = getattr(settings.data, "train_size", None)
    phases = _phases(settings, size or SIZES[0])
    others = phases if size else _phases(settings, SIZES[1])
    points = {curve.points(settings, of_a_size) for of_a_size in (phases, others)}
    return Intent(settings, run, _steps(phases, others), points.pop() if len(points) == 1 else None)


def _steps(phases: Sequence[Phase], others: Sequence[Phase]) -> tuple[tuple[str, int | None], ...]:
    """Names and steps of the phases; None for steps that are others for data of another size."""
    steps = {phase.name: phase.steps for phase in others}
    return tuple((p.name, p.steps if steps.get(p.name) == p.steps else None) for p in phases)


def intent_of(words: Sequence[str], config_dir: Path | None) -> Intent:
    """What the run of these words would do. Raises UserError."""
    with recipe.told(words, config_dir):
        return intent(compose(words, config_dir))


@dataclass(frozen=True)
class SweepIntent:
    """A sweep that would begin; `jobs` are None where a sweeper makes them up as it goes."""

    folder: Path
    jobs: tuple[tuple[list[str], Intent], ...] | None


def sweep_intent(words: Sequence[str], config_dir: Path | None) -> SweepIntent:
    """What a sweep of these words would do, each of its jobs checked. Raises UserError."""
    swept = compose_sweep(words, config_dir, check)
    if swept.jobs is None:
        return SweepIntent(swept.folder, None)
    jobs = tuple((task_words(own), _of_job(settings)) for own, settings in swept.jobs)
    return SweepIntent(swept.folder, jobs)


def _of_job(settings: Settings) -> Intent:
    return intent(dataclasses.replace(settings, name=None))  # the name is that of the sweep


def _phases(settings: Settings, size: int) -> list[Phase]:
    """The phases of the model as it is built, without memory, for `size` rows of data; none where
    its data alone knows what it is built for.

    Raises UserError as building the model does.
    """
    task = TASKS[model_kind(settings.model.name)](settings, size)
    if task is None:
        return []
    with NOWHERE:
        return chosen_phases(build(settings.model, settings.seed, task), settings)


def _text_task(settings: Settings, size: int) -> Task:
    rare = torch.zeros(WORDS, dtype=torch.bool)
    drawn = hasattr(settings.data, "train_size")  # as much as is wanted, from what is known
    validation = getattr(settings.data, "validation", None)
    held_out = torch.zeros(HELD_OUT if validation else 0, LONGEST, dtype=torch.long, device=NOWHERE)
    facts = WORDS, LONGEST, size, rare, NOWHERE, settings.cuda_graphs
    counts = CLASSES.get(models.reads(settings.model.name), ())
    return Task(*facts, held_out=held_out, known=drawn, class_counts=counts)


KINDS = 2  # classes of pictures, which may have some


def _picture_task(settings: Settings, size: int) -> PictureTask | None:
    side = getattr(settings.data, "size", None)
    captions = {data.Reads.captioned: (WORDS, LONGEST)}
    words, longest = captions.get(models.reads(settings.model.name), (0, 0))
    written = torch.zeros(size, longest, dtype=torch.int64, device=NOWHERE)
    return side and PictureTask(3, side, KINDS, words, longest, size, written, NOWHERE)


TASKS: dict[Kind[Any, Any], Callable[[Settings, int], Task | PictureTask | None]] = {
    TEXT: _text_task,
    PICTURES: _picture_task,
}
