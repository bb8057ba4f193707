"""Mean sentence BLEU against all references ("text-GAN BLEU"), and Self-BLEU.

Each sentence is scored as by Papineni et al. 2002 (section 2.3) with a whole corpus as its
references, equal to nltk's `sentence_bleu` to 1e-12:

    BLEU-N(h) = BP(h) * exp((log p_1 + ... + log p_N) / N)
    p_n(h)    = sum over n-grams g of min(count_h(g), max over references of count(g))
                / max(1, |h| - n + 1)
    BP(h)     = 1 if |h| > r else exp(1 - r / |h|), r the closest reference length (tie: shorter)

nltk counts the references again for every hypothesis. Here they are the same for all of them, so
the maximum is taken once per n-gram, and the cost is linear in the number of sentences.

Legend: H hypotheses, S sentences, K distinct n-grams of one order, N the highest order.
"""

import sys
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from gantext.errors import UserError, nearest
from gantext.metrics.text.ngrams import (
    Encoded,
    Grams,
    IntArray,
    Sentences,
    Words,
    encode,
    find_ngrams,
    number_ngrams,
    number_words,
)
from gantext.metrics.text.presets import Smoothing
from gantext.metrics.text.sentence_counts import (
    SentenceCounts,
    clipped,
    highest_counts,
    repeated,
)

FloatArray = NDArray[np.float64]
# Chen and Cherry 2014, method 1: the numerator that stands for "no match".
EPSILON = 0.1


@dataclass(frozen=True)
class Matches:
    """What BLEU needs to know of H hypotheses.

    Attributes:
        clipped: (N, H); row n - 1 holds the clipped matches of order n (the numerators of p_n).
        lengths: (H,) words in each hypothesis.
        closest: (H,) the length of the closest reference, the shorter of two that are as close.
    """

    clipped: IntArray
    lengths: IntArray
    closest: IntArray


class ReferenceIndex:
    """The references' maximum counts, built once; hypotheses may then come in any chunks.

    `numbering` has the numbers of the references' words.

    Args:
        references: tokenised sentences, or what `encode_texts` made of their texts.
        max_order: N, the longest n-grams that are counted.

    Raises:
        UserError: there is no reference.
    """

    def __init__(self, references: Sentences | Encoded, max_order: int = 5) -> None:
        if not isinstance(references, Encoded):
            numbering = number_words(references)
            references = Encoded(encode(references, numbering), numbering)
        words, self.numbering = references
        if not words.lengths.size:
            raise UserError("BLEU needs at least one reference sentence")
        self.max_order = max_order
        self._lengths = np.unique(words.lengths)
        self._keys: list[IntArray] = []
        self._highest: list[tuple[IntArray, IntArray]] = []
        for grams in number_ngrams(words, max_order):
            self._keys.append(grams.keys())
            self._highest.append(_highest(repeated(grams)))

    def matches(self, hypotheses: Sentences | Words) -> Matches:
        """Count the clipped matches of H tokenised hypotheses, or of ones in its `numbering`."""
        words = hypotheses
        if not isinstance(words, Words):
            words = encode(words, self.numbering)
        found = zip(find_ngrams(words, self._keys), self._highest, strict=True)
        matches = [_clipped(grams, numbers, *highest) for (grams, numbers), highest in found]
        return Matches(np.array(matches), words.lengths, _closest(words.lengths, self._lengths))

    def bleu(self, hypotheses: Sentences | Words, smoothing: Smoothing = "method1") -> FloatArray:
        """Return (N, H): row n - 1 holds each hypothesis's BLEU-n, in 0..1."""
        return bleu_of_matches(self.matches(hypotheses), smoothing)


def _highest(rows: SentenceCounts) -> tuple[IntArray, IntArray]:
    """The n-grams that stand more than once in some sentence, and how often at most."""
    numbers, starts = np.unique(rows.numbers, return_index=True)  # they are sorted
    return numbers, np.maximum.reduceat(rows.counts, starts)


def _clipped(grams: Grams, numbers: IntArray, often: IntArray, highest: IntArray) -> IntArray:
    """The clipped matches of each hypothesis, (H,), in one order.

    Args:
        grams: of the hypotheses.
        numbers: (K,) the references' numbers of them, or -1.
        often: the references' n-grams that stand more than once in some sentence.
        highest: how often at most; all others stand there once.
    """
    rows = repeated(grams)
    most = np.ones(rows.numbers.size, np.int64)
    if often.size:
        wanted = numbers[rows.numbers]
        places = np.searchsorted(often, wanted).clip(max=often.size - 1)
        most = np.where(often[places] == wanted, highest[places], 1)
    return clipped(grams, numbers >= 0, rows, most)


