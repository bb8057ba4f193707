"""What wandb and trackio, which took over its API, are told in the same words."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Logged:
    """Tells a run of a package with wandb's `log`, `Table` and `Image`; see `Sink`."""

    def __init__(self, package: Any, run: Any) -> None:
        self._package, self._run = package, run

    def row(self, metrics: Mapping[str, float], total: int) -> None:
        """See `Sink`."""
        self._run.log(dict(metrics), step=total)

    def text(self, name: str, lines: Sequence[str], total: int) -> None:
        """See `Sink`."""
        table = self._package.Table(columns=["sentence"], data=[[line] for line in lines])
        self._run.log({name: table}, step=total)

    def picture(self, name: str, pixels: "NDArray[np.uint8]", total: int) -> None:
        """See `Sink`."""
        self._run.log({name: self._package.Image(pixels)}, step=total)
