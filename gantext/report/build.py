"""`gantext report`: what is known of runs, as one page to look at.

Quick scores are computed if they are not stored yet; those that take minutes (language models,
Frechet distance) stand on the page once `gantext eval` has stored them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import gantext
from gantext.evaluation import measures
from gantext.evaluation.comparison import Comparison, by_data, compare, setting_rows
from gantext.evaluation.frontier import Frontier, frontier
from gantext.evaluation.frontier_shown import (
    figure,
    point_rows,
    protocols,
    published_rows,
    reading,
    title,
)
from gantext.evaluation.planes import chosen_plane
from gantext.evaluation.request import Asked
from gantext.evaluation.scorebook import Say
from gantext.evaluation.subjects import Model, label
from gantext.evaluation.table import Table as ScoreTable
from gantext.evaluation.table import score_all
from gantext.metrics.score import shown
from gantext.metrics.signatures import own_name, signature_lines
from gantext.metrics.text.planes import PlaneName
from gantext.plots.output import to_svg
from gantext.report import kept
from gantext.report.page import Figure, Page, RunPart, Table, render
from gantext.report.parts import score_table, sweep_of
from gantext.report.picture_run import picture_part
from gantext.report.sweep_part import sweep_part
from gantext.report.text_run import run_part
from gantext.runs.kinds import PICTURES, TEXT
from gantext.runs.sweep import SweepDir

FRONTIER_CAPTION = (
    "Each curve is one model at several temperatures: {seen}. A dashed curve is the same run's "
    "generator before its adversarial phase. {mind}"
)


@dataclass(frozen=True)
class Request:
    """What goes into a report besides the runs.

    Attributes:
        temperatures: of the frontier; none leaves it out.
        seeds: of the frontier's samples.
        plane: of the frontier; None: as `gantext eval frontier` chooses it.
        order: N of BLEU on its plane; None: 4.
        command: how the report was asked for.
        sweeps: that are shown; those whose jobs are among the runs are shown too.
    """

    temperatures: tuple[float, ...]
    seeds: tuple[int, ...]
    plane: PlaneName | None
    order: int | None
    command: str
    sweeps: tuple[SweepDir, ...] = ()


@dataclass(frozen=True)
class Group:
    """The parts of a page on runs of the same data."""

    summary: list[str]
    tables: list[Table]
    figures: list[Figure]
    parts: list[RunPart]


def report(asked: Asked | None, request: Request, say: Say) -> str:
    """The HTML of a report on the runs asked for; None: on sweeps alone.

    Raises:
        UserError: no such run.
    """
    if asked is not None:
        asked, _ = asked.readable()
    models = asked.models() if asked is not None else []
    names = [label(model, asked.runs_dir) for model in models] if asked is not None else []
    paths = {model.run.path: name for model, name in zip(models, names, strict=True)}
    sweeps = {sweep.path: sweep for sweep in (*request.sweeps, *_sweeps_of(models))}
    titles = [*names, *(sweep.path.name for sweep in request.sweeps)]
    return render(
        _with_runs(
            Page(
                title="gantext: " + ", ".join(titles),
                created=time.strftime("%Y-%m-%d %H:%M"),
                version=gantext.__version__,
                command=request.command,
                summary=(),
                tables=(),
                figures=(),
                runs=(),
                sweeps=tuple(sweep_part(sweep, paths) for sweep in sweeps.values()),
            ),
            asked,
            request,
            say,
        )
    )


def _sweeps_of(models: Sequence[Model]) -> list[SweepDir]:
    """The sweeps that runs are jobs of."""
    return [SweepDir(model.run.path.parent) for model in models if sweep_of(model)]


def _with_runs(page: Page, asked: Asked | None, request: Request, say: Say) -> Page:
    """The page with all that is to be said of the runs asked for."""
    if asked is None:
        return page
    models = asked.models()
    runs = _places(asked, models)
    groups = [_group(one, own, request, runs, say) for one, own in by_data(asked, models)]
    compared = compare(asked, say) if len(models) > 1 else []
    return replace(
        page,
        summary=(
            *(line for group in groups for line in group.summary),
            *(f"note: {note}" for note in asked.notes),
        ),
        tables=(
            *(table for one in compared for table in comparison_tables(one)),
            *(table for group in groups for table in group.tables),
        ),
        figures=tuple(figure for group in groups for figure in group.figures),
        runs=tuple(part for group in groups for part in group.parts),
    )


def stored_scores(asked: Asked) -> ScoreTable:
    """The scores of a report's runs, as they are stored: its quick ones, and slow ones if any."""
    asked, _ = asked.readable()
    found: ScoreTable = {}
    for one, models in by_data(asked, asked.models()):
        text = (*measures.reported(slow=False), *measures.reported(slow=True))
        names = text if models[0].kind is TEXT else measures.of_pictures()
        for source, scores in score_all(one, names, lambda line: None, stored_only=True).items():
            found.setdefault(source, []).extend(scores)
    return found


