"""Whether the numbers of a step are finite, seen without a wait for the device.

Legend: K metrics on the device, P weights (tensors) of all networks.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gantext.nn.optim import Metrics

LONGEST = 1000  # steps between two looks


@dataclass(frozen=True)
class Broken:
    """The first number that was not finite.

    Attributes:
        step: of the phase.
        what: the metric or the weights, and what became of them.
    """

    step: int
    what: str


class Lookout:
    """Keeps, on the device, what tells which step was the first that was not finite.

    `note` only adds work for the device. `broken` waits for it: once a step on a CPU, where that
    costs nothing, and once a report on a GPU.
    """

    def __init__(self, networks: Mapping[str, nn.Module]) -> None:
        named = {
            f"{role}.{name}": weight
            for role, network in networks.items()
            for name, weight in network.named_parameters()
        }
        self._names = tuple(named)
        self._weights: list[Tensor] = list(named.values())
        self._noted: list[_Noted] = []

    @property
    def is_full(self) -> bool:
        """Whether so many steps are noted that one should look at them, to save memory."""
        return len(self._noted) >= LONGEST

    @torch.no_grad()
    def note(self, step: int, metrics: Metrics) -> None:
        """Keep a step's metrics, scalars, and squared norms of the weights after it; no wait.

        Weights over 1.8e19 have infinite squares: the next step could not be finite.
        """
        tensors = {k: v.float().reshape(()) for k, v in metrics.items() if isinstance(v, Tensor)}
        numbers = {k: v for k, v in metrics.items() if not isinstance(v, Tensor)}
        norms = torch._foreach_norm(self._weights) if self._weights else ()
        scalars = [*tensors.values(), *norms]
        values = torch.stack(scalars) if scalars else torch.zeros(0)
        values[len(tensors) :].square_()
        self._noted.append(_Noted(step, tuple(tensors), values, broken_metric(numbers)))

    def broken(self) -> Broken | None:
        """The first step noted since the last call that was not finite; None where all were."""
        noted, self._noted = self._noted, []
        on_host = any(one.on_host for one in noted)
        if not noted or (torch.cat([one.values for one in noted]).isfinite().all() and not on_host):
            return None
        broken = ((one.step, self._what(one)) for one in noted)
        return next(Broken(step, what) for step, what in broken if what is not None)

    def _what(self, noted: "_Noted") -> str | None:
        """Which number of a step is not finite, the metrics before the weights."""
        values = noted.values.tolist()
        what = broken_metric(dict(zip(noted.metrics, values, strict=False))) or noted.on_host
        squares = zip(self._names, values[len(noted.metrics) :], strict=True)
        overflowing = (name for name, square in squares if not math.isfinite(square))
        network = next(overflowing, None)
        if what is None and network is not None:
            what = f"the weights {network} are no longer finite, or overflow"
        return what


@dataclass(frozen=True)
class _Noted:
    """A step: the names of its metrics on the device, (K + P,) values, what broke on the host."""

    step: int
    metrics: tuple[str, ...]
    values: Tensor
    on_host: str | None


def has_to_wait(device: torch.device) -> bool:
    """Whether reading a number costs a wait for the device: not on a CPU."""
    return device.type != "cpu"


def broken_metric(metrics: Mapping[str, float]) -> str | None:
    """The first metric of a step that is not finite, and its value; None where all are."""
    broken = (f"{key} is {value}" for key, value in metrics.items() if not math.isfinite(value))
    return next(broken, None)
