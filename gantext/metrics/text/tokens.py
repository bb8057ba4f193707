"""Tokens for the text metrics, and texts that have been tokenised before.

A million sentences as lists of Python strings take gigabytes. Texts are therefore tokenised a
chunk at a time, and only the numbers of their words are kept.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np

from gantext.data.numbering import Numbering
from gantext.data.tokenizers import check, tokenize
from gantext.metrics.text.ngrams import Encoded, IntArray, Words
from gantext.metrics.text.texts import Texts, once

# Texts that are tokenised at a time.
CHUNK = 20_000

# Texts that are looked at together for whether they have been tokenised before.
LOOK = 1000

# A text in which nltk changes at most this share of the lines with detached punctuation has been
# tokenised before.
_TOKENIZED_SHARE = 0.01


def tokenized(texts: Sequence[str], tokenizer: str) -> list[list[str]]:
    """Return `[tokenize(text, tokenizer) for text in texts]`.

    Raises:
        UserError: there is no such tokenizer.
    """
    return [tokenize(text, tokenizer) for text in texts]


def encode_texts(
    texts: Sequence[str],
    tokenizer: str,
    numbering: Mapping[Hashable, int] | None = None,
    *,
    chunk: int = CHUNK,
) -> Encoded:
    """Tokenise texts and keep only the numbers of their words, 4 bytes a word.

    Args:
        texts: S sentences.
        tokenizer: a name in `gantext.data.tokenizers`.
        numbering: the words that have a number; all others become `len(numbering)`. Without it
            the words of `texts` are numbered as they first occur (as `number_words` does).
        chunk: texts that are tokenised at a time.

    Raises:
        UserError: there is no such tokenizer.
    """
    if numbering is not None:
        return renumbered(encode_texts(texts, tokenizer, chunk=chunk), numbering)
    return once(texts, ("encoded", tokenizer), lambda: _numbered(texts, tokenizer, chunk))


def _numbered(texts: Sequence[str], tokenizer: str, chunk: int) -> Encoded:
    """As `encode_texts`, without a numbering: pieces of lines are cut and looked up once each."""
    cut, known = Numbering(tokenizer, lowercase=False), 0
    # The words in the order in which they occur, and of each number that `cut` gives theirs; -1:
    # a word that no text has yet, since a line may be cut otherwise than its pieces.
    order: list[IntArray] = [np.empty(0, np.intp)]
    ours = np.empty(0, np.int32)
    parts = [Words(ours, np.empty(0, np.int64), 0)]
    for start in range(0, len(texts), chunk):
        rows = cut.of(texts[start : start + chunk])
        numbers = rows.gathered()
        ours = np.append(ours, np.full(len(cut.words) - ours.size, -1, np.int32))
        new, places = np.unique(numbers[ours[numbers] < 0], return_index=True)
        order.append(new[np.argsort(places)])
        ours[order[-1]] = np.arange(known, known + new.size)
        known += new.size
        parts.append(Words(ours[numbers], rows.lengths, known))
    words = list(cut.words)
    numbering = {words[place]: number for number, place in enumerate(np.concatenate(order))}
    numbers = np.concatenate([part.numbers for part in parts])
    lengths = np.concatenate([part.lengths for part in parts])
    return Encoded(Words(numbers, lengths, known), numbering)


def encoded_parts(
    texts: Sequence[str], tokenizer: str, numbering: Mapping[Hashable, int], size: int
) -> Iterator[Words]:
    """The word numbers of texts as `encode_texts` gives them, of `size` texts at a time.

    Of others than `Texts`, which keep theirs, no more is in memory.
    """
    if isinstance(texts, Texts):
        yield from encode_texts(texts, tokenizer, numbering).words.parts(size)
        return
    for start in range(0, len(texts), size):
        yield encode_texts(texts[start : start + size], tokenizer, numbering).words


def renumbered(encoded: Encoded, numbering: Mapping[Hashable, int]) -> Encoded:
    """The same sentences in other word numbers, as if they had been encoded with these."""
    unknown = len(numbering)
    known = (numbering.get(word, unknown) for word in encoded.numbering)
    table = np.fromiter((*known, unknown), np.int32, len(encoded.numbering) + 1)
    words = encoded.words
    return Encoded(Words(table[words.numbers], words.lengths, unknown), numbering)


def own_tokenizer(texts: Sequence[str], tokenizer: str, *, chunk: int = LOOK) -> str:
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
