"""A Hugging Face data set saved on this disk by its `save_to_disk`: a column of sentences."""

import importlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantext.data.lines import assemble, check_different, check_preparation, prepare, split_off
from gantext.data.memory import size
from gantext.data.ranges import Bytes, CountOrNone, CountOrNoneOrWord, Probability, Seed
from gantext.data.tables import Table, select
from gantext.data.vocabulary import Unk
from gantext.errors import UserError, nearest

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus, Sentences


LABELS = "label_column"
WHERE = "your own: data.path=DIR; pip install 'gantext[hf]'"
NEEDS = "datasets"


@dataclass(frozen=True)
class Config:
    """Values and their explanations: conf/data/hf.yaml."""

    name: str
    path: str
    column: str
    label_column: str
    train: str
    test: str
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
    """Read the data set and build the corpus. Nothing is downloaded, and none of its code is run.

    Raises UserError without the library, for a folder that is no saved data set, and for a split or
    a column that it does not have.
    """
    from gantext.data.prepared import prepared

    check_preparation(cfg)
    return prepared(cfg, _files(cfg), lambda: _prepare(cfg))


def _prepare(cfg: Config) -> "Corpus":
    notes: list[str] = []
    splits = _splits(cfg)
    train = _read("train", cfg.train, splits, cfg, notes)
    check_different(train, cfg.path)
    if cfg.test and len(splits) > 1:
        return assemble(cfg, train, _read("test", cfg.test, splits, cfg, notes), notes)
    return assemble(cfg, *split_off(train, cfg.test_share, cfg.split_seed, notes), notes)


def absolute(cfg: Config) -> Config:
    """Return `cfg` with an absolute path, so that a run finds its data from any folder."""
    return replace(cfg, path=os.path.abspath(Path(cfg.path).expanduser()))


def _files(cfg: Config) -> list[Path]:
    """The files of the data set. Raises UserError where it is no folder, or they hold too much."""
    path = Path(cfg.path).expanduser()
    if not path.is_dir():
        raise UserError(f"{path}: no such folder")
    files = sorted(file for file in path.rglob("*") if file.is_file())
    taken = sum(file.stat().st_size for file in files)
    if taken > cfg.max_bytes:
        allowed = f"{size(cfg.max_bytes)}, data.max_bytes allows"
        raise UserError(f"{path}: its files hold {size(taken)}, and no more than {allowed}")
    return files


def _splits(cfg: Config) -> Mapping[str, Any]:
    """The parts of the saved data set by their names; one that has none is the training part."""
    path = Path(cfg.path).expanduser()
    try:
        datasets = importlib.import_module("datasets")
    except ImportError as error:
        raise UserError("data=hf needs datasets: pip install 'gantext[hf]'") from error
    try:
        found = datasets.load_from_disk(str(path))
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: no data set that save_to_disk has saved ({error})") from error
    return found if isinstance(found, Mapping) else {cfg.train: found}


def _read(
    split: str, name: str, splits: Mapping[str, Any], cfg: Config, notes: list[str]
) -> "Sentences":
    if name not in splits:
        there = ", ".join(splits)
        raise UserError(
            f"{cfg.path}: no data.{split}={name}{nearest(name, splits)}; its parts are {there}"
        )
    rows = splits[name]
    source = f"{cfg.path}, {name}"
    wanted = {cfg.column, cfg.label_column} & set(rows.column_names)
    columns: dict[str, Sequence[Any]] = {
        one: _values(rows, one) if one in wanted else () for one in rows.column_names
    }
    lines = select(Table(source, columns, 1), cfg.column, cfg.label_column, notes)
    return prepare(split, lines, source, cfg, notes)


def _values(rows: Any, column: str) -> list[Any]:
    """The values of a column; of a column of classes their names."""
    names = getattr(rows.features[column], "names", None)
    values = list(rows[column])
    if not names:
        return values
    return [names[value] if 0 <= value < len(names) else None for value in values]
