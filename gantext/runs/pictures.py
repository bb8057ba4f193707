"""What the run of a picture model keeps beside other runs' files (folder.py).

captions.txt      the captions that it was trained on, one a line, where it follows captions
samples/          PNG grids: STEP-PHASE.png of each look, PHASE.png at a phase's end
"""

import re
from dataclasses import dataclass
from pathlib import Path

from gantext.files import write_atomic
from gantext.records.content import MB, lines

LINES = 1024 * MB  # of captions and of samples
LOOK = re.compile(r"(\d{9})-(.+)\.png")


@dataclass(frozen=True)
class Look:
    """A grid of samples that was drawn during training, at the run's step `total`."""

    total: int
    phase: str
    path: Path


class PictureFiles:
    """The pictures and captions of a run's folder."""

    def __init__(self, run: Path) -> None:
        self.captions_file = run / "captions.txt"
        self._samples = run / "samples"

    def save_captions(self, captions: tuple[str, ...]) -> None:
        """Keep the training captions, so that the run can be rebuilt from its folder alone."""
        if captions:
            write_atomic(self.captions_file, "".join(f"{line}\n" for line in captions).encode())

    @property
    def captions(self) -> tuple[str, ...]:
        """The training captions; none for a model without captions. Raises UserError."""
        return tuple(lines(self.captions_file, LINES))

    def grid(self, name: str) -> Path:
        """Where the grid of this name lies."""
        return self._samples / f"{name}.png"

    def looks(self) -> list[Look]:
        """The looks of the training, in order."""
        found = [(LOOK.fullmatch(path.name), path) for path in self._samples.glob("*.png")]
        looks = [Look(int(match[1]), match[2], path) for match, path in found if match]
        return sorted(looks, key=lambda look: look.total)
