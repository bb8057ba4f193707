"""Lines of text files, and how they become the splits of a corpus."""

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from gantext.data import ranges
from gantext.data.content import MOST, read_utf8
from gantext.data.flat import HALVES, Ragged, Text
from gantext.data.numbering import Numbering
from gantext.data.tokenizers import check
from gantext.data.vocabulary import SPECIALS, Unk
from gantext.errors import UserError, nearest

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus, Sentences


LONG = ("cut", "drop")
AUTO = "auto"  # sentences are held out where there are MANY_ENOUGH of them
MOST_HELD_OUT, MANY_ENOUGH = 1000, 1000
SPACE, DELETE = ord(" "), 0x7F  # between these lie the signs of ASCII
OUTSTANDING = 100  # times as long as others: a sentence that is worth a note
LONGEST_LINE = 10_000_000  # characters; a book has a million, and cutting this into words takes 2 s
# Characters that show nothing: control, format and space characters by their category, and these
# letters and marks (fillers of Hangul, a Braille cell without dots, variation selectors).
INVISIBLE = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))
FILLERS = frozenset(
    ("\u034f", "\u115f", "\u1160", "\u2800", "\u3164", "\uffa0", "\ufe0e", "\ufe0f")
)


Numbers = Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True)
class Lines:
    """Sentences as they were read: N lines, and the class of each, or no class at all.

    numbers: those of the lines in their files; () where they count from 1.
    files: the files that they are of, each after the row that it begins at.
    """

    text: Text
    labels: Sequence[str] = ()
    numbers: Numbers = ()
    files: Sequence[tuple[int, str]] = ()

    def __len__(self) -> int:
        return len(self.text)

    def place(self, row: int, source: str) -> str:
        """Where a row stands, of `source` where the lines name no file: "a.txt: line 17"."""
        number = self.numbers[row] if len(self.numbers) else row + 1
        after = bisect_right(self.files, row, key=lambda file: file[0])
        return f"{self.files[after - 1][1] if after else source}: line {number}"


class Preparation(Protocol):
    """How lines become sentences: the settings that every corpus of real text has."""

    @property
    def name(self) -> str: ...
    @property
    def validation(self) -> int | str: ...
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
    validation_size(cfg.validation, 0)
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
    text = stripped(lines.text)
    rows = np.flatnonzero(text.lengths)
    text, numbering = text.take(rows), Numbering(cfg.tokenizer, cfg.lowercase)
    numbers = Ragged.joined(numbering.of(list(part)) for part in text.chunks())
    long = np.flatnonzero(numbers.lengths > cfg.max_length) if cfg.max_length else rows[:0]
    dropped = long if cfg.long == "drop" else rows[:0]
    kept = np.delete(np.arange(len(rows)), dropped)
    if not len(kept):
        blank = len(lines) - len(dropped)
        why = f"{blank} blank, {len(dropped)} longer than max_length={cfg.max_length}"
        raise UserError(f"{source}: no line is left after filtering ({why})")
    if len(long):
        verb = "dropped" if len(dropped) else "cut"
        notes.append(
            f"{split}: {len(long)} lines longer than max_length={cfg.max_length} were {verb}"
        )
    words = tuple(numbering.words)
    numbers = numbers.take(kept).cut(cfg.max_length)
    _note_longest(split, numbers, lines, rows[kept], source, notes)
    labels = tuple(lines.labels[row] for row in rows[kept].tolist()) if lines.labels else ()
    return Sentences(words, numbers, text.take(kept), labels)


def stripped(text: Text) -> Text:
    """The lines without spaces at their ends; those that show nothing are empty."""
    starts, lengths = text.starts.copy(), text.lengths.copy()
    rows = _odd(text)
    for row, line in zip(rows.tolist(), text.take(rows), strict=True):
        before = line[: len(line) - len(line.lstrip())]
        starts[row] += len(before.encode("utf-8", HALVES))
        lengths[row] = 0 if is_blank(line) else len(line.strip().encode("utf-8", HALVES))
    return Text(text.values, starts, lengths)


def _odd(text: Text) -> NDArray[np.intp]:
    """The places of lines that are empty, or begin or end with anything but a sign of ASCII."""
    plain = np.zeros(len(text), dtype=np.bool_)
    rows = np.flatnonzero(text.lengths)
    first = text.values[text.starts[rows]]
    last = text.values[text.starts[rows] + text.lengths[rows] - 1]
    plain[rows] = (np.minimum(first, last) > SPACE) & (np.maximum(first, last) < DELETE)
    return np.flatnonzero(~plain)


