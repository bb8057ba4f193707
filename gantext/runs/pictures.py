"""What the run of a picture model keeps beside other runs' files (folder.py).

captions.txt      the captions that it was trained on, one a line, where it follows captions
samples/          PNG grids: STEP-PHASE.png of each look, PHASE.png at a phase's end
"""

import re
from dataclasses import dataclass
from pathlib import Path

from gantext.records.content import MB
from gantext.runs.enclosed import Enclosed

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

    def __init__(self, files: Enclosed) -> None:
        self._files = files
        self.captions_file = files.root / "captions.txt"
        self._samples = files.root / "samples"

    def save_captions(self, captions: tuple[str, ...]) -> None:
        """Keep the training captions, so that the run can be rebuilt from its folder alone."""
        if captions:
            self._files.write(
                self.captions_file, "".join(f"{line}\n" for line in captions).encode()
            )

    @property
    def captions(self) -> tuple[str, ...]:
        """The training captions; none for a model without captions. Raises UserError."""
        return tuple(self._files.lines(self.captions_file, LINES))

    def save_grid(self, name: str, png: bytes) -> Path:
        """Keep a grid under a name; where it lies."""
        path = self._samples / f"{name}.png"
        self._files.write(path, png)
        return path

    def looks(self) -> list[Look]:
        """The looks of the training, in order."""
        paths = self._files.in_folder(self._samples, LOOK)
        found = [(LOOK.fullmatch(path.name), path) for path in paths]
        looks = [Look(int(match[1]), match[2], path) for match, path in found if match]
        return sorted(looks, key=lambda look: look.total)