def self_bleu(
    sentences: Sentences | Words, max_order: int = 5, smoothing: Smoothing = "method1"
) -> FloatArray:
    """Score each of S tokenised sentences against all the others.

    Only the sentence itself is left out: an equal one elsewhere remains a reference.

    Returns:
        (max_order, S): row n - 1 holds each sentence's Self-BLEU-n, in 0..1; 1 is a copy.

    Raises:
        UserError: there are fewer than two sentences.
    """
    words = sentences
    if not isinstance(words, Words):
        words = encode(words, number_words(words))
    size = words.lengths.size
    if size < 2:
        raise UserError(f"Self-BLEU needs at least 2 sentences, not {size}")
    # What stands at one place only begins nothing that stands elsewhere.
    shared = number_ngrams(words, max_order, lambda grams: grams.counts > 1)
    matches = np.array([_self_clipped(grams) for grams in shared])
    found = Matches(matches, words.lengths, _closest_other(words.lengths))
    return bleu_of_matches(found, smoothing)


def _self_clipped(grams: Grams) -> IntArray:
    """The clipped matches of each sentence with all the others, (S,), in one order."""
    rows = repeated(grams)
    numbers, which = np.unique(rows.numbers, return_inverse=True)
    again = np.bincount(which, rows.counts, numbers.size)
    once = (grams.counts[numbers] > again)[which]  # in some sentence
    first, second = highest_counts(SentenceCounts(which, rows.sentences, rows.counts), numbers.size)
    # The highest count elsewhere: the second highest where the highest is our own.
    most = np.where(rows.counts == first[which], second[which], first[which])
    return clipped(grams, grams.counts > 1, rows, np.maximum(most, once))


def bleu_of_matches(matches: Matches, smoothing: Smoothing) -> FloatArray:
    """Return BLEU-1..N of each hypothesis, (N, H).

    Smoothing `method1` puts 0.1 in the place of a zero numerator. `none` is nltk without a
    smoothing function: a p_n of zero becomes the smallest normal double, whose logarithm keeps
    BLEU-N at 1e-61 or less (one zero among five orders), not at exactly 0. `dropped` is nltk 3.2
    (2016 to 2018) without one: a p_n of zero is left out of the product, whose root stays the N-th,
    so that a sentence may have a higher BLEU-5 than BLEU-4. BLEU is always 0 where not even one
    word matches.
    """
    if smoothing not in get_args(Smoothing):
        choices = get_args(Smoothing)
        hint = nearest(smoothing, choices)
        raise UserError(f"no smoothing {smoothing!r}{hint}; choose from {', '.join(choices)}")
    orders = np.arange(1, len(matches.clipped) + 1)[:, None]  # (N, 1)
    totals = np.maximum(1, matches.lengths - orders + 1)  # (N, H)
    of_none = {"method1": EPSILON / totals, "none": sys.float_info.min, "dropped": 1.0}
    unmatched = of_none[smoothing]
    precisions = np.where(matches.clipped == 0, unmatched, matches.clipped / totals)
    means = np.cumsum(np.log(precisions), axis=0) / orders
    scores: FloatArray = _brevity_penalty(matches) * np.exp(means)
    scores[:, matches.clipped[0] == 0] = 0.0
    return scores


def _brevity_penalty(matches: Matches) -> FloatArray:
    """BP (H,); it is 1 for an empty hypothesis, whose score is 0 for want of a match."""
    ratio = matches.closest / np.maximum(1, matches.lengths)
    return np.asarray(np.exp(np.minimum(0.0, 1.0 - ratio)))


def _closest(lengths: IntArray, available: IntArray) -> IntArray:
    """The closest of the sorted `available` lengths to each of `lengths`; ties: the shorter."""
    above = np.searchsorted(available, lengths).clip(max=available.size - 1)
    below = np.maximum(above - 1, 0)
    return _nearer(lengths, available[below], available[above])


def _closest_other(lengths: IntArray) -> IntArray:
    """As `_closest`, among the lengths of all the other sentences (there are at least two)."""
    available, which, counts = np.unique(lengths, return_inverse=True, return_counts=True)
    if available.size == 1:
        return lengths
    below = np.append(available[1], available[:-1])
    above = np.append(available[1:], available[-2])
    other = np.where(counts > 1, available, _nearer(available, below, above))
    return other[which]


def _nearer(lengths: IntArray, shorter: IntArray, longer: IntArray) -> IntArray:
    """Elementwise the one of two lengths that is nearer to `lengths`; ties: `shorter`."""
    return np.where(np.abs(lengths - shorter) <= np.abs(longer - lengths), shorter, longer)
