"""Likelihoods in chunks: as of the plain output layer, by hand, without its large tensors."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gantext.data.vocabulary import PAD
from gantext.models.leakgan.features import LeakyTextCNN
from gantext.models.leakgan.generator import LeakGenerator
from gantext.models.leakgan.manager_worker import GoalCosine, GoalSchedule, LeakGeneratorConfig
from gantext.models.vae.networks import DecoderConfig, Injection, LSTMDecoder
from gantext.nn.text import lstm, output_layer
from gantext.nn.text.fitting import mean_nll
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from gantext.nn.text.output_layer import (
    OutputLayer,
    mean_word_nll,
    policy_nll,
    word_kl,
    word_log_prob,
)
from gantext.nn.text.text_cnn import DiscriminatorConfig
from tests.nn.text import plain

TOKENS, WORDS, SIZE = 23, 11, 3
NEVER = torch.tensor([0, 1])


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Case:
    """A layer in which two words never come, features, words and weights of either sign."""

    def __init__(self, kind: torch.dtype = torch.float32) -> None:
        self.features = torch.randn(TOKENS, SIZE, generator=rng(1)).to(kind).requires_grad_()
        self.weight = torch.randn(WORDS, SIZE, generator=rng(2)).to(kind).requires_grad_()
        self.bias = torch.randn(WORDS, generator=rng(3)).to(kind).requires_grad_()
        self.words = torch.randint(2, WORDS, (TOKENS,), generator=rng(4))
        self.weights = torch.randn(TOKENS, generator=rng(5)).to(kind)
        self.weights[3] = 0

    @property
    def layer(self) -> OutputLayer:
        return OutputLayer(self.weight, self.bias.index_fill(0, NEVER, -torch.inf))

    def gradients(self, loss: Tensor) -> list[Tensor]:
        """Of a multiple of the loss, by features, weight and bias."""
        inputs = (self.features, self.weight, self.bias)
        return [part.clone() for part in torch.autograd.grad(0.7 * loss, inputs)]


@pytest.fixture(params=[WORDS, 3 * WORDS, 2**19], ids=["SIZE tokens", "SIZE tokens too", "all"])
def chunked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of at least as many tokens as there are features: 3, 3 and all."""
    monkeypatch.setattr(output_layer, "CHUNK_ELEMENTS", {"cpu": request.param})


EACH = torch.linspace(-1, 1, TOKENS, dtype=torch.float64)  # a weight of each word's entropy


@pytest.mark.parametrize("entropy_weight", [0.0, 0.3, EACH], ids=["none", "one", "each"])
def test_the_policy_s_loss_is_the_plain_one_s(
    entropy_weight: float | Tensor, chunked: None
) -> None:
    """Losses, log p, entropies and gradients, to 1e-10 in float64."""
    case, tight = Case(torch.float64), {"rtol": 1e-10, "atol": 1e-12}
    given = case.features, case.words, case.weights, entropy_weight
    found, wanted = policy_nll(case.layer, *given), plain.nll(case.layer, *given)
    torch.testing.assert_close(tuple(found), wanted, **tight)
    assert not found.log_prob.requires_grad and not found.entropy.requires_grad
    torch.testing.assert_close(case.gradients(found.loss), case.gradients(wanted[0]), **tight)


