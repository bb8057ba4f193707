"""CUDA graphs: work of a fixed shape, all launches of which a GPU is given at once.

At the sizes of these models a GPU has computed most launches before the host has made the next. A
graph reads and writes the memory that it was captured with, and the host decides nothing on its
way. What it draws comes of a generator of its own, which is set as the run's before each replay and
the run's as it is after it: the numbers are those of the same launches one by one.
"""

import contextlib
import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import torch

from gantext.nn import ranks
from gantext.nn.autocast import in_tf32, narrow

# Of one piece of work, by shape: of training's rows, of those of scores, and of batches whose steps
# are rounded up to few numbers.
GRAPHS = 16


class Static(Protocol):
    """Work with all it needs in one place.

    Attributes:
        rng: draws what it draws.
    """

    rng: torch.Generator

    def run(self) -> None:
        """Do it. What is captured."""
        ...


S = TypeVar("S", bound=Static)


@dataclass(frozen=True)
class Graph(Generic[S]):
    """Work that was captured."""

    static: S
    captured: torch.cuda.CUDAGraph

    def replay(self, rng: torch.Generator) -> None:
        """Do it with what `rng` draws."""
        own = self.static.rng
        own.set_state(rng.get_state())  # of a GPU's both lie with the host
        self.captured.replay()
        rng.set_state(own.get_state())


class Graphs(Generic[S]):
    """The graphs of one piece of work by its shape, of which the latest used are kept.

    Args:
        asked: whether a GPU may do it by graphs; other devices, a torch that was built without
            CUDA, and a run of several processes do it launch by launch.
    """

    def __init__(self, asked: bool) -> None:
        self.asked = asked
        self._seen: set[object] = set()
        self._kept: dict[object, Graph[S]] = {}

    def at(self, shape: object, device: torch.device, make: Callable[[], S]) -> Graph[S] | None:
        """The graph of a shape, captured when that comes for the second time.

        None: the work is to be done launch by launch, as that of each shape is at first, which sets
        up what libraries need, and steps that are looked at for numbers that are not finite.
        """
        if not (self.asked and _able(device)) or torch.is_anomaly_enabled():
            return None
        fixed = torch.are_deterministic_algorithms_enabled()
        key = shape, narrow(device, torch.float32), in_tf32(device), fixed
        if key not in self._seen:
            self._seen.add(key)
            return None
        found = self._kept.pop(key, None)
        if found is None:
            if len(self._kept) == GRAPHS:
                del self._kept[next(iter(self._kept))]
            static, others = make(), list(self._kept.values())
            found = Graph(static, captured(static, others[0].captured if others else None))
        self._kept[key] = found
        return found


def _able(device: torch.device) -> bool:
    # Several processes exchange what each has made, by threads that end what is being captured.
    built: bool = torch.backends.cuda.is_built()  # type: ignore[no-untyped-call]
    return device.type == "cuda" and built and ranks.current().count == 1


def captured(static: Static, other: torch.cuda.CUDAGraph | None) -> torch.cuda.CUDAGraph:
    """A CUDA graph of `static.run`.

    What it needs on its way lies where the `other` has that: neither needs anything there that the
    other writes over, and no two run at a time.
    """
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(static.rng)
    with _nothing_collected(), torch.cuda.graph(graph, pool=other.pool() if other else None):
        static.run()
    return graph


@contextlib.contextmanager
def _nothing_collected() -> Iterator[None]:
    """Within this block Python collects no garbage: a graph among that, of a model that is gone,
    would be given back to the GPU, which ends what is being captured."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
