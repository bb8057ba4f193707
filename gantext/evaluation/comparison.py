"""`gantext compare`: runs side by side under one protocol, with the settings that differ."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gantext.config import schema
from gantext.config.settings import Settings
from gantext.errors import UserError, nearest
from gantext.evaluation import measures, subjects
from gantext.evaluation.difference import Difference, differences
from gantext.evaluation.request import Asked
from gantext.evaluation.scorebook import Say
from gantext.evaluation.spreadsheet import csv_text
from gantext.evaluation.subjects import Model
from gantext.evaluation.table import REAL_SUFFIX, RECORD, Table, records, score_all
from gantext.metrics.score import Score, protocol, signature_line
from gantext.metrics.signatures import conflicts, own_name
from gantext.runs.stored_checkpoint import BEST
from gantext.runs.summary import not_adversarial

# What may differ between runs that are repetitions of each other.
REPEATED = frozenset(
    {"seed", "name", "runs_dir", "from_run", "threads", "memory"}
    | {"device", "tf32", "deterministic", "cuda_graphs"}
)


@dataclass(frozen=True)
class Mean:
    """A score's mean and standard deviation over runs that differ in their seed only."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Comparison:
    """Runs on the same data.

    Attributes:
        data: the data's name and hash.
        table: scores by run; the real text's under "real".
        settings: by dotted name, the value of each run, of those settings that differ.
        means: by "first run and N more", the means of its scores over the seeds.
        remarks: what was noticed of the data, the files and the samples.
        damaged: the status of runs that were asked for and cannot be read.
        differences: of the runs' scores from those of the first, or of the one that was asked for.
        places: the paths of the runs and files, by name.
    """

    data: str
    table: Table
    settings: dict[str, dict[str, str]]
    means: dict[str, dict[str, Mean]]
    remarks: tuple[str, ...] = ()
    damaged: Mapping[str, str] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    places: Mapping[str, Path] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """All that is to be said of it."""
        damaged = (f"{run}: {status}" for run, status in self.damaged.items())
        return [*damaged, *self.mixed, *self.remarks]

    @property
    def mixed(self) -> list[str]:
        """One line for each family of scores that were not computed under one protocol."""
        return conflicts(self.table)


def mixed_names(table: Table) -> set[str]:
    """The scores that were not computed under one protocol."""
    found: dict[str, set[str]] = {}
    for scores in table.values():
        for one in scores:
            line = signature_line(dataclasses.replace(one, signature=protocol(one)))
            found.setdefault(own_name(one.name), set()).add(line)
    return {name for name, lines in found.items() if len(lines) > 1}


def compare(
    asked: Asked, say: Say, stored_only: bool = False, beside: str | None = None
) -> list[Comparison]:
    """Score all runs under one protocol; one comparison for each data set.

    Args:
        asked: two or more runs or files.
        say: told what takes long.
        stored_only: leave out what is not stored instead of computing it.
        beside: the run or file that differences are taken from; None: the first.

    Raises:
        UserError: fewer than two runs or files; `beside` is none of them.
    """
    asked, damaged = asked.readable()
    models = asked.models()
    if len(models) + len(asked.samples) < 2:
        left_out = "".join(f"; {run} is {status}" for run, status in damaged.items())
        raise UserError(f"compare needs two or more: gantext compare RUN RUN...{left_out}")
    smallest = min((model.settings.eval.samples for model in models), default=None)
    asked = dataclasses.replace(asked, n=asked.n or smallest)
    labels = [subjects.label(model, asked.runs_dir) for model in models]
    called = {**dict(zip(asked.runs, labels, strict=True)), **{label: label for label in labels}}
    called |= {path.name: path.name for path in asked.samples}
    if beside is not None and beside not in called:
        names = list(called)
        raise UserError(f"--beside {beside} is none of what is compared{nearest(beside, names)}")
    base = None if beside is None else called[beside]
    found = [_comparison(one, own, say, stored_only, base) for one, own in by_data(asked, models)]
    return [dataclasses.replace(found[0], damaged=damaged), *found[1:]]


def by_data(asked: Asked, models: Sequence[Model]) -> list[tuple[Asked, list[Model]]]:
    """What is asked, taken apart by the runs' data; all together when the data is named."""
    found: dict[Any, list[tuple[str, Model]]] = {}
    for word, model in zip(asked.runs, models, strict=True):
        key = None if asked.overrides else model.run.info.get("data")
        found.setdefault(key, []).append((word, model))
    return [
        (
            dataclasses.replace(asked, words=(*(word for word, _ in pairs), *asked.overrides)),
            [model for _, model in pairs],
        )
        for pairs in found.values()
    ]


