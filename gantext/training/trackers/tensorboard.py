"""TensorBoard: event files in the run's own folder."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gantext.training.trackers.contract import Opening

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch.utils.tensorboard import SummaryWriter

PACKAGE = "tensorboard"
EXTRA = None  # it comes with gantext


def open_sink(opening: Opening) -> "TensorBoard":
    """Event files that count from the step of the opening on, whatever others say of later ones."""
    from torch.utils.tensorboard import SummaryWriter  # imported late: it takes a second

    folder = opening.run.files.made(opening.run.tensorboard)
    writer = SummaryWriter(str(folder), purge_step=opening.total + 1)
    return TensorBoard(writer, opening.total)


class TensorBoard:
    """Writes event files; see `Sink`."""

    id, place = None, ""

    def __init__(self, writer: "SummaryWriter", last: int) -> None:
        self._writer, self._total, self.last = writer, last, last

    def row(self, metrics: Mapping[str, float], total: int) -> None:
        """See `Sink`."""
        self._total = total
        for key, value in metrics.items():
            self._writer.add_scalar(key, value, total)

    def text(self, name: str, lines: Sequence[str], total: int) -> None:
        """See `Sink`."""
        self._writer.add_text(name, "  \n".join(lines), total)

    def picture(self, name: str, pixels: "NDArray[np.uint8]", total: int) -> None:
        """See `Sink`."""
        self._writer.add_image(name, pixels, total, dataformats="HWC")

    def close(self, status: str, scores: Mapping[str, float]) -> None:
        """See `Sink`."""
        for name, value in scores.items():
            self._writer.add_scalar(f"final/{name}", value, self._total)
        self._writer.close()
