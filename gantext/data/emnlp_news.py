"""The news of EMNLP 2017 WMT: the long-text benchmark of LeakGAN and RelGAN."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gantext.data.download import Remote, locate
from gantext.data.lines import Lines, assemble, check_preparation, prepare, read_file
from gantext.data.ranges import Bytes, CountOrNone, Seed
from gantext.data.vocabulary import Unk

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus, Sentences


# Guo et al. 2018, LeakGAN, section "Long text generation"; Nie et al. 2019, RelGAN, section 4.2.
TRAIN, TEST, WORDS, LONGEST = 278_586, 10_000, 5_728, 51
HOLDS_TRAIN = f"{TRAIN:,} sentences of at most {LONGEST} words, {WORDS:,} different ones"
HOLDS_TEST = f"{TEST:,} sentences"


@dataclass(frozen=True)
class Config:
    """Values and their explanations: conf/data/emnlp_news.yaml."""

    name: str
    train: str
    test: str
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
    """Return the training and the test file, in this order; no place to download them is known."""
    return (
        Remote(cfg.train, "", "", hint=f"it should hold {HOLDS_TRAIN}"),
        Remote(cfg.test, "", "", hint=f"it should hold {HOLDS_TEST}"),
    )


def load(cfg: Config) -> "Corpus":
    """Find both files and build the corpus; files of other sizes are read, with a note.

    Raises UserError when a file is not there, saying what it should hold.
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
    return assemble(cfg, train, test, [*notes, *_other_sizes(train, test)])


def _other_sizes(train: "Sentences", test: "Sentences") -> list[str]:
    """What of the files is not as in the papers, whose scores are of the sizes given here."""
    sizes = {
        "training sentences": (len(train), TRAIN),
        "test sentences": (len(test), TEST),
        "words in the longest one": (train.numbers.longest, LONGEST),
        "different words": (len(train.seen), WORDS),
    }
    return [
        f"{held:,} {what}, where the papers have {wanted:,}"
        for what, (held, wanted) in sizes.items()
        if held != wanted
    ]
