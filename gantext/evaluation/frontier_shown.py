"""A measured frontier as a table, a CSV file and a figure."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gantext.evaluation.frontier import Frontier
from gantext.evaluation.spreadsheet import csv_text
from gantext.metrics.score import Score, protocol, shown
from gantext.metrics.signatures import own_name
from gantext.metrics.text.bleu_scores import ORDERS
from gantext.metrics.text.frontier import Point

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

BLEU = [f"bleu-{n}" for n in ORDERS]
SELF_BLEU = [f"self-bleu-{n}" for n in ORDERS]


def extra_names(found: Frontier) -> list[str]:
    """What is measured beside BLEU and Self-BLEU."""
    return list(dict.fromkeys(name for point in found.points for name in point.extra))


def point_rows(found: Frontier) -> tuple[list[str], list[list[str]]]:
    """(columns, rows): every curve's points, the real text, the published points."""
    extra = extra_names(found)
    columns = ["curve", "temperature", *BLEU, *SELF_BLEU, *extra]
    body = [_row(p.label, p, extra) for points in found.curves.values() for p in points]
    body.append(_row("real text", found.real, extra))
    for one in found.published:
        own = one.self_bleu or {}
        values = [*map(one.bleu.get, ORDERS), *map(own.get, ORDERS)]
        body.append([f"{one.model} (published)", "-", *map(shown, values), *["-"] * len(extra)])
    return columns, body


def _row(label: str, point: Point, extra: Sequence[str]) -> list[str]:
    values = [*map(point.bleu.get, ORDERS), *map(point.self_bleu.get, ORDERS)]
    temperature = "-" if point.temperature is None else f"{point.temperature:g}"
    return [label, temperature, *map(shown, values), *(shown(point.extra.get(e)) for e in extra)]


def reading(found: Frontier) -> tuple[str, list[str], list[list[str]]]:
    """(title, columns, rows): BLEU-N of each curve where its Self-BLEU-N is the real text's."""
    n, real = found.order, found.real
    title = f"BLEU-{n} at the real text's Self-BLEU-{n} ({shown(real.self_bleu[n])})"
    body = [
        [one.label, shown(one.value), shown(one.sd)]
        if one.value is not None
        else [one.label, "outside the temperatures' range", "-"]
        for one in found.at_real
    ]
    return title, ["curve", f"bleu-{n}", "sd"], [*body, ["real text", shown(real.bleu[n]), "-"]]


def protocols(found: Frontier) -> dict[str, list[Score]]:
    """By curve, its BLEU and Self-BLEU scores of one draw, without what differs by temperature."""
    return {
        label: [
            dataclasses.replace(one, signature=protocol(one))
            for one in {own.name: own for own in scores}.values()
            if own_name(one.name) in (*BLEU, *SELF_BLEU)
        ]
        for label, scores in found.scores.items()
    }


def to_csv(found: Frontier) -> str:
    """Every draw, the real text and the published points as CSV, with a header."""
    extra = extra_names(found)
    rows: list[list[object]] = []
    rows.append(["curve", "temperature", "seed", *BLEU, *SELF_BLEU, *extra, "source"])
    for point in [*found.points, found.real]:
        values = [*map(point.bleu.get, ORDERS), *map(point.self_bleu.get, ORDERS)]
        more = [point.extra.get(name, "") for name in extra]
        rows.append([point.label, point.temperature, point.seed, *values, *more, ""])
    for one in found.published:
        own = one.self_bleu or {}
        values = [*map(one.bleu.get, ORDERS), *map(own.get, ORDERS)]
        rows.append([one.model, "", "", *values, *[""] * len(extra), one.source])
    return csv_text(rows)


def figure(found: Frontier, theme: str, runs: Sequence[str] = ()) -> "MatplotlibFigure":
    """Curves with their MLE generators dashed, the real text, and the published points.

    Colours go by `runs`, as they stand on a page, if there are some; else by the curves.
    """
    from gantext.plots.frontier import Curve, Mark, frontier_figure

    curves = [
        Curve(points, baseline=label != points[0].group)
        for label, points in _by_label(found.points).items()
    ]
    marks = [Mark("real text", found.real.bleu, found.real.self_bleu, "real")]
    marks += [Mark(p.model, p.bleu, p.self_bleu) for p in found.published if p.self_bleu]
    return frontier_figure(curves, marks, found.order, theme, runs)


def _by_label(points: Sequence[Point]) -> dict[str, list[Point]]:
    found: dict[str, list[Point]] = {}
    for point in points:
        found.setdefault(point.label, []).append(point)
    return found


def files(found: Frontier) -> dict[str, bytes]:
    """The table and the figure as files: frontier.csv and frontier.png."""
    from gantext.plots.output import png_bytes

    png = png_bytes(figure(found, "light"))
    return {"frontier.csv": to_csv(found).encode(), "frontier.png": png}
