"""The report's page: plain data in, one self-contained HTML file out.

The page loads nothing: its style, script and figures are in it, and its content security policy
lets nothing else in. Every text that comes from a run (names, configs, sentences) is escaped.
"""

import base64
import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gantext.plots.output import SVG_NAMESPACE
from gantext.plots.theme import THEMES

# Ids of the page's own sections; its generated ids hold "--", which no anchor does.
RESERVED = ("content", "summary", "comparison")


@dataclass(frozen=True)
class Table:
    """Cells that are formatted already; the first `text_columns` are words, the rest numbers.

    `notes` are the scores' signatures and remarks, shown on demand under the table.

    Raises:
        ValueError: no column, or a row of another length than `columns`.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    text_columns: int = 1

    def __post_init__(self) -> None:
        if not self.columns or any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(
                f"table {self.title!r}: rows must have its {len(self.columns)} columns"
            )


@dataclass(frozen=True)
class Figure:
    """A picture as SVG text for each theme, and the numbers behind it.

    A `wide` one, of several axes, has a row of the page to itself.

    Raises:
        ValueError: one of the two is not an SVG element with its namespace, so that a browser
            would show a broken image.
    """

    title: str
    caption: str
    light: str
    dark: str
    table: Table | None = None
    wide: bool = False

    def __post_init__(self) -> None:
        for svg in (self.light, self.dark):
            if not svg.startswith("<svg") or SVG_NAMESPACE not in svg.split(">", 1)[0]:
                raise ValueError(f"figure {self.title!r}: not an <svg> with xmlns={SVG_NAMESPACE}")


@dataclass(frozen=True)
class Sample:
    """A generated sentence: its pieces in order, each with whether it is copied from training.

    `nearest` is the nearest training sentence ("" if not looked for), `similarity` theirs.
    `fault` says what is wrong with it, `wrong` from which of its characters to which that shows.
    """

    pieces: tuple[tuple[str, bool], ...]
    nearest: str
    similarity: float
    facts: tuple[str, ...] = ()
    fault: str = ""
    wrong: tuple[int, int] = (0, 0)

    @property
    def marked(self) -> Iterator[tuple[str, bool, bool]]:
        """Its pieces, cut where what is wrong begins and ends: text, is it copied, is it wrong."""
        start = 0
        for text, copied in self.pieces:
            cuts = [min(max(cut - start, 0), len(text)) for cut in self.wrong]
            before, inside, after = text[: cuts[0]], text[cuts[0] : cuts[1]], text[cuts[1] :]
            parts = ((before, copied, False), (inside, copied, True), (after, copied, False))
            yield from (part for part in parts if part[0])
            start += len(text)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to see."""
        return not "".join(text for text, _ in self.pieces).strip()


@dataclass(frozen=True)
class SampleSet:
    """Sentences drawn together; `how` says from what, with which seed, that none is left out."""

    title: str
    how: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class RunPart:
    """What the page says of one run.

    Attributes:
        anchor: the wish for its id in the page.
        command: that began it.
        place: among the runs of the page, which decides its colour.
        sweep: the name of the part of the sweep that it is a job of.
    """

    name: str
    anchor: str
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    config: str
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    samples: tuple[SampleSet, ...]
    command: str = ""
    place: int = 0
    sweep: str = ""


@dataclass(frozen=True)
class SweepPart:
    """What the page says of a sweep; the first cells of its tables may be names of its `jobs`.

    Attributes:
        facts: of it.
        command: that began it.
        tables: its jobs, and the means over seeds.
        figures: a score over what is swept.
        remarks: what there is not to see, and where more is.
        jobs: by the name of a job, that of its run in the page.
    """

    name: str
    facts: tuple[tuple[str, str], ...]
    command: str
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    remarks: tuple[str, ...]
    jobs: Mapping[str, str]


@dataclass(frozen=True)
class Page:
    """A whole report: the summary and what compares the runs, the sweeps, then each run."""

    title: str
    created: str
    version: str
    command: str
    summary: tuple[str, ...]
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    runs: tuple[RunPart, ...]
    sweeps: tuple[SweepPart, ...] = ()


def render(page: Page) -> str:
    """Return the HTML of a page; the same page gives the same text."""
    import jinja2
    from markupsafe import Markup

    loader = jinja2.PackageLoader("gantext.report")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = data_uri
    style, script = (
        loader.get_source(environment, name)[0] for name in ("report.css", "report.js")
    )
    style += run_colours()
    anchors = unique_anchors([*(r.anchor for r in page.runs), *(s.name for s in page.sweeps)])
    runs = list(zip(page.runs, anchors, strict=False))
    sweeps = list(zip(page.sweeps, anchors[len(runs) :], strict=True))
    times = Counter(run.name for run in page.runs)
    html = environment.get_template("report.html").render(
        page=page,
        runs=runs,
        sweeps=sweeps,
        links={run.name: anchor for run, anchor in runs if times[run.name] == 1},
        places={run.name: run.place for run in page.runs},
        sweep_links={sweep.name: anchor for sweep, anchor in sweeps},
        colours=len(THEMES["light"].series),
        next_number=itertools.count(1).__next__,
        style=Markup(style),
        script=Markup(script),
        style_hash=csp_hash(style),
        script_hash=csp_hash(script),
    )
    # JSON can hold a lone surrogate, which has no UTF-8: it becomes "?", or no file is written.
    return html.encode("utf-8", "replace").decode("utf-8")


def run_colours() -> str:
    """The style of what is in a run's colour: in its figures' of the page's theme."""
    pairs = zip(THEMES["light"].series, THEMES["dark"].series, strict=True)
    rules = (
        f".run-{place} {{ --run: light-dark({light}, {dark}); }}"
        for place, (light, dark) in enumerate(pairs)
    )
    return "\n".join(rules)


def unique_anchors(wishes: Iterable[str]) -> list[str]:
    """Return an id for each wish, in order: letters, digits, "_" and single "-", none twice.

    A second "a" becomes "a-2"; a wish without any such character becomes "run".
    """
    taken = set(RESERVED)
    found = []
    for wish in wishes:
        plain = re.sub(r"[^A-Za-z0-9_]+", "-", wish).strip("-") or "run"
        numbered = (f"{plain}-{n}" for n in itertools.count(2))
        anchor = next(a for a in itertools.chain([plain], numbered) if a not in taken)
        taken.add(anchor)
        found.append(anchor)
    return found


def data_uri(svg: str) -> str:
    """Return an SVG as the address of an <img>, in which no script runs and nothing is loaded."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def csp_hash(text: str) -> str:
    """Return the source expression that lets this one inline style or script in (CSP level 3)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
