"""The largest window of each filter of a text CNN over each sentence, as cheap as a processor can.

Words are discrete: a convolution is a sum of rows of a table, the products of a batch's different
words with the taps of its filters, and the table is one small matrix product. And the maximum lets
the gradient through one window a sentence and filter: the way back writes w numbers for each of
them into the table's gradient, where a convolution's goes over all windows again. Shapes: U
different words, E embedding, B sentences, T steps, w a filter's width, F_w its filters.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.nn.autocast import without_autocast


def fitting_filters(
    widths: Sequence[int], filters: Sequence[int], max_length: int
) -> list[tuple[int, int]]:
    """Widths of at most T = `max_length` words, each with the number of its filters.

    Raises:
        UserError: there are not as many of both, or no width is left.
    """
    if len(widths) != len(filters):
        raise UserError("model.discriminator: widths and filters must be as many")
    fitting = [pair for pair in zip(widths, filters, strict=True) if pair[0] <= max_length]
    if not fitting:
        raise UserError(
            f"model.discriminator.widths=[{','.join(map(str, widths))}]: no sentence has so many "
            f"words; the longest has {max_length} with its end"
        )
    return fitting


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
    """Each tap's product with each word: (..., E) -> (..., w, F_w).

    In fp32 under autocast too: they are added up, and kept beyond it.
    """
    weight = convolution.get_parameter("weight")
    filters, _, width = weight.shape
    with without_autocast(embedded.device):
        flat = weight.permute(1, 2, 0).reshape(-1, width * filters)  # (E, w * F_w)
        return (embedded.float() @ flat).view(*embedded.shape[:-1], width, filters)


def tap_table(embedded: Tensor, convolution: nn.Module) -> Tensor:
    """`tap_products` of words of which the first is <pad>, (U * w, F_w): row u * w + j.

    No window begins at <pad>: the row of its first tap is -inf.
    """
    table = tap_products(embedded, convolution).flatten(0, 1)
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
            ctx.save_for_backward(windows, first_equal(sums, largest))
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


def first_equal(sums: Tensor, largest: Tensor) -> Tensor:
    """The first step at which (T, B, F_w) is the (B, F_w) largest; overwrites `sums`.

    In numbers of their own type, since a mask costs twice as much, `max` and its index five times.
    """
    steps = len(sums)
    left = torch.arange(steps, 0, -1, dtype=sums.dtype, device=sums.device)[:, None, None]
    # Where the largest is no number, none is equal.
    return steps - sums.eq_(largest).mul_(left).amax(0).clamp_min_(1).long()


def prefix_windows(products: Tensor) -> Tensor:
    """The largest window of each filter in each prefix, (B, T, F_w), of products (B, T, w, F_w).

    With c_j the product of a filter's tap j and a word, a window that began i words ago has the
    sum S_i[t] = S_{i-1}[t-1] + c_i[t]; it is finished at i = w - 1. The largest is the maximum over
    a prefix's unfinished windows and a running maximum of finished ones. Before the bias.
    """
    begun = products[:, :, 0]  # S_0
    best = torch.full_like(begun, -torch.inf)
    for i in range(1, products.shape[2]):
        best = torch.maximum(best, begun)
        # Windows that would begin before the sentence do not exist.
        begun = F.pad(begun[:, :-1], (0, 0, 1, 0), value=-torch.inf) + products[:, :, i]
    return torch.maximum(best, begun.cummax(1).values)


def prefix_windows_of(table: Tensor, places: Tensor) -> Tensor:
    """`prefix_windows` of the products (U, w, F_w) of words that have places (B, T) among them.

    For the CPU: in place, without the numbers of the largest that `cummax` keeps.
    """
    of_prefixes: Callable[[Tensor, Tensor], Tensor] = _PrefixWindows.apply
    return of_prefixes(table, places.T.contiguous()).transpose(0, 1)


class _PrefixWindows(torch.autograd.Function):
    """`prefix_windows` of rows of a table (U, w, F_w) at places (T, B), (T, B, F_w)."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, places: Tensor) -> Tensor:
        width, filters = table.shape[1:]
        learns = ctx.needs_input_grad[0]
        read = [table[:, i].index_select(0, places.view(-1)) for i in range(width)]
        sums = [each.view(*places.shape, filters) for each in read]
        for before, after in itertools.pairwise(sums):
            after[1:] += before[:-1]
            after[0] = -torch.inf
        finished = sums[-1].clone() if learns else sums[-1]
        for before, after in itertools.pairwise(finished.unbind()):
            torch.maximum(before, after, out=after)
        largest = finished.clone() if learns else finished
        for unfinished in sums[:-1]:
            torch.maximum(largest, unfinished, out=largest)
        if learns:
            ctx.save_for_backward(places, finished, largest, *sums)
            ctx.words = len(table)
        return largest

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        places, finished, largest, *sums = ctx.saved_tensors
        left, shares = gradient.clone(), []
        for unfinished in sums[:-1]:
            shares.append(unfinished.clone().eq_(largest).mul_(left))
            left -= shares[-1]
        shares.append(_of_running_maximum(left, sums[-1], finished))
        for after, before in itertools.pairwise(reversed(shares)):
            before[:-1] += after[1:]
        found = gradient.new_zeros(len(sums), ctx.words, gradient.shape[2])
        for each, share in zip(found, shares, strict=True):
            each.index_add_(0, places.view(-1), share.flatten(0, 1))
        return found.transpose(0, 1), None


def _of_running_maximum(gradient: Tensor, values: Tensor, maxima: Tensor) -> Tensor:
    """The gradient of values (T, B, F_w) by that of their running maxima; overwrites the latter.

    Each maximum's goes to the last step up to its own that reached it.
    """
    reached = values.clone().eq_(maxima)
    kept = 1 - reached
    for t in range(len(gradient) - 1, 0, -1):
        gradient[t - 1].addcmul_(gradient[t], kept[t])
    return gradient.mul_(reached)
