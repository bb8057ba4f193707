"""Decoders that are no LSTM: step by step, what z may change, and where."""

import dataclasses
import itertools
import math
from typing import Any

import pytest
import torch

from gantext import data
from gantext.config.compose import compose
from gantext.data import Reads
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.models.vae.attending import (
    RelationalDecoder,
    TextDecoderConfig,
    latent_decoder,
)
from gantext.models.vae.networks import GivenLatent, Injection, LatentDecoder, LSTMDecoder
from gantext.nn.text.generator import Arch
from gantext.nn.text.relational import RelationalConfig
from gantext.nn.text.sampling import SamplingOptions, decode
from gantext.nn.text.transformer import TransformerConfig
from tests.models import test_contract as contract
from tests.models.test_contract import made, overrides
from tests.models.vae.test_networks import SIZE, TOKENS, WORDS, check_step_by_step, latent, rng

OTHERS = [arch for arch in Arch if arch is not Arch.lstm]
SIZES: dict[str, Any] = {
    **{"embedding": 6, "hidden": 5, "layers": 1, "tie_weights": True, "dropout": 0.0},
    **{"embedding_dropout": 0.0, "word_dropout": 0.0, "z_inject": Injection.both},
    "transformer": TransformerConfig(8, 2, 2, 12, 0.0),
    "relational": RelationalConfig(6, 2, 2, 4, 0.0),
}


def decoder(arch: Arch, **changes: object) -> LatentDecoder:
    config = TextDecoderConfig(arch=arch, **{**SIZES, **changes})
    found = latent_decoder(WORDS, TOKENS.shape[1], SIZE, config, rng(1))
    with torch.no_grad():  # large enough that every dependence shows
        for parameter in found.parameters():
            parameter.mul_(3)
    return found


CASES = [*itertools.product(OTHERS, Injection)]


@pytest.mark.parametrize("arch, inject", CASES)
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_teacher_forcing_equals_step_by_step(arch: Arch, inject: Injection, rate: float) -> None:
    check_step_by_step(decoder(arch, z_inject=inject, word_dropout=rate))


@pytest.mark.parametrize("arch, inject", CASES)
def test_every_row_reads_its_own_z(arch: Arch, inject: Injection) -> None:
    model, z = decoder(arch, z_inject=inject), latent()
    before = model.log_prob(TOKENS, z)
    z[1] += 1
    changed = (model.log_prob(TOKENS, z) - before).abs() > 1e-4
    assert changed.tolist() == [False, True, False]


@pytest.mark.parametrize("arch", OTHERS)
def test_words_come_after_what_z_gives_and_after_no_later_word(arch: Arch) -> None:
    """A word changes what is read after it, and nothing before."""
    model, z, other = decoder(arch), latent(), TOKENS.clone()
    other[0, 1] = 8
    one, two = (model.valid_features(tokens, z) for tokens in (TOKENS, other))
    same = (one - two).abs().amax(1) < 1e-6
    steps = (TOKENS != PAD).cumsum(1)[TOKENS != PAD]  # the step of each place, from 1
    row = (TOKENS != PAD).nonzero()[:, 0]
    assert same.tolist() == [bool(r != 0 or t <= 2) for r, t in zip(row, steps, strict=True)]


@pytest.mark.parametrize("arch", OTHERS)
def test_greedy_decoding_follows_z_and_not_the_seed(arch: Arch) -> None:
    model, greedy, z = decoder(arch), SamplingOptions(0.0), 3 * latent(20)
    one = decode(GivenLatent(model, z), 20, 5, rng(1), greedy)
    assert torch.equal(one, decode(GivenLatent(model, z), 20, 5, rng(2), greedy))
    assert torch.equal(one[7:9], decode(GivenLatent(model, z[7:9]), 2, 5, rng(1), greedy))
    assert len(one.unique(dim=0)) > 3


@pytest.mark.parametrize("arch", OTHERS)
def test_its_weights_are_drawn_anew_as_at_first(arch: Arch) -> None:
    """An autoencoder's decoder is: other numbers, of the same kind."""
    model = latent_decoder(WORDS, 5, SIZE, TextDecoderConfig(arch=arch, **SIZES), rng(1))
    before = {name: value.clone() for name, value in model.named_parameters()}
    model.draw(rng(2))
    for name, value in model.named_parameters():
        constant = len(before[name].unique()) == 1
        assert torch.equal(value, before[name]) == constant, name
        if value.numel() > 60 and not constant:
            assert value.std().item() == pytest.approx(before[name].std().item(), rel=0.5), name


@pytest.mark.parametrize("arch", OTHERS)
def test_its_weights_are_drawn_by_the_generator_that_it_is_given(arch: Arch) -> None:
    """Those of z too, Xavier's, and biases of 0."""
    config = TextDecoderConfig(arch=arch, **SIZES)
    one, two = (latent_decoder(WORDS, 5, SIZE, config, rng(1)) for _ in range(2))
    for name, value in one.named_parameters():
        assert torch.equal(value, two.get_parameter(name)), name
    assert one.to_word is not None and one.to_first is not None
    for linear in (one.to_word, one.to_first):
        bound = math.sqrt(6 / sum(linear.weight.shape))
        assert not linear.bias.any() and 0.8 * bound < linear.weight.abs().max() <= bound


def test_the_lstm_has_the_weights_that_it_had() -> None:
    config = TextDecoderConfig(arch=Arch.lstm, **SIZES)
    one = latent_decoder(WORDS, 5, SIZE, config, rng(1))
    two = LSTMDecoder(WORDS, SIZE, config, rng(1))
    assert isinstance(one, LSTMDecoder)
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name])


def test_a_width_that_is_no_multiple_of_the_heads() -> None:
    sizes = dataclasses.replace(SIZES["transformer"], heads=3)
    with pytest.raises(UserError, match=r"^model\.decoder\.transformer\.heads=3: width=8 is no"):
        decoder(Arch.transformer, transformer=sizes)


@pytest.mark.parametrize("arch", OTHERS)
def test_it_keeps_the_contract(arch: Arch, tmp_path: Any) -> None:
    """Finite steps, exact resume in each phase, samples by the seed, prompts."""
    words = [*overrides("vae"), f"model.decoder.arch={arch.value}", "model.pretrain_ae=1"]
    settings = compose([*words, "model.decoder.word_dropout=0.2"])
    small = made(settings, data.load_for(settings.data, Reads.text))
    contract.test_it_goes_on_exactly_in_the_middle_of_each_phase(small, tmp_path)
    contract.test_a_step_of_each_phase_is_finite(small)
    contract.check_written(small)
    contract.test_a_prompt_is_gone_on_from_by_ancestral_sampling(small)


def test_a_state_of_shorter_sentences_is_taken() -> None:
    config = TextDecoderConfig(arch=Arch.transformer, **SIZES)
    four, six = (latent_decoder(WORDS, length, SIZE, config, rng(length)) for length in (4, 6))
    six.load_state_dict(four.state_dict())
    tokens, z = TOKENS[:, :4], latent()
    torch.testing.assert_close(six.log_prob(tokens, z), four.log_prob(tokens, z))


def test_what_z_gives_is_added_to_the_memory_before_a_sentence() -> None:
    model, z = decoder(Arch.relational, z_inject=Injection.init), latent()
    assert isinstance(model, RelationalDecoder) and model.to_first is not None
    first = model.words.get_buffer("first")
    wanted = torch.cat([first + model.to_first(row).view_as(first) for row in z])
    assert torch.allclose(model.before_words(z)[0], wanted, atol=1e-6)
