"""Tokens for the text metrics, and texts that have been tokenised before.

A million sentences as lists of Python strings take gigabytes. Texts are therefore tokenised a
chunk at a time, and only the numbers of their words are kept.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from gantext.data.tokenizers import check, tokenize
from gantext.metrics.text.ngrams import Encoded, Words, encode

# Texts that are tokenised at a time.
CHUNK = 20_000

# A text in which nltk changes at most this share of the lines with detached punctuation has been
# tokenised before.
_TOKENIZED_SHARE = 0.01


def tokenized(texts: Sequence[str], tokenizer: str) -> list[list[str]]:
    """Return `[tokenize(text, tokenizer) for text in texts]`.

    Raises:
        UserError: there is no such tokenizer.
    """
    return [tokenize(text, tokenizer) for text in texts]


def token_chunks(
    texts: Sequence[str], tokenizer: str, size: int = CHUNK
) -> Iterator[list[list[str]]]:
    """Yield the tokens of all texts, `size` texts at a time."""
    for start in range(0, len(texts), size):
        yield tokenized(texts[start : start + size], tokenizer)


def encode_texts(
    texts: Sequence[str],
    tokenizer: str,
    numbering: Mapping[Hashable, int] | None = None,
    *,
    chunk: int = CHUNK,
) -> Encoded:
    """Tokenise texts and keep only the numbers of their words, 8 bytes a word.

    Args:
        texts: S sentences.
        tokenizer: a name in `gantext.data.tokenizers`.
        numbering: the words that have a number; all others become `len(numbering)`. Without it
            the words of `texts` are numbered as they first occur (as `number_words` does).
        chunk: texts that are tokenised at a time.

    Raises:
        UserError: there is no such tokenizer.
    """
    growing: dict[Hashable, int] = {}
    known = growing if numbering is None else numbering
    parts = [encode([], known)]
    for tokens in token_chunks(texts, tokenizer, chunk):
        if numbering is None:
            for word in dict.fromkeys(chain.from_iterable(tokens)):
                growing.setdefault(word, len(growing))
        parts.append(encode(tokens, known))
    numbers = np.concatenate([part.numbers for part in parts])
    lengths = np.concatenate([part.lengths for part in parts])
    return Encoded(Words(numbers, lengths, len(known)), known)


def own_tokenizer(texts: Sequence[str], tokenizer: str, *, chunk: int = CHUNK) -> str:
    """Name the tokenizer for texts that are compared with each other only.

    A file that has been tokenised before keeps its tokens: nltk is not idempotent (a closing ''
    after a space turns into an opening ``), so that running it again would change a few lines.
    Such a file shows by its detached commas and full stops: nltk changes next to none of the
    lines that have them. Texygen published its Self-BLEU on those white-space tokens.

    Returns:
        `tokenizer`, or "whitespace" in its place where the tokens are to be kept.

    Raises:
        UserError: there is no such tokenizer.
    """
    check(tokenizer)
    if tokenizer != "nltk":
        return tokenizer
    changed = detached = 0
    for start in range(0, len(texts), chunk):
        part = texts[start : start + chunk]
        words = tokenized(part, "whitespace")
        pairs = zip(tokenized(part, tokenizer), words, strict=True)
        changed += sum(ours != theirs for ours, theirs in pairs)
        detached += sum("." in line or "," in line for line in words)
        if changed > _TOKENIZED_SHARE * len(texts):
            break  # plain text, whatever follows: it shows within its first lines
    return "whitespace" if 0 < changed <= _TOKENIZED_SHARE * detached else tokenizer
