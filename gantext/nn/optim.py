"""Steps and learning rates of optimisers, also where networks that are opponents share a graph."""

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantext.nn import ranks
from gantext.nn.autocast import without_autocast


class Optimiser:
    """One of torch's optimisers, which is made when a step or its state is first asked for.

    The first that a process makes costs a second, as torch imports its compiler by then: a run
    that is only sampled or scored never makes one.

    Args:
        kind: torch's class, such as `torch.optim.Adam`.
        weights: that it steps.
        rate: its learning rate.
        betas: of the running means of the gradient and its square.
        others: what else its class takes.
    """

    def __init__(
        self,
        kind: type[torch.optim.Adam],
        weights: Iterable[nn.Parameter],
        rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        **others: Any,
    ) -> None:
        self.kind, self.weights = kind, list(weights)
        if self.weights and all(weight.device.type == "cuda" for weight in self.weights):
            others["fused"] = True  # a few launches in place of a dozen for each weight
        self._options = {"lr": placed(rate, self.weights), "betas": betas, **others}
        self._rates: list[Tensor] = []  # where graphs read them
        self.read = 0  # how often a state was read, for which there is memory anew
        self._made: torch.optim.Adam | None = None
        self._read: dict[str, Any] | None = None  # a state that waits until it is made
        self._rests = False

    @property
    def made(self) -> torch.optim.Adam:
        """Torch's own. Raises what torch does for a state that is none of such an optimiser."""
        if self._made is None:
            made = self.kind(self.weights, **self._options)
            if self._read is not None:
                made.load_state_dict(self._read)
            self._made, self._read = made, None
        return self._made

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Torch's groups of weights, with their learning rates."""
        return self.made.param_groups

    @property
    def state(self) -> Mapping[Tensor, Any]:
        """What torch keeps of each weight; nothing before the first step."""
        return self.made.state

    @property
    def stepped(self) -> bool:
        """Whether it has ever made a step, known without making it."""
        read = self._read if self._made is None else None
        return bool(read["state"]) if read is not None else bool(self._made and self._made.state)

    def zero_grad(self) -> None:
        """Drop the weights' gradients."""
        self.made.zero_grad()

    def step(self) -> None:
        """Step the weights along their gradients."""
        self.made.step()
        self.tell_of_step()

    def tell_of_step(self) -> None:
        """Say that a graph has made a step: see `_tell_of_step`."""
        _tell_of_step(self.made)

    def place_rates(self) -> None:
        """Write the learning rates where graphs read them."""
        groups = self.param_groups
        if not self._rates:
            self._rates = [torch.zeros((), device=self.weights[0].device) for _ in groups]
        for place, group in zip(self._rates, groups, strict=True):
            place.fill_(group["lr"])

    @contextlib.contextmanager
    def by_placed_rates(self) -> Iterator[None]:
        """Within this block, in which a graph is captured, steps read the rates that `place_rates`
        has written, and nothing writes these."""
        rates = [group["lr"] for group in self.param_groups]
        for group, place in zip(self.param_groups, self._rates, strict=True):
            group.update(lr=place, capturable=True)
        try:
            yield
        finally:
            for group, rate in zip(self.param_groups, rates, strict=True):
                group.update(lr=rate, capturable=False)

    def state_dict(self) -> dict[str, Any]:
        """Torch's state of it; while it rests, what every state of it has."""
        if self._rests and self._made is None:
            numbers = list(range(len(self.weights)))
            return {"state": {}, "param_groups": [{**self._options, "params": numbers}]}
        return self.made.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave, as soon as it steps."""
        self.read += 1
        if self._made is None:
            self._read = state
        else:
            self._made.load_state_dict(state)

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Within this block it is not made to say its state, which is held against another's."""
        self._rests = True
        try:
            yield
        finally:
            self._rests = False


Stepping = Optimiser | torch.optim.Optimizer  # ours, or a plugin's own


def _torch_of(optimiser: Stepping) -> torch.optim.Optimizer:
    return optimiser.made if isinstance(optimiser, Optimiser) else optimiser


def _tell_of_step(made: torch.optim.Optimizer) -> None:
    """Raise the versions of weights that stepped, by which what is kept of weights is known to be
    of old ones (`KeptLayer`): torch's fused optimisers leave these as they are."""
    for group in made.param_groups:
        for weight in group["params"] if group.get("fused") else ():
            torch.autograd.graph.increment_version(weight)


@contextlib.contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """A block in which a gradient passes through a network and is not computed for its weights."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


def descend(optimiser: Stepping, loss: Tensor) -> Tensor:
    """One step down a loss; returns the gradient's norm.

    Only the optimiser's own weights get a gradient: a generator's step leaves none in the
    networks that judge its pictures.
    """
    made = _torch_of(optimiser)
    weights = [weight for group in made.param_groups for weight in group["params"]]
    made.zero_grad()
    with without_autocast(loss.device):
        torch.autograd.backward(loss, inputs=weights)
        ranks.average(_gradients(weights))
        made.step()
        _tell_of_step(made)
    norms = [gradient.norm() for gradient in _gradients(weights)]
    norm: Tensor = torch.stack(norms).norm()
    return norm


def _gradients(weights: Iterable[nn.Parameter]) -> list[Tensor]:
    """Of the weights that a loss depends on: the same ones on every rank."""
    return [weight.grad for weight in weights if weight.grad is not None]


Metrics = Mapping[str, Tensor | float]


def cosine_rate(step: int, steps: int, warmup: int, final: float) -> float:
    """Share of the peak learning rate: linear warm-up, then a cosine down to `final`."""
    rise = min(1.0, (step + 1) / max(1, warmup))
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, steps))))
    return rise * (final + (1 - final) * fall)


def tied_by_rate(final: float) -> str:
    """Why steps at a `cosine_rate` depend on how many there are; "" where it does not fall."""
    return "its learning rate falls over all of its steps" if final < 1 else ""


def set_rate(optimiser: Stepping, rate: float) -> None:
    """Let an optimiser go on at another learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = placed(rate, group["params"])


def placed(rate: float, weights: Sequence[Tensor]) -> float:
    """The learning rate of weights, of a GPU's in single precision, in which graphs read it."""
    on_gpu = any(weight.device.type == "cuda" for weight in weights)
    return torch.tensor(rate).item() if on_gpu else rate


def clipped_step(
    optimiser: Stepping, model: nn.Module | Sequence[nn.Module], loss: Tensor, clip: float
) -> Tensor:
    """One optimiser step, the gradient's norm clipped; returns the norm before clipping.

    Args:
        optimiser: of the model's weights.
        model: whose gradients are clipped together; of several those of each by itself.
        loss: a scalar.
        clip: the largest norm; 0 leaves the gradient as it is.
    """
    models = [model] if isinstance(model, nn.Module) else model
    made = _torch_of(optimiser)
    made.zero_grad()
    with without_autocast(loss.device):
        torch.autograd.backward(loss)
        parts = [[w for w in one.parameters() if w.grad is not None] for one in models]
        ranks.average(_gradients(itertools.chain(*parts)))
        # Without a gradient the norm is a zero that lies on the CPU.
        norms = [nn.utils.clip_grad_norm_(part, clip or math.inf) for part in parts if part]
        made.step()
        _tell_of_step(made)
    norm = norms[0] if len(norms) == 1 else torch.stack(norms).norm()
    return norm.detach()
