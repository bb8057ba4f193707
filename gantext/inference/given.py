"""Sentences and pictures of files, and of the test split, as a run's model reads them.

Legend: N sentences or pictures, M of them that can be read, T tokens, C channels, S pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gantext.data import mnist
from gantext.data.corpus import Corpus
from gantext.data.flat import Tokens
from gantext.data.gallery import Gallery, to_unit
from gantext.data.lines import read_lines
from gantext.data.pictures.colour import Colour
from gantext.data.pictures.folder import SUFFIXES, list_pictures
from gantext.data.pictures.squares import read_squares
from gantext.errors import UserError
from gantext.inference.scoring import tokenised
from gantext.runs.kinds import PICTURES, TEXT, Kind
from gantext.runs.trained import Trained


@dataclass(frozen=True)
class Rows:
    """N sentences or pictures as a model reads them.

    Attributes:
        place: what says where they stand: "line", "picture" or "file".
        places: where each stands: its line or its number, from 1, or its file below the folder.
        texts: the sentences; () for pictures.
        given: (M, T) tokens or (M, C, S, S) pictures in [-1, 1], of those that can be read.
        read: the places of these M among the N.
    """

    place: str
    places: Sequence[int | str]
    texts: Sequence[str]
    given: Tensor
    read: Sequence[int]


def sentences(
    trained: Trained[Any, Any], lines: Sequence[str], source: Path | str, notes: list[str]
) -> Rows:
    """The sentences among some lines; those of a length that the run never reads are noted.

    Raises UserError where all lines are blank, or too long.
    """
    words, width = trained.vocabulary, trained.run.info["max_length"]
    found = tokenised(words, lines)
    if not found:
        raise UserError(f"{source}: every line is blank")
    read = [i for i, line in enumerate(found) if words.takes(len(line.words), width)]
    if not read:
        raise UserError(f"{source}: no sentence is one that the run takes: {words.limit(width)}")
    if long := len(found) - len(read):
        limit = f"without a class: the run takes {words.limit(width)}"
        notes.append(f"{source}: {long} of {len(found)} sentences are {limit}")
    tokens = Tokens.of(words.encode(found[i].words) for i in read).padded(width)
    numbers, texts = [line.number for line in found], [line.text for line in found]
    return Rows("line", numbers, texts, tokens, read)


def _sentence_file(trained: Trained[Any, Any], path: Path, notes: list[str]) -> Rows:
    return sentences(trained, read_lines(path, notes, pipes=True), path, notes)


def _picture_file(trained: Trained[Any, Any], path: Path, notes: list[str]) -> Rows:
    """The pictures of a PNG or JPEG file, of a folder of some, or of an IDX file as MNIST's.

    They are cut to the square in their middle and scaled to the run's size; IDX files have it.
    """
    facts = trained.run.info
    size, colour = facts["size"], Colour.grey if facts["channels"] == 1 else Colour.rgb
    if path.is_dir() or path.suffix.lower() in SUFFIXES:
        names: Sequence[str] = (path.name,)
        files: Sequence[Path] = (path,)
        if path.is_dir():
            listing = list_pictures(path, notes)
            names, files = listing.names, listing.files
        squares = to_unit(torch.from_numpy(read_squares(files, size, colour, notes)))
        return Rows("file", names, (), squares, range(len(files)))
    pictures = mnist.read(path, dimensions=3)  # (N, H, W)
    if pictures.shape[1:] != (size, size) or colour is not Colour.grey:
        sides = " x ".join(map(str, pictures.shape[1:]))
        wanted = f"{colour.value} ones of {size} x {size}"
        raise UserError(f"{path}: grey pictures of {sides}, and the run takes {wanted}")
    rows = to_unit(torch.tensor(pictures)).unsqueeze(1)
    return Rows("picture", range(1, len(rows) + 1), (), rows, range(len(rows)))


def _test_sentences(corpus: Corpus) -> Rows:
    test, width = corpus.test, corpus.max_length
    count = len(test)
    return Rows("line", range(1, count + 1), test.text, test.tokens.padded(width), range(count))


def _test_pictures(gallery: Gallery) -> Rows:
    count, pictures = len(gallery.test), gallery.test.scaled(slice(None))
    return Rows("picture", range(1, count + 1), (), pictures, range(count))


READERS: dict[Kind[Any, Any], Callable[[Trained[Any, Any], Path, list[str]], Rows]] = {
    TEXT: _sentence_file,
    PICTURES: _picture_file,
}
TESTS: dict[Kind[Any, Any], Callable[[Any], Rows]] = {
    TEXT: _test_sentences,
    PICTURES: _test_pictures,
}
