"""Parts of a page that reports of text and of pictures share."""

from gantext import models
from gantext.evaluation.subjects import Model
from gantext.evaluation.table import Table as Scores
from gantext.metrics.score import shown
from gantext.metrics.signatures import own_name, signature_lines
from gantext.plots.curves import LOOKS
from gantext.plots.learning import learning_figures
from gantext.plots.output import to_svg
from gantext.report import kept
from gantext.report.page import Figure, Table
from gantext.runs.note import note_of
from gantext.runs.summary import clock

FACTS = ("note", "status", "created", "device", "host", "torch", "gantext", "train_size")


def facts(model: Model) -> tuple[tuple[str, str], ...]:
    """Where, when, from what and by which command a run came about."""
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
        "command": f"gantext {info.get('command', '')}",
        "folder": str(model.run.path),
    }
    return (*found, *more.items())


def score_table(title: str, scores: Scores) -> Table:
    """Scores by name (rows) and source (columns), with their signatures."""
    values = {name: {own_name(s.name): s.value for s in own} for name, own in scores.items()}
    names = dict.fromkeys(name for own in values.values() for name in own)
    rows = [(name, *(shown(values[source].get(name)) for source in scores)) for name in names]
    return Table(title, ("score", *scores), tuple(rows), tuple(signature_lines(scores)))


def curves(model: Model) -> list[Figure]:
    """The learning curves of a run: as its model declares them, then those of the looks."""
    rows, declared = model.run.metrics(), models.curves(model.settings.model.name)
    layouts = [*declared, *(one for one in LOOKS if one not in declared)]

    def draw() -> list[Figure]:
        light, dark = (learning_figures(rows, layouts, theme) for theme in ("light", "dark"))
        return [
            Figure(one.title, one.caption, to_svg(one.figure), to_svg(other.figure))
            for one, other in zip(light, dark, strict=True)
        ]

    return kept.figures(("curves", rows, layouts), draw)
