"""Sentences by one launch: the decode of a policy as a CUDA graph.

Each word of `gan` is 17 launches, and a GPU has computed a few rows of most of them before the host
has launched the next. Captured once, all words of all rows are one launch.

A graph reads and writes the memory that it was captured with. Weights stay where they are, since
optimisers and `load_state_dict` write into them; what a policy keeps of them (`KeptLayer`) is made
anew in the same memory, by the host, which sees that it has to: before a graph is replayed.
Shapes: N rows, T steps.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from gantext.data.vocabulary import PAD
from gantext.nn import ranks
from gantext.nn.autocast import in_tf32, without_autocast
from gantext.nn.text.sampling import Policy, SamplingOptions, decode

# Graphs of a policy, each of which has memory of its own: of training's rows, of those of scores
# and the last of these, which are fewer.
GRAPHS = 4


class StaticDecode:
    """`decode` of N rows with all it needs in one place: tokens (N, T) and a generator."""

    def __init__(
        self,
        policy: Policy,
        shape: tuple[int, int],
        options: SamplingOptions,
        device: torch.device,
    ) -> None:
        self.policy, self.options = policy, options
        self.rng = torch.Generator(device)
        self.tokens = torch.full(shape, PAD, device=device)

    def renew(self) -> None:
        """Let the policy make anew what it keeps of weights that have changed."""
        with torch.no_grad(), without_autocast(self.rng.device):
            self.policy.logits(self.policy.start(1))

    def run(self) -> None:
        """Write the tokens. What is captured: the host decides nothing by a number."""
        rows, length = self.tokens.shape
        drawn = decode(self.policy, rows, length, self.rng, self.options, compact=False)
        self.tokens.copy_(drawn)

    def sample(self, rng: torch.Generator, replay: Callable[[], None]) -> Tensor:
        """The sentences that `decode` draws with `rng`, (N, T), by a replay of `run`."""
        self.renew()
        self.rng.set_state(rng.get_state())  # of a GPU's both lie with the host
        replay()
        rng.set_state(self.rng.get_state())
        return self.tokens.clone()


def captured(static: StaticDecode) -> Callable[[], None]:
    """A CUDA graph of `static.run`, as a function that replays it."""
    static.renew()
    static.run()  # what libraries set up when they are first used is no part of a graph
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(static.rng)
    with torch.cuda.graph(graph):
        static.run()
    return graph.replay


class Sampler:
    """Draws sentences of up to T words of a policy, whose rows all begin alike.

    Args:
        policy: which keeps what it makes of its weights in the same memory.
        length: T.
        graphs: whether a GPU may do so by graphs; other devices, and a torch that was built without
            CUDA, go word by word.
    """

    def __init__(self, policy: Policy, length: int, graphs: bool) -> None:
        self.policy, self.length, self.graphs = policy, length, graphs
        self._kept: dict[object, tuple[StaticDecode, Callable[[], None]]] = {}

    def __call__(self, rows: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Sentences, (rows, T), as `decode` draws them."""
        # Several processes gather the sentences that each has drawn, which is no part of a graph.
        able = rng.device.type == "cuda" and torch.backends.cuda.is_built()  # type: ignore[no-untyped-call]
        if not (self.graphs and able) or ranks.shared():
            return decode(self.policy, rows, self.length, rng, options)
        key = rows, options, in_tf32(rng.device)
        if key not in self._kept:
            if len(self._kept) == GRAPHS:
                del self._kept[next(iter(self._kept))]  # the oldest
            static = StaticDecode(self.policy, (rows, self.length), options, rng.device)
            self._kept[key] = static, captured(static)
        static, replay = self._kept[key]
        return static.sample(rng, replay)
