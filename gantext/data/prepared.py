"""Corpora as they were prepared before: kept in the cache folder, and read by memory map.

A corpus is found again by a hash of all that decides it: the bytes of its files, where they lie
(its notes name them), the settings of its preparation, and the versions of what prepares it. So it
is prepared anew of a file that changes, and where what is kept is damaged. What was not used for
long goes when others need its room: nothing is lost with the folder.
"""

import contextlib
import dataclasses
import enum
import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from numpy.typing import NDArray

from gantext.data.corpus import Corpus, Split
from gantext.data.download import cache_folder
from gantext.data.flat import Ragged, Text, Tokens
from gantext.data.vocabulary import Vocabulary, VocabularyRecord
from gantext.errors import UserError
from gantext.records.content import Damaged
from gantext.records.mapped import Column, MappedFile
from gantext.records.shape import Whole

VERSION = 2  # of what is kept and of how text is prepared: when either changes, none is found
LEAST = 1 << 18  # bytes of files below which preparing them takes no time
ROOM = 8 << 30  # bytes that all of them may take, but for the newest one
SPLITS = ("train", "validation", "test")


class Facts(TypedDict):
    """What is kept of a corpus beside its arrays."""

    name: str
    vocabulary: VocabularyRecord
    hash: str
    max_length: Whole
    notes: list[str]
    classes: list[str]


FILE = MappedFile(Facts)


def prepared(cfg: Any, sources: Sequence[Path], prepare: Callable[[], Corpus]) -> Corpus:
    """The corpus that `prepare` makes of these files, or made of them before.

    Args:
        cfg: all settings that decide it, a dataclass.
        sources: the files.
        prepare: raises UserError for what is wrong with them.
    """
    key = _key(cfg, sources)
    if key is None:
        return prepare()
    path = cache_folder() / "corpora" / f"{key}.arrays"
    with contextlib.suppress(UserError):  # damaged, or it cannot be read
        if (found := _read(path)) is not None:
            return found
    corpus = prepare()
    try:
        _write(path, corpus)
    except (OSError, UserError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        note = f"it is not kept in {path.parent} ({why}), and prepared anew at each start"
        return dataclasses.replace(corpus, notes=(*corpus.notes, note))
    return corpus


def _key(cfg: Any, sources: Sequence[Path]) -> str | None:
    """A hash of all that decides a corpus; None where it is not worth keeping, or cannot be."""
    try:
        if any(not path.is_file() for path in sources):
            return None
        if sum(path.stat().st_size for path in sources) < LEAST:
            return None
        digests = [(str(path), _digest(path)) for path in sources]
    except OSError:
        return None  # whoever reads it says what is wrong
    versions = VERSION, *sys.version_info[:2]  # Python's letters change with it
    decided = json.dumps([versions, dataclasses.asdict(cfg), digests], default=_plain)
    return hashlib.sha256(decided.encode()).hexdigest()[:32]


def _plain(value: enum.Enum) -> Any:
    return value.value


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, corpus: Corpus) -> None:
    """Raises OSError and UserError."""
    facts = Facts(
        name=corpus.name,
        vocabulary=corpus.vocabulary.to_json(),
        hash=corpus.hash,
        max_length=corpus.max_length,
        notes=list(corpus.notes),
        classes=list(corpus.classes),
    )
    columns: dict[str, Column] = {}
    for name in SPLITS:
        split: Split = getattr(corpus, name)
        text = split.text if isinstance(split.text, Text) else Text.of(split.text)
        for what, rows in (("tokens", split.tokens), ("text", text)):
            columns[f"{name} {what}"] = _values(rows)
            columns[f"{name} {what} lengths"] = _column(rows.lengths)
        if split.labels is not None:
            columns[f"{name} labels"] = _column(split.labels)
    FILE.write(path, facts, columns)
    _make_room(path)


def _values(rows: Ragged) -> Column:
    pieces = (part.gathered() for part in rows.chunks())
    return Column(rows.values.dtype, int(rows.lengths.sum()), pieces)


def _column(values: NDArray[Any]) -> Column:
    return Column(values.dtype, len(values), [values])


def _make_room(path: Path) -> None:
    """Remove those used longest ago, once all take more than they may, and what a kill has left."""
    found = (*path.parent.glob("*.arrays"), *path.parent.glob(".*.partial"))
    others = sorted(found, key=_used, reverse=True)
    taken = 0
    for other in others:
        with contextlib.suppress(OSError):  # another process may have removed it
            taken += other.stat().st_size
            if taken > ROOM and other != path:
                other.unlink()


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read(path: Path) -> Corpus | None:
    """Raises Damaged."""
    found = FILE.read(path)
    if found is None:
        return None
    facts, arrays = found
    try:
        splits = {name: _split(arrays, name) for name in SPLITS}
        vocabulary = Vocabulary.from_json(facts["vocabulary"])
    except (KeyError, ValueError, UserError) as error:
        raise Damaged(path, f"it is no whole corpus ({error})") from None
    with contextlib.suppress(OSError):  # a folder that can only be read
        os.utime(path)
    return Corpus(
        facts["name"],
        vocabulary,
        splits["train"],
        splits["validation"],
        splits["test"],
        hash=facts["hash"],
        max_length=facts["max_length"],
        truth=None,
        notes=tuple(facts["notes"]),
        classes=tuple(facts["classes"]),
    )


def _split(arrays: Mapping[str, NDArray[Any]], name: str) -> Split:
    tokens = Tokens.behind(arrays[f"{name} tokens"], arrays[f"{name} tokens lengths"])
    text = Text.behind(arrays[f"{name} text"], arrays[f"{name} text lengths"])
    return Split(tokens, text, arrays.get(f"{name} labels"))
