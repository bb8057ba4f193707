"""Text to tokens and back.

`tokenize(detokenize(tokens, name), name) == tokens` for nearly every real sentence, and for
machine-made ones too: punctuation is glued to its word only where the tokenizer would split it
off again, so a "." in the middle of a sentence stays apart.
"""

import itertools
import operator
import re
from collections.abc import Sequence

from gantext.data import treebank
from gantext.errors import UserError, nearest

# How data writes a word that it leaves out, as the Penn Treebank does; one token in every text.
UNKNOWN = "<unk>"
_CHARACTER = re.compile(f"{UNKNOWN}|.", re.DOTALL)

TOKENIZERS = ("nltk", "whitespace", "char", "ids")

# Tokens of the Penn Treebank style that lean on the word before or after them.
_CLITICS = frozenset(("'s", "'m", "'d", "'ll", "'re", "'ve", "n't"))
_LEAN_LEFT = frozenset((".", ",", ";", ":", "?", "!", "%", ")", "]", "}", "..", "...")) | _CLITICS
_LEAN_RIGHT = frozenset(("(", "[", "{", "$", "#"))
_SPLIT_WORDS = frozenset(
    (("gon", "na"), ("wan", "na"), ("got", "ta"), ("gim", "me"), ("lem", "me"))
)


def tokenize(text: str, name: str) -> list[str]:
    """Split one sentence into tokens with the tokenizer called `name` (see `TOKENIZERS`).

    `nltk` does as `nltk.tokenize.NLTKWordTokenizer`, on the line as it is (no sentence splitting);
    `char` keeps every character, spaces included; `ids` reads numbers between spaces.
    `<unk>` stays whole, also inside a word. Raises UserError for an unknown name. Upper case is
    left as it is.
    """
    check(name)
    if name == "nltk":
        return _nltk_tokens(text)
    return _CHARACTER.findall(text) if name == "char" else text.split()


def detokenize(tokens: Sequence[str], name: str) -> str:
    """Return readable text: the inverse of `tokenize`, as far as there is one.

    Raises UserError for an unknown name.
    """
    check(name)
    if name == "nltk":
        return _join_words(tokens)
    return ("" if name == "char" else " ").join(tokens)


def check(name: str) -> None:
    """Raise UserError when there is no tokenizer called `name`."""
    if name not in TOKENIZERS:
        choices = ", ".join(TOKENIZERS)
        raise UserError(f"unknown tokenizer {name}{nearest(name, TOKENIZERS)}: choose {choices}")


def _nltk_tokens(text: str) -> list[str]:
    if UNKNOWN not in text:
        return treebank.words(text)
    letter = unused_letter(text)
    return _with_unknown(treebank.words(text.replace(UNKNOWN, letter)), letter)


def piece_tokens(piece: str, last: bool) -> Sequence[str] | None:
    """The tokens of a piece of a line between spaces, as `nltk` cuts it; None: the line decides.

    last: it ends the line. One that opens its line: see `treebank.opens_alike`.
    """
    if UNKNOWN not in piece:
        return treebank.words_of_piece(piece, last)
    letter = unused_letter(piece)
    tokens = treebank.words_of_piece(piece.replace(UNKNOWN, letter), last)
    return None if tokens is None else _with_unknown(tokens, letter)


def _with_unknown(tokens: Sequence[str], letter: str) -> list[str]:
    return [token.replace(letter, UNKNOWN) for token in tokens]


def unused_letter(text: str) -> str:
    """A character for private use that is not in a text, to stand for a word that stays whole."""
    return next(letter for letter in map(chr, range(0xE000, 0xF900)) if letter not in text)


def _join_words(tokens: Sequence[str]) -> str:
    """Join as a person would write; where that would not tokenise back, join one by one."""
    words = list(tokens)
    gaps = _glued(words)
    text = _render(words, gaps)
    return text if tokenize(text, "nltk") == words else _render(words, _checked(words, gaps))


def _glued(words: list[str]) -> list[bool]:
    """For each word, whether a writer would put no space before it."""
    glued = []
    open_quote = False
    lean_right = True  # nothing stands before the first word
    for i, word in enumerate(words):
        previous = words[i - 1] if i else ""
        left = word in _LEAN_LEFT or word == "''" or (previous, word) in _SPLIT_WORDS
        opens = word in _LEAN_RIGHT or word == "``"
        if word == "'":
            # An odd one out is a possessive ("the dogs' bowl"), two are quotation marks.
            opens = not open_quote and words[i:].count("'") % 2 == 0
            left, open_quote = not opens, opens
        glued.append(lean_right or left)
        lean_right = opens
    return glued


def _checked(words: list[str], wanted: list[bool]) -> list[bool]:
    """Keep each wanted glue only if it leaves the tokens up to it no worse than a space does."""
    gaps = [False] * len(words)
    for i, glue in enumerate(wanted):
        if glue and i > 0:
            apart = _agreement(words, gaps)
            gaps[i] = True
            gaps[i] = _agreement(words, gaps) >= apart
    return gaps


def _agreement(words: list[str], gaps: list[bool]) -> int:
    """Number of leading tokens that survive being written with these gaps and read again."""
    read = tokenize(_render(words, gaps), "nltk")
    return len([*itertools.takewhile(bool, map(operator.eq, words, read))])


def _render(words: list[str], glued: list[bool]) -> str:
    """Write the words; a quote mark becomes " only where the tokenizer reads its side back."""
    pieces = []
    for i, word in enumerate(words):
        before = glued[i] and i > 0
        after = i + 1 < len(words) and glued[i + 1]
        if (word == "``" and after and not before) or (word == "''" and before):
            word = '"'
        pieces.append(word if before or i == 0 else " " + word)
    return "".join(pieces)
