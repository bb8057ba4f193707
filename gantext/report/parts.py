"""Parts of a page that reports of text and of pictures share."""

from collections.abc import Mapping, Sequence

from gantext import models
from gantext.evaluation.subjects import Model
from gantext.evaluation.table import Table as Scores
from gantext.metrics.meanings import ARROWS, arrow
from gantext.metrics.score import Score, shown, shown_error
from gantext.metrics.signatures import own_name, signature_lines
from gantext.plots.curves import COURSE, CURVE, LOOKS, POSSIBLE
from gantext.plots.layouts import Layout, Row, number
from gantext.plots.learning import Panel, learning_figures
from gantext.plots.output import to_svgs
from gantext.plots.path import path_panel
from gantext.report import kept
from gantext.report.page import Figure, Table
from gantext.runs.elapsed import elapsed
from gantext.runs.note import note_of
from gantext.runs.summary import clock
from gantext.runs.sweep import is_planned

Cells = Mapping[str, str]  # by the name of a score
ARROWS_NOTE = (
    f"Better: {ARROWS['higher']} higher, {ARROWS['lower']} lower, {ARROWS['real']} the nearer "
    "to the real value. \N{PLUS-MINUS SIGN}: a standard error over what was scored."
)
MOST_COLUMNS = 5
FACTS = ("note", "status", "created", "device", "host", "torch", "gantext", "train_size")


def facts(model: Model) -> tuple[tuple[str, str], ...]:
    """Where, when and from what a run came about."""
    info = model.run.info
    known = {**info, "status": model.run.status, "note": note_of(model.run) or None}
    found = [(key, str(known[key])) for key in FACTS if known.get(key) is not None]
    if "seconds" in info:
        found.append(("training time", clock(info["seconds"])))
    step, digest, _ = model.checkpoint
    more = {
        "step": f"{step:,}",
        "weights": digest[:12],
        "data": f"{model.settings.data.name} {str(info.get('data'))[:12]}",
        "folder": str(model.run.path),
    }
    return (*found, *more.items())


def began(model: Model) -> str:
    """The command that a run began by; "" where it is not known."""
    return began_by(model.run.info.get("command", ""))


def began_by(words: str) -> str:
    """A stored command line as it is typed."""
    return f"gantext {words}" if words else ""


def sweep_of(model: Model) -> str:
    """The name of the sweep that a run is a job of; "" for one of none."""
    folder = model.run.path.parent
    return folder.name if is_planned(folder) else ""


def score_table(title: str, scores: Scores, others: Mapping[str, Cells] | None = None) -> Table:
    """Scores by name (rows) and source (columns), with their signatures.

    Args:
        title: of the table.
        scores: by source.
        others: columns of cells that are no scores, by score, such as means over runs.
    """
    columns: dict[str, Cells] = {
        source: {own_name(score.name): _cell(score) for score in own}
        for source, own in scores.items()
    }
    columns.update(others or {})
    return by_name(title, "run", columns, (*signature_lines(scores), ARROWS_NOTE))


def by_name(
    title: str, kind: str, columns: Mapping[str, Cells], notes: tuple[str, ...] = (ARROWS_NOTE,)
) -> Table:
    """Scores by name (rows) and by what they are of, a `kind` (columns).

    The other way round where there are more of the kind than a page has room for.
    """
    names = list(dict.fromkeys(name for own in columns.values() for name in own))
    first: tuple[str, ...] = ("score", *columns)
    rows = [(headed(name), *(own.get(name, "-") for own in columns.values())) for name in names]
    if rows and len(columns) > MOST_COLUMNS:
        heads, *cells = zip(*rows, strict=True)
        first = (kind, *heads)
        rows = [(name, *own) for name, own in zip(columns, cells, strict=True)]
    return Table(title, first, tuple(rows), notes)


def headed(name: str) -> str:
    """The name of a score with the arrow that says which way is better, if one is."""
    return f"{name}\N{NO-BREAK SPACE}{arrow(name)}".rstrip()


def _cell(score: Score) -> str:
    return f"{shown(score.value)} {shown_error(score)}".rstrip()


def curves(model: Model, place: int) -> list[Figure]:
    """The learning curves of a run: those against the truth and held-out text, those that its model
    declares, those of the looks, its course."""
    rows, declared = model.run.metrics(), models.curves(model.settings.model.name)
    looks = (one for one in LOOKS if one not in declared)
    layouts = [*declared, *looks, *COURSE]
    timed = {row["total"]: row["seconds"] for row in elapsed(model.run)}
    rows = [
        {**row, "seconds": timed[t]} if (t := row.get("total")) in timed else row for row in rows
    ]

    def draw() -> list[Figure]:
        drawn = _panels(rows, layouts, place)
        return [Figure(one.title, one.caption, *to_svgs(one.figure)) for one in drawn]

    return kept.figures(("curves", rows, layouts, place), draw)


def _panels(rows: Sequence[Row], layouts: Sequence[Layout], place: int) -> list[Panel]:
    """The curve of the papers, with the share of possible samples where not all are, and as a path;
    then those of the layouts."""
    some_are_not = any(number(row.get("grammatical")) < 1 for row in rows)
    curve = learning_figures(rows, [CURVE, POSSIBLE] if some_are_not else [CURVE], place=place)
    path = path_panel(rows, place=place)
    return [*curve, *([path] if path else []), *learning_figures(rows, layouts, place=place)]
