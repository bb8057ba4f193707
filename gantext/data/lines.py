"""Lines of text files, and how they become the splits of a corpus."""

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gantext.data.tokenizers import check, tokenize
from gantext.data.vocabulary import SPECIALS, Vocabulary
from gantext.errors import UserError, nearest
from gantext.files import attempt

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus, Sentences


LONG = ("cut", "drop")


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
    for name in ("validation", "split_seed", "min_count", "max_vocab", "max_length"):
        if getattr(cfg, name) < 0:
            raise UserError(f"data.{name}={getattr(cfg, name)} must not be negative")


def prepare(
    split: str, lines: Sequence[str], source: str, cfg: Preparation, notes: list[str]
) -> "Sentences":
    """Tokenise `lines`, skip blank ones, cut or drop long ones; what was done goes to `notes`.

    Raises UserError naming `source` when no sentence is left.
    """
    from gantext.data.corpus import Sentences

    tokens, text, long = [], [], 0
    for line in filter(None, map(str.strip, lines)):
        words = tokenize(line.lower() if cfg.lowercase else line, cfg.tokenizer)
        too_long = 0 < cfg.max_length < len(words)
        long += too_long
        if not (too_long and cfg.long == "drop"):
            tokens.append(words[: cfg.max_length] if too_long else words)
            text.append(line)
    dropped = long if cfg.long == "drop" else 0
    if not text:
        blank = len(lines) - dropped
        why = f"{blank} blank, {dropped} longer than max_length={cfg.max_length}"
        raise UserError(f"{source}: no line is left after filtering ({why})")
    if long:
        verb = "dropped" if dropped else "cut"
        notes.append(f"{split}: {long} lines longer than max_length={cfg.max_length} were {verb}")
    return Sentences(tuple(tokens), tuple(text))


def hold_out(sentences: "Sentences", size: int, seed: int) -> tuple["Sentences", "Sentences"]:
    """Take `size` sentences out by a seeded choice; both parts keep the order of the file."""
    chosen = set(np.random.default_rng(seed).permutation(len(sentences))[:size].tolist())
    rows = range(len(sentences))
    kept, out = [i for i in rows if i not in chosen], [i for i in rows if i in chosen]
    return sentences.take(kept), sentences.take(out)


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
    )
    if len(vocabulary) == len(SPECIALS):
        raise UserError(f"data.min_count={cfg.min_count} leaves no word in the vocabulary")
    train_words = {word for sentence in train.tokens for word in sentence}
    if train_words.isdisjoint(word for sentence in test.tokens for word in sentence):
        notes = [*notes, "warning: the train and test sentences share no word"]
    return build_corpus(cfg.name, vocabulary, train, validation, test, notes=notes)


def read_lines(path: Path, notes: list[str]) -> list[str]:
    """Return the lines of one UTF-8 file without their ends; .gz is unpacked.

    The last line may lack its newline. A note counts blank lines. Raises UserError when the
    file is missing, unreadable, empty or not UTF-8 (with the number of the line).
    """
    data = _read_bytes(path)
    if not data:
        raise UserError(f"{path}: the file is empty")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}: line {number} is not UTF-8 text") from error
    # Not splitlines(): it also breaks at form feeds and Unicode separators inside a sentence.
    lines = text.removesuffix("\n").split("\n")
    blank = sum(not line.strip() for line in lines)
    if blank:
        notes.append(f"{path}: {blank} blank lines skipped")
    return lines


def _read_bytes(path: Path) -> bytes:
    with attempt(f"read {path}"):
        try:
            data = path.read_bytes()
            return gzip.decompress(data) if path.suffix == ".gz" and data else data
        except FileNotFoundError:
            raise UserError(f"{path}: no such file") from None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UserError(f"{path}: damaged gzip file ({error})") from error
