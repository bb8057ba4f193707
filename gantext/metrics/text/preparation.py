"""How text is prepared before it is scored: once, and the same way on both sides of a score."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gantext.data.tokenizers import UNKNOWN
from gantext.data.vocabulary import Vocabulary
from gantext.metrics.score import Setting

HIDDEN = re.compile(rf" ?{UNKNOWN}")


@dataclass(frozen=True)
class Preparation:
    """What is done to samples, references and training text alike.

    Attributes:
        lowercase: all of it becomes lower case, as the data did that a model was trained on.
        characters: its tokens are characters, whatever the tokenizer of a protocol.
        unknown: `<unk>` is left out, as it is by models that are not to write it
            (`data.unk=hide`): what no sample can hold would count against all of them.
    """

    lowercase: bool = False
    characters: bool = False
    unknown: bool = False

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> "Preparation":
        """What data with this vocabulary asks for."""
        characters = vocabulary.tokenizer == "char"
        return cls(vocabulary.lowercase, characters, UNKNOWN not in vocabulary)

    def __or__(self, other: "Preparation") -> "Preparation":
        """What both ask for together, so that sentences of either can be held against the other."""
        return Preparation(
            self.lowercase or other.lowercase,
            self.characters or other.characters,
            self.unknown or other.unknown,
        )

    def met(self, found: bool) -> "Preparation":
        """The same where `<unk>` is found in the real text; else nothing is said of it."""
        return replace(self, unknown=self.unknown and found)

    def unknowns(self, texts: Sequence[str]) -> int:
        """How often `<unk>` stands in texts that are not prepared yet."""
        return sum((text.lower() if self.lowercase else text).count(UNKNOWN) for text in texts)

    def notes(self, times: int) -> tuple[str, ...]:
        """What is to be said of references in which `<unk>` stood so many times."""
        if not self.unknown:
            return ()
        return (
            f"{UNKNOWN} is left out of all that is scored, {times} times of the references, since "
            "it is never written (data.unk=hide)",
        )

    def lines(self, texts: Sequence[str]) -> Sequence[str]:
        """The texts as they are scored, one for each."""
        cased = [text.lower() for text in texts] if self.lowercase else texts
        return [HIDDEN.sub("", text).lstrip() for text in cased] if self.unknown else cased

    def sentences(self, texts: Sequence[str]) -> Sequence[str]:
        """The texts as they are scored, without those of which nothing is left."""
        return [text for text in self.lines(texts) if text] if self.unknown else self.lines(texts)

    def tokenizer(self, usual: str) -> str:
        """The tokenizer to use where a protocol has this one."""
        return "char" if self.characters else usual

    @property
    def signature(self) -> dict[str, Setting]:
        """What a score says of it beside the name of its tokenizer; nothing of text as it is."""
        found: dict[str, Setting] = {"case": "lower"} if self.lowercase else {}
        return {**found, "unk": "left out"} if self.unknown else found


AS_IT_IS = Preparation()
