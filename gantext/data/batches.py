"""Shuffled batches of a split, whatever its rows are, and batches of sentences of like length.

Legend: N rows of a split, B rows of a batch, T tokens.
"""

from collections.abc import Iterator
from typing import Generic, Protocol, TypedDict, TypeVar

import torch
from torch import Tensor

from gantext.data.flat import Tokens
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.records.shape import Misfit, Whole, check_of

Batch = TypeVar("Batch", covariant=True)


class BatchesState(TypedDict):
    """The place of `Batches` in its split: the order of the rows, and how far it is."""

    order: Tensor
    generator: Tensor
    position: Whole
    epoch: Whole


class Rows(Protocol[Batch]):
    """A split: so many rows, and a batch of those at given positions."""

    def __len__(self) -> int: ...

    def batch(self, chosen: Tensor) -> Batch:
        """The rows at these positions, (B,) int64, in this order."""
        ...


class Batches(Generic[Batch]):
    """Shuffled batches of a split without end; the position can be saved and restored exactly.

    A row is a sentence, or a picture with what belongs to it. Every row comes once an epoch, and
    each epoch has a new order from this object's own generator. A batch that runs over the end of
    an epoch goes on in the next one, with rows that it does not hold yet.
    """

    def __init__(self, split: Rows[Batch], seed: int) -> None:
        if not len(split):
            raise UserError("cannot draw batches from an empty split")
        self._split = split
        self._generator = torch.Generator().manual_seed(seed)
        self._epoch = 0
        self._position = 0
        self._order = self._shuffled()

    def next(self, rows: int) -> Batch:
        """The split's batch of the next B = `rows` rows.

        No row comes twice in a batch unless `rows` is larger than the split.
        """
        if rows < 1:
            raise ValueError(f"a batch has at least 1 row, not {rows}")
        chosen = self._take(rows)
        while len(chosen) < rows:
            self._next_epoch(chosen, rows - len(chosen))
            chosen = torch.cat([chosen, self._take(rows - len(chosen))])
        return self._split.batch(chosen)

    def _take(self, rows: int) -> Tensor:
        taken = self._order[self._position : self._position + rows]
        self._position += len(taken)
        return taken

    def _next_epoch(self, held: Tensor, wanted: int) -> None:
        """Start an epoch whose first `wanted` rows are not in `held`, where that can be."""
        order = self._shuffled()
        fresh = (~torch.isin(order, held)).nonzero().flatten()[:wanted]
        rest = torch.ones(len(order), dtype=torch.bool)
        rest[fresh] = False
        self._order = torch.cat([order[fresh], order[rest]])
        self._position = 0
        self._epoch += 1

    def _shuffled(self) -> Tensor:
        return torch.randperm(len(self._split), generator=self._generator)

    def state_dict(self) -> BatchesState:
        """Return the order, position and generator: tensors and ints only."""
        return {
            "order": self._order.clone(),
            "generator": self._generator.get_state(),
            "position": self._position,
            "epoch": self._epoch,
        }

    def load_state_dict(self, state: BatchesState) -> None:
        """Go on exactly where `state_dict` was taken.

        Raises UserError when the state is damaged or belongs to a split of another size.
        """
        try:
            check_of(BatchesState)(state)
        except Misfit as error:
            raise UserError(f"the saved data position is damaged: {error}") from None
        order, generator = state["order"], state["generator"]
        if order.shape != self._order.shape:
            raise UserError(
                f"the saved data position is for {order.numel()} rows, not {len(self._split)}"
            )
        if not torch.equal(order.sort().values, torch.arange(len(order))):
            raise UserError("the saved data position is damaged: its order leaves out some rows")
        self._order = order.clone()
        set_generator(self._generator, generator)
        self._position = state["position"]
        self._epoch = state["epoch"]


def set_generator(generator: torch.Generator, state: Tensor) -> None:
    """Let a generator go on where `get_state` was taken. Raises UserError for a damaged state."""
    try:
        generator.set_state(state)
    except (RuntimeError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"the saved random numbers are damaged: {reason}") from error


def of_like_length(tokens: Tokens | Tensor, rows: int) -> Iterator[tuple[Tensor, Tensor]]:
    """N sentences in batches of `rows`, the shortest first, each as wide as its longest.

    Args:
        tokens: of a split, or (N, T) with padding.
        rows: of a batch.

    Yields:
        A batch's places (B,) in `tokens`, on the CPU, and its sentences. No place is left out.
    """
    if isinstance(tokens, Tokens):
        lengths = torch.from_numpy(tokens.lengths.copy())  # of a kept corpus they are read-only
        for places in torch.split(lengths.argsort(), rows):
            yield places, tokens.batch(places)
        return
    lengths = (tokens != PAD).sum(1).cpu()
    for places in torch.split(lengths.argsort(), rows):
        yield places, tokens[places, : int(lengths[places[-1]])]
