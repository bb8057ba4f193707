"""What a run wrote or drew, as one has it in Python."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gantext.metrics.score import Setting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gantext.inference.drawing import Drawing


class Samples(list[str]):
    """Sentences of a run, and the settings that they can be drawn again with."""

    def __init__(self, lines: Sequence[str], signature: Mapping[str, Setting]) -> None:
        super().__init__(lines)
        self.signature = dict(signature)


def pixels_of(drawing: "Drawing") -> "NDArray[np.uint8]":
    """(N, H, W, C) bytes; what is not a number is black."""
    from gantext.data.gallery import to_bytes

    shown: NDArray[np.uint8] = to_bytes(drawing.pictures.nan_to_num(-1.0)).numpy()
    return shown.transpose(0, 2, 3, 1)
