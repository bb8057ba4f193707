"""Options that several commands share, each written once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.config.settings import Device
from gantext.errors import UserError

if TYPE_CHECKING:
    from gantext.evaluation.request import Asked


Seeds = Annotated[str, typer.Option(help="Seeds of the samples, with commas between.")]
Order = Annotated[int, typer.Option(min=2, max=5, help="N of the plot and of the reading.")]
TEMPERATURES = "0.5,0.6,0.7,0.8,0.9,1.0,1.1,1.2"


def numbers(text: str, option: str) -> list[float]:
    """Numbers of an option, with commas between. Raises UserError."""
    try:
        found = [float(word) for word in text.split(",") if word.strip()]
    except ValueError:
        found = []
    if not found or not all(0 <= value < 1e9 for value in found):
        raise UserError(f"{option} {text}: numbers with commas between are needed, e.g. 0.8,1.0")
    return found


def asked_for(
    words: list[str] | None,
    samples: list[Path] | None,
    preset: str,
    n: int | None,
    seed: int,
    device: Device,
    runs_dir: Path,
) -> "Asked":
    """What is scored at temperature 1 unless the command says otherwise."""
    from gantext.evaluation.request import Asked

    return Asked(
        words=tuple(words or ()),
        samples=tuple(samples or ()),
        references=None,
        preset=preset,
        n=n,
        temperature=1.0,
        seed=seed,
        phase=None,
        encoder=None,
        device=device,
        runs_dir=runs_dir,
    )


def check_png(out: Path) -> None:
    """Refuse a file that no PNG can be written to. Raises UserError."""
    if out.suffix.lower() != ".png":
        raise UserError(f"--out {out}: the figure is a PNG, so its name has to end in .png")
    if out.is_dir() or not out.parent.is_dir():
        raise UserError(f"cannot write {out}: not a file in a folder that is there")
