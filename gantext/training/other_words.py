"""The weights of a model as they start one of another vocabulary, word by word.

A word that both know keeps its rows; a new one has those that it was initialised with; one that is
gone is dropped. Which dimension of a tensor counts words is not told by each model: it is seen by
building the model, without memory, for one word more. Shapes: V, W words of the new and the old.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gantext.data.vocabulary import SPECIALS, Vocabulary
from gantext.models.build import build
from gantext.models.contract import PictureTask, Task


@dataclass(frozen=True)
class SharedWords:
    """Which words two vocabularies have in common, the four specials among them.

    Attributes:
        new: their ids in the new one.
        old: their ids in the old one, in the same order.
        added: how many the new one has more.
        gone: how many of the old one it lacks.
    """

    new: Tensor
    old: Tensor
    added: int
    gone: int

    @property
    def kept(self) -> int:
        """How many words they have in common, without the specials."""
        return len(self.new) - len(SPECIALS)

    @classmethod
    def of(cls, new: Vocabulary, old: Vocabulary) -> "SharedWords":
        """Of two vocabularies; a `<unk>` that is a word of a text is no special."""
        first = len(SPECIALS)
        ids = {word: place for place, word in enumerate(old.words) if place >= first}
        pairs = [(place, place) for place in range(first)]
        named = enumerate(new.words[first:], first)
        pairs += [(place, ids[word]) for place, word in named if word in ids]
        rows = torch.tensor(pairs)
        return cls(rows[:, 0], rows[:, 1], len(new) - len(pairs), len(old) - len(pairs))


def with_other_words(
    config: Any, task: Task | PictureTask, fresh: Any, old: Mapping[str, Any], words: SharedWords
) -> dict[str, Any]:
    """The state of a model for a new vocabulary, by one of the old and one as it is initialised.

    Args:
        config: of the model.
        task: that it is built for, of the new vocabulary.
        fresh: its state as it is initialised.
        old: the state of such a model of the old vocabulary.
        words: that both know.

    Returns:
        The old state, each tensor that has rows for words as the new model has it.
    """
    one, two = _shapes(config, task, 0), _shapes(config, task, 1)
    found: dict[str, Any] = _moved(one, two, fresh, old, words)
    return found


def _shapes(config: Any, task: Task | PictureTask, more: int) -> dict[str, Any]:
    """The state of a model that has so many words more, of tensors without content."""
    nowhere = torch.device("meta")
    changed: dict[str, Any] = {"vocab_size": task.vocab_size + more, "device": nowhere}
    if isinstance(task, Task):
        changed["singletons"] = torch.zeros(task.vocab_size + more, dtype=torch.bool)
    with nowhere:
        found: dict[str, Any] = build(config, 0, dataclasses.replace(task, **changed)).state_dict()
    return found


def _moved(one: Any, two: Any, fresh: Any, old: Any, words: SharedWords) -> Any:
    """A part of the state: of the tensors whose shape the number of words decides, the new rows."""
    if isinstance(old, Mapping):
        a, b, c = (part if isinstance(part, Mapping) else {} for part in (one, two, fresh))
        return {key: _moved(a.get(key), b.get(key), c.get(key), old[key], words) for key in old}
    if not all(isinstance(tensor, Tensor) for tensor in (one, two, fresh, old)):
        return old
    counting = _differing(one.shape, two.shape)
    if len(counting) != 1 or old.dim() != fresh.dim():
        return old
    (place,) = counting
    made = fresh.clone()
    made.index_copy_(place, words.new.to(made.device), old.index_select(place, words.old).to(made))
    return made


def _differing(one: Sequence[int], two: Sequence[int]) -> list[int]:
    return [place for place, sizes in enumerate(zip(one, two, strict=True)) if sizes[0] != sizes[1]]
