"""Maximum-likelihood training: schedule, <unk>, and that it learns."""

import math

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.nn.optim import cosine_rate
from gantext.nn.text.fitting import MLEConfig, MLETrainer, hide_singletons, mean_nll
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from gantext.nn.text.weighting import Weighting

ALIKE = (Weighting.none, 1e-7, 0.2, 0.3)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_cosine_rate_at_its_defining_points():
    """Warm-up 10: step 4 has 5/10 of the (still nearly full) rate; the middle of 100 steps has
    the mean of 1 and the final share 0.2; the end has 0.2."""
    assert cosine_rate(4, 10**9, 10, 0.2) == pytest.approx(0.5)
    assert cosine_rate(50, 100, 10, 0.2) == pytest.approx(0.6)
    assert cosine_rate(100, 100, 10, 0.2) == pytest.approx(0.2)


def test_an_epoch_ends_with_a_short_batch():
    """10 sentences in batches of 4 are 3 steps; 3 epochs are 9."""
    assert MLEConfig(3, 4, 0.02, 0.1, 5, 0.0, 0.99, 5.0, 0.0, *ALIKE).steps(10) == 9


def test_only_singletons_are_hidden_and_at_the_stated_rate():
    tokens = torch.randint(4, 8, (400, 50), generator=rng(1))
    singletons = torch.zeros(8, dtype=torch.bool)
    singletons[5] = True
    hidden = hide_singletons(tokens, singletons, 0.3, rng(2))
    assert torch.equal(hidden[tokens != 5], tokens[tokens != 5])
    share = (hidden[tokens == 5] == UNK).float().mean().item()
    assert share == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / 5000))
    assert torch.equal(hide_singletons(tokens, singletons, 0.0, rng(2)), tokens)


def test_mean_nll_equals_cross_entropy_over_valid_tokens():
    model = LanguageModel(9, GeneratorConfig(6, 5, 1, True, 0.0, 0.0, Init.mixed), rng(1))
    tokens = torch.tensor([[4, 5, EOS, PAD], [6, 7, 8, EOS]])
    log_prob = model.token_log_prob(tokens)
    torch.testing.assert_close(mean_nll(model, tokens, None), -log_prob.sum() / 7)


@pytest.mark.parametrize("tie", [True, False])
def test_learns_a_toy_language_below_the_unigram_s_nll(tie):
    """Sentences 'a b a b ... <eos>' of fixed length 6: a unigram model needs at least 0.9 nats a
    token; an LSTM gets close to 0 nats since the next word is certain but for the first."""
    model = LanguageModel(6, GeneratorConfig(8, 16, 1, tie, 0.0, 0.0, Init.mixed), rng(1))
    config = MLEConfig(30, 16, 0.02, 0.1, 5, 0.0, 0.99, 5.0, 0.0, *ALIKE)
    trainer = MLETrainer(model, config, torch.zeros(6, dtype=torch.bool), config.steps(64))
    first, second = [4, 5] * 3 + [EOS], [5, 4] * 3 + [EOS]
    batch = torch.tensor([first, second] * 8)
    for i in range(trainer.total):
        found = trainer.step(batch, rng(i))
    counts = torch.bincount(batch.reshape(-1)).float()
    shares = counts[counts > 0] / counts.sum()
    unigram = -(shares * shares.log()).sum().item()
    assert unigram > 0.9
    assert found["nll"].item() < 0.25 < unigram


def test_weights_and_betas_are_the_chosen_ones():
    """Normal: up to 64 x 256 numbers of deviation .1, within 5 standard errors; of the two biases
    that torch adds up in a gate one is 0."""
    model = LanguageModel(64, GeneratorConfig(64, 64, 1, False, 0.0, 0.0, Init.normal), rng(1))
    for name, weight in model.named_parameters():
        error = 0.1 / math.sqrt(2 * weight.numel())
        wanted = 0 if "bias_hh" in name else pytest.approx(0.1, abs=5 * error)
        assert weight.std().item() == wanted, name
    trainer = MLETrainer(
        model, MLEConfig(1, 4, 0.1, 1.0, 0, 0.0, 0.95, 5.0, 0.0, *ALIKE), torch.zeros(64), 1
    )
    assert trainer.optimiser.param_groups[0]["betas"] == (0.9, 0.95)


def test_dropout_is_drawn_from_the_given_generator_only():
    """The same generator state gives the same loss, whatever the global generator does."""
    model = LanguageModel(9, GeneratorConfig(6, 5, 2, True, 0.5, 0.3, Init.mixed), rng(1))
    tokens = torch.tensor([[4, 5, EOS, PAD], [6, 7, 8, EOS]])
    torch.manual_seed(1)
    one = mean_nll(model, tokens, rng(3))
    torch.manual_seed(2)
    assert torch.equal(one, mean_nll(model, tokens, rng(3)))
    assert not torch.equal(one, mean_nll(model, tokens, rng(4)))
    before = torch.get_rng_state()
    mean_nll(model, tokens, rng(3))
    assert torch.equal(before, torch.get_rng_state())
