"""The scores of likelihood, worked by hand."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from gantext.data.corpus import Corpus, Sentences, build_corpus
from gantext.data.vocabulary import PAD, Vocabulary
from gantext.evaluation.measures.likelihood import likelihood_scores

LINES = ("a b", "a b c a", "b")


class Uniform:
    """Each word and <eos> costs a nat; then so does the sentence."""

    def log_prob(self, tokens: Tensor) -> Tensor:
        return -(tokens != PAD).sum(1).double() - 1


class Known:
    """A truth of three nats a sentence."""

    def log_prob(self, sentences: Sequence[Sequence[str]]) -> np.ndarray:
        return np.full(len(sentences), -3.0)

    def entropy(self) -> float:
        return 3.0


def corpus(truth: Known | None) -> Corpus:
    sentences = Sentences.of(map(str.split, LINES), LINES)
    vocabulary = Vocabulary.build([line.split() for line in LINES], tokenizer="whitespace")
    return build_corpus("toy", vocabulary, sentences, sentences, sentences, truth=truth)


@pytest.mark.parametrize("truth", [None, Known()])
def test_sums_of_10_tokens_in_3_sentences(truth: Known | None) -> None:
    """Lengths with <eos> 3, 5, 2: 4 + 6 + 3 = 13 nats."""
    found = likelihood_scores(Uniform(), corpus(truth), torch.device("cpu"))
    values = {score.name: score.value for score in found}
    expected = {"nll-test": 1.3, "nll-test-sentence": 13 / 3, "perplexity": math.exp(1.3)}
    if truth:
        expected["forward-kl"] = 13 / 3 - 3
    assert values == pytest.approx(expected)
    for score, unit in zip(found, ("token", "sentence", "token", "sentence"), strict=False):
        said = score.signature
        assert str(said["unit"]).endswith(unit)
        assert (said["sentences"], said["vocabulary"], said["eos"]) == (3, 7, True)
        assert said["tokenizer"] == "whitespace"
