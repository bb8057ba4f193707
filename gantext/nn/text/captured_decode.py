"""Sentences by one launch: the decode of a policy as a CUDA graph.

Each word of `gan` is 17 launches, of `leakgan` 40, and a GPU has computed a few rows of most of
them before the host has launched the next. Captured once, all words of all rows are one launch.

Weights stay where they are, since optimisers and `load_state_dict` write into them; what a policy
keeps of them (`KeptLayer`) is made anew in the same memory, by the host, which sees that it has to:
before a graph is replayed.
Shapes: N rows, T steps.
"""

import math
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.data.resident import in_steps
from gantext.data.vocabulary import PAD
from gantext.nn.autocast import without_autocast
from gantext.nn.cuda_graphs import Graph, Graphs
from gantext.nn.text.sampling import Policy, SamplingOptions, completed, decode

# Of the rows of completed sentences, in binary, the digits behind so many are 0: an eighth more at
# most.
DIGITS = 4


class Renewed(Policy, Protocol):
    """A policy that says when what it keeps of its weights is made anew."""

    def renew(self, rows: int) -> None:
        """Make it for so many rows, in the memory where it was, if a weight has changed."""
        ...


P = TypeVar("P", bound=Renewed)


class StaticDecode(Generic[P]):
    """`decode` of N rows with all it needs in one place: tokens (N, T) and a generator.

    Args:
        policy: what writes.
        shape: (N, T).
        options: how words are drawn.
        device: of the policy.
        given: how many words each row begins with, by what stands in `tokens` (see `completed`).
    """

    def __init__(
        self,
        policy: P,
        shape: tuple[int, int],
        options: SamplingOptions,
        device: torch.device,
        given: int = 0,
    ) -> None:
        self.policy, self.options, self.given = policy, options, given
        self.rng = torch.Generator(device)
        self.tokens = torch.full(shape, PAD, device=device)
        self.renew()

    def renew(self) -> None:
        """Let the policy make anew what it keeps of weights that have changed."""
        with torch.no_grad(), without_autocast(self.rng.device):
            self.policy.renew(len(self.tokens))

    def run(self) -> None:
        """Write the tokens. What is captured: the host decides nothing by a number."""
        rows, length = self.tokens.shape
        if self.given:
            drawn = completed(self.policy, self.tokens, self.given, self.rng, self.options)
        else:
            drawn = decode(self.policy, rows, length, self.rng, self.options, compact=False)
        self.tokens.copy_(drawn)

    def sample(
        self,
        rng: torch.Generator,
        replay: Callable[[torch.Generator], None],
        given: Tensor | None = None,
    ) -> Tensor:
        """The sentences that are drawn with `rng`, (N, T), by a replay of `run`."""
        self.renew()
        if given is not None:
            self.tokens.copy_(given)
        replay(rng)
        return self.tokens.clone()


class Sampler(Generic[P]):
    """Draws sentences of up to T words of a policy, whose rows all begin alike.

    Args:
        policy: which keeps what it makes of its weights in the same memory.
        length: T.
        graphs: whether a GPU may do so by graphs (see `Graphs`).
    """

    def __init__(self, policy: P, length: int, graphs: bool) -> None:
        self.policy, self.length = policy, length
        self._graphs = Graphs[StaticDecode[P]](graphs)

    def __call__(self, rows: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Sentences, (rows, T), as `decode` draws them."""
        graph = self._graph((rows, self.length), 0, rng.device, options)
        if graph is None:
            return decode(self.policy, rows, self.length, rng, options)
        return graph.static.sample(rng, graph.replay)

    def complete(
        self, given: Tensor, first: int, rng: torch.Generator, options: SamplingOptions
    ) -> Tensor:
        """Sentences that begin with the words of `given`, (N, T), as `completed` draws them of
        rows and steps rounded up: a graph of each of few shapes serves the many that there are."""
        rows, length = given.shape
        most = _rounded(rows), in_steps(length, self.length)
        given = F.pad(given, (0, most[1] - length, 0, most[0] - rows), value=PAD)
        graph = self._graph(most, first, rng.device, options)
        if graph is None:
            written = completed(self.policy, given, first, rng, options)
        else:
            written = graph.static.sample(rng, graph.replay, given)
        return written[:rows, :length]

    def _graph(
        self, shape: tuple[int, int], given: int, device: torch.device, options: SamplingOptions
    ) -> Graph[StaticDecode[P]] | None:
        parts = self.policy, shape, options, device, given
        return self._graphs.at((shape, given, options), device, lambda: StaticDecode(*parts))


def _rounded(rows: int) -> int:
    """The next number of rows of which there are graphs."""
    unit: int = 2 ** max(0, rows.bit_length() - DIGITS)
    return math.ceil(rows / unit) * unit
