"""The 10,000 / 10,000 MS-COCO captions that the text-GAN papers use (Texygen's files)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gantext.data.download import Remote, locate
from gantext.data.lines import Lines, assemble, check_preparation, prepare, read_file
from gantext.data.ranges import Bytes, CountOrNone, Seed
from gantext.data.vocabulary import Unk

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus


# Bytes of Texygen's files.
SIZES = {
    "2c0fd1f0f43aac6a9dc3926a535516ccf395de535e15ac1fd17cd569420736f5": 546_442,
    "72e25c9fb4d2cd43182ac602c92f6ffc377762147f9709572943b0b09174bcae": 536_184,
}


@dataclass(frozen=True)
class Config:
    """Values and their explanations: conf/data/coco.yaml."""

    name: str
    train: str
    train_url: str
    train_sha256: str
    test: str
    test_url: str
    test_sha256: str
    validation: CountOrNone
    split_seed: Seed
    tokenizer: str
    lowercase: bool
    unk: Unk
    min_count: CountOrNone
    max_vocab: CountOrNone
    max_length: CountOrNone
    long: str
    max_bytes: Bytes


def files(cfg: Config) -> tuple[Remote, ...]:
    """Return the training and the test file, in this order."""
    return (
        _remote(cfg.train, cfg.train_url, cfg.train_sha256),
        _remote(cfg.test, cfg.test_url, cfg.test_sha256),
    )


def _remote(path: str, url: str, sha256: str) -> Remote:
    return Remote(path, url, sha256, size=SIZES.get(sha256, 0))


def load(cfg: Config) -> "Corpus":
    """Find or download both files and build the corpus.

    Raises UserError when a file cannot be had, or its content is not the expected one.
    """
    from gantext.data.prepared import prepared

    check_preparation(cfg)
    paths = [locate(file) for file in files(cfg)]
    return prepared(cfg, paths, lambda: _prepare(cfg, paths))


def _prepare(cfg: Config, paths: Sequence[Path]) -> "Corpus":
    notes: list[str] = []
    train, test = (
        prepare(split, Lines(read_file(path, notes, cfg.max_bytes)), f"{path}", cfg, notes)
        for split, path in zip(("train", "test"), paths, strict=True)
    )
    return assemble(cfg, train, test, notes)
