"""How text is prepared before it is scored: once, and the same way on both sides of a score."""

from collections.abc import Sequence
from dataclasses import dataclass

from gantext.data.vocabulary import Vocabulary
from gantext.metrics.score import Setting


@dataclass(frozen=True)
class Preparation:
    """What is done to samples, references and training text alike.

    Attributes:
        lowercase: all of it becomes lower case, as the data did that a model was trained on.
        characters: its tokens are characters, whatever the tokenizer of a protocol.
    """

    lowercase: bool = False
    characters: bool = False

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> "Preparation":
        """What data with this vocabulary asks for."""
        return cls(vocabulary.lowercase, vocabulary.tokenizer == "char")

    def __or__(self, other: "Preparation") -> "Preparation":
        """What both ask for together, so that sentences of either can be held against the other."""
        return Preparation(self.lowercase or other.lowercase, self.characters or other.characters)

    def lines(self, texts: Sequence[str]) -> Sequence[str]:
        """The texts as they are scored, one for each."""
        return [text.lower() for text in texts] if self.lowercase else texts

    def tokenizer(self, usual: str) -> str:
        """The tokenizer to use where a protocol has this one."""
        return "char" if self.characters else usual

    @property
    def signature(self) -> dict[str, Setting]:
        """What a score says of it beside the name of its tokenizer; nothing of text as it is."""
        return {"case": "lower"} if self.lowercase else {}


AS_IT_IS = Preparation()
