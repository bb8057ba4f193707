"""Encoded sentences: splits and corpora.

Legend: N sentences of a split, B rows of a batch, W different words.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gantext.data.flat import CHUNK, Ragged, Text, Tokens
from gantext.data.numbering import Numbers, numbered
from gantext.data.tokenizers import UNKNOWN
from gantext.data.vocabulary import EOS, Vocabulary
from gantext.errors import UserError

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True)
class Split:
    """One split of a corpus.

    tokens: N sentences of word ids, each with its end (see `Vocabulary.end`).
    text: the N raw lines, whole even where the tokens were cut (references for BLEU).
    labels: (N,) int64, each sentence's class: a place in the corpus's `classes`; None for none.
    """

    tokens: Tokens
    text: Sequence[str]
    labels: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if len(self.tokens) != len(self.text):
            raise ValueError(f"{len(self.tokens)} rows of tokens for {len(self.text)} lines")
        if self.labels is not None and self.labels.shape != (len(self.text),):
            raise ValueError(f"{self.labels.shape} labels for {len(self.text)} lines")

    def __len__(self) -> int:
        return len(self.text)

    def batch(self, chosen: "Tensor") -> "Tensor":
        """(B, T') int64: the sentences at these places (B,), filled up to the longest of them."""
        return self.tokens.batch(chosen)


class Truth(Protocol):
    """The known distribution that a synthetic corpus was drawn from."""

    def log_prob(self, sentences: Sequence[Sequence[str]]) -> np.ndarray:
        """(N,) float64: log-probability of each token list in nats, -inf if impossible."""
        ...

    def entropy(self) -> float:
        """Entropy in nats per sentence; NaN when it is not known."""
        ...


@dataclass(frozen=True)
class Corpus:
    """Everything a run needs to know about its data.

    hash: sha256 of the vocabulary and of the text of all splits (see `content_hash`).
    max_length: tokens of the longest sentence of all splits, its end included.
    notes: warnings and counts to tell the user.
    classes: the names of the sentences' classes, () where these have none.
    draw: draws so many more sentences like the training ones, token ids (n, T); None where nothing
        can.
    """

    name: str
    vocabulary: Vocabulary
    train: Split
    validation: Split
    test: Split
    hash: str
    max_length: int
    truth: Truth | None
    notes: tuple[str, ...]
    classes: tuple[str, ...] = ()
    draw: "Callable[[int, Generator], Tensor] | None" = None

    @property
    def labels_hash(self) -> str:
        """Of the classes and of which sentences have them, sha256 (hex); "" where none has any."""
        if not self.classes:
            return ""
        told = json.dumps([list(self.classes), *_labels(self.splits)])
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def splits(self) -> tuple[Split, Split, Split]:
        """Training, validation and test."""
        return self.train, self.validation, self.test


def content_hash(
    vocabulary: Vocabulary, splits: Sequence[Split], classes: Sequence[str] = ()
) -> str:
    """Return the sha256 (hex) of the words, raw lines and token ids, in the order given.

    Then, where classes are given, of the sentences' own: such a hash has a run from before
    `labels_hash`. All of it as JSON: `run.json` and scores keep hashes, so what is hashed stays as
    it is, though it is the longest part of a first load.
    """
    digest = hashlib.sha256(json.dumps(vocabulary.to_json(), sort_keys=True).encode())
    written = [f"{i}, ".encode() for i in range(len(vocabulary))]
    written[EOS] = f"{EOS}][".encode()  # the end of a row, and the beginning of the next one
    for split in splits:
        digest.update(f"[{len(split)}".encode())
        for first in range(0, len(split), CHUNK):
            lines = json.dumps(list(split.text[first : first + CHUNK]))
            digest.update(f", {lines[1:-1]}".encode())
        digest.update(b"]")
        for rows in split.tokens.chunks():
            if vocabulary.fixed_length:  # with nothing between the rows
                digest.update(rows.gathered().astype("<u4").tobytes())
                continue
            ids = rows.gathered().tolist()
            digest.update(b"[" + b"".join(map(written.__getitem__, ids))[:-1])
    if classes:
        digest.update(json.dumps([list(classes), *_labels(splits)]).encode())
    return digest.hexdigest()


def _labels(splits: Sequence[Split]) -> list[list[int]]:
    return [split.labels.tolist() for split in splits if split.labels is not None]


@dataclass(frozen=True)
class Sentences:
    """Lines of one split before encoding, cut into words.

    words: (W,), different ones, which may be more than stand here.
    numbers: N sentences (maybe cut), each word as its place in `words`.
    text: the N raw lines.
    labels: the names of their N classes, or ().
    """

    words: Sequence[str]
    numbers: Ragged
    text: Text
    labels: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        tokens: Iterable[Sequence[str]],
        text: Iterable[str],
        labels: Iterable[str] = (),
    ) -> "Sentences":
        """Sentences that are given as lists of words, and as lines."""
        words = Numbers()
        numbers = numbered(tokens, words)
        return cls(tuple(words), numbers, Text.of(text), tuple(labels))

    def __len__(self) -> int:
        return len(self.text)

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> "Sentences":
        """Return the sentences at these places, in this order."""
        labels = tuple(self.labels[row] for row in rows) if self.labels else ()
        return Sentences(self.words, self.numbers.take(rows), self.text.take(rows), labels)

    @functools.cached_property
    def counts(self) -> NDArray[np.int64]:
        """(W,): how often each word stands in the sentences."""
        return self.numbers.counts(len(self.words))

    @property
    def seen(self) -> dict[str, int]:
        """How often each word stands in the sentences, of those that do."""
        counted = zip(self.words, self.counts.tolist(), strict=True)
        return {word: count for word, count in counted if count}

    def vocabulary(self, **settings: Any) -> Vocabulary:
        """The words of the sentences in the order of their ids; see `Vocabulary.of_counts`."""
        return Vocabulary.of_counts(self.seen, len(self), **settings)


