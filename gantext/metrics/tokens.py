"""Tokens for the text metrics: as `gantext.data.tokenizers` makes them, only faster.

nltk's tokenizer runs about thirty regular expressions over a line, 0.1 ms each line. On a line of
plain words, commas and full stops all of them together do nothing but split off the commas and
the last full stop, so such lines (97 in 100 of the COCO captions) are split directly.
"""

import re
from collections.abc import Sequence

from gantext.data.tokenizers import tokenize

# Words of ASCII letters and digits, hyphens inside only; a comma may end a word, a full stop only
# the last one; both may stand alone. Possessive, so that a line that does not fit fails at once.
_WORD = r"[A-Za-z0-9]++(?:-[A-Za-z0-9]++)*+"
_PLAIN = re.compile(rf"[ ]*+(?:(?:{_WORD},?+|[.,])[ ]++)*+(?:{_WORD}[.,]?+|[.,])?+[ ]*+")
# What nltk cuts in two: these lines go the long way, in whatever word the letters stand.
_CONTRACTION = re.compile("cannot|gimme|gonna|gotta|lemme|wanna", re.IGNORECASE)
# A text in which nltk changes at most this share of the lines with detached punctuation has been
# tokenised before.
_TOKENIZED_SHARE = 0.01


def tokenized(texts: Sequence[str], tokenizer: str) -> list[list[str]]:
    """Return `[tokenize(text, tokenizer) for text in texts]`.

    Raises:
        UserError: there is no such tokenizer.
    """
    if tokenizer != "nltk":
        return [tokenize(text, tokenizer) for text in texts]
    return [_plain_tokens(text) if _is_plain(text) else tokenize(text, "nltk") for text in texts]


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and _CONTRACTION.search(text) is None


def _plain_tokens(text: str) -> list[str]:
    return text.replace(",", " ,").replace(".", " .").split()


def own_tokens(texts: Sequence[str], tokenizer: str) -> tuple[list[list[str]], str]:
    """Tokenise texts that are compared with each other only, and name the tokenizer.

    A file that has been tokenised before keeps its tokens: nltk is not idempotent (a closing ''
    after a space turns into an opening ``), so that running it again would change a few lines.
    Such a file shows by its detached commas and full stops: nltk changes next to none of the
    lines that have them. Texygen published its Self-BLEU on those white-space tokens.

    Returns:
        The tokens, and `tokenizer`, or "whitespace" in its place where the tokens were kept.
    """
    tokens = tokenized(texts, tokenizer)
    if tokenizer != "nltk":
        return tokens, tokenizer
    words = [text.split() for text in texts]
    changed = sum(ours != theirs for ours, theirs in zip(tokens, words, strict=True))
    detached = sum("." in line or "," in line for line in words)
    kept = 0 < changed <= _TOKENIZED_SHARE * detached
    return (words, "whitespace") if kept else (tokens, tokenizer)