def _comparison(
    asked: Asked, models: Sequence[Model], say: Say, stored_only: bool, beside: str | None
) -> Comparison:
    noticed = len(asked.notes)
    asked.note(filter(None, map(_not_adversarial, models)))
    table = score_all(asked, measures.compared(), say, stored_only)
    names = [subjects.label(model, asked.runs_dir) for model in models]
    settings = {name: model.settings for name, model in zip(names, models, strict=True)}
    phases = {name: model.phase for name, model in zip(names, models, strict=True)}
    data = " ".join(dict.fromkeys(str(model.settings.data.name) for model in models))
    groups, remarks = _repetitions(settings, phases, table), tuple(asked.notes[noticed:])
    means = {label: _mean([table[name] for name in runs]) for label, runs in groups.items()}
    scored = {name: scores for name, scores in table.items() if name != subjects.REAL}
    columns = [name for name in measures.columns() if not name.endswith(REAL_SUFFIX)]
    apart: list[Difference] = []
    if len(scored) > 1:
        base = beside if beside in scored else next(iter(scored))
        named = {f"mean of {label}": runs for label, runs in groups.items()}
        apart = differences(scored, named, columns, base)
    return Comparison(
        data,
        table,
        differing(settings),
        means,
        remarks,
        differences=tuple(apart),
        places=dict(asked.places),
    )


def _not_adversarial(model: Model) -> str | None:
    """That the adversarial phase of a run was none, where it is compared as it was after it."""
    info = model.run.info
    line = not_adversarial(info.get("policy_on"))
    before = model.phase not in (None, BEST, info.get("phase"))
    return None if line is None or before else f"{model.run.path.name}: {line}"


def flat(settings: Settings) -> dict[str, str]:
    """Every setting by its dotted name."""
    return {name: str(value) for name, value in schema.flat(settings).items()}


def differing(settings: Mapping[str, Settings]) -> dict[str, dict[str, str]]:
    """By dotted name, each run's value of the settings that all have and that are not the same."""
    values = {name: flat(one) for name, one in settings.items()}
    shared = [key for key in next(iter(values.values()), {}) if key not in ("name", "runs_dir")]
    found = {
        key: {name: one[key] for name, one in values.items()}
        for key in shared
        if all(key in one for one in values.values())
    }
    return {key: own for key, own in found.items() if len(set(own.values())) > 1}


def _repetitions(
    settings: Mapping[str, Settings], phases: Mapping[str, str | None], table: Table
) -> dict[str, list[str]]:
    """Runs (at one phase) that are the same but for REPEATED, by what they are called together."""
    groups: dict[Any, list[str]] = {}
    for name, one in settings.items():
        same = tuple((k, v) for k, v in flat(one).items() if k not in REPEATED)
        groups.setdefault((same, phases[name]), []).append(name)
    return {
        f"{names[0]} and {len(names) - 1} more": names
        for names in groups.values()
        if len(names) > 1 and all(name in table for name in names)
    }


def _mean(scores: Sequence[Sequence[Score]]) -> dict[str, Mean]:
    values: dict[str, list[float]] = {}
    for one in [score for own in scores for score in own]:
        values.setdefault(one.name, []).append(one.value)
    with np.errstate(invalid="ignore"):  # infinite values have no deviation
        return {
            name: Mean(float(np.mean(found)), float(np.std(found, ddof=1)))
            for name, found in values.items()
            if len(found) == len(scores)
        }


def score_names(one: Comparison) -> list[str]:
    """The scores that are shown of it, in order."""
    present = {own_name(score.name) for own in one.table.values() for score in own}
    return [name for name in measures.columns() if name in present]


def setting_rows(one: Comparison) -> tuple[list[str], list[list[str]]]:
    """(columns, rows): the settings that are not the same in all runs."""
    runs = list(next(iter(one.settings.values()), {}))
    rows = [[key, *(values[run] for run in runs)] for key, values in one.settings.items()]
    return ["setting", *runs], rows


def to_csv(found: Sequence[Comparison]) -> str:
    """A row a score, of whichever data."""
    rows = [(one.data, *record) for one in found for record in records(one.table)]
    return csv_text([("data", *RECORD), *rows])
