"""CUDA graphs on a pretended GPU: what is captured is done again as it is at each replay."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from gantext.nn import cuda_graphs
from gantext.nn.cuda_graphs import Graph
from tests.pretended_gpu import counted, pretended_gpu


def replaying(static: Any) -> Graph[Any]:
    """A graph of work, whose replay does it."""
    return Graph(static, cast("torch.cuda.CUDAGraph", SimpleNamespace(replay=static.run)))


@pytest.fixture
def graphed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is captured, in order, none of which waits; memory is shared with what was before."""
    seen = list[Any]()

    def captured(static: Any, other: object) -> SimpleNamespace:
        def replay() -> None:
            assert not counted(static.run)[1]

        seen.append(static)
        return SimpleNamespace(replay=replay, other=other)

    monkeypatch.setattr(cuda_graphs, "captured", captured)
    with pretended_gpu():
        monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
        yield seen
