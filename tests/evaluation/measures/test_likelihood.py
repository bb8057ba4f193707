"""The scores of likelihood, worked by hand."""

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gantext.data.corpus import Corpus, Sentences, build_corpus
from gantext.data.vocabulary import EOS, PAD, Vocabulary
from gantext.evaluation.ground import Ground, Real
from gantext.evaluation.measure import Protocol
from gantext.evaluation.measures import likelihood
from gantext.evaluation.measures.likelihood import likelihood_scores, true_likelihood
from gantext.evaluation.measures.truth import truth_scores
from gantext.evaluation.subjects import REAL, Subject
from gantext.nn.text.sampling import State
from tests.evaluation.measures.given import subject

LINES = ("a b", "a b c a", "b")


class Uniform:
    """Each word and <eos> costs a nat; then so does the sentence."""

    def log_prob(self, tokens: Tensor) -> Tensor:
        return -(tokens != PAD).sum(1).double() - 1


class Writing(Uniform):
    """a, b, c and <eos> have the odds 1, 4, 4 and 16, whatever stands before."""

    vocab_size = 7

    def writer(self, n: int, rng: torch.Generator) -> "Writing":
        return self

    def start(self, rows: int) -> State:
        return (torch.zeros(rows),)

    def advance(self, state: State, tokens: Tensor) -> State:
        return state

    def logits(self, state: State) -> Tensor:
        odds = torch.zeros(len(state[0]), 7)
        odds[:, [4, 5, 6, EOS]] = torch.tensor([1.0, 4.0, 4.0, 16.0])
        return odds.log()


class Known:
    """A truth of three nats a sentence."""

    def log_prob(self, sentences: Sequence[Sequence[str]]) -> np.ndarray:
        return np.full(len(sentences), -3.0)

    def entropy(self) -> float:
        return 3.0


class Some(Known):
    """A truth of a nat a word and two a sentence, that writes no sentence of one word."""

    def log_prob(self, sentences: Sequence[Sequence[str]]) -> np.ndarray:
        return np.array([-len(one) - 2.0 if len(one) > 1 else -math.inf for one in sentences])


def corpus(truth: Known | None, tested: Sequence[str] = LINES) -> Corpus:
    sentences, test = (Sentences.of(map(str.split, lines), lines) for lines in (LINES, tested))
    vocabulary = Vocabulary.build([line.split() for line in LINES], tokenizer="whitespace")
    return build_corpus("toy", vocabulary, sentences, sentences, test, truth=truth)


@pytest.mark.parametrize("truth", [None, Known()])
def test_sums_of_10_tokens_in_3_sentences(truth: Known | None) -> None:
    """Lengths with <eos> 3, 5, 2: 4 + 6 + 3 = 13 nats. Errors: .1, -.5 and .4 are more than
    1.3 a token, over the mean length of 10/3; 4, 6 and 3 nats have the variance 7/3; that of
    exp(x) is exp(x) times that of x."""
    data = corpus(truth)
    found = likelihood_scores(Uniform(), data, torch.device("cpu"))
    values = {score.name: score.value for score in found}
    expected = {"nll-test": 1.3, "nll-test-sentence": 13 / 3, "perplexity": math.exp(1.3)}
    if truth:
        expected["forward-kl"] = 13 / 3 - 3
    assert values == pytest.approx(expected)
    a_token, a_sentence = math.sqrt(0.42 / 2 / 3) * 3 / 10, math.sqrt(7 / 3 / 3)
    errors = [a_token, a_sentence, math.exp(1.3) * a_token, a_sentence]
    assert [score.error for score in found] == pytest.approx(errors[: len(found)])
    assert found[0].each == pytest.approx([0.03, -0.15, 0.12])
    assert {score.signature["data"] for score in found} == {data.hash}
    for score, unit in zip(found, ("token", "sentence", "token", "sentence"), strict=False):
        said = score.signature
        assert str(said["unit"]).endswith(unit)
        assert (said["sentences"], said["vocabulary"], said["eos"]) == (3, 7, True)
        assert said["tokenizer"] == "whitespace"


