"""What a tracker is given when a run is opened in it, and what it is told then.

Legend: H and W pixels of a picture's sides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gantext.config.schema import flat
from gantext.runs.folder import RunDir

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PROJECT = "gantext"  # of a tracker, where the environment names none


@dataclass(frozen=True)
class Opening:
    """A run that is opened in a tracker.

    Attributes:
        run: its folder.
        id: under which the tracker knows it; None where it is new there.
        total: the steps that are done; -1 where it is told of from its beginning once more.
    """

    run: RunDir
    id: str | None
    total: int

    @property
    def name(self) -> str:
        """What the run is called: its name in `runs_dir`, SWEEP/NUMBER of a sweep's job."""
        name = self.run.name_in(Path(self.run.settings.runs_dir))
        return self.run.path.name if name.startswith("..") else name

    @property
    def settings(self) -> dict[str, Any]:
        """Its settings by their dotted names: plain values, of which none is a secret."""
        return flat(self.run.settings)

    @property
    def mark(self) -> str:
        """What tells the run from others of its name: when and where it began."""
        info = self.run.info
        return f"{info.get('created')} {info.get('host')} {self.run.path.name}"


class Sink(Protocol):
    """A run in a tracker, which is told of its steps in order.

    Any call may raise anything: the run is warned of it once, and goes on.
    """

    @property
    def id(self) -> str | None:
        """Under which the tracker goes on with the run; None where its folder has it all."""
        ...

    @property
    def last(self) -> int:
        """The total step that the tracker has heard of already, -1 for none; told again is none."""
        ...

    @property
    def place(self) -> str:
        """Where the run is to be seen, for people; empty where that needs no word."""
        ...

    def row(self, metrics: Mapping[str, float], total: int) -> None:
        """Metrics of the total step, named PHASE/METRIC."""
        ...

    def text(self, name: str, lines: Sequence[str], total: int) -> None:
        """A few sentences."""
        ...

    def picture(self, name: str, pixels: "NDArray[np.uint8]", total: int) -> None:
        """A picture, RGB (H, W, 3)."""
        ...

    def close(self, status: str, scores: Mapping[str, float]) -> None:
        """The end: a status of `RunDir.status`, and the final scores; nothing follows."""
        ...
