"""Encoder and decoder: teacher forcing against step by step, what may depend on what."""

import dataclasses

import pytest
import torch

from gantext.data.vocabulary import BOS, EOS, PAD, UNK
from gantext.models.vae.networks import (
    BatchNormalisedMean,
    DecoderConfig,
    Encoder,
    EncoderConfig,
    GivenLatent,
    Injection,
    LatentDecoder,
    LSTMDecoder,
)
from gantext.nn.text import output_layer
from gantext.nn.text.dropout import hide_words
from gantext.nn.text.lstm import at_words
from gantext.nn.text.sampling import SamplingOptions, decode
from tests.nn.text import plain

WORDS, SIZE = 9, 3
TOKENS = torch.tensor([[4, 5, 6, EOS, PAD], [7, UNK, 4, 8, EOS], [5, EOS, PAD, PAD, PAD]])
DECODER = DecoderConfig(6, 5, 1, True, 0.0, 0.0, 0.0, Injection.both)
ENCODER = EncoderConfig(6, 5, 0.0, 0.0)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def decoder(**changes: object) -> LSTMDecoder:
    found = LSTMDecoder(WORDS, SIZE, dataclasses.replace(DECODER, **changes), rng(1))
    with torch.no_grad():  # large enough that every dependence shows
        for parameter in found.parameters():
            parameter.mul_(3)
    return found


def latent(rows: int = 3, seed: int = 2) -> torch.Tensor:
    return torch.randn(rows, SIZE, generator=rng(seed))


@pytest.mark.parametrize("inject", list(Injection))
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_teacher_forcing_equals_step_by_step(inject: Injection, layers: int, rate: float) -> None:
    check_step_by_step(decoder(z_inject=inject, layers=layers, word_dropout=rate))


