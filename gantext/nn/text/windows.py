"""The largest window of each filter of a text CNN over each sentence, as cheap as a processor can.

Words are discrete: a convolution is a sum of rows of a table, the products of a batch's different
words with the taps of its filters, and the table is one small matrix product. And the maximum lets
the gradient through one window a sentence and filter: the way back writes w numbers for each of
them into the table's gradient, where a convolution's goes over all windows again. Shapes: U
different words, E embedding, B sentences, T steps, w a filter's width, F_w its filters.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gantext.data.vocabulary import PAD


def different_words(tokens: Tensor, vocab_size: int) -> tuple[Tensor, Tensor]:
    """The different words of tokens (B, T), (U,), and the place of each token among them, (B, T).

    They come in order, and <pad> is always there, so that its place is PAD too. For the CPU: a GPU
    would wait for their number.
    """
    flat = tokens.reshape(-1)
    there = flat.new_zeros(vocab_size).index_fill_(0, flat, 1)
    there[PAD] = 1
    places = (there.cumsum(0) - 1).index_select(0, flat)
    return there.nonzero()[:, 0], places.view_as(tokens)


def tap_products(embedded: Tensor, convolution: nn.Module) -> Tensor:
    """Each tap's product with each word: (U, E) -> (U * w, F_w), row u * w + j.

    In fp32 under autocast too: such rows are added up, and kept beyond it.
    """
    weight = convolution.get_parameter("weight")
    filters, _, width = weight.shape
    with torch.autocast(embedded.device.type, enabled=False):
        flat = weight.permute(1, 2, 0).reshape(-1, width * filters)  # (E, w * F_w)
        return (embedded.float() @ flat).view(-1, filters)


def tap_table(embedded: Tensor, convolution: nn.Module) -> Tensor:
    """`tap_products` of words of which the first is <pad>, at which no window begins: the row of
    its first tap is -inf."""
    table = tap_products(embedded, convolution)
    table.detach()[PAD] = -torch.inf  # takes no part in the gradient
    return table


def largest_windows(table: Tensor, places: Tensor, width: int) -> Tensor:
    """Largest sum of each filter over the windows that begin at words, (B, F_w), before the bias.

    Of windows with the same sum the first one gets the gradient, where `amax` shares it out. That
    is the same gradient if they read the same words, wherever they stand; other words have the
    same sum by chance only.

    Args:
        table: of `tap_table`, the rows of (U, E) words.
        places: which of them the tokens are, (B, T).
        width: w. A window may reach past a sentence's end, where it reads <pad>.
    """
    reach = F.pad(places.T, (0, 0, 0, width - 1), value=PAD).contiguous()  # (T + w - 1, B)
    windows = reach.unfold(0, width, 1) * width + torch.arange(width)  # (T, B, w)
    of_windows: Callable[[Tensor, Tensor], Tensor] = _LargestOfWindows.apply
    return of_windows(table, windows.contiguous())


class _LargestOfWindows(torch.autograd.Function):
    """Largest sum of a table's rows (R, F_w) over windows (T, B, w) of rows, (B, F_w)."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, windows: Tensor) -> Tensor:
        steps, rows, width = windows.shape
        sums = F.embedding_bag(windows.view(-1, width), table.detach(), mode="sum")
        sums = sums.view(steps, rows, -1)
        largest = sums.amax(0)
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(windows, _first_equal(sums, largest))
            ctx.size = table.shape
        return largest

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        windows, first = ctx.saved_tensors
        (_, rows, width), filters = windows.shape, gradient.shape[1]
        chosen = first * rows + torch.arange(rows)[:, None]
        read = windows.view(-1, width).index_select(0, chosen.view(-1))  # (B * F_w, w)
        # One index into the flat table: thrice as quick as one of two dimensions.
        places = read.view(rows, filters, width) * filters + torch.arange(filters)[:, None]
        shares = gradient[:, :, None].expand_as(places)
        found = gradient.new_zeros(ctx.size)
        found.view(-1).scatter_add_(0, places.view(-1), shares.reshape(-1))
        return found, None


def _first_equal(sums: Tensor, largest: Tensor) -> Tensor:
    """The first step at which (T, B, F_w) is the (B, F_w) largest; overwrites `sums`.

    In numbers of their own type, since a mask costs twice as much, `max` and its index five times.
    """
    steps = len(sums)
    left = torch.arange(steps, 0, -1, dtype=sums.dtype)[:, None, None]
    # Where the largest is no number, none is equal.
    return steps - sums.eq_(largest).mul_(left).amax(0).clamp_min_(1).long()
