"""Parts of a page that take long to make, kept in the user's cache folder by what decides them."""

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import gantext
from gantext.data.download import cache_folder
from gantext.errors import UserError
from gantext.files import write_atomic
from gantext.records.json_file import JsonFile
from gantext.report.page import Figure, Sample, Table


class _TableRecord(TypedDict):
    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str]
    text_columns: int


class _FigureRecord(TypedDict):
    title: str
    caption: str
    light: str
    dark: str
    table: _TableRecord | None
    wide: bool


class _SampleRecord(TypedDict):
    texts: list[str]
    copied: list[bool]
    nearest: str
    similarity: float
    fault: str
    wrong: list[int]


class _Figures(TypedDict):
    figures: list[_FigureRecord]


class _Samples(TypedDict):
    samples: list[_SampleRecord]


VERSION = 3  # one more whenever the same data is drawn or said in another way
FIGURES, SAMPLES = JsonFile(_Figures), JsonFile(_Samples)


def figures(decided: object, draw: Callable[[], list[Figure]]) -> list[Figure]:
    """The figures that `draw` gives, or gave before for the same data.

    Args:
        decided: all that decides them, as plain values and dataclasses of these.
        draw: draws them, which takes a second each.
    """
    place = _place("figures", decided)
    record = _read(FIGURES, place)
    if record is not None:
        with contextlib.suppress(ValueError):
            return [_figure(one) for one in record["figures"]]
    drawn = draw()
    _write(place, {"figures": [dataclasses.asdict(one) for one in drawn]})
    return drawn


def samples(decided: object, make: Callable[[], tuple[Sample, ...]]) -> tuple[Sample, ...]:
    """The samples that `make` gives, beside their nearest training sentences; as `figures`."""
    place = _place("samples", decided)
    record = _read(SAMPLES, place)
    if record is not None:
        with contextlib.suppress(ValueError):
            return tuple(map(_sample, record["samples"]))
    made = make()
    _write(place, {"samples": list(map(_sample_record, made))})
    return made


def _place(kind: str, decided: object) -> Path:
    digest = hashlib.sha256(
        repr((gantext.__version__, VERSION, decided)).encode("utf-8", "replace")
    )
    return cache_folder() / "report" / f"{kind}-{digest.hexdigest()[:16]}.json"


def _read(kind: JsonFile[Any], place: Path) -> Any:
    """What was kept; None where nothing is, or where it is damaged."""
    with contextlib.suppress(UserError, OSError):
        return kind.read(place)
    return None


def _write(place: Path, record: Any) -> None:
    with contextlib.suppress(UserError, OSError, UnicodeEncodeError):  # nothing is kept then
        write_atomic(place, json.dumps(record).encode())


def _figure(record: _FigureRecord) -> Figure:
    own: dict[str, Any] = dict(record)
    table = own.pop("table")
    if table is not None:
        rows = tuple(map(tuple, table["rows"]))
        lists = {"columns": tuple(table["columns"]), "notes": tuple(table["notes"])}
        table = Table(**{**table, **lists, "rows": rows})
    return Figure(**own, table=table)


def _sample(record: _SampleRecord) -> Sample:
    pieces = tuple(zip(record["texts"], record["copied"], strict=False))
    first, end = record["wrong"]
    return Sample(
        pieces, record["nearest"], record["similarity"], (), record["fault"], (first, end)
    )


def _sample_record(one: Sample) -> _SampleRecord:
    return {
        "texts": [text for text, _ in one.pieces],
        "copied": [copied for _, copied in one.pieces],
        "nearest": one.nearest,
        "similarity": one.similarity,
        "fault": one.fault,
        "wrong": list(one.wrong),
    }
