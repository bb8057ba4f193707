"""Text or pictures: one object of each says what differs between them, so that few have to ask.

What a kind does with its networks stands where it is done, in a table by kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gantext.data import Reads

if TYPE_CHECKING:
    from gantext.data.vocabulary import Vocabulary
    from gantext.models.contract import Algorithm, Painter

A = TypeVar("A")  # the contract of its algorithms
V = TypeVar("V")  # their vocabulary, or None


@dataclass(frozen=True)
class Kind(Generic[A, V]):
    """What models make.

    Attributes:
        makes: its name, as a user reads it.
        does: what its models do, after "which".
        options: those of `gantext sample` that no other kind has.
        scored: what of `gantext eval` a new run is scored by first.
        shown: how many samples fill a screen.
    """

    makes: str
    does: str
    options: frozenset[str]
    scored: str
    shown: int


TEXT: "Kind[Algorithm, Vocabulary]" = Kind(
    "text",
    "writes text",
    frozenset(
        {
            "temperature",
            "top_k",
            "top_p",
            "greedy",
            "prompt",
            "label",
            "likelihood",
            "csv",
            "candidates",
            "judge",
            "force",
        }
    ),
    "bleu",
    20,
)
PICTURES: "Kind[Painter, Vocabulary | None]" = Kind(
    "pictures", "draws pictures", frozenset({"caption", "columns"}), "pictures", 25
)
KINDS: tuple[Kind[Any, Any], ...] = (TEXT, PICTURES)


def kind_of(reads: Reads) -> Kind[Any, Any]:
    """What a model makes that is trained on this."""
    return TEXT if reads.sentences else PICTURES


def kind_by(facts: Mapping[str, object]) -> Kind[Any, Any]:
    """What a run's model makes, by what its run.json says."""
    return PICTURES if "channels" in facts else TEXT


def model_kind(name: str) -> Kind[Any, Any]:
    """What a model makes. Raises UserError for an unknown one."""
    from gantext import models

    return kind_of(models.reads(name))
