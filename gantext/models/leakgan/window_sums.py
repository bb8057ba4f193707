"""The sums of windows over a sentence that is being written, word by word, in one flat row.

A window that misses r more words stands in block r, in the order of the filters: block 0 are all
filters' finished windows, block r those of the filters wider than r. A word moves each window one
block down, and begins one of each filter. So what is finished, and what is still open, lies
together whatever the widths are. Shapes: N rows, F all filters, S sums of a row, O = S - F of them
open, w a filter's width, F_w its filters.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gantext.nn.text.sampling import State


class WindowSums(nn.Module):
    """Where the sums stand of filters given by the width and the number of each convolution."""

    next_place: Tensor
    filter: Tensor

    def __init__(self, widths: Sequence[int], filters: Sequence[int]) -> None:
        super().__init__()
        self.widths, self.filters = list(widths), sum(filters)
        of_filters = [w for w, count in zip(widths, filters, strict=True) for _ in range(count)]
        blocks = [
            torch.tensor([place for place, width in enumerate(of_filters) if width > missing])
            for missing in range(max(widths))
        ]
        self.sizes = [len(block) for block in blocks]
        self.size = sum(self.sizes)
        # Of each open window, the place that the next word moves it to, and its filter; (O,).
        first, moved = 0, [torch.zeros(0, dtype=torch.long)]
        for before, block in itertools.pairwise(blocks):
            moved.append(first + torch.searchsorted(before, block))
            first += len(before)
        self.register_buffer("next_place", torch.cat(moved), persistent=False)
        self.register_buffer("filter", torch.cat([moved[0], *blocks[1:]]), persistent=False)
        self._ascending = list(widths) == sorted(widths)

    def flat(self, taps: Sequence[Tensor]) -> Tensor:
        """What taps add to the sums, (..., S), of those of each convolution, (..., w, F_w)."""
        return torch.cat(
            [
                of_width[..., width - 1 - missing, :]
                for missing in range(max(self.widths))
                for of_width, width in zip(taps, self.widths, strict=True)
                if width > missing
            ],
            -1,
        )

    def start(self, like: Tensor) -> State:
        """The largest finished windows of an empty prefix, (1, F), and its open ones, (1, O).

        Those are 0, as rectified ones are at least; there is none of these.
        """
        return like.new_zeros(1, self.filters), like.new_full((1, len(self.filter)), -torch.inf)

    def read(self, state: State, added: Tensor) -> tuple[State, Tensor]:
        """The state that has read one word a row, and the largest window of each filter, (N, F).

        Args:
            state: of the prefixes before, see `start`.
            added: by the word to each sum, (N, S); written over, and part of the new state.
        """
        largest, older = state
        if added.device.type == "cpu" and self._ascending:
            return self._read_blocks(largest, older, added)
        added.scatter_add_(1, self.next_place.expand(len(added), -1), older)
        finished, still_open = torch.split(added, [self.filters, len(self.filter)], 1)
        largest = torch.maximum(largest, finished)
        of_filter = self.filter.expand(len(added), -1)
        return (largest, still_open), largest.scatter_reduce(1, of_filter, still_open, "amax")

    def _read_blocks(self, largest: Tensor, older: Tensor, added: Tensor) -> tuple[State, Tensor]:
        """`read` on a CPU where widths ascend: a block's filters are the last of those before."""
        blocks = torch.split(added, self.sizes, 1)
        for block, moving in zip(blocks, torch.split(older, self.sizes[1:], 1), strict=False):
            block[:, -moving.shape[1] :] += moving
        largest = torch.maximum(largest, blocks[0])
        pooled = largest.clone()
        for block in blocks[1:]:
            reached = pooled[:, -block.shape[1] :]
            torch.maximum(reached, block, out=reached)
        return (largest, added[:, self.filters :]), pooled
