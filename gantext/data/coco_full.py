"""LeakGAN's own protocol for MS-COCO: 80,000 training and 5,000 test captions of frequent words.

Guo et al. 2018, section "Middle text generation: COCO image captions": the captions of both files
are pooled, words seen fewer than 10 times are removed together with the sentences that they are in,
sentences have at most 32 words, and 80,000 for training and 5,000 for testing are drawn. The paper
does not say how; here by a seed, after words were counted once, in the sentences short enough.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gantext.data.content import read_text
from gantext.data.flat import Text
from gantext.data.lines import Lines, assemble, check_preparation, prepare
from gantext.data.ranges import Bytes, CountOrNone, Rows, Seed
from gantext.data.vocabulary import Unk
from gantext.errors import UserError

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus, Sentences


WHERE = "your own: data.train2014=captions_train2014.json data.val2014=captions_val2014.json"


@dataclass(frozen=True)
class Config:
    """Values and their explanations: conf/data/coco_full.yaml."""

    name: str
    train2014: str
    val2014: str
    rare: CountOrNone
    train_size: Rows
    test_size: Rows
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


def load(cfg: Config) -> "Corpus":
    """Read both files, leave out rare words with their sentences, draw both splits.

    Raises UserError for a file that is missing or holds no captions, and when too few are left.
    """
    from gantext.data.prepared import prepared

    check_preparation(cfg)
    paths = [Path(path).expanduser() for path in (cfg.train2014, cfg.val2014)]
    return prepared(cfg, paths, lambda: _prepare(cfg, paths))


def _prepare(cfg: Config, paths: Sequence[Path]) -> "Corpus":
    notes: list[str] = []
    captions = [caption for path in paths for caption in read_captions(path, notes, cfg.max_bytes)]
    whole = prepare("captions", Lines(Text.of(captions)), "the captions", cfg, notes)
    frequent = _of_frequent_words(whole, cfg.rare, notes)
    wanted = cfg.train_size + cfg.test_size
    if len(frequent) < wanted:
        raise UserError(
            f"data.train_size={cfg.train_size} and data.test_size={cfg.test_size} are more than "
            f"the {len(frequent)} sentences that are left of {len(captions)} captions"
        )
    order = np.random.default_rng(cfg.split_seed).permutation(len(frequent)).tolist()
    train = frequent.take(order[: cfg.train_size])
    return assemble(cfg, train, frequent.take(order[cfg.train_size : wanted]), notes)


def absolute(cfg: Config) -> Config:
    """Return `cfg` with absolute paths, so that a run finds its files from any folder."""
    train, val = (os.path.abspath(Path(path).expanduser()) for path in (cfg.train2014, cfg.val2014))
    return replace(cfg, train2014=train, val2014=val)


def read_captions(path: Path, notes: list[str], most: int) -> list[str]:
    """The captions of a file of MS-COCO's annotations, in its order, each in one line.

    Raises UserError for a file that is missing or not of that kind.
    """
    try:
        document = json.loads(read_text(path, notes, most))
        captions: Sequence[str] = [one["caption"] for one in document["annotations"]]
        return [" ".join(caption.split()) for caption in captions]
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} has no captions: annotations of MS-COCO, each with a caption, are needed"
        ) from error


def _of_frequent_words(whole: "Sentences", rare: int, notes: list[str]) -> "Sentences":
    rows = [part.of_rows((whole.counts < rare)[part.gathered()]) for part in whole.numbers.chunks()]
    kept = np.flatnonzero(~np.concatenate(rows))
    notes.append(
        f"{len(whole) - len(kept)} of {len(whole)} sentences dropped with a word seen fewer than "
        f"{rare} times"
    )
    return whole.take(kept)
