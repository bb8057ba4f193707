"""Encoded sentences: splits and corpora.

Legend: N sentences of a split, T columns (the longest sentence and its EOS), B rows of a batch.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from gantext.data.memory import available, size
from gantext.data.tokenizers import UNKNOWN
from gantext.data.vocabulary import PAD, UNK, Vocabulary
from gantext.errors import UserError

# Of all memory the tables of tokens may be one part of so many; of more where a few sentences are
# so much longer than the others that a table is nearly all padding.
TABLE_SHARE, PADDING_SHARE = 4, 100
FILLED = 1 / 20  # of a table: below, it is nearly all padding
HASHED = 1 << 20  # tokens that are hashed at once


@dataclass(frozen=True)
class Split:
    """One split of a corpus.

    tokens: (N, T) int64, each row ends with EOS and is then filled up with PAD.
    text: the N raw lines, whole even where the tokens were cut (references for BLEU).
    labels: (N,) int64, each sentence's class: a place in the corpus's `classes`; None for none.
    """

    tokens: Tensor
    text: tuple[str, ...]
    labels: Tensor | None = None

    def __post_init__(self) -> None:
        if self.tokens.dim() != 2 or self.tokens.shape[0] != len(self.text):
            raise ValueError(f"{tuple(self.tokens.shape)} tokens for {len(self.text)} lines")
        if self.labels is not None and self.labels.shape != (len(self.text),):
            raise ValueError(f"{tuple(self.labels.shape)} labels for {len(self.text)} lines")

    def __len__(self) -> int:
        return len(self.text)

    def batch(self, chosen: Tensor) -> Tensor:
        """(B, T') int64: the sentences at these positions (B,), trimmed to the longest of them."""
        rows = self.tokens[chosen]  # (B, T)
        longest = int((rows != PAD).sum(dim=1).max())
        return rows[:, :longest].clone()


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

    hash: sha256 of the vocabulary and of all splits (see `content_hash`).
    max_length: T, the columns of every split, EOS included.
    notes: warnings and counts to tell the user.
    classes: the names of the sentences' classes, () where these have none.
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


def content_hash(
    vocabulary: Vocabulary, splits: Sequence[Split], classes: Sequence[str] = ()
) -> str:
    """Return the sha256 (hex) of the words, raw lines and token ids, in the order given.

    Then, where the sentences have classes, of these.
    """
    digest = hashlib.sha256(json.dumps(vocabulary.to_json(), sort_keys=True).encode())
    for split in splits:
        digest.update(json.dumps([len(split), *split.text]).encode())
        # Some rows at a time, as lists take four times what the table does.
        N, T = split.tokens.shape
        count = max(1, HASHED // max(1, T))
        for first in range(0, N, count):
            for row in split.tokens[first : first + count].tolist():
                # Without the padding: how wide the table is does not change what it says.
                digest.update(json.dumps([i for i in row if i != PAD]).encode())
    if classes:
        labels = [split.labels.tolist() for split in splits if split.labels is not None]
        digest.update(json.dumps([list(classes), *labels]).encode())
    return digest.hexdigest()


def encode_split(
    vocabulary: Vocabulary,
    sentences: Sequence[Sequence[str]],
    text: Sequence[str],
    width: int,
    labels: Tensor | None = None,
) -> Split:
    """Encode tokenised sentences, each of at most `width` - 1 tokens, into (N, `width`) ids."""
    tokens = torch.full((len(sentences), width), PAD, dtype=torch.int64)
    for row, sentence in zip(tokens, sentences, strict=True):
        ids = vocabulary.encode(sentence)
        row[: len(ids)] = torch.tensor(ids)
    return Split(tokens, tuple(text), labels)


@dataclass(frozen=True)
class Sentences:
    """Lines of one split before encoding: N token lists (maybe cut) and the N raw lines.

    labels: the names of their N classes, or ().
    longest: where the longest of them stands, "a.txt: line 17"; "" where that is not known.
    """

    tokens: tuple[list[str], ...]
    text: tuple[str, ...]
    labels: tuple[str, ...] = ()
    longest: str = field(default="", compare=False)

    def __len__(self) -> int:
        return len(self.text)

    def take(self, rows: Sequence[int]) -> "Sentences":
        """Return the sentences at these positions, in this order."""
        labels = tuple(self.labels[i] for i in rows) if self.labels else ()
        text = tuple(self.text[i] for i in rows)
        part = Sentences(tuple(self.tokens[i] for i in rows), text, labels)
        return replace(part, longest=self.longest if part.width == self.width else "")

    @property
    def width(self) -> int:
        """Tokens of the longest sentence; 0 without a sentence."""
        return max(map(len, self.tokens), default=0)


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
    """Encode three splits with one vocabulary into one width, and hash the result.

    Adds notes about words the vocabulary does not know. Raises UserError when the training
    split is empty, and for a sentence so long that the tables would take too much memory.
    """
    if not len(train):
        raise UserError(f"data {name}: no training sentence is left")
    parts = (train, validation, test)
    width = 1 + _longest(parts)
    classes = _classes(parts)
    splits = [
        encode_split(vocabulary, part.tokens, part.text, width, _labels(part, classes))
        for part in parts
    ]
    names = ("train", "validation", "test")
    found = [_written_note(n, s, vocabulary) for n, s in zip(names, parts, strict=True)]
    found += [_unknown_note(n, s) for n, s in zip(names, splits, strict=True)]
    return Corpus(
        name=name,
        vocabulary=vocabulary,
        train=splits[0],
        validation=splits[1],
        test=splits[2],
        hash=content_hash(vocabulary, splits, classes),
        max_length=width,
        truth=truth,
        notes=(*notes, *(note for note in found if note)),
        classes=classes,
    )


def _longest(parts: Sequence[Sentences]) -> int:
    """Tokens of the longest sentence. Raises UserError where tables as wide take too much."""
    part = max(parts, key=lambda part: part.width)
    rows, words = sum(map(len, parts)), sum(len(line) for part in parts for line in part.tokens)
    need, memory = 8 * rows * (1 + part.width), available()
    padding = words < FILLED * rows * part.width
    most = memory.total // (PADDING_SHARE if padding else TABLE_SHARE)
    if need > most:
        where, filled = part.longest or "the longest sentence", ", nearly all padding" * padding
        raise UserError(
            f"{where}: {part.width:,} tokens; {rows:,} sentences in a table as wide would take "
            f"{size(need)}{filled}, and {size(most)} of the {memory} may go into it: "
            "data.max_length cuts or drops longer ones"
        )
    return part.width


def _classes(parts: Sequence[Sentences]) -> tuple[str, ...]:
    """The names of all classes in order: numbers by their size, then words by the alphabet."""
    names = {label for part in parts for label in part.labels}
    return tuple(sorted(names, key=lambda name: (not name.isdecimal(), name.zfill(20), name)))


def _labels(part: Sentences, classes: Sequence[str]) -> Tensor | None:
    if not classes:
        return None
    places = {name: place for place, name in enumerate(classes)}
    return torch.tensor([places[label] for label in part.labels], dtype=torch.int64)


def _written_note(name: str, sentences: Sentences, vocabulary: Vocabulary) -> str:
    """How often the text itself has `<unk>`, as that of the Penn Treebank does."""
    written = sum(tokens.count(UNKNOWN) for tokens in sentences.tokens)
    hidden = "" if UNKNOWN in vocabulary else "; never written, and left out of what is scored"
    said = f"{name}: {UNKNOWN} stands {written} times in the text, one token each{hidden}"
    return said * bool(written)


def _unknown_note(name: str, split: Split) -> str:
    words = int((split.tokens > PAD).sum()) - len(split)  # one EOS a row is not a word
    unknown = int((split.tokens == UNK).sum())
    if not unknown:
        return ""
    return f"{name}: {unknown} of {words} tokens ({unknown / words:.1%}) are not in the vocabulary"