def check_step_by_step(model: LatentDecoder) -> None:
    """Teacher forcing gives the scores that reading one word after the other gives."""
    z = latent()
    features = model.valid_features(TOKENS, z)
    parallel = plain.log_probs(model.output_layer(written=True), features)
    policy, found = GivenLatent(model, z), []
    state = policy.start(3)
    for t in range(TOKENS.shape[1]):
        found.append(policy.logits(state).log_softmax(-1)[:, : policy.vocab_size])
        state = policy.advance(state, TOKENS[:, t])
    steps = torch.stack(found, 1)[TOKENS != PAD]
    torch.testing.assert_close(parallel, steps, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("inject", list(Injection))
def test_every_row_reads_its_own_z(inject: Injection) -> None:
    model, z = decoder(z_inject=inject), latent()
    before = model.log_prob(TOKENS, z)
    z[1] += 1
    changed = (model.log_prob(TOKENS, z) - before).abs() > 1e-4
    assert changed.tolist() == [False, True, False]


def test_greedy_decoding_follows_z_and_not_the_seed() -> None:
    model = decoder()
    greedy = SamplingOptions(0.0)
    z = 3 * latent(20)
    one = decode(GivenLatent(model, z), 20, 6, rng(1), greedy)
    assert torch.equal(one, decode(GivenLatent(model, z), 20, 6, rng(2), greedy))
    assert torch.equal(one[7:9], decode(GivenLatent(model, z[7:9]), 2, 6, rng(1), greedy))
    assert len(one.unique(dim=0)) > 3
    assert not ((one == UNK) | (one == BOS)).any()


def test_a_policy_has_the_rows_of_its_z() -> None:
    with pytest.raises(ValueError, match="4 rows for 3 latent vectors"):
        GivenLatent(decoder(), latent()).start(4)


def test_chunked_log_prob_is_that_of_teacher_forcing(monkeypatch: pytest.MonkeyPatch) -> None:
    model, z = decoder(), latent()
    loss, wanted = model.nll(TOKENS, z)
    assert loss.requires_grad
    valid = TOKENS != PAD
    every = plain.log_probs(model.output_layer(), model.features(TOKENS, z)[valid])
    chosen = every.gather(1, TOKENS[valid][:, None])[:, 0].detach()
    torch.testing.assert_close(wanted, at_words(chosen, TOKENS).sum(1))
    torch.testing.assert_close(loss.detach(), -chosen.mean())
    for elements in (WORDS, 4 * WORDS, 2**20):
        monkeypatch.setattr(output_layer, "CHUNK_ELEMENTS", {"cpu": elements})
        found = model.log_prob(TOKENS, z)
        assert not found.requires_grad
        torch.testing.assert_close(found, wanted)


# Word dropout


@pytest.mark.parametrize("training", [True, False])
def test_word_dropout_one_makes_the_loss_independent_of_the_history(training: bool) -> None:
    """log p of the last word of each row does not move when the words before it change; with word
    dropout 0 it does."""
    other = torch.tensor([[6, 8, 5, EOS, PAD], [4, 4, 7, 5, EOS], [8, EOS, PAD, PAD, PAD]])
    z = latent()
    for rate, same in ((1.0, True), (0.0, False)):
        model = decoder(word_dropout=rate)
        one, two = (
            model.features(tokens, z, rng(3) if training else None)[tokens != PAD]
            for tokens in (TOKENS, other)
        )
        assert torch.allclose(one, two, atol=1e-6) == same


def test_hidden_words_have_the_stated_share_and_bos_stays() -> None:
    """10,000 words at .3: standard error .0046."""
    read = torch.full((100, 101), 5)
    read[:, 0] = BOS
    found = hide_words(read, 0.3, rng())
    assert (found[:, 0] == BOS).all() and set(found[:, 1:].unique().tolist()) == {UNK, 5}
    assert (found[:, 1:] == UNK).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(hide_words(read, 0.3, None), read)
    assert torch.equal(hide_words(read, 0.0, rng()), read)
    assert (hide_words(read, 1.0, None)[:, 1:] == UNK).all()


# Encoder


def test_the_posterior_depends_on_the_sentence_alone() -> None:
    """Not on padding, nor on the other rows."""
    encoder = Encoder(WORDS, SIZE, ENCODER, rng(1))
    mu, log_var = encoder(TOKENS)
    assert mu.shape == log_var.shape == (3, SIZE)
    for row, length in enumerate((4, 5, 2)):
        alone = encoder(TOKENS[row : row + 1, :length])
        torch.testing.assert_close(alone[0][0], mu[row])
        torch.testing.assert_close(alone[1][0], log_var[row])
    assert not torch.allclose(mu[0], mu[1], atol=1e-4)


def test_every_word_and_their_order_count() -> None:
    encoder = Encoder(WORDS, SIZE, ENCODER, rng(1))
    rows = torch.tensor([[4, 5, 6, EOS], [5, 4, 6, EOS], [8, 5, 6, EOS], [4, 5, 8, EOS]])
    mu, _ = encoder(rows)
    assert torch.pdist(mu.detach()).min() > 1e-5


def test_batch_normalised_means_have_the_fixed_scale() -> None:
    """In training a batch's mu has the learned mean and the deviation gamma (over N, not N - 1), so
    that its KL is at least Z (gamma^2 + bias^2) / 2 = 3 (.36 + .01) / 2; later the running
    statistics stand for the batch's: after one step of momentum .1, .9 of the first values."""
    norm = BatchNormalisedMean(3, 0.6)
    with torch.no_grad():
        norm.bias.fill_(0.1)
    mu = 5 + 2 * torch.randn(400, 3, generator=rng(4))
    found = norm(mu, True)
    torch.testing.assert_close(found.mean(0), torch.full((3,), 0.1), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.var(0, correction=0), torch.full((3,), 0.36))
    torch.testing.assert_close(norm.running_mean, 0.1 * mu.mean(0))
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * mu.var(0))
    shifted = (mu - norm.running_mean) / (norm.running_var + 1e-5).sqrt() * 0.6 + 0.1
    torch.testing.assert_close(norm(mu, False), shifted)
    assert [name for name, _ in norm.named_parameters()] == ["bias"]
    kl = 0.5 * found.square().sum(1).mean().item()
    assert kl == pytest.approx(3 * 0.37 / 2, rel=1e-4)


def test_gradients_reach_the_encoder_through_z_for_every_injection() -> None:
    for inject in Injection:
        encoder, model = Encoder(WORDS, SIZE, ENCODER, rng(1)), decoder(z_inject=inject)
        mu, _ = encoder(TOKENS)
        model.nll(TOKENS, mu)[0].backward()
        grad = encoder.heads.weight.grad
        assert grad is not None and grad[:SIZE].abs().sum() > 0
