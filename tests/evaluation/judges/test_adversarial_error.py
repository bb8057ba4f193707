"""The adversarial error: what cannot be told apart, what can, and its features."""

import math
import random
import zlib

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression

from gantext.evaluation.judges.adversarial_error import (
    _features,
    _fit,
    _scores,
    adversarial_error,
    buckets,
)


def sentences(count: int, words: str, seed: int) -> list[list[str]]:
    rng = random.Random(seed)
    return [rng.choices(words, k=rng.randint(4, 8)) for _ in range(count)]


def test_sentences_of_one_kind_cannot_be_told_apart() -> None:
    """200 of each are tested: 3 standard errors of the accuracy are 3 / (2 sqrt 400) = .075."""
    found, error = adversarial_error(sentences(400, "abcd", 1), sentences(400, "abcd", 2), 0)
    assert error == pytest.approx(0.025, rel=0.1)
    assert abs(found) < 0.075


def test_a_word_that_gives_all_away() -> None:
    fakes = [[*words, "z"] for words in sentences(100, "abcd", 1)]
    assert adversarial_error(fakes, sentences(100, "abcd", 2), 0)[0] == pytest.approx(0.5)


def test_a_third_of_the_sentences_have_it() -> None:
    """A third of the fakes say z: right of them 1/3 (others are guesses): accuracy about 2/3."""
    fakes = [[*w, "z"] if i % 3 == 0 else w for i, w in enumerate(sentences(600, "abcd", 1))]
    found, _ = adversarial_error(fakes, sentences(600, "abcd", 2), 0)
    assert found == pytest.approx(1 / 6, abs=0.07)


def test_the_order_of_words_counts() -> None:
    rng = random.Random(0)
    ordered = [sorted(rng.sample("abcdefgh", 5)) for _ in range(200)]
    mixed = [rng.sample("abcdefgh", 5) for _ in range(200)]
    assert adversarial_error(mixed, ordered, 0)[0] > 0.4


def test_the_seed_decides_and_nothing_else() -> None:
    fakes, real = sentences(60, "abcd", 1), sentences(60, "abce", 2)
    np.random.seed(1)
    first = adversarial_error(fakes, real, 3)
    assert adversarial_error(fakes, real, 3) == first


def test_ngrams_with_the_sentence_s_ends() -> None:
    """<s> a b </s>: 4 words, 3 pairs, 2 triples; the same in each process (crc32)."""
    grams = ["<s>", "a", "b", "</s>", "<s> a", "a b", "b </s>", "<s> a b", "a b </s>"]
    assert buckets(["a", "b"]) == sorted(zlib.crc32(gram.encode()) % 16_384 for gram in grams)


def test_the_regression_is_at_its_minimum() -> None:
    """There the gradient of the summed loss and of half the squared weights is zero, but the
    bias has no penalty."""
    lines = [*sentences(30, "abcd", 1), *sentences(30, "abce", 2)]
    features, labels = _features([lines[:30], lines[30:]]), torch.arange(60) >= 30
    weights, bias = (part.requires_grad_() for part in _fit(features, labels.float()))
    loss = F.binary_cross_entropy_with_logits(
        _scores(features, weights, bias), labels.float(), reduction="sum"
    )
    slopes = torch.autograd.grad(loss + weights.square().sum() / 2, [weights, bias])
    assert max(slope.abs().max() for slope in slopes) < 0.01 < weights.abs().max()


def test_it_is_that_of_scikit_learn_s_regression_on_the_other_halves() -> None:
    """Of each kind every other sentence is fitted, in an order that the seed draws, and the rest
    judged; a kind counts as much as the other, though it has fewer sentences."""
    kinds, rng = (sentences(61, "abcd", 1), sentences(40, "abce", 2)), np.random.default_rng(5)
    mixed = [[lines[place] for place in rng.permutation(len(lines))] for lines in kinds]

    def table(lines: list[list[str]]) -> np.ndarray:
        found = np.zeros((len(lines), 2**14))
        for row, line in zip(found, lines, strict=True):
            row[buckets(line)] = 1 / math.sqrt(len(buckets(line)))
        return found

    halves = [[one[half::2] for one in mixed] for half in (0, 1)]
    labels = [np.repeat([1, 0], [len(one) for one in half]) for half in halves]
    plain = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000)
    plain.fit(table([*halves[0][0], *halves[0][1]]), labels[0])
    right = plain.predict(table([*halves[1][0], *halves[1][1]])) == labels[1]
    shares = [right[labels[1] == kind] for kind in (1, 0)]
    found, error = adversarial_error(*kinds, seed=5)
    assert found == pytest.approx(sum(share.mean() for share in shares) / 2 - 0.5)
    errors = [share.std(ddof=1) / math.sqrt(len(share)) for share in shares]
    assert error == pytest.approx(math.hypot(*errors) / 2)
