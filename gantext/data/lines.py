"""Lines of text files, and how they become the splits of a corpus."""

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gantext.data import ranges
from gantext.data.content import MOST, read_text
from gantext.data.tokenizers import check, tokenize
from gantext.data.vocabulary import SPECIALS, Unk, Vocabulary
from gantext.errors import UserError, nearest

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus, Sentences


LONG = ("cut", "drop")
LONGEST_LINE = 10_000_000  # characters; a book has a million, and cutting this into words takes 2 s
# Characters that show nothing: control, format and space characters by their category, and these
# letters and marks (fillers of Hangul, a Braille cell without dots, variation selectors).
INVISIBLE = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))
FILLERS = frozenset(
    ("\u034f", "\u115f", "\u1160", "\u2800", "\u3164", "\uffa0", "\ufe0e", "\ufe0f")
)


@dataclass(frozen=True)
class Lines:
    """Sentences as they were read: N lines, and the class of each, or no class at all.

    numbers: those of the lines in their files; () where they count from 1.
    files: the files that they are of, each after the row that it begins at.
    """

    text: Sequence[str]
    labels: Sequence[str] = ()
    numbers: Sequence[int] = ()
    files: Sequence[tuple[int, str]] = ()

    def __len__(self) -> int:
        return len(self.text)

    def place(self, row: int, source: str) -> str:
        """Where a row stands, of `source` where the lines name no file: "a.txt: line 17"."""
        number = self.numbers[row] if self.numbers else row + 1
        after = bisect_right(self.files, row, key=lambda file: file[0])
        return f"{self.files[after - 1][1] if after else source}: line {number}"


class Preparation(Protocol):
    """How lines become sentences: the settings that every corpus of real text has."""

    @property
    def name(self) -> str: ...
    @property
    def validation(self) -> int: ...
    @property
    def split_seed(self) -> int: ...
    @property
    def tokenizer(self) -> str: ...
    @property
    def lowercase(self) -> bool: ...
    @property
    def unk(self) -> Unk: ...
    @property
    def min_count(self) -> int: ...
    @property
    def max_vocab(self) -> int: ...
    @property
    def max_length(self) -> int: ...
    @property
    def long(self) -> str: ...


def check_preparation(cfg: Preparation) -> None:
    """Raise UserError for a setting that makes no sense."""
    check(cfg.tokenizer)
    if cfg.long not in LONG:
        raise UserError(f"data.long={cfg.long}: cut or drop{nearest(cfg.long, LONG)}")
    ranges.check(cfg, "data")


def prepare(
    split: str, lines: Lines, source: str, cfg: Preparation, notes: list[str]
) -> "Sentences":
    """Tokenise `lines`, skip blank ones, cut or drop long ones; what was done goes to `notes`.

    Classes stay with their sentences.

    Raises UserError naming `source` when no sentence is left.
    """
    from gantext.data.corpus import Sentences

    check_length(lines, source)
    tokens, text, labels, rows, long = [], [], [], [], 0
    for row, (line, label) in enumerate(zip_longest(map(str.strip, lines.text), lines.labels)):
        if is_blank(line):
            continue
        words = tokenize(line.lower() if cfg.lowercase else line, cfg.tokenizer)
        too_long = 0 < cfg.max_length < len(words)
        long += too_long
        if not (too_long and cfg.long == "drop"):
            tokens.append(words[: cfg.max_length] if too_long else words)
            text.append(line)
            rows.append(row)
            labels += [] if label is None else [label]
    dropped = long if cfg.long == "drop" else 0
    if not text:
        blank = len(lines) - dropped
        why = f"{blank} blank, {dropped} longer than max_length={cfg.max_length}"
        raise UserError(f"{source}: no line is left after filtering ({why})")
    if long:
        verb = "dropped" if dropped else "cut"
        notes.append(f"{split}: {long} lines longer than max_length={cfg.max_length} were {verb}")
    longest = max(range(len(tokens)), key=lambda i: len(tokens[i]))
    return Sentences(
        tuple(tokens), tuple(text), tuple(labels), longest=lines.place(rows[longest], source)
    )


def check_length(lines: Lines, source: str) -> None:
    """Raise UserError for a line that is too long to be looked at."""
    row = max(range(len(lines)), key=lambda row: len(lines.text[row]), default=0)
    if len(lines) and len(lines.text[row]) > LONGEST_LINE:
        raise UserError(
            f"{lines.place(row, source)} has {len(lines.text[row]):,} characters: one sentence a "
            f"line is needed, of at most {LONGEST_LINE:,}"
        )


