"""Writes docs/benchmark.md and what the pages of methods say of it: `make benchmark-docs`.

All numbers are those of the records in bench/records; a test says when a page is stale.
"""

from collections.abc import Sequence
from pathlib import Path

from gantext import data, models
from gantext.config import keys
from gantext.config.methods import Method, methods
from gantext.evaluation.benchmark import table
from gantext.evaluation.benchmark.making import AT_REAL, CURVE, OF_REAL, ORDER
from gantext.evaluation.benchmark.record import FOLDER, Record, read_all
from gantext.evaluation.benchmark.table import Row
from gantext.metrics.score import Score
from gantext.metrics.text import planes
from gantext.metrics.text.frontier import Point

ROOT = Path(__file__).parent.parent
WRITTEN = "<!-- Written by `make benchmark-docs` from bench/records; not to be edited here. -->"
SECTION = "\n## Benchmark\n"  # of a method's page, its last
SHARED = (
    *("nll-test", AT_REAL, "reverse-lm", "reverse-lm-held-out", "lm-score", "ms-jaccard-4"),
    *("frechet", "mauve", "copied", "unique"),
)
COLUMNS = {
    "scenes": ("grammatical", "unique", "forward-kl", "nll-oracle", *SHARED[:-1]),
    "coco": SHARED,
}
TITLES = {"scenes": "Scenes", "coco": "COCO captions"}
OF_A_PAGE = {
    "scenes": ("grammatical", "unique", "forward-kl", "reverse-lm"),
    "coco": ("nll-test", AT_REAL, "reverse-lm", "lm-score"),
}
FLOORS = {"frechet": "frechet-real", "mauve": "mauve-real"}
HEAD = Path(__file__).with_suffix(".txt")  # what stands above the tables


def pages(folder: Path = ROOT / FOLDER) -> dict[str, str]:
    """The pages by their files in docs/: the benchmark's, and those of all methods of text."""
    records = read_all(folder)
    found = {"benchmark.md": benchmark(records)}
    for method in [one for data in TITLES for one in of(data)]:
        path = f"methods/{method.name}.md"
        text = (ROOT / "docs" / path).read_text(encoding="utf-8")
        head = text.partition(SECTION)[0].rstrip("\n")
        found[path] = f"{head}\n{SECTION}\n{of_a_page(records, method)}\n"
    return found


def of(name: str) -> list[Method]:
    """The methods that write text and can learn from a kind of data, those of gantext itself."""
    offered = [reads for reads in data.offers(name) if reads.sentences]
    return [one for one in methods() if one.page and models.reads(_model(one)) in offered]


def _model(method: Method) -> str:
    if method.group == "model":
        return method.name
    options = keys.experiments()[method.name].options
    return next(option for option in options if option.startswith("model=")).partition("=")[2]


def benchmark(records: Sequence[Record]) -> str:
    """The page of the benchmark."""
    title, _, text = HEAD.read_text(encoding="utf-8").partition("\n")
    said = text.format(at_real=AT_REAL, order=ORDER, chance=table.CHANCE)
    parts = [title, WRITTEN, said.strip("\n")]
    for name, title in TITLES.items():
        parts += [f"## {title}", *of_data(name, [one for one in records if one["data"] == name])]
    return "\n\n".join(parts) + "\n"


def of_data(name: str, records: Sequence[Record]) -> list[str]:
    """The table of a data set, its figure, and under what its scores were computed."""
    found = table.rows(records, [method.name for method in of(name)])
    columns = COLUMNS[name]
    heads = ["method", "seeds", *columns, "beside its start", "minutes"]
    body = [_cells(row, columns) for row in found]
    body += [_real(records[-1], columns)] if records else []
    lines = [f"| {' | '.join(cells)} |" for cells in [heads, ["---"] * len(heads), *body]]
    parts = ["\n".join(lines)]
    if records:
        figure = (
            f"![BLEU-{ORDER} against Self-BLEU-{ORDER} over temperatures](benchmark-{name}.png)"
        )
        parts += [*_machines(records), figure, _protocols(found, columns)]
    return parts


