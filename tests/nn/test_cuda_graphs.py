"""What a CUDA graph is captured with, and when: without a GPU."""

import contextlib
import gc
from collections.abc import Iterator

import pytest
import torch

from gantext.nn import cuda_graphs, ranks
from gantext.nn.cuda_graphs import Graphs
from tests.graphs import graphed as graphed  # a fixture
from tests.nn.threaded_ranks import of_ranks

CUDA = torch.device("cuda")


class Work:
    """Says what was so as it ran."""

    def __init__(self) -> None:
        self.rng = torch.Generator()
        self.collecting = list[bool]()

    def run(self) -> None:
        self.collecting.append(gc.isenabled())


class Captured:
    """In the place of torch's graph."""

    def __init__(self) -> None:
        self.generators = list[torch.Generator]()
        self.register_generator_state = self.generators.append

    def pool(self) -> str:
        return "memory"


@pytest.mark.parametrize("collects", [True, False])
def test_nothing_is_collected_while_work_is_captured(
    monkeypatch: pytest.MonkeyPatch, collects: bool
) -> None:
    """A graph that nobody has any more ends a capture when it is given back."""
    pools = list[object]()

    @contextlib.contextmanager
    def capturing(graph: Captured, pool: object) -> Iterator[None]:
        pools.append(pool)
        yield

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Captured)
    monkeypatch.setattr(torch.cuda, "graph", capturing)
    work = Work()
    gc.enable() if collects else gc.disable()
    try:
        first = cuda_graphs.captured(work, None)
        assert gc.isenabled() == collects
        cuda_graphs.captured(work, first)
    finally:
        gc.enable()
    assert work.collecting == [False, False] and pools == [None, "memory"]
    assert first.generators == [work.rng]


def test_ways_to_round_have_graphs_of_their_own(
    graphed: list[Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is captured when it comes for the second time."""
    graphs = Graphs[Work](True)

    def asked() -> Work | None:
        found = graphs.at("shape", CUDA, Work)
        return found and found.static

    assert asked() is None
    plain = asked()
    assert plain is not None and asked() is plain
    monkeypatch.setattr(cuda_graphs, "in_tf32", lambda device: True)
    assert asked() is None
    other = asked()
    assert other is not None and other is not plain
    torch.use_deterministic_algorithms(True)
    try:
        assert asked() is None
        assert asked() not in (None, plain, other)
    finally:
        torch.use_deterministic_algorithms(False)
    assert len(graphed) == 3


def test_runs_of_several_processes_capture_nothing(graphed: list[Work]) -> None:
    """Neither what they share nor what each does by itself."""
    graphs = Graphs[Work](True)

    def asked() -> list[object]:
        shared = [graphs.at("shape", CUDA, Work) for _ in range(3)]
        with ranks.apart():
            return [*shared, *(graphs.at("shape", CUDA, Work) for _ in range(3))]

    assert of_ranks(2, asked) == [[None] * 6] * 2 and not graphed
