"""What a judge of text is, and what judges of a run are made with."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

Say = Callable[[str], None]


class TextJudge(Protocol):
    """Says how much more a sentence looks real than like a run's samples.

    What it says is believed only as far as it held on sentences that it never saw (`held_out`).
    """

    @property
    def name(self) -> str:
        """What signatures call it: its kind, or which other run judges."""
        ...

    @property
    def digest(self) -> str:
        """8 digits of a hash of the weights that decide its logits."""
        ...

    @property
    def stopped_by_half(self) -> bool:
        """Whether half of the held-out sentences decided when its training stopped: the others
        alone can say what it is worth."""
        ...

    def logits(self, tokens: Tensor) -> Tensor:
        """A logit of each of (N, T) tokens on the CPU, (N,) float64; its scale may be any."""
        ...