def build_corpus(
    name: str,
    vocabulary: Vocabulary,
    train: Sentences,
    validation: Sentences,
    test: Sentences,
    *,
    truth: Truth | None = None,
    notes: Sequence[str] = (),
) -> Corpus:
    """Encode three splits with one vocabulary, and hash the result.

    Adds notes about words the vocabulary does not know. Raises UserError when the training
    split is empty.
    """
    if not len(train):
        raise UserError(f"data {name}: no training sentence is left")
    parts = {"train": train, "validation": validation, "test": test}
    classes = _classes(parts.values())
    splits = [_encoded(part, vocabulary, classes) for part in parts.values()]
    seen = {split: part.seen for split, part in parts.items()}
    found = [_written_note(split, words, vocabulary) for split, words in seen.items()]
    found += [_unknown_note(split, words, vocabulary) for split, words in seen.items()]
    return Corpus(
        name=name,
        vocabulary=vocabulary,
        train=splits[0],
        validation=splits[1],
        test=splits[2],
        hash=content_hash(vocabulary, splits),
        max_length=max(split.tokens.longest for split in splits),
        truth=truth,
        notes=(*notes, *(note for note in found if note)),
        classes=classes,
    )


def _encoded(part: Sentences, vocabulary: Vocabulary, classes: Sequence[str]) -> Split:
    kind = np.uint16 if len(vocabulary) <= 1 << 16 else np.uint32
    ids = np.array(vocabulary.ids(part.words), dtype=kind)
    places = {name: place for place, name in enumerate(classes)}
    labels = np.array([places[label] for label in part.labels], np.int64) if classes else None
    return Split(Tokens.encoded(part.numbers, ids), part.text, labels)


def _classes(parts: Iterable[Sentences]) -> tuple[str, ...]:
    """The names of all classes in order: numbers by their size, then words by the alphabet."""
    names = {label for part in parts for label in part.labels}
    return tuple(sorted(names, key=lambda name: (not name.isdecimal(), name.zfill(20), name)))


def _written_note(name: str, seen: Mapping[str, int], vocabulary: Vocabulary) -> str:
    """How often the text itself has `<unk>`, as that of the Penn Treebank does."""
    written = seen.get(UNKNOWN, 0)
    hidden = "" if UNKNOWN in vocabulary else "; never written, and left out of what is scored"
    said = f"{name}: {UNKNOWN} stands {written} times in the text, one token each{hidden}"
    return said * bool(written)


def _unknown_note(name: str, seen: Mapping[str, int], vocabulary: Vocabulary) -> str:
    words = sum(seen.values())
    unknown = sum(count for word, count in seen.items() if word not in vocabulary)
    if not unknown:
        return ""
    return f"{name}: {unknown} of {words} tokens ({unknown / words:.1%}) are not in the vocabulary"