@pytest.mark.parametrize("tested", [("a b", "b"), ("a zebra b", "b")])
def test_at_temperature_2_odds_are_their_roots_and_unk_is_left_out(tested: Sequence[str]) -> None:
    """1, 2, 2 and 4 of 9: log 9 + log(9 / 2) + log(9 / 4) of the first, log(9 / 2) + log(9 / 4) of
    the second: 5 tokens, with an unknown word too, which no sample has."""
    found = likelihood_scores(Writing(), corpus(None, tested), torch.device("cpu"), 2.0)
    nats = math.log(9) + 2 * math.log(9 / 2) + 2 * math.log(9 / 4)
    assert found[0].value == pytest.approx(nats / 5)
    assert found[1].value == pytest.approx(nats / 2)
    said = found[0].signature
    assert said["temperature"] == 2
    assert said.get("unk") == ("left out" if "a zebra b" in tested else None)


def test_the_floor_is_the_truth_s_own() -> None:
    """Three sentences of three nats over 10 tokens; of a model it says nothing. They are .3, -1.5
    and 1.2 nats more than .9 a token, over the mean length of 10/3."""
    data = corpus(Known())
    ground = Ground("h", lambda: Real(corpus=data))
    asked = Protocol(preset="texygen", seed=0)

    def subject(name: str) -> Subject:
        return Subject(name, {}, {}, lambda: ((), None), 3)

    (score,) = true_likelihood(subject(REAL), ground, asked)
    assert (score.name, score.value) == ("nll-test-real", pytest.approx(0.9))
    assert score.error == pytest.approx(math.sqrt(3.78 / 2 / 3) * 3 / 10)
    assert score.signature.items() >= {"sentences": 3, "data": data.hash}.items()
    assert not true_likelihood(subject("run"), ground, asked)
    bare = Ground("h", lambda: Real(corpus=corpus(None)))
    assert not true_likelihood(subject(REAL), bare, asked)


def test_sentences_that_cannot_be_have_no_part_in_nll_oracle() -> None:
    """Two of three: 4 + 6 nats over 2 + 4 words, the first 2/3 of a nat more than 5/3 a word, the
    second as much less, over the mean length of 3."""
    data = corpus(Some())
    share, nats = truth_scores([line.split() for line in LINES], data)
    assert (share.name, share.value) == ("grammatical", pytest.approx(2 / 3))
    assert share.error == pytest.approx(1 / 3)  # sqrt(1 / 3) / sqrt 3
    assert (nats.name, nats.value) == ("nll-oracle", pytest.approx(10 / 6))
    assert nats.error == pytest.approx(2 / 9)
    for score in (share, nats):
        assert score.signature.items() >= {"sentences": 3, "data": data.hash}.items()
    assert not truth_scores([["a"]], corpus(None))


@pytest.mark.parametrize(
    ("found", "temperature", "why", "given"),
    [
        (True, None, "cold", True),
        (True, 0.5, "", True),
        (True, 0.5, "cold", False),
        (False, None, "", False),
    ],
)
def test_a_likelihood_is_of_models_that_have_one_at_the_temperature(
    found: bool, temperature: float | None, why: str, given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = SimpleNamespace(algorithm="algorithm", device="cpu")
    monkeypatch.setattr(likelihood, "_tested", lambda *_: (trained, "corpus") if found else None)
    monkeypatch.setattr(likelihood, "why_not", lambda model, heat: why)
    monkeypatch.setattr(likelihood, "likelihood_scores", lambda *words: list(words))
    protocol = Protocol(preset="x", seed=0, temperature=temperature)
    model: Any = "model"
    scores = likelihood.likelihood(subject("a", model=model), Ground("h"), protocol)
    assert scores == (["algorithm", "corpus", "cpu", temperature] if given else [])
