"""Processes that train one model together: each, a rank, computes a share of every batch's rows.

All ranks have the whole batch, and draw the noise of the whole batch from generators in the same
state. Only where it costs (words that are drawn, scores of a discriminator, passes with a gradient)
each takes its own rows, [number::count]; everything else all of them compute alike.

One rule: the mean over the ranks of a scalar of their rows is that of the whole batch. So gradients
and metrics are averaged, and a mean over words divides by the `mean` of their numbers. What all
have computed alike is its own mean: code that shares nothing is as right, and no faster.

Nothing is exchanged outside of `together`, nor in a run of one process: what is given there comes
back as it is. Legend: B rows of all ranks, b of this one.
"""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar, overload

import torch
from torch import Tensor
from torch import distributed as dist
from torch.autograd.function import once_differentiable

from gantext.errors import UserError

Part = TypeVar("Part")


@dataclass(frozen=True)
class Ranks:
    """The number of this process, from 0, and how many there are."""

    number: int
    count: int


ALONE = Ranks(0, 1)
_joined: ContextVar[Ranks] = ContextVar("joined", default=ALONE)  # for the whole of a run
_together: ContextVar[Ranks] = ContextVar("together", default=ALONE)  # within a step


class Lost(UserError):
    """Another process of the run has ended, or cannot be reached."""


@contextlib.contextmanager
def joined(ranks: Ranks) -> Iterator[None]:
    """A run that these processes train: what `together` means in the block."""
    token = _joined.set(ranks)
    try:
        yield
    finally:
        _joined.reset(token)


def current() -> Ranks:
    """The processes of the run, also outside of its steps."""
    return _joined.get()


@contextlib.contextmanager
def together(ranks: Ranks | None = None) -> Iterator[None]:
    """A block that all ranks come to, and compute together."""
    token = _together.set(_joined.get() if ranks is None else ranks)
    try:
        yield
    finally:
        _together.reset(token)


def apart() -> contextlib.AbstractContextManager[None]:
    """A block within `together` that each rank computes by itself, of other rows than the rest."""
    return together(ALONE)


def shared() -> bool:
    """Whether there are others now."""
    return _together.get().count > 1


# Rows


def mine(rows: Tensor) -> Tensor:
    """This rank's of rows (B, ...): (b, ...)."""
    now = _together.get()
    return rows if now.count == 1 else rows[now.number :: now.count]


def gathered(own: Tensor, rows: int) -> Tensor:
    """The rows of all ranks, (B, ...) with B = `rows`, by each one's own, (b, ...).

    A gradient comes back from what all ranks have made of them.
    """
    if not shared():
        return own
    apply: Callable[[Tensor, int, Ranks], Tensor] = _Gathered.apply
    return apply(own, rows, _together.get())


class _Gathered(torch.autograd.Function):
    """`gathered`. The ranks are given, since a backward pass may run in another thread."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, rows: int, ranks: Ranks) -> Tensor:
        ctx.ranks = ranks
        whole = own.new_zeros(rows, *own.shape[1:])
        whole[ranks.number :: ranks.count] = own
        return _summed(whole)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        total = _summed(gradient.contiguous().clone())
        return total[ctx.ranks.number :: ctx.ranks.count], None, None


def turns(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts of some work that are this rank's: the ranks take turns."""
    now = _together.get()
    return itertools.islice(parts, now.number, None, now.count)


def total(values: Tensor) -> Tensor:
    """The sum over the ranks, such as of values that one of them has and the others have as 0."""
    return _summed(values) if shared() else values


# Noise


def noise(shape: Sequence[int], draw: Callable[[tuple[int, ...]], Tensor]) -> Tensor:
    """Noise of this rank's rows, (b, ...): `draw` makes that of a whole batch, (B, ...)."""
    return mine(draw((shape[0] * _together.get().count, *shape[1:])))


def own_generator(rng: torch.Generator) -> torch.Generator:
    """A generator for this rank alone, by which all leave `rng` in the same state."""
    if not shared():
        return rng
    seed = int(torch.randint(2**62, (), generator=rng, device=rng.device))
    return torch.Generator(rng.device).manual_seed(seed + _together.get().number)


# Means, and what is decided by them


@overload
def mean(value: Tensor) -> Tensor: ...
@overload
def mean(value: float) -> float: ...
def mean(value: Tensor | float) -> Tensor | float:
    """The mean over the ranks of a scalar, which gets no gradient."""
    if not shared():
        return value
    if isinstance(value, Tensor):
        return _summed(value.detach().clone()) / _together.get().count
    return float(_summed(torch.tensor(float(value), dtype=torch.float64))) / _together.get().count


def average(tensors: Sequence[Tensor]) -> None:
    """Let tensors, such as gradients, be their means over the ranks, in one exchange."""
    if not shared() or not tensors:
        return
    flat = _summed(torch.cat([each.reshape(-1) for each in tensors])).div_(_together.get().count)
    parts = torch.split(flat, [each.numel() for each in tensors])
    for each, part in zip(tensors, parts, strict=True):
        each.copy_(part.view_as(each))


def largest(*numbers: int) -> tuple[int, ...]:
    """Of each of some whole numbers the largest that a rank has."""
    if not shared():
        return numbers
    return tuple(_exchanged(torch.tensor(numbers), dist.ReduceOp.MAX).tolist())


def meet() -> None:
    """Wait until all processes of the run have come here."""
    with together():
        largest(0)


def told(text: str) -> str:
    """What the first process of the run says, such as the folder that it is to lie in."""
    said = torch.tensor(list(os.fsencode(text)))
    with together():
        (length,) = largest(len(said))
        said = said if _together.get().number == 0 else said.new_zeros(length)
        return os.fsdecode(bytes(total(said).tolist()))


def _summed(values: Tensor) -> Tensor:
    return _exchanged(values, dist.ReduceOp.SUM)


def _exchanged(values: Tensor, by: dist.ReduceOp.RedOpType) -> Tensor:
    """The values of all ranks reduced, in place. Raises Lost where one of them does not answer."""
    try:
        dist.all_reduce(values, by)
    except RuntimeError as error:
        raise Lost("another of the processes that train this run has ended") from error
    return values