def _note_longest(
    split: str, numbers: Ragged, lines: Lines, rows: NDArray[np.intp], source: str, notes: list[str]
) -> None:
    """Say where a sentence stands that makes batches far wider than the others would."""
    others = (int(numbers.lengths.sum()) - numbers.longest) / max(1, len(numbers) - 1)
    usual = max(1.0, others)
    if numbers.longest > OUTSTANDING * usual:
        place = lines.place(int(rows[numbers.lengths.argmax()]), source)
        notes.append(
            f"{split}: {place} has {numbers.longest:,} tokens, the others {usual:.0f} on average: "
            "a batch is as wide as its longest, and data.max_length cuts or drops longer ones"
        )


def check_length(lines: Lines, source: str) -> None:
    """Raise UserError for a line that is too long to be looked at."""
    rows = np.flatnonzero(lines.text.lengths > LONGEST_LINE)  # bytes: of these there are more
    sizes = {row: len(lines.text[row]) for row in rows.tolist()}
    row = max(sizes, key=sizes.__getitem__, default=0)
    if sizes and sizes[row] > LONGEST_LINE:
        raise UserError(
            f"{lines.place(row, source)} has {sizes[row]:,} characters: one sentence a "
            f"line is needed, of at most {LONGEST_LINE:,}"
        )


def hold_out(sentences: "Sentences", size: int, seed: int) -> tuple["Sentences", "Sentences"]:
    """Take `size` sentences out by a seeded choice; both parts keep the order of the file."""
    out = np.zeros(len(sentences), dtype=np.bool_)
    out[np.random.default_rng(seed).permutation(len(sentences))[:size]] = True
    return sentences.take(np.flatnonzero(~out)), sentences.take(np.flatnonzero(out))


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


def validation_size(asked: int | str, sentences: int) -> int:
    """How many of some training sentences are held out: so many, or by the word auto a tenth of
    them, at most `MOST_HELD_OUT`, and none where they are fewer than `MANY_ENOUGH`.

    Raises:
        UserError: another word.
    """
    if isinstance(asked, int):
        return asked
    if asked != AUTO:
        raise UserError(f"data.validation={asked}: it must be a whole number or {AUTO}")
    return min(sentences // 10, MOST_HELD_OUT) if sentences >= MANY_ENOUGH else 0


def assemble(
    cfg: Preparation, train: "Sentences", test: "Sentences", notes: Sequence[str]
) -> "Corpus":
    """Hold out the validation sentences, build the vocabulary from the rest, and encode.

    Raises UserError when the validation split leaves nothing to train on.
    """
    from gantext.data.corpus import build_corpus

    size = validation_size(cfg.validation, len(train))
    if size >= len(train):
        raise UserError(f"data.validation={size} leaves none of {len(train)} sentences")
    train, validation = hold_out(train, size, cfg.split_seed)
    vocabulary = train.vocabulary(
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
    if train.seen.keys().isdisjoint(test.seen):
        return ["warning: the train and test sentences share no word"]
    tested = frozenset(test.text)
    both = {line for line in train.text if line in tested}
    shared = sum(line in both for line in test.text)
    said = f"{shared} of {len(test)} sentences also stand in train" if shared else ""
    return [f"{'warning: ' * (shared == len(test))}test: {said}"] if said else []


def check_different(sentences: "Sentences", source: str) -> None:
    """Raise UserError for training sentences that are fewer than 2, or all the same."""
    if len(sentences) < 2:
        raise UserError(f"{source}: one sentence only; at least 2 are needed")
    first = sentences.text[0]
    if all(line == first for line in sentences.text):
        raise UserError(f"{source}: all {len(sentences)} sentences are the same")


def read_lines(path: Path, notes: list[str], most: int = MOST, pipes: bool = False) -> list[str]:
    """Return the lines of one text file, each an object of its own: `read_file` takes less memory.

    Raises UserError as it does.
    """
    return list(read_file(path, notes, most, pipes))


def read_file(path: Path, notes: list[str], most: int = MOST, pipes: bool = False) -> Text:
    """Return the lines of one text file without their ends; one that shows nothing is "".

    The last line may lack its end. Notes count blank lines, and say what was not as a plain UTF-8
    file has it. Raises UserError as `read_text` does, which `most` and `pipes` are for, and for a
    line that is too long.
    """
    text = Text.of_file(read_utf8(path, notes, most, pipes))
    check_length(Lines(text), f"{path}")
    odd = _odd(text)
    blank = {
        row: line for row, line in zip(odd.tolist(), text.take(odd), strict=True) if is_blank(line)
    }
    if blank:
        unseen = sum(bool(line.strip()) for line in blank.values())
        invisible = f" ({unseen} of them invisible characters)" if unseen else ""
        notes.append(f"{path}: {len(blank)} blank lines skipped{invisible}")
        text.lengths[list(blank)] = 0
    return text


def is_blank(line: str) -> bool:
    """Whether a line shows nothing: it is empty, or of spaces and invisible characters alone."""
    return all(char in FILLERS or unicodedata.category(char) in INVISIBLE for char in line)
