"""How much the sentences of one set differ from each other.

Legend: S sentences, N the highest order, K distinct n-grams of one order.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gantext.errors import UserError
from gantext.metrics.score import Score, Setting, signed
from gantext.metrics.text.copying import CopyIndex, copy_index
from gantext.metrics.text.divergence import ms_jaccard, wasserstein_1
from gantext.metrics.text.ngrams import Encoded, IntArray, Words, number_ngrams
from gantext.metrics.text.tokens import encode_texts

FloatArray = NDArray[np.float64]


def ngram_counts(words: Words, max_order: int) -> Iterator[IntArray]:
    """Yield, for n = 1..max_order, how often each distinct n-gram occurs: (K,)."""
    for grams in number_ngrams(words, max_order):
        yield grams.counts


def distinct(counts: IntArray) -> float:
    """Distinct over all, from the counts (K,) of the distinct ones."""
    return counts.size / int(counts.sum()) if counts.size else float("nan")


def entropy(counts: IntArray) -> float:
    """Entropy in nats of the distribution that counts (K,) are proportional to."""
    if not counts.size:
        return float("nan")
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def unique_share(sentences: Sequence[str]) -> float:
    """Number of different sentences over the number of sentences."""
    return len(set(sentences)) / len(sentences) if sentences else 0.0


# Scores of diversity, copying and divergence of a set of sentences.
ORDERS = (1, 2, 3, 4)
JACCARD_ORDERS = (2, 3, 4, 5)


def diversity_scores(
    lines: Sequence[str],
    references: Sequence[str],
    training: Sequence[str],
    *,
    tokenizer: str = "nltk",
    data_hash: str | None = None,
) -> list[Score]:
    """Return how diverse sentences are, what they copy, and how they differ from test text.

    Scores: distinct-1..4, entropy-1..4 (nats), unique (of the sentences as they are), length-mean
    and length-sd (tokens); against the references ms-jaccard-2..5 and length-w1, the Wasserstein-1
    distance of the lengths (tokens); against the training text copied (the share of sentences that
    stand in it), longest-copy-mean and longest-copy-p90 (tokens of the longest shared n-gram).

    Args:
        lines: S sentences, one a string.
        references: sentences of the test set; without any, the scores that need them are left out.
        training: sentences of the training set; likewise.
        tokenizer: a name in `gantext.data.tokenizers`.
        data_hash: the hash of the corpus in use, for the signature.

    Raises:
        UserError: no sentences, or no such tokenizer.
    """
    if not lines:
        raise UserError("there are no sentences to score")
    common = signed(tokenizer=tokenizer, data=data_hash)
    encoded = encode_texts(lines, tokenizer)
    scores = _own_scores(encoded, {"sentences": len(lines), **common})
    scores.append(
        Score(
            "unique",
            unique_share(lines),
            signed(sentences=len(lines), data=data_hash),
        )
    )
    if references:
        sign = {"sentences": len(lines), "references": len(references), **common}
        scores += _reference_scores(encoded, references, tokenizer, sign)
    if training:
        sign = {"sentences": len(lines), "training": len(training), **common}
        scores += _copy_scores(lines, copy_index(training, tokenizer), sign)
    return scores


def _own_scores(encoded: Encoded, sign: dict[str, Setting]) -> list[Score]:
    """Scores of the sentences alone."""
    counts = list(ngram_counts(encoded.words, ORDERS[-1]))
    lengths = encoded.words.lengths
    tokens: dict[str, Setting] = {"unit": "tokens", **sign}
    return [
        *(Score(f"distinct-{n}", distinct(counts[n - 1]), {"n": n, **sign}) for n in ORDERS),
        *(
            Score(f"entropy-{n}", entropy(counts[n - 1]), {"unit": "nats", "n": n, **sign})
            for n in ORDERS
        ),
        Score("length-mean", float(lengths.mean()), tokens),
        Score("length-sd", float(lengths.std()), tokens),
    ]


def _reference_scores(
    encoded: Encoded, references: Sequence[str], tokenizer: str, sign: dict[str, Setting]
) -> list[Score]:
    words = encoded.words
    theirs = encode_texts(references, tokenizer, encoded.numbering).words
    shares = ms_jaccard(words, theirs, JACCARD_ORDERS[-1])
    distance = wasserstein_1(words.lengths, theirs.lengths)
    return [
        *(Score(f"ms-jaccard-{n}", float(shares[n - 1]), {"n": n, **sign}) for n in JACCARD_ORDERS),
        Score("length-w1", distance, {"unit": "tokens", **sign}),
    ]


def _copy_scores(lines: Sequence[str], index: CopyIndex, sign: dict[str, Setting]) -> list[Score]:
    longest = index.longest(lines)
    tokens: dict[str, Setting] = {"unit": "tokens", **sign}
    return [
        Score("copied", float(index.verbatim(lines).mean()), sign),
        Score("longest-copy-mean", float(longest.mean()), tokens),
        Score("longest-copy-p90", float(np.percentile(longest, 90)), tokens),
    ]