def _places(asked: Asked, models: Sequence[Model]) -> list[str]:
    """The names of the runs, each once: the places that decide their colours in all figures."""
    return list(dict.fromkeys(label(asked.at(model, None), asked.runs_dir) for model in models))


def _group(
    asked: Asked, models: Sequence[Model], request: Request, runs: Sequence[str], say: Say
) -> Group:
    pictures = any(model.kind is PICTURES for model in models)
    part = picture_part if pictures else run_part
    parts = [
        part(
            replace(asked, words=(word,)),
            runs.index(label(asked.at(model, None), asked.runs_dir)),
            say,
        )
        for word, model in zip(asked.runs, models, strict=True)
    ]
    summary = [_said(model, asked) for model in models]
    if pictures or not request.temperatures:
        return Group(summary, [], [], parts)
    plane = chosen_plane(asked, request.plane, request.order, request.temperatures)
    found = frontier(asked, plane, request.temperatures, request.seeds, say)
    summary.append(_read(found))
    data = " ".join(dict.fromkeys(str(model.settings.data.name) for model in models))
    figures = [frontier_picture(found, data, runs)]
    return Group(summary, [reading_table(found, data)], figures, parts)


def _said(model: Model, asked: Asked) -> str:
    settings, run = model.settings, model.run
    return (
        f"{label(model, asked.runs_dir)}: model={settings.model.name} data={settings.data.name} "
        f"seed={settings.seed}, {run.status} after {run.info.get('total', 0):,} steps"
    )


def _read(found: Frontier) -> str:
    read = "; ".join(
        f"{one.label} {shown(one.value)}" if one.value is not None else f"{one.label} never there"
        for one in found.readings
    )
    real = shown(found.real.value(found.plane.reads.score))
    return f"{title(found)}: {read}; real text {real}"


def reading_table(found: Frontier, data: str) -> Table:
    """The value of each curve where all are read."""
    of, columns, rows = reading(found)
    return Table(f"{data}: {of}", tuple(columns), tuple(map(tuple, rows)))


def frontier_picture(found: Frontier, data: str, runs: Sequence[str]) -> Figure:
    """The frontier in both themes, with its numbers."""
    columns, rows = point_rows(found)
    heads, published = published_rows(found)
    rows += [_among(columns, heads, row) for row in published]
    notes = tuple(signature_lines(protocols(found)))
    table = Table("Points of the frontier", tuple(columns), tuple(map(tuple, rows)), notes)
    head = f"Quality and diversity on {data}"
    caption = FRONTIER_CAPTION.format(seen=found.plane.seen, mind=found.plane.mind)

    def draw() -> list[Figure]:
        light, dark = (to_svg(figure(found, theme, runs)) for theme in ("light", "dark"))
        return [Figure(head, caption, light, dark, table)]

    decided = (head, table, found.plane, found.points, found.real, found.published, found.place)
    return kept.figures(("frontier", *decided, [*runs]), draw)[0]


def _among(columns: Sequence[str], heads: Sequence[str], row: Sequence[str]) -> list[str]:
    """A row of published scores in the columns of all points."""
    cells = dict(zip(heads, row, strict=True))
    return [*row[:2], *(cells.get(column, "-") for column in columns[2:])]


def comparison_tables(one: Comparison) -> list[Table]:
    """Scores side by side, and the settings that differ."""
    names = set(measures.columns())
    scores = {
        run: [score for score in own if own_name(score.name) in names]
        for run, own in one.table.items()
    }
    others: dict[str, dict[str, str]] = {run: {} for run in one.damaged}
    for runs, means in one.means.items():
        others[f"mean of {runs} \N{PLUS-MINUS SIGN} sd"] = {
            name: f"{shown(part.mean)} \N{PLUS-MINUS SIGN} {shown(part.sd)}"
            for name, part in means.items()
            if name in names
        }
    table = score_table(f"Scores on {one.data}", scores, others)
    tables = [replace(table, notes=(*one.mixed, *table.notes))]
    heads, settings = setting_rows(one)
    if settings:
        body = tuple(map(tuple, settings))
        tables.append(Table("Settings that differ", tuple(heads), body, text_columns=len(heads)))
    return tables
