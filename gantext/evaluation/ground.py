"""What sentences and pictures are held against: real ones, of data or of a file."""

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantext import data
from gantext.data import Reads
from gantext.data.tokenizers import UNKNOWN
from gantext.errors import UserError
from gantext.metrics.text.preparation import AS_IT_IS, Preparation
from gantext.metrics.text.texts import Texts
from gantext.runs.kinds import PICTURES, TEXT, Kind, kind_of

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus
    from gantext.data.gallery import Gallery


@dataclass(frozen=True)
class Real:
    """Real sentences or pictures.

    Attributes:
        references: the test split, or the file of references; none for pictures.
        training: the training split; none with a file of references, and for pictures.
        corpus: the corpus, where there is one.
        gallery: the pictures, for models of pictures.
    """

    references: Sequence[str] = ()
    training: Sequence[str] = ()
    corpus: "Corpus | None" = None
    gallery: "Gallery | None" = None


@dataclass(frozen=True)
class Ground:
    """What sentences or pictures are held against; they are loaded when the first score needs them.

    Attributes:
        hash: the hash of the corpus, of the gallery or of the file; None where there is nothing.
        load: gives them.
        size: sentences of the training split.
        data: the name of the data; None for a file.
        preparation: what was done to these sentences, and has to be done to what is held against
            them.
        notes: what is to be said of them.
        lost: the data with this hash cannot be read any more, so there are no sentences.
    """

    hash: str | None
    load: Callable[[], Real] = Real
    size: int = 0
    data: str | None = None
    preparation: Preparation = AS_IT_IS
    notes: tuple[str, ...] = ()
    lost: bool = False

    @functools.cached_property
    def real(self) -> Real:
        """What it is of."""
        return self.load()

    @property
    def references(self) -> Sequence[str]:
        """See `Real`."""
        return self.real.references

    @property
    def training(self) -> Sequence[str]:
        """See `Real`."""
        return self.real.training

    @property
    def corpus(self) -> "Corpus | None":
        """See `Real`."""
        return self.real.corpus

    @property
    def gallery(self) -> "Gallery | None":
        """See `Real`."""
        return self.real.gallery


def ground_of_file(path: Path, preparation: Preparation) -> Ground:
    """The sentences of a file as references. Raises UserError when it cannot be read."""
    notes: list[str] = []
    read = sentences_of(path, notes)
    times = preparation.unknowns(read)
    preparation = preparation.met(times > 0)
    lines = preparation.sentences(read)
    if not lines:
        raise UserError(f"{path}: there is no sentence, only {UNKNOWN}")
    notes += preparation.notes(times)
    real = Real(references=Texts(lines))
    return Ground(digest_of(lines), lambda: real, preparation=preparation, notes=tuple(notes))


def sentences_of(path: Path, notes: list[str]) -> list[str]:
    """The lines of a file that hold a sentence, as those of `data.test` are taken.

    Raises:
        UserError: it cannot be read, or there is none.
    """
    from gantext.data.lines import read_lines

    lines = [line for line in map(str.strip, read_lines(path, notes, pipes=True)) if line]
    if not lines:
        raise UserError(f"{path}: there is no sentence, only blank lines")
    if unknown := sum(line.count(UNKNOWN) for line in lines):
        notes.append(f"{path}: {UNKNOWN} stands {unknown} times in it, one token each")
    return lines


def ground_of_data(cfg: Any, reads: Reads, beside: Preparation = AS_IT_IS) -> Ground:
    """The data that `cfg` describes, as models read it that are trained on `reads`.

    Args:
        cfg: the config of the data.
        reads: what the models are trained on.
        beside: how text was prepared that the models are trained on, if it is of other data.

    Raises:
        UserError: the data has nothing that such a model can be held against.
    """
    return GROUNDS[kind_of(reads)](data.load_for(cfg, reads), beside)


def ground_of_corpus(corpus: "Corpus", beside: Preparation = AS_IT_IS) -> Ground:
    """The sentences of a corpus, prepared as its vocabulary says, and as `beside` does."""
    preparation = Preparation.of(corpus.vocabulary) | beside
    parts = [split.text for split in (corpus.test, corpus.train)]
    times = [preparation.unknowns(part) for part in parts]
    preparation = preparation.met(any(times))
    test, training = map(preparation.sentences, parts)
    real = Real(Texts(test), Texts(training), corpus)
    return Ground(
        corpus.hash,
        lambda: real,
        len(training),
        corpus.name,
        preparation,
        preparation.notes(times[0]),
    )


def ground_of_gallery(gallery: "Gallery", beside: Preparation = AS_IT_IS) -> Ground:
    """The pictures of a gallery."""
    return Ground(gallery.hash, lambda: Real(gallery=gallery), data=gallery.name)


GROUNDS: dict[Kind[Any, Any], Callable[[Any, Preparation], Ground]] = {
    TEXT: ground_of_corpus,
    PICTURES: ground_of_gallery,
}


def digest_of(lines: Sequence[str]) -> str:
    """SHA-256 (hex) of sentences."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()
