"""Words and their numbers."""

import enum
import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from gantext.data.tokenizers import UNKNOWN, check, detokenize, tokenize
from gantext.errors import UserError
from gantext.records.content import MB
from gantext.records.json_file import JsonFile
from gantext.records.shape import Misfit, Whole, check_of

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIALS = ("<pad>", "<bos>", "<eos>", UNKNOWN)


class Unk(enum.Enum):
    """What `<unk>` is where the text itself has it, as that of the Penn Treebank does.

    hide: the same as any word that the vocabulary lacks. No model writes it, and it is left out of
    all text that is scored. write: a word like any other, with an id of its own beside UNK's.
    """

    hide = "hide"
    write = "write"


class VocabularyRecord(TypedDict):
    """A vocabulary as JSON holds it."""

    tokenizer: str
    lowercase: bool
    words: list[str]
    counts: list[Whole]
    fixed_length: NotRequired[Whole]


FILE = JsonFile(VocabularyRecord, 512 * MB)


@dataclass(frozen=True)
class Vocabulary:
    """The words of a corpus in the order of their ids, and how text is cut into them.

    words: all words, the four specials first; `<unk>` stands there once more where the text has it
    as a word of its own. counts: how often each stood in the training sentences; `<eos>` counts
    sentences, the first `<unk>` the tokens left out, `<pad>` and `<bos>` are 0.
    fixed_length: how many words every sentence has, none of them `<eos>`, which no model then
    writes or gives a probability; 0: sentences have any length and end by `<eos>`.
    """

    words: tuple[str, ...]
    counts: tuple[int, ...]
    tokenizer: str
    lowercase: bool
    fixed_length: int = 0

    def __post_init__(self) -> None:
        check(self.tokenizer)
        if self.words[: len(SPECIALS)] != SPECIALS:
            raise UserError("a vocabulary starts with " + " ".join(SPECIALS))
        own = self.words[len(SPECIALS) :]
        twice = len(set(own)) < len(own) or not {*own}.isdisjoint({*SPECIALS} - {UNKNOWN})
        if len(self.words) != len(self.counts) or twice:
            raise UserError("a vocabulary has one count for each word, and no word twice")

    @classmethod
    def build(cls, sentences: Iterable[Sequence[str]], **settings: Any) -> "Vocabulary":
        """Number the words of tokenised sentences; `settings` are those of `of_counts`."""
        seen: Counter[str] = Counter()
        total = 0
        for sentence in sentences:
            seen.update(sentence)
            total += 1
        return cls.of_counts(seen, total, **settings)

    @classmethod
    def of_counts(
        cls,
        seen: Mapping[str, int],
        sentences: int,
        *,
        min_count: int = 1,
        max_size: int = 0,
        tokenizer: str = "nltk",
        lowercase: bool = True,
        unk: Unk = Unk.hide,
    ) -> "Vocabulary":
        """Number words by falling frequency, ties alphabetically: how often each was `seen`.

        Words seen fewer than `min_count` times are left out, and all but the `max_size` most
        frequent (0: keep all; the specials do not count). A special word that stands in the
        text ("<eos>") is not a word of its own, "<unk>" is as `unk` says. `sentences`: how many
        the words are of. `tokenizer` and `lowercase` are only recorded: the words are in their
        final case.
        """
        ordered = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
        banned = {*SPECIALS} - ({UNKNOWN} if unk is Unk.write else set())
        kept = [(w, n) for w, n in ordered if n >= min_count and w not in banned]
        kept = kept[:max_size] if max_size > 0 else kept
        unknown = sum(seen.values()) - sum(n for _, n in kept)
        return cls(
            words=SPECIALS + tuple(w for w, _ in kept),
            counts=(0, 0, sentences, unknown, *(n for _, n in kept)),
            tokenizer=tokenizer,
            lowercase=lowercase,
        )

    def __len__(self) -> int:
        return len(self.words)

    @functools.cached_property
    def _ids(self) -> dict[str, int]:
        # Without the specials: "<eos>" in somebody's text must not end the sentence.
        return {w: i for i, w in enumerate(self.words) if i >= len(SPECIALS)}

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def tokenize(self, text: str) -> list[str]:
        """Split a raw line as the corpus was split (lower case first, if it is)."""
        return tokenize(text.lower() if self.lowercase else text, self.tokenizer)

    @property
    def end(self) -> tuple[int, ...]:
        """The ids after a sentence's last word: EOS, or none where all have one length."""
        return () if self.fixed_length else (EOS,)

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """Return the ids of words, unknown ones as UNK."""
        return [self._ids.get(token, UNK) for token in tokens]

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Return the ids of a sentence's words, unknown ones as UNK, and its end."""
        return [*self.ids(tokens), *self.end]

    def takes(self, words: int, width: int) -> bool:
        """Whether a sentence of so many words is one of those whose longest has `width` tokens."""
        if self.fixed_length:
            return words == self.fixed_length
        return words + len(self.end) <= width

    def limit(self, width: int) -> str:
        """What `takes` asks of a sentence, in words: "at most ..."."""
        if self.fixed_length:
            return f"sentences of exactly {self.fixed_length} words"
        return f"at most the {width} tokens (<eos> counted) of its longest sentence"

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the words up to the first EOS, without PAD and BOS.

        Raises IndexError for an id outside the vocabulary.
        """
        words = []
        for i in map(int, ids):
            if i == EOS:
                break
            if i < 0:
                raise IndexError(f"word id {i} is negative")
            if i not in (PAD, BOS):
                words.append(self.words[i])
        return words

    def text(self, ids: Iterable[int]) -> str:
        """Return the sentence as readable text: "a red wheel." """
        return detokenize(self.decode(ids), self.tokenizer)

    def lines(self, rows: Iterable[Iterable[int]]) -> list[str]:
        """The text of each row of ids."""
        return [self.text(row) for row in rows]

    def to_json(self) -> VocabularyRecord:
        """Return a plain dict for `json.dump`."""
        record: VocabularyRecord = {
            "tokenizer": self.tokenizer,
            "lowercase": self.lowercase,
            "words": list(self.words),
            "counts": list(self.counts),
        }
        if self.fixed_length:
            record["fixed_length"] = self.fixed_length
        return record

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Vocabulary":
        """Rebuild what `to_json` wrote. Raises UserError when it is no `VocabularyRecord`."""
        try:
            check_of(VocabularyRecord)(data)
        except Misfit as error:
            raise UserError(f"not a vocabulary: {error}") from None
        words, counts = tuple(data["words"]), tuple(data["counts"])
        fixed = data.get("fixed_length", 0)
        return cls(words, counts, data["tokenizer"], data["lowercase"], fixed)
