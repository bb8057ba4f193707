"""`gantext report`: what is known of runs, as one page to look at.

Quick scores are computed if they are not stored yet; those that take minutes (language models,
Frechet distance) stand on the page once `gantext eval` has stored them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import gantext
from gantext.evaluation import measures
from gantext.evaluation.comparison import Comparison, by_data, compare, score_rows, setting_rows
from gantext.evaluation.frontier import Frontier, figure, frontier, point_rows, protocols, reading
from gantext.evaluation.request import Asked
from gantext.evaluation.scorebook import Say
from gantext.evaluation.subjects import Model, label
from gantext.evaluation.table import Table as ScoreTable
from gantext.evaluation.table import score_all
from gantext.metrics.score import shown
from gantext.metrics.signatures import signature_lines
from gantext.plots.output import to_svg
from gantext.report import kept
from gantext.report.page import Figure, Page, RunPart, Table, render
from gantext.report.picture_run import picture_part
from gantext.report.text_run import run_part
from gantext.runs.kinds import PICTURES, TEXT

FRONTIER_CAPTION = (
    "Each curve is one model at several temperatures: up is better, left is more diverse. A dashed "
    "curve is the same run's generator before its adversarial phase. Above the real text is "
    "sharper than the data, not better."
)


@dataclass(frozen=True)
class Request:
    """What goes into a report besides the runs.

    Attributes:
        temperatures: of the frontier; none leaves it out.
        seeds: of the frontier's samples.
        order: N of the frontier.
        command: how the report was asked for.
    """

    temperatures: tuple[float, ...]
    seeds: tuple[int, ...]
    order: int
    command: str


@dataclass(frozen=True)
class Group:
    """The parts of a page on runs of the same data."""

    summary: list[str]
    tables: list[Table]
    figures: list[Figure]
    parts: list[RunPart]


def report(asked: Asked, request: Request, say: Say) -> str:
    """The HTML of a report on the runs asked for.

    Raises:
        UserError: no such run.
    """
    asked, _ = asked.readable()
    models = asked.models()
    groups = [_group(one, own, request, say) for one, own in by_data(asked, models)]
    compared = compare(asked, say) if len(models) > 1 else []
    names = [label(model, asked.runs_dir) for model in models]
    page = Page(
        title="gantext: " + ", ".join(names),
        created=time.strftime("%Y-%m-%d %H:%M"),
        version=gantext.__version__,
        command=request.command,
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
    return render(page)


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


def _group(asked: Asked, models: Sequence[Model], request: Request, say: Say) -> Group:
    pictures = any(model.kind is PICTURES for model in models)
    part = picture_part if pictures else run_part
    parts = [part(replace(asked, words=(word,)), say) for word in asked.runs]
    summary = [_said(model, asked) for model in models]
    if pictures or not request.temperatures:
        return Group(summary, [], [], parts)
    found = frontier(asked, request.temperatures, request.seeds, request.order, say)
    summary.append(_read(found))
    data = " ".join(dict.fromkeys(str(model.settings.data.name) for model in models))
    return Group(summary, [reading_table(found, data)], [frontier_picture(found, data)], parts)


def _said(model: Model, asked: Asked) -> str:
    settings, run = model.settings, model.run
    return (
        f"{label(model, asked.runs_dir)}: model={settings.model.name} data={settings.data.name} "
        f"seed={settings.seed}, {run.status} after {run.info.get('total', 0):,} steps"
    )


def _read(found: Frontier) -> str:
    n = found.order
    read = "; ".join(
        f"{one.label} {shown(one.value)}" if one.value is not None else f"{one.label} never there"
        for one in found.at_real
    )
    return (
        f"BLEU-{n} where Self-BLEU-{n} is the real text's ({shown(found.real.self_bleu[n])}): "
        f"{read}; real text {shown(found.real.bleu[n])}"
    )


def reading_table(found: Frontier, data: str) -> Table:
    """BLEU-N of each curve at the real text's Self-BLEU-N."""
    title, columns, rows = reading(found)
    return Table(f"{data}: {title}", tuple(columns), tuple(map(tuple, rows)))


def frontier_picture(found: Frontier, data: str) -> Figure:
    """The frontier in both themes, with its numbers."""
    columns, rows = point_rows(found)
    notes = tuple(signature_lines(protocols(found)))
    table = Table("Points of the frontier", tuple(columns), tuple(map(tuple, rows)), notes)
    title = f"Quality and diversity on {data}"

    def draw() -> list[Figure]:
        light, dark = (to_svg(figure(found, theme)) for theme in ("light", "dark"))
        return [Figure(title, FRONTIER_CAPTION, light, dark, table)]

    shown = (title, table, found.order, found.points, found.real, found.published)
    return kept.figures(("frontier", *shown), draw)[0]


def comparison_tables(one: Comparison) -> list[Table]:
    """Scores side by side, and the settings that differ."""
    columns, rows = score_rows(one)
    notes = (*one.mixed, *signature_lines(one.table))
    scores = Table(f"Scores on {one.data}", tuple(columns), tuple(map(tuple, rows)), notes)
    names, settings = setting_rows(one)
    if not settings:
        return [scores]
    body = tuple(map(tuple, settings))
    return [scores, Table("Settings that differ", tuple(names), body, text_columns=len(names))]
