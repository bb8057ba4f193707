"""Your own pictures: a folder of PNG and JPEG files, made squares of one size.

Its sub-folders, if it has several, are classes; its captions.csv, if there is one, has a caption
for each picture.

Legend: N pictures, C channels, S pixels of a side, T words of a caption.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gantext.data.pictures.colour import Colour
from gantext.data.ranges import Count, RowsOrNone, Seed, Side
from gantext.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from gantext.data.corpus import Corpus
    from gantext.data.gallery import Gallery, PictureSplit
    from gantext.data.pictures.captions import Captions
    from gantext.data.pictures.folder import Listing


WHERE = "your own: data.folder=DIR"
CAPTIONS = "captions.csv in data.folder, with the columns file and caption"
TEST_SHARE = 10  # one of so many pictures is held out for test with test_size=0


@dataclass(frozen=True)
class Config:
    """Values and their explanations: conf/data/pictures.yaml."""

    name: str
    folder: str
    size: Side
    colour: Colour
    validation_size: RowsOrNone
    test_size: RowsOrNone
    seed: Seed
    tokenizer: str
    lowercase: bool
    min_count: Count
    max_length: Count


def load_pictures(cfg: Config) -> "Gallery":
    """Read the pictures of a folder in the order of their names, and split them with the seed.

    Raises UserError, naming the file, for a folder without pictures, for a picture or a caption
    that cannot be read, and for sizes that make no sense.
    """
    from gantext.data.gallery import NO_LABEL, build_gallery, held_out_places
    from gantext.data.pictures.captions import read_captions
    from gantext.data.pictures.folder import list_pictures
    from gantext.data.pictures.squares import read_squares

    notes: list[str] = []
    listing = list_pictures(_folder(cfg), notes)
    captions = read_captions(listing, cfg, notes) if listing.captions else None
    if captions is not None:
        listing = listing.take(captions.places)
    test_size = cfg.test_size or _tenth(listing, notes)
    places = held_out_places(len(listing), cfg.validation_size, test_size, cfg.seed)
    classes = listing.classes
    labels = [classes.index(name) if classes else NO_LABEL for name in listing.folders]
    squares = read_squares(listing.files, cfg.size, cfg.colour, notes)
    corpus = None if captions is None else _encoded(captions, places, cfg)
    return build_gallery(
        cfg.name,
        *_splits(squares, labels, places, corpus),
        classes=classes,
        vocabulary=corpus.vocabulary if corpus else None,
        notes=(*notes, *(corpus.notes if corpus else ())),
    )


def absolute(cfg: Config) -> Config:
    """Return `cfg` with an absolute path, so that a run finds its pictures from any folder."""
    return replace(cfg, folder=os.path.abspath(Path(cfg.folder).expanduser()))


def _folder(cfg: Config) -> Path:
    path = Path(cfg.folder).expanduser()
    if not cfg.folder or not path.exists():
        raise UserError(f"data.folder={cfg.folder}: no such folder")
    if not path.is_dir():
        raise UserError(f"data.folder={cfg.folder}: a file, not a folder of pictures")
    return path


def _tenth(listing: "Listing", notes: list[str]) -> int:
    """A tenth of the pictures, 1 at least, for test. Raises UserError where that leaves none."""
    if len(listing) < 2:
        raise UserError(f"{listing.files[0]}: one picture only; at least 2 are needed")
    size = max(1, len(listing) // TEST_SHARE)
    notes.append(f"{size} of {len(listing)} pictures held out for test")
    return size


def _encoded(captions: "Captions", places: "Sequence[Tensor]", cfg: Config) -> "Corpus":
    """Captions as numbers, by the words of those that are trained on."""
    from gantext.data.corpus import Sentences, build_corpus
    from gantext.data.vocabulary import SPECIALS

    sentences = Sentences.of(captions.tokens, captions.text)
    parts = [sentences.take(part.tolist()) for part in places]
    vocabulary = parts[0].vocabulary(
        min_count=cfg.min_count,
        tokenizer=cfg.tokenizer,
        lowercase=cfg.lowercase,
    )
    if len(vocabulary) == len(SPECIALS):
        raise UserError(f"data.min_count={cfg.min_count} leaves no word in the vocabulary")
    return build_corpus(cfg.name, vocabulary, *parts)


def _splits(
    squares: "np.ndarray",
    labels: Sequence[int],
    places: "Sequence[Tensor]",
    corpus: "Corpus | None",
) -> "tuple[PictureSplit, PictureSplit, PictureSplit]":
    """Training, validation and test split of pictures (N, C, S, S) at these places."""
    import torch

    from gantext.data.gallery import PictureSplit

    pictures, numbers = torch.from_numpy(squares), torch.tensor(labels)
    texts = (corpus.train, corpus.validation, corpus.test) if corpus else (None, None, None)
    train, validation, test = (
        PictureSplit(
            pictures[rows],
            numbers[rows],
            text.tokens.padded(corpus.max_length)
            if corpus and text
            else torch.zeros(len(rows), 0, dtype=torch.int64),
            tuple(text.text) if text else (),
        )
        for rows, text in zip(places, texts, strict=True)
    )
    return train, validation, test
