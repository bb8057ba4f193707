"""Any text file or files: one sentence a line, or a column of a table; plain or packed."""

import glob
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gantext.data.flat import Text
from gantext.data.lines import (
    Lines,
    Numbers,
    assemble,
    check_different,
    check_preparation,
    prepare,
    read_file,
    split_off,
)
from gantext.data.ranges import Bytes, CountOrNone, CountOrNoneOrWord, Probability, Seed
from gantext.data.tables import Format, format_of, read_table, select
from gantext.data.vocabulary import Unk
from gantext.errors import UserError

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus


LABELS = "label_column"
WHERE = "your own: data.train=FILE"


@dataclass(frozen=True)
class Config:
    """Values and their explanations: conf/data/text.yaml."""

    name: str
    train: str
    test: str
    format: Format
    column: str
    label_column: str
    test_share: Probability
    validation: CountOrNoneOrWord
    split_seed: Seed
    tokenizer: str
    lowercase: bool
    unk: Unk
    min_count: CountOrNone
    max_vocab: CountOrNone
    max_length: CountOrNone
    long: str
    max_bytes: Bytes


def load(cfg: Config) -> "Corpus":
    """Read the files of `cfg` and build the corpus.

    Raises UserError for a file that is missing, empty, no text or without a usable line.
    """
    from gantext.data.prepared import prepared

    check_preparation(cfg)
    paths = [*expand(cfg.train), *(expand(cfg.test) if cfg.test else ())]
    return prepared(cfg, paths, lambda: _prepare(cfg))


def _prepare(cfg: Config) -> "Corpus":
    notes: list[str] = []
    train = prepare("train", read_files(cfg.train, cfg, notes), cfg.train, cfg, notes)
    check_different(train, cfg.train)
    if not cfg.test:
        return assemble(cfg, *split_off(train, cfg.test_share, cfg.split_seed, notes), notes)
    notes += _both(cfg)
    test = prepare("test", read_files(cfg.test, cfg, notes), cfg.test, cfg, notes)
    return assemble(cfg, train, test, notes)


def sources(cfg: Config) -> tuple[Path, ...] | None:
    """Return the files that are named; None for a wildcard, which new files may fit."""
    parts = [part for pattern in (cfg.train, cfg.test) if pattern for part in _parts(pattern)]
    wild = any(glob.has_magic(part) and not Path(part).exists() for part in parts)
    return None if wild else tuple(map(Path, parts))


def read_files(pattern: str, cfg: Config, notes: list[str]) -> Lines:
    """Return the lines of a file, of several ("a.txt:b.txt") or of a wildcard ("parts/*.txt").

    Raises UserError when one is missing, unreadable, empty or not what its name says.
    """
    text: list[Text] = []
    labels: list[str] = []
    numbers: list[Numbers] = []
    files: list[tuple[int, str]] = []
    for path in expand(pattern):
        lines = _read(path, cfg, notes)
        files.append((sum(map(len, text)), f"{path}"))
        text.append(lines.text)
        labels += lines.labels
        numbers.append(lines.numbers if len(lines.numbers) else np.arange(len(lines)) + 1)
    return Lines(Text.joined(text), labels, np.concatenate(numbers), files)


def _read(path: Path, cfg: Config, notes: list[str]) -> Lines:
    kind = format_of(path, cfg.format)
    if kind is not Format.lines:
        table = read_table(path, kind, notes, cfg.max_bytes)
        return select(table, cfg.column, cfg.label_column, notes)
    for key in ("column", "label_column"):
        if name := getattr(cfg, key):
            raise UserError(
                f"data.{key}={name}: {path} is read as lines, without columns; "
                "data.format=csv reads it as a table"
            )
    return Lines(read_file(path, notes, cfg.max_bytes))


def _both(cfg: Config) -> list[str]:
    train = {path.resolve() for path in expand(cfg.train)}
    both = [path for path in expand(cfg.test) if path.resolve() in train]
    return [f"warning: {path} is both train and test" for path in both]


def absolute(cfg: Config) -> Config:
    """Return `cfg` with absolute paths, so that a run finds its files from any folder."""
    return replace(cfg, train=absolute_pattern(cfg.train), test=absolute_pattern(cfg.test))


# Which files a user means: one, several ("a.txt:b.txt") or a wildcard ("parts/*.txt.gz").
def expand(pattern: str) -> list[Path]:
    """Return the files of a pattern in order; a wildcard's alphabetically.

    Raises UserError when a wildcard fits no file. Named files need not exist.
    """
    paths: list[str] = []
    for name in _parts(pattern):
        wildcard = glob.has_magic(name) and not Path(name).exists()
        paths += sorted(glob.glob(name)) if wildcard else [name]
    if not paths:
        raise UserError(f"{pattern}: no file fits")
    return [Path(path) for path in paths]


def absolute_pattern(pattern: str) -> str:
    """Return a pattern that means the same files from any folder; "" stays."""
    return os.pathsep.join(os.path.abspath(part) for part in _parts(pattern)) if pattern else ""


def _parts(pattern: str) -> list[str]:
    whole = Path(pattern).expanduser().exists()
    parts = [pattern] if whole else pattern.split(os.pathsep)
    return [str(Path(part).expanduser()) for part in parts]
