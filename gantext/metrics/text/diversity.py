"""How much the sentences of one set differ from each other.

Legend: S sentences, N the highest order, K distinct n-grams of one order.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gantext.errors import UserError
from gantext.metrics import standard_error
from gantext.metrics.score import Score, Setting, signed
from gantext.metrics.text.copying import CopyIndex, copy_index
from gantext.metrics.text.divergence import ms_jaccard, wasserstein_1
from gantext.metrics.text.ngrams import Encoded, Grams, IntArray, number_ngrams
from gantext.metrics.text.sentence_counts import repeated
from gantext.metrics.text.tokens import encode_texts

FloatArray = NDArray[np.float64]


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


def unique_error(sentences: Sequence[str]) -> float | None:
    """The standard error of `unique_share`, by the jackknife with Efron and Stein's correction.

    Of N sentences F1 are alone: the jackknife has the variance (F1 - F1^2 / N) / (N (N - 1)). Both
    of a pair count in it, where chance moves a pair once. Leaving out two at a time shows that:
    the F2 pairs come off F1 (Efron and Stein 1981), unless nothing were left.
    """
    size, times = len(sentences), Counter(Counter(sentences).values())
    if size < 2:
        return None
    whole = times[1] - times[1] ** 2 / size
    variance = whole - times[2] if whole > times[2] else whole
    return math.sqrt(variance / (size * (size - 1)))


def distinct_error(grams: Grams) -> float | None:
    """The standard error of `distinct` of all n-grams of a text, by the jackknife.

    A sentence that is left out takes those n-grams along that stand in no other sentence.
    """
    counts, text = grams.counts, grams.text
    size = text.bounds.size - 1
    own = text.per_sentence(grams.places[grams.starts[:-1][counts == 1]])
    rows = repeated(grams)
    own = own + np.bincount(rows.sentences[rows.counts == counts[rows.numbers]], minlength=size)
    left = counts.sum() - text.per_sentence(grams.places)
    if not left.all():
        return None
    return standard_error.jackknifed((counts.size - own) / left)


def entropy_error(grams: Grams) -> float | None:
    """The standard error of `entropy` of all n-grams of a text, by the jackknife.

    With T n-grams the entropy is log T - sum of c log c / T, which loses, with a sentence that has
    k of an n-gram's c, c log c - (c - k) log (c - k) of the sum.
    """
    counts, text = grams.counts, grams.text
    size = text.bounds.size - 1
    lost = _terms(counts) - _terms(counts - 1)
    of_sentence = np.bincount(text.sentences[grams.places], np.repeat(lost, counts), size)
    rows = repeated(grams)  # which the line above has taken as k times one
    c, k = counts[rows.numbers], rows.counts
    of_sentence += np.bincount(
        rows.sentences, _terms(c) - _terms(c - k) - k * lost[rows.numbers], size
    )
    left = counts.sum() - text.per_sentence(grams.places)
    if not left.all():
        return None
    return standard_error.jackknifed(np.log(left) - (_terms(counts).sum() - of_sentence) / left)


def _terms(counts: IntArray) -> FloatArray:
    """c log c, which is 0 of 0."""
    return np.asarray(counts * np.log(np.maximum(counts, 1)))


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
            unique_error(lines),
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
    different, entropies = [], []
    for n, grams in zip(ORDERS, number_ngrams(encoded.words, ORDERS[-1]), strict=True):
        counts, order = grams.counts, {"n": n, **sign}
        nats = {"unit": "nats", **order}
        different.append(Score(f"distinct-{n}", distinct(counts), order, distinct_error(grams)))
        entropies.append(Score(f"entropy-{n}", entropy(counts), nats, entropy_error(grams)))
    lengths = encoded.words.lengths
    tokens: dict[str, Setting] = {"unit": "tokens", **sign}
    return [
        *different,
        *entropies,
        Score("length-mean", float(lengths.mean()), tokens, standard_error.of_mean(lengths)),
        Score("length-sd", float(lengths.std()), tokens, standard_error.of_deviation(lengths)),
    ]


def _reference_scores(
    encoded: Encoded, references: Sequence[str], tokenizer: str, sign: dict[str, Setting]
) -> list[Score]:
    words = encoded.words
    theirs = encode_texts(references, tokenizer, encoded.numbering).words
    shares = ms_jaccard(words, theirs, JACCARD_ORDERS[-1])
    distance = wasserstein_1(words.lengths, theirs.lengths)
    error = standard_error.bootstrapped(
        words.lengths, lambda drawn: wasserstein_1(drawn, theirs.lengths)
    )
    return [
        *(
            Score(f"ms-jaccard-{n}", float(shares.values[n - 1]), {"n": n, **sign}, shares.error(n))
            for n in JACCARD_ORDERS
        ),
        Score("length-w1", distance, {"unit": "tokens", **sign}, error),
    ]


def _copy_scores(lines: Sequence[str], index: CopyIndex, sign: dict[str, Setting]) -> list[Score]:
    longest, verbatim = index.longest(lines), index.verbatim(lines)
    of_mean, of_p90 = standard_error.of_mean, standard_error.bootstrapped(longest, _p90)
    tokens: dict[str, Setting] = {"unit": "tokens", **sign}
    return [
        Score("copied", float(verbatim.mean()), sign, of_mean(verbatim)),
        Score("longest-copy-mean", float(longest.mean()), tokens, of_mean(longest)),
        Score("longest-copy-p90", _p90(longest), tokens, of_p90),
    ]


def _p90(lengths: IntArray) -> float:
    return float(np.percentile(lengths, 90))
