"""Multinomial naive Bayes of sentences' words and pairs of words (Wang & Manning 2012, section 2).

The best of the simple classifiers where examples are few. It draws nothing: the same sentences make
the same classifier.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Sentence = Sequence[int]  # words by their ids, without an end
Feature = tuple[int, ...]
VERSION = "nb-2gram-1"  # goes up with every change that changes what it says


@dataclass(frozen=True)
class Taught:
    """Sentences that it learns of, and the class of each, a place in K classes.

    Attributes:
        weight: as how many sentences each counts.
    """

    sentences: Sequence[Sentence]
    labels: Sequence[int]
    weight: float = 1.0


class NaiveBayes:
    """p(y | x) in proportion to p(y) times the product over x's features f of p(f | y).

    p(f | y) = (c(f, y) + 1) / (sum_f c(f, y) + F), c the weighted counts and F the different
    features that any class has; p(y) = (n(y) + 1) / (n + K). Features that no class has are left
    out.

    Args:
        parts: what it learns of, together.
        classes: K.
    """

    def __init__(self, parts: Iterable[Taught], classes: int) -> None:
        counts = [defaultdict[Feature, float](float) for _ in range(classes)]
        sizes = np.zeros(classes)
        for part in parts:
            for sentence, label in zip(part.sentences, part.labels, strict=True):
                sizes[label] += part.weight
                for feature in features(sentence):
                    counts[label][feature] += part.weight
        known = set().union(*counts)
        self.prior = np.log((sizes + 1) / (sizes.sum() + classes))  # (K,)
        totals = [math.log(sum(own.values()) + len(known)) for own in counts]
        self.log_prob = {
            feature: np.array(
                [
                    math.log(own.get(feature, 0.0) + 1) - total
                    for own, total in zip(counts, totals, strict=True)
                ]
            )
            for feature in known
        }

    def told(self, sentences: Iterable[Sentence]) -> NDArray[np.int64]:
        """The likeliest class of each, (N,)."""
        return np.array([self._told(sentence) for sentence in sentences], np.int64)

    def _told(self, sentence: Sentence) -> int:
        total = self.prior.copy()
        for feature in features(sentence):
            if feature in self.log_prob:
                total += self.log_prob[feature]
        return int(total.argmax())


def features(sentence: Sentence) -> Iterator[Feature]:
    """The words of a sentence, and its pairs of words that follow each other."""
    for word in sentence:
        yield (word,)
    yield from itertools.pairwise(sentence)
