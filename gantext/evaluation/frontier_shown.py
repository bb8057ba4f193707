"""A measured frontier as a table, a CSV file and a figure."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gantext.evaluation.frontier import Frontier
from gantext.evaluation.spreadsheet import csv_text
from gantext.metrics.score import Score, Setting, protocol, shown
from gantext.metrics.signatures import own_name
from gantext.metrics.text.frontier import Point

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

    from gantext.plots.frontier import Mark

OUTSIDE = "outside the temperatures' range"


def score_names(found: Frontier) -> list[str]:
    """The scores of its table: those of its plane, and what else is known of some point."""
    known = {name for point in found.points for name in point.values}
    return [*found.plane.columns, *(name for name in found.plane.extra if name in known)]


def point_rows(found: Frontier) -> tuple[list[str], list[list[str]]]:
    """(columns, rows): every curve's points, and the real text."""
    names = score_names(found)
    points = [point for points in found.curves.values() for point in points]
    body = [_row(p.label, p.temperature, p.values, names) for p in points]
    body.append(_row("real text", None, found.real.values, names))
    return ["curve", "temperature", *names], body


def published_rows(found: Frontier) -> tuple[list[str], list[list[str]]]:
    """(columns, rows): what papers report, in the columns that some of them has."""
    names = [name for name in score_names(found) if any(name in p.values for p in found.published)]
    body = [_row(one.cited, one.temperature, one.values, names) for one in found.published]
    return ["published", "temperature", *names], body


def _row(
    label: str, temperature: float | None, values: Mapping[str, float], names: Sequence[str]
) -> list[str]:
    heat = "-" if temperature is None else f"{temperature:g}"
    return [label, heat, *(shown(values.get(name)) for name in names)]


def title(found: Frontier) -> str:
    """What its readings are: "BLEU-4 at the real text's Self-BLEU-4 (0.5736)"."""
    return f"{found.plane.reads.title} at {found.place.said}"


def reading(found: Frontier) -> tuple[str, list[str], list[list[str]]]:
    """(title, columns, rows): the value of each curve where all are read, and the real text's."""
    reads, real = found.plane.reads, found.real
    body = [
        [one.label, shown(one.value), shown(one.sd), shown(one.share)]
        if one.value is not None
        else [one.label, OUTSIDE, "-", "-"]
        for one in found.readings
    ]
    body.append(["real text", shown(real.value(reads.score)), "-", shown(real.value(reads.share))])
    columns = ["curve", reads.score, "sd", reads.share]
    if all(one.share is None for one in found.readings):
        return title(found), columns[:-1], [row[:-1] for row in body]
    return title(found), columns, body


def protocols(found: Frontier) -> dict[str, list[Score]]:
    """By curve, the plane's scores of one draw, without what differs by temperature."""
    return {
        label: [
            dataclasses.replace(one, signature=_at_any_temperature(one))
            for one in {own.name: own for own in scores}.values()
            if own_name(one.name) in found.plane.columns
        ]
        for label, scores in found.scores.items()
    }


def _at_any_temperature(score: Score) -> dict[str, Setting]:
    return {key: value for key, value in protocol(score).items() if key != "temperature"}


def to_csv(found: Frontier) -> str:
    """Every draw, the real text and the published points as CSV, with a header."""
    names = score_names(found)
    rows: list[list[object]] = [["curve", "temperature", "seed", *names, "source"]]
    for point in [*found.points, found.real]:
        values = [point.values.get(name, "") for name in names]
        rows.append([point.label, point.temperature, point.seed, *values, ""])
    for one in found.published:
        values = [one.values.get(name, "") for name in names]
        rows.append([one.label, one.temperature, "", *values, one.source])
    return csv_text(rows)


def figure(found: Frontier, theme: str, runs: Sequence[str] = ()) -> "MatplotlibFigure":
    """Curves with their MLE generators dashed, the real text, and what papers report.

    Colours go by `runs`, as they stand on a page, if there are some; else by the curves.
    """
    from gantext.plots.frontier import Curve, Guide, frontier_figure

    plane = found.plane
    curves = [
        Curve(points, baseline=label != points[0].group)
        for label, points in _by_label(found.points).items()
    ]
    guide = Guide(plane.where, found.place.at) if math.isfinite(found.place.at) else None
    return frontier_figure((plane.x, plane.y), curves, _marks(found), guide, theme, runs)


def _marks(found: Frontier) -> "list[Mark]":
    """The real text, each paper's model with all of its points, and files that have no x."""
    from gantext.plots.frontier import Mark

    published: dict[str, list[Mapping[str, float]]] = {}
    for one in found.published:
        heat = "" if one.temperature is None else f", T = {one.temperature:g}"
        published.setdefault(f"{one.label}{heat}", []).append(one.values)
    lone = [
        p for p in found.points if p.temperature is None and found.plane.x.score not in p.values
    ]
    return [
        Mark("real text", [found.real.values], "real"),
        *(Mark(label, values) for label, values in published.items()),
        *(Mark(point.label, [point.values]) for point in lone),
    ]


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
