"""Sentences that a user gives on the command line, as a run's model reads them."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from gantext.data.corpus import Truth
from gantext.data.scenes import Config as Scenes
from gantext.data.scenes.english import grammar
from gantext.data.vocabulary import PAD, UNK, Vocabulary
from gantext.errors import UserError
from gantext.runs.trained import TrainedText

Given = list[tuple[str, list[int]]]


def given_sentences(trained: TrainedText, texts: Sequence[str], notes: list[str]) -> Given:
    """The sentences and their ids, as `encoded` has them."""
    return encoded(trained.vocabulary, trained.run.info["max_length"], texts, notes)


def encoded(vocabulary: Vocabulary, width: int, texts: Sequence[str], notes: list[str]) -> Given:
    """The sentences and their ids, with their ends; unknown words become <unk> and are noted.

    Raises:
        UserError: a text is empty, or longer than `width`, the run's longest, or not of the one
            length that all sentences have.
    """
    found = []
    for text in map(str.strip, texts):
        words = vocabulary.tokenize(text)
        ids = vocabulary.encode(words)
        if not words:
            raise UserError("an empty text: give it words")
        check_length(vocabulary, text, len(words), width)
        unknown = [word for word, number in zip(words, ids, strict=False) if number == UNK]
        note_unknown(unknown, notes)
        found.append((text, ids))
    return found


def check_length(vocabulary: Vocabulary, text: str, words: int, width: int) -> None:
    """Refuse a sentence of a length that the run, whose longest has `width` tokens, never read.

    Raises:
        UserError: it is longer, or not of the one length that all sentences have.
    """
    if not vocabulary.takes(words, width):
        raise UserError(f"{text!r} has {words} words: the run takes {vocabulary.limit(width)}")


def note_unknown(words: Sequence[str], notes: list[str]) -> None:
    """Say which words a run does not know."""
    if words:
        notes.append(f"not in the run's vocabulary, read as <unk>: {', '.join(words)}")


def batch_of(rows: Sequence[Sequence[int]], device: torch.device) -> Tensor:
    """Sentences of ids as one batch, (N, T), filled up with <pad>."""
    return pad_sequence([torch.tensor(row) for row in rows], True, PAD).to(device)


def grammar_of(trained: TrainedText) -> Truth | None:
    """The grammar of the run's data where it is known without reading the data."""
    return grammar() if isinstance(trained.settings.data, Scenes) else None
