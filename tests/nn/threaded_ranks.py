"""Ranks that are threads of one process, in which what they exchange is added up at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
import torch
from torch import Tensor
from torch import distributed as dist

from gantext.nn import ranks
from gantext.nn.ranks import Ranks

Made = TypeVar("Made")


def of_ranks(count: int, work: Callable[[], Made]) -> list[Made]:
    """What each of so many ranks makes within `together`, in the order of their numbers."""
    barrier, values = threading.Barrier(count, timeout=30), [torch.empty(0)] * count

    def exchanged(given: Tensor, by: object) -> Tensor:
        values[ranks.current().number] = given.clone()
        barrier.wait()
        assert len({(value.dtype, value.shape) for value in values}) == 1, values
        every = torch.stack(values)
        barrier.wait()
        return given.copy_(every.sum(0) if by == dist.ReduceOp.SUM else every.amax(0))

    def rank(number: int) -> Made:
        try:
            with ranks.joined(Ranks(number, count)), ranks.together():
                return work()
        except BaseException:
            barrier.abort()
            raise

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(count) as pool:
        patch.setattr(ranks, "_exchanged", exchanged)
        return list(pool.map(rank, range(count)))
