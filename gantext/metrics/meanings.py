"""What each score means: one entry for each that a measure gives, under the name it is printed by.

`gantext explain`, the arrows of tables and docs/glossary.md are made of it. A name may say
more than its score's own: "real-bleu-4", "frechet-real", "retrieval-1-seen" and "bleu-4[9-12]" are
bleu-4, frechet, retrieval-1 and bleu-4 of other sentences or pictures (see QUALIFIERS).

Nothing here imports numpy or torch.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gantext.metrics.meaning import Better, Meaning
from gantext.metrics.pictures.meanings import PICTURES
from gantext.metrics.teaching_meanings import TEACHING
from gantext.metrics.text.meanings import SENTENCES
from gantext.metrics.text.model_meanings import MODELS

MEANINGS = (*SENTENCES, *MODELS, *PICTURES, *TEACHING)

ARROWS: Mapping[Better | None, str] = {"higher": "↑", "lower": "↓", "real": "≈", None: ""}
WAYS: Mapping[Better | None, str] = {
    "higher": "↑ the higher the better",
    "lower": "↓ the lower the better",
    "real": "≈ the nearer to the value of real text or pictures, the better",
    None: "neither way is better by itself",
}


@dataclass(frozen=True)
class Qualifier:
    """What a name says beyond its score's own.

    Attributes:
        pattern: a name that says so; the group "own" is what is left of it.
        says: what the score is then of, with the pattern's groups filled in.
        real: it is of real text or pictures, so that neither way is better.
    """

    pattern: re.Pattern[str]
    says: str
    real: bool = False


QUALIFIERS = (
    Qualifier(
        re.compile(r"(?P<own>.+)@(?P<n>[0-9]+)"), "of classifiers with {n} real training examples"
    ),
    Qualifier(re.compile(r"real-(?P<own>.+)"), "of real training text, as a perfect model", True),
    Qualifier(
        re.compile(r"(?P<own>.+)-real"), "of real text or pictures, as a perfect model", True
    ),
    Qualifier(re.compile(r"(?P<own>.+)-seen"), "of captions that the model was trained on"),
    Qualifier(
        re.compile(r"(?P<own>.+)\[(?P<tokens>[0-9]+(-[0-9]+|\+))\]"),
        "of sentences of {tokens} tokens",
    ),
)


@dataclass(frozen=True)
class Read:
    """A printed name, read.

    Attributes:
        meanings: of the score: two where one of text and one of pictures share the name.
        of: what the name says beyond that, in words; empty for most.
        better: which way is better; None where neither is.
    """

    meanings: tuple[Meaning, ...]
    of: tuple[str, ...]
    better: Better | None


def read(name: str) -> Read | None:
    """What a printed name of a score means; None where there is no such score."""
    meanings = tuple(one for one in MEANINGS if name in one.names)
    if meanings:
        return Read(meanings, (), meanings[0].better)
    for qualifier in QUALIFIERS:
        if (matched := qualifier.pattern.fullmatch(name)) and (own := read(matched["own"])):
            said = qualifier.says.format(**matched.groupdict())
            return Read(own.meanings, (*own.of, said), None if qualifier.real else own.better)
    return None


def better(name: str) -> Better | None:
    """Which way a score is better: "real" is the nearer to the real text's or pictures' value.

    None where neither way is, as for a floor, and for a score that is not in the table.
    """
    known = read(name)
    return known.better if known else None


def arrow(name: str) -> str:
    """The sign of which way a score is better; "" where neither is."""
    return ARROWS[better(name)]


def names() -> list[str]:
    """The names of all scores, without qualifiers, each once."""
    return list(dict.fromkeys(name for one in MEANINGS for name in one.names))
