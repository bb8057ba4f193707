"""One update of weights by a loss, on a GPU as a CUDA graph where that is asked for."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from gantext.nn.cuda_graphs import Graphs
from gantext.nn.optim import Metrics, Optimiser, clipped_step

# A scalar, and scalars to log, of what is given and a generator.
Loss = Callable[..., tuple[Tensor, Metrics]]


class Update:
    """Loss, gradient, and the step of an optimiser; the first step of a shape is no graph.

    Args:
        loss: of tensors, by position, and a generator; what the host knows of them are shapes.
        optimiser, clipped, clip: see `clipped_step`.
        graphs: whether a GPU may do it by graphs (see `Graphs`): nothing that the loss leaves to
            the next one is then other memory than before.
        norm: what the gradient's norm is logged as.
    """

    def __init__(
        self,
        loss: Loss,
        optimiser: Optimiser,
        clipped: nn.Module | Sequence[nn.Module],
        clip: float,
        graphs: bool,
        norm: str = "grad_norm",
    ) -> None:
        self.loss, self.optimiser, self.clipped, self.clip = loss, optimiser, clipped, clip
        self.norm = norm
        self._graphs = Graphs[StaticUpdate](graphs)

    def __call__(self, *given: Tensor, rng: torch.Generator) -> Metrics:
        """One update by the loss of what is given; what that logs, and the gradient's norm."""
        shape = tuple(part.shape for part in given)
        graph = self._graphs.at(
            (shape, self.optimiser.read), rng.device, lambda: StaticUpdate(self, given)
        )
        if graph is None:
            return self.plainly(*given, rng=rng)
        static = graph.static
        for place, part in zip(static.given, given, strict=True):
            place.copy_(part)
        self.optimiser.place_rates()
        graph.replay(rng)
        self.optimiser.tell_of_step()
        return dict(zip(static.names, static.values.clone().unbind(), strict=True))

    def plainly(self, *given: Tensor, rng: torch.Generator) -> Metrics:
        """The same launch by launch."""
        loss, found = self.loss(*given, rng)
        norm = clipped_step(self.optimiser, self.clipped, loss, self.clip)
        return {**found, self.norm: norm}


class StaticUpdate:
    """An update with all it needs in one place: what is given, a generator, and what is logged.

    Attributes:
        given: which is written over before each replay.
        names, values: of what is logged, (K,).
    """

    def __init__(self, update: Update, given: Sequence[Tensor]) -> None:
        self._update, self.given = update, [part.clone() for part in given]
        update.optimiser.place_rates()
        self.rng = torch.Generator(given[0].device)
        self.names, self.values = list[str](), torch.empty(0)

    def run(self) -> None:
        """One update. What is captured."""
        with self._update.optimiser.by_placed_rates():
            found = self._update.plainly(*self.given, rng=self.rng)
        shown = {name: value for name, value in found.items() if isinstance(value, Tensor)}
        assert len(shown) == len(found), "a number of the host's would stay as it was captured"
        self.names = list(shown)
        self.values = torch.stack([value.detach().float().reshape(()) for value in shown.values()])