def _cells(row: Row, columns: Sequence[str]) -> list[str]:
    scores = [table.over_seeds(table.scores_of(row, name)) for name in columns]
    method = f"[`{row.method}`](methods/{row.method}.md)"
    name = f"{method} `{row.name.removeprefix(row.method).strip()}`" if row.departures else method
    return [name, table.seeds(row), *scores, table.beside_start(row), table.minutes(row)]


def _real(record: Record, columns: Sequence[str]) -> list[str]:
    """The training text in the place of samples, or the floor of a score."""
    values = {one["name"]: Score.from_json(one) for one in record["real"]}
    names = [FLOORS.get(name, "bleu-4" if name == AT_REAL else name) for name in columns]
    cells = [table.over_seeds([values[name]] if name in values else []) for name in names]
    return ["real text", table.NONE, *cells, table.NONE, table.NONE]


def _machines(records: Sequence[Record]) -> list[str]:
    known = sorted({one["machine"] for one in records if one["machine"]})
    return [f"Trained on: {', '.join(known)}."] if known else []


def _protocols(found: Sequence[Row], columns: Sequence[str]) -> str:
    """A line a score, or several of one that is not comparable."""
    lines = []
    for name in columns:
        under = table.protocols(found, name)
        for line, of in under.items():
            whose = f" ({', '.join(of)}: not one protocol)" if len(under) > 1 else ""
            lines.append(f"- `{name}`{whose}: `{line}`")
    return "\n".join(lines)


def of_a_page(records: Sequence[Record], method: Method) -> str:
    """What a method's page says of the benchmark: a line a data set that it can learn from."""
    able = [name for name in TITLES if method in of(name)]
    return "\n".join(_line(name, records, method.name) for name in able)


def _line(name: str, records: Sequence[Record], method: str) -> str:
    title = TITLES[name]
    where = f"[{title}](../benchmark.md#{title.lower().replace(' ', '-')})"
    own = [one for one in records if one["data"] == name]
    row = next(one for one in table.rows(own, [method]) if one.method == method)
    if not row.records:
        return f"- {where}: {table.NOT_RUN}."
    values = {score: table.over_seeds(table.scores_of(row, score)) for score in OF_A_PAGE[name]}
    said = ", ".join(f"{score} {value}" for score, value in values.items() if value != table.NONE)
    start = table.beside_start(row)
    beside = "" if start == table.NONE else f"; reverse-lm beside its start {start}"
    count = len(row.records)
    seeds = f"{count} seed{'s' * (count > 1)}"
    return f"- {where} ({seeds}): {said}{beside}."


def figures(folder: Path = ROOT / FOLDER) -> dict[str, bytes]:
    """The figures by their files in docs/: the curves of each data set that has records."""
    from gantext.plots.frontier import Curve, Guide, Mark, frontier_figure
    from gantext.plots.output import png_bytes

    plane, found = planes.bleu(ORDER), {}
    x, y = CURVE
    for data in TITLES:
        records = [one for one in read_all(folder) if one["data"] == data]
        if not records:
            continue
        curves = [Curve(_points(row)) for row in table.rows(records, []) if row.records]
        real = {one["name"]: float(one["value"]) for one in records[-1]["real"]}
        values = {name: real[name] for name in (x, y) if name in real and name in OF_REAL}
        marks = [Mark("real text", [values], "real")]
        guide = Guide(plane.where, values[x]) if x in values else None
        drawn = frontier_figure((plane.x, plane.y), curves, marks, guide)
        found[f"benchmark-{data}.png"] = png_bytes(drawn)
    return found


def _points(row: Row) -> list[Point]:
    return [
        Point(row.name, row.name, point["temperature"], point, record["seed"])
        for record in row.records
        for point in record["run"]["curve"]
    ]


if __name__ == "__main__":
    for name, text in pages().items():
        (ROOT / "docs" / name).write_text(text, encoding="utf-8")
    for name, data in figures().items():
        (ROOT / "docs" / name).write_bytes(data)