def test_the_mean_is_the_plain_one_s(chunked: None) -> None:
    """In fp32 to 1e-6: sums are taken in another order. Words that never come get no gradient."""
    case = Case()
    loss, log_prob = mean_word_nll(case.layer, case.features, case.words)
    uniform = torch.full((TOKENS,), 1 / TOKENS)
    wanted = plain.nll(case.layer, case.features, case.words, uniform)
    torch.testing.assert_close((loss, log_prob), wanted[:2], rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(
        word_log_prob(case.layer, case.features, case.words), wanted[1].detach()
    )
    found, expected = case.gradients(loss), case.gradients(wanted[0])
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    assert (found[1][NEVER] == 0).all() and (found[2][NEVER] == 0).all()


def test_probabilities_are_written_over_the_scores_and_these_are_aligned() -> None:
    """5 words become 16, 16 stay 16, of which the further ones never come."""
    scores = torch.randn(2, 4, generator=rng())
    assert output_layer._normalised(scores, torch.tensor([[1], [2]]))[0].data_ptr() == (
        scores.data_ptr()
    )
    for words, wanted in ((5, 16), (16, 16), (17, 32)):
        layer = OutputLayer(torch.ones(words, 3), torch.zeros(words))
        filled = output_layer.aligned(layer)
        assert filled.weight.shape == (wanted, 3) and len(filled.bias) == wanted
        assert (filled.bias[words:] == -torch.inf).all() and not filled.weight[words:].any()
        assert torch.equal(filled.weight[:words], layer.weight) and not filled.bias[:words].any()
        assert (filled.weight is layer.weight) is (words == wanted)


@pytest.mark.parametrize("wide", [SIZE, 2 * SIZE])
def test_the_divergence_is_the_plain_one_s(wide: int, chunked: None) -> None:
    """Sum and gradients, to 1e-10 in float64, of q that reads as much as p, or twice as much; words
    that never come are 0 * log(0 / 0) = 0."""
    case, tight = Case(torch.float64), {"rtol": 1e-10, "atol": 1e-12}
    scored = 0.3 * case.weight.detach() + 0.1
    other = OutputLayer(
        torch.cat([scored, scored.flip(0)], 1)[:, :wide], (0.5 * case.layer.bias).detach()
    )
    read = torch.cat([case.features.flip(0), case.features], 1)[:, :wide].detach()
    loss, kl = word_kl(case.layer, case.features, other, read, case.weights)
    log_p = plain.log_probs(case.layer, case.features)[:, 2:]
    log_q = plain.log_probs(other, read)[:, 2:]
    wanted = (log_p.exp() * (log_p - log_q)).sum(1)
    torch.testing.assert_close(kl, wanted.detach(), **tight)
    assert (kl > 0).all() and not kl.requires_grad
    weighted = (case.weights * wanted).sum()
    torch.testing.assert_close(loss.detach(), weighted.detach(), **tight)
    torch.testing.assert_close(case.gradients(loss), case.gradients(weighted), **tight)


def test_a_divergence_by_hand() -> None:
    """p = (1/2, 1/2), q = (1/4, 3/4): (log 2 + log 2/3) / 2 = log(4/3) / 2; of weight 3."""
    p, q = (
        OutputLayer(torch.zeros(3, 1), torch.tensor([-torch.inf, 0.0, math.log(odds)]))
        for odds in (1, 3)
    )
    loss, kl = word_kl(p, torch.ones(1, 1), q, torch.ones(1, 1), torch.tensor([3.0]))
    assert kl.item() == pytest.approx(math.log(4 / 3) / 2)
    assert loss.item() == pytest.approx(1.5 * math.log(4 / 3))


def test_by_hand() -> None:
    """Scores 0 of 4 words that may come: log p = -log 4, entropy log 4, whatever is read; with
    weights 1 and -2 the loss is log 4 - 2 log 4. A bias of log 3 of one word: 3/6 against 1/6."""
    layer = OutputLayer(torch.zeros(5, 2), torch.tensor([-torch.inf, 0, 0, 0, 0]))
    words, read = torch.tensor([1, 4]), torch.randn(2, 2, generator=rng())
    found = policy_nll(layer, read, words, torch.tensor([1.0, -2.0]))
    assert found.loss.item() == pytest.approx(-math.log(4))
    assert found.log_prob.tolist() == pytest.approx([-math.log(4)] * 2)
    assert found.entropy.tolist() == pytest.approx([math.log(4)] * 2)
    layer.bias[4] = math.log(3)
    chosen = word_log_prob(layer, read, words)
    assert chosen.exp().tolist() == pytest.approx([1 / 6, 1 / 2])
    assert word_log_prob(layer, read, torch.tensor([0, 1]))[0] == -math.inf


def test_scores_of_any_size_stay_finite() -> None:
    """exp of 1,000 has no fp32; a score that is lower by 1,000 has log p -1,000."""
    layer = OutputLayer(torch.tensor([[1000.0], [0.0]]), torch.zeros(2))
    read = torch.ones(1, 1, requires_grad=True)
    loss, log_prob = mean_word_nll(layer, read, torch.tensor([1]))
    loss.backward()
    assert log_prob.item() == -1000 and read.grad is not None and read.grad.item() == 1000


def test_no_gradient_is_made_for_what_is_frozen() -> None:
    case = Case()
    case.weight.requires_grad_(False)
    loss, _ = mean_word_nll(case.layer, case.features, case.words)
    loss.backward()
    assert case.weight.grad is None
    assert case.features.grad is not None and case.bias.grad is not None


def test_in_bf16(chunked: None) -> None:
    """Products are bf16 and sums fp32: as far from fp32 as the plain layer under autocast."""
    case = Case()
    exact = mean_word_nll(case.layer, case.features, case.words)
    with torch.autocast("cpu", torch.bfloat16):
        loss, log_prob = mean_word_nll(case.layer, case.features, case.words)
        uniform = torch.full((TOKENS,), 1 / TOKENS)
        wanted = plain.nll(case.layer, case.features, case.words, uniform)
    assert loss.dtype == log_prob.dtype == torch.float32 and loss != exact[0]
    torch.testing.assert_close((loss, log_prob), wanted[:2], rtol=1e-5, atol=1e-5)
    found = case.gradients(loss)
    assert {part.dtype for part in found} == {torch.float32}
    torch.testing.assert_close(found, case.gradients(wanted[0]), rtol=2e-2, atol=2e-3)


# Models


class Largest(TorchDispatchMode):
    """The most elements of any tensor with a place for each word that torch makes meanwhile."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        made = [part for part in tree_leaves(result) if isinstance(part, Tensor)]
        sizes = [part.numel() for part in made if MANY in part.shape]
        self.elements = max(self.elements, *sizes, 0)
        return result


MANY, ROWS, LENGTH = 512, 6, 7  # a multiple of ALIGNED: weights need no copy that is wider


def sentences() -> Tensor:
    tokens = torch.randint(4, MANY, (ROWS, LENGTH), generator=rng(1))
    tokens[2, 4:] = PAD
    return tokens


def language_model() -> LanguageModel:
    return LanguageModel(MANY, GeneratorConfig(4, 3, 1, True, 0.2, 0.1, Init.mixed), rng(2))


def leak_generator() -> LeakGenerator:
    leak = LeakyTextCNN(
        MANY, DiscriminatorConfig(3, (1, 2), (2, 2), 0.0, 0.0, -1.0), LENGTH, rng(3)
    )
    config = LeakGeneratorConfig(
        4, 3, 2, True, 0.2, 0.1, 2, 2, GoalSchedule.block, GoalCosine.step, False, Init.mixed
    )
    return LeakGenerator(MANY, config, leak, rng(4))


def decoder() -> LSTMDecoder:
    config = DecoderConfig(4, 3, 1, True, 0.2, 0.1, 0.0, Injection.both)
    return LSTMDecoder(MANY, 2, config, rng(5))


def policy_step(model: LanguageModel, tokens: Tensor) -> Tensor:
    words = tokens[tokens != PAD]
    layer, features = model.output_layer(written=True), model.valid_features(tokens)
    return policy_nll(layer, features, words, torch.ones(len(words)), 0.1).loss


@pytest.mark.parametrize(
    ("make", "step"),
    [
        (language_model, lambda model, tokens: mean_nll(model, tokens, rng(6)).backward()),
        (language_model, lambda model, tokens: policy_step(model, tokens).backward()),
        (language_model, lambda model, tokens: model.token_log_prob(tokens)),
        (leak_generator, lambda model, tokens: mean_nll(model, tokens, rng(6)).backward()),
        (leak_generator, lambda model, tokens: model.token_log_prob(tokens)),
        (decoder, lambda model, tokens: model.nll(tokens, torch.ones(ROWS, 2))[0].backward()),
        (decoder, lambda model, tokens: model.log_prob(tokens, torch.ones(ROWS, 2))),
    ],
)
def test_no_model_makes_a_tensor_of_tokens_x_words(
    make: Callable[[], nn.Module],
    step: Callable[[nn.Module, Tensor], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """39 tokens of 512 words: 19,968 numbers in one; a chunk of 6 tokens has 3,072, and all words'
    weights at most as many."""
    monkeypatch.setattr(output_layer, "CHUNK_ELEMENTS", {"cpu": 5 * MANY})
    model, tokens = make(), sentences()
    with Largest() as largest:
        step(model, tokens)
    assert 0 < largest.elements <= 6 * MANY < (tokens != PAD).sum() * MANY / 6


def test_sentences_scored_some_at_a_time_are_scored_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    for model in (language_model(), leak_generator()):
        together = model.token_log_prob(sentences())
        for tokens in (1, 2 * LENGTH, 4 * LENGTH + 3):
            with monkeypatch.context() as patch:
                patch.setattr(lstm, "SCORED_TOKENS", tokens)
                torch.testing.assert_close(model.token_log_prob(sentences()), together)
