"""Sentences as numbers of words: drawn some at a time, and made into text."""

from collections.abc import Callable, Iterator

from torch import Tensor

from gantext.data.tokenizers import detokenize
from gantext.data.vocabulary import Vocabulary
from gantext.nn.text.sampling import check_drawn


def token_parts(sample: Callable[[int], Tensor], n: int, rows: int) -> Iterator[Tensor]:
    """n sentences, `rows` of them after the other, (rows, T) on the CPU.

    Raises:
        LogitsNotFinite: some of the words could not be drawn.
    """
    for start in range(0, n, rows):
        tokens = sample(min(rows, n - start)).cpu()
        check_drawn(tokens)
        yield tokens


def texts_of(rows: list[list[int]], vocabulary: Vocabulary) -> tuple[list[str], list[list[str]]]:
    """Sentences as readable text, and the words of each."""
    words = [vocabulary.decode(row) for row in rows]
    return [detokenize(row, vocabulary.tokenizer) for row in words], words
