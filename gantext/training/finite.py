"""Whether the numbers of a step are finite, seen without a wait for the device.

Legend: K metrics on the device, P weights (tensors) of all networks.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gantext.nn.optim import Metrics


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
    """Remembers, on the device, the first step whose metrics or weights were not finite.

    `note` only adds work for the device. `broken` waits for it: once a step on a CPU, where that
    costs nothing, and once a report on a GPU.
    """

    def __init__(self, networks: Mapping[str, nn.Module], device: torch.device) -> None:
        named = {
            f"{role}.{name}": weight
            for role, network in networks.items()
            for name, weight in network.named_parameters()
        }
        self._names = tuple(named)
        self._weights: list[Tensor] = list(named.values())
        self._device = device
        self.clear()

    def clear(self) -> None:
        """Forget what was noted."""
        self._steps: list[int] = []
        self._on_host: Broken | None = None
        self._whole = torch.ones((), dtype=torch.bool, device=self._device)
        self._good = torch.zeros((), dtype=torch.int64, device=self._device)
        self._first: dict[tuple[str, ...], Tensor] = {}

    @torch.no_grad()
    def note(self, step: int, metrics: Metrics) -> None:
        """Look at a step's metrics, scalars, and at the weights after it; nothing is waited for."""
        tensors = {k: v for k, v in metrics.items() if isinstance(v, Tensor)}
        numbers = {k: v for k, v in metrics.items() if not isinstance(v, Tensor)}
        what = broken_metric(numbers)
        if what is not None and self._on_host is None:
            self._on_host = Broken(step, what)
        self._steps.append(step)
        self._remember(tuple(tensors), self._values(list(tensors.values())))

    def _values(self, metrics: list[Tensor]) -> Tensor:
        """The metrics, and the squared norm of each weight: (K + P,), fp32.

        Weights over 1.8e19 have infinite squares: the next step could not be finite.
        """
        norms = torch._foreach_norm(self._weights) if self._weights else ()
        scalars = [*(value.float().reshape(()) for value in metrics), *norms]
        values = torch.stack(scalars) if scalars else torch.zeros(0, device=self._device)
        values[len(metrics) :].square_()
        return values

    def _remember(self, names: tuple[str, ...], values: Tensor) -> None:
        """Keep the values, of metrics with these names, if they are the first that are broken."""
        finite = values.isfinite().all()
        first = self._whole & ~finite
        kept = self._first.get(names)
        self._first[names] = values if kept is None else torch.where(first, values, kept)
        self._whole = self._whole & finite
        self._good = self._good + self._whole

    def broken(self) -> Broken | None:
        """The first step noted since the last call that was not whole; None where all were."""
        whole, good = torch.stack([self._whole.long(), self._good]).tolist()
        found = None if whole else Broken(self._steps[good], self._what())
        earlier = self._on_host
        if earlier is not None and (found is None or earlier.step <= found.step):
            found = earlier
        self.clear()
        return found

    def _what(self) -> str:
        """Which of the values that were kept is not finite, the metrics before the weights."""
        for names, values in self._first.items():
            numbers = values.tolist()
            what = broken_metric(dict(zip(names, numbers, strict=False)))
            if what is not None:
                return what
            for name, square in zip(self._names, numbers[len(names) :], strict=True):
                if not math.isfinite(square):
                    return f"the weights {name} are no longer finite, or overflow"
        raise AssertionError("a step was noted as broken, and none of its numbers is")


def broken_metric(metrics: Mapping[str, float]) -> str | None:
    """The first metric of a step that is not finite, and its value; None where all are."""
    broken = (f"{key} is {value}" for key, value in metrics.items() if not math.isfinite(value))
    return next(broken, None)
