"""The type of an entry in the table of what scores mean."""

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "real"]


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a score says, or a family of scores that differ in a number.

    Attributes:
        names: as they are printed.
        command: of gantext, that gives it.
        says: what it says, in a sentence.
        formula: of its value.
        better: which way; "real": the nearer to the value of real text or pictures. None where
            neither is.
        caution: what is easily misread in it; empty where nothing is.
        scale: its unit and its range.
        source: who proposed it; empty for what needs nobody.
        computed: how it is computed here.
    """

    names: tuple[str, ...]
    command: str
    says: str
    formula: str
    better: Better | None
    scale: str
    computed: str
    source: str = ""
    caution: str = ""


def numbered(stem: str, first: int, last: int) -> tuple[str, ...]:
    """stem-first ... stem-last."""
    return tuple(f"{stem}-{n}" for n in range(first, last + 1))