def hold_out(sentences: "Sentences", size: int, seed: int) -> tuple["Sentences", "Sentences"]:
    """Take `size` sentences out by a seeded choice; both parts keep the order of the file."""
    chosen = set(np.random.default_rng(seed).permutation(len(sentences))[:size].tolist())
    rows = range(len(sentences))
    kept, out = [i for i in rows if i not in chosen], [i for i in rows if i in chosen]
    return sentences.take(kept), sentences.take(out)


def split_off(
    sentences: "Sentences", share: float, seed: int, notes: list[str]
) -> tuple["Sentences", "Sentences"]:
    """Hold a share out for test where there is no test text: training and test sentences.

    Raises UserError for a share that is nothing or all.
    """
    if not 0 < share < 1:
        raise UserError(f"data.test_share={share} must lie between 0 and 1")
    size = min(max(1, round(share * len(sentences))), len(sentences) - 1)
    notes.append(f"no test file: {size} of {len(sentences)} sentences held out for test")
    return hold_out(sentences, size, seed)


def assemble(
    cfg: Preparation, train: "Sentences", test: "Sentences", notes: Sequence[str]
) -> "Corpus":
    """Hold out the validation sentences, build the vocabulary from the rest, and encode.

    Raises UserError when the validation split leaves nothing to train on.
    """
    from gantext.data.corpus import build_corpus

    if cfg.validation >= len(train):
        raise UserError(f"data.validation={cfg.validation} leaves none of {len(train)} sentences")
    train, validation = hold_out(train, cfg.validation, cfg.split_seed)
    vocabulary = Vocabulary.build(
        train.tokens,
        min_count=cfg.min_count,
        max_size=cfg.max_vocab,
        tokenizer=cfg.tokenizer,
        lowercase=cfg.lowercase,
        unk=cfg.unk,
    )
    if len(vocabulary) == len(SPECIALS):
        raise UserError(f"data.min_count={cfg.min_count} leaves no word in the vocabulary")
    notes = [*notes, *_overlap(train, test)]
    return build_corpus(cfg.name, vocabulary, train, validation, test, notes=notes)


def _overlap(train: "Sentences", test: "Sentences") -> list[str]:
    """What is to be said of test sentences that were trained on, or share no word with those."""
    train_words = {word for sentence in train.tokens for word in sentence}
    if train_words.isdisjoint(word for sentence in test.tokens for word in sentence):
        return ["warning: the train and test sentences share no word"]
    known = frozenset(train.text)
    shared = sum(line in known for line in test.text)
    said = f"{shared} of {len(test)} sentences also stand in train" if shared else ""
    return [f"{'warning: ' * (shared == len(test))}test: {said}"] if said else []


def check_different(sentences: "Sentences", source: str) -> None:
    """Raise UserError for training sentences that are fewer than 2, or all the same."""
    if len(sentences) < 2:
        raise UserError(f"{source}: one sentence only; at least 2 are needed")
    if len(set(sentences.text)) == 1:
        raise UserError(f"{source}: all {len(sentences)} sentences are the same")


def read_lines(path: Path, notes: list[str], most: int = MOST, pipes: bool = False) -> list[str]:
    """Return the lines of one text file without their ends; one that shows nothing is "".

    The last line may lack its end. Notes count blank lines, and say what was not as a plain UTF-8
    file has it. Raises UserError as `read_text` does, which `most` and `pipes` are for, and for a
    line that is too long.
    """
    # Not splitlines(): it also breaks at form feeds and Unicode separators inside a sentence.
    lines = read_text(path, notes, most, pipes).removesuffix("\n").split("\n")
    check_length(Lines(lines), f"{path}")
    shown = ["" if is_blank(line) else line for line in lines]
    unseen = sum(not after and bool(line.strip()) for line, after in zip(lines, shown, strict=True))
    blank = shown.count("")
    if blank:
        invisible = f" ({unseen} of them invisible characters)" if unseen else ""
        notes.append(f"{path}: {blank} blank lines skipped{invisible}")
    return shown


def is_blank(line: str) -> bool:
    """Whether a line shows nothing: it is empty, or of spaces and invisible characters alone."""
    return all(char in FILLERS or unicodedata.category(char) in INVISIBLE for char in line)
