"""What data there is, and whether it is on this machine. Imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gantext import data
from gantext.data.download import find

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus, Split
    from gantext.data.gallery import Gallery, PictureSplit


@dataclass(frozen=True)
class Entry:
    """One line of `data list`. state: whether it can be used with no network."""

    name: str
    where: str
    state: Literal["ready", "missing"]


def entry(name: str, cfg: data.NamedConfig | None = None) -> Entry:
    """Say where the data called `name` is.

    `cfg` is its Config; None where one cannot be had without the user's own values (text).
    Raises UserError for an unknown name.
    """
    wanted = data.files(cfg) if cfg is not None else ()
    if not wanted:
        return Entry(name, data.where(name), "ready" if data.installed(name) else "missing")
    found = [find(file) for file in wanted]
    if all(found):
        return Entry(name, ", ".join(dict.fromkeys(str(p.parent) for p in found if p)), "ready")
    lost = [file for file, path in zip(wanted, found, strict=True) if path is None]
    if all(file.url for file in lost):
        return Entry(name, "downloaded on first use", "missing")
    return Entry(name, f"put {', '.join(file.path for file in lost)} there by hand", "missing")


def facts(corpus: "Corpus") -> list[tuple[str, str]]:
    """Return what `data show` prints of a loaded corpus, as (what, value) rows."""
    vocabulary = corpus.vocabulary
    case = "lower case" if vocabulary.lowercase else "case kept"
    splits = {"train": corpus.train, "validation": corpus.validation, "test": corpus.test}
    return [
        ("data", corpus.name),
        *(
            (name, _sizes(split, len(corpus.vocabulary.end)) + _classes(split, corpus.classes))
            for name, split in splits.items()
        ),
        ("vocabulary", f"{len(vocabulary)} with the 4 special words"),
        ("tokenizer", f"{vocabulary.tokenizer}, {case}"),
        ("known truth", "yes" if corpus.truth is not None else "no"),
        ("hash", corpus.hash),
        *(("note", note) for note in corpus.notes),
    ]


def picture_facts(gallery: "Gallery") -> list[tuple[str, str]]:
    """Return what `data show` prints of a loaded gallery, as (what, value) rows."""
    splits = {"train": gallery.train, "validation": gallery.validation, "test": gallery.test}
    kind = {1: "grey", 3: "RGB"}.get(gallery.channels, f"{gallery.channels} channels")
    vocabulary = gallery.vocabulary
    captions = f"{len(vocabulary)} with the 4 special words" if vocabulary else "no captions"
    return [
        ("data", gallery.name),
        ("pictures", f"{gallery.size} x {gallery.size} pixels, {kind}"),
        *((name, _counts(split, gallery.classes)) for name, split in splits.items()),
        ("vocabulary", captions),
        ("hash", gallery.hash),
        *(("note", note) for note in gallery.notes),
    ]


def _counts(split: "PictureSplit", classes: Sequence[str]) -> str:
    if not len(split):
        return "none"
    return f"{len(split)} pictures" + _classes(split, classes)


def _classes(split: "PictureSplit | Split", classes: Sequence[str]) -> str:
    """How many of a split are of each class: " (cat: 3, dog: 2)"; "" where it has none."""
    if split.labels is None or not len(split.labels) or not classes:
        return ""
    counts = [int((split.labels == number).sum()) for number in range(len(classes))]
    shares = ", ".join(f"{name}: {n}" for name, n in zip(classes, counts, strict=True))
    return f" ({shares})"


def _sizes(split: "Split", end: int) -> str:
    if not len(split):
        return "none"
    words = split.tokens.lengths - end
    return f"{len(split)} sentences, {words.mean():.1f} tokens on average, {words.max()} at most"
