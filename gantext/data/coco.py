"""The 10,000 / 10,000 MS-COCO captions that the text-GAN papers use (Texygen's files)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gantext.data.download import Remote, locate
from gantext.data.lines import Lines, assemble, check_preparation, prepare, read_lines
from gantext.data.ranges import Bytes, CountOrNone, Seed
from gantext.data.vocabulary import Unk

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus


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
        Remote(cfg.train, cfg.train_url, cfg.train_sha256),
        Remote(cfg.test, cfg.test_url, cfg.test_sha256),
    )


def load(cfg: Config) -> "Corpus":
    """Find or download both files and build the corpus.

    Raises UserError when a file cannot be had, or its content is not the expected one.
    """
    check_preparation(cfg)
    notes: list[str] = []
    parts = []
    for split, file in zip(("train", "test"), files(cfg), strict=True):
        path = locate(file)
        parts.append(
            prepare(split, Lines(read_lines(path, notes, cfg.max_bytes)), str(path), cfg, notes)
        )
    train, test = parts
    return assemble(cfg, train, test, notes)
