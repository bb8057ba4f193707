"""What would fail or wait on a GPU, without one: the meta device refuses to be read by the host
and to meet CPU tensors, and a dispatch mode counts what makes the host wait."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gantext.data.vocabulary import EOS
from gantext.errors import UserError
from gantext.models.leakgan.features import LeakyTextCNN
from gantext.models.leakgan.generator import LeakGenerator
from gantext.models.leakgan.manager_worker import GoalCosine, GoalSchedule, LeakGeneratorConfig
from gantext.models.vae.model import free_bits
from gantext.models.vae.networks import (
    DecoderConfig,
    Encoder,
    EncoderConfig,
    GivenLatent,
    Injection,
    LSTMDecoder,
)
from gantext.nn.latent import gaussian_kl, reparameterise
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from gantext.nn.text.rewards import (
    leave_one_out_mean,
    policy_gradient_loss,
    previous_values,
    ranked,
)
from gantext.nn.text.rollouts import roll_out
from gantext.nn.text.sampling import SamplingOptions, decode
from gantext.nn.text.text_cnn import DiscriminatorConfig, TextCNN

META = torch.device("meta")


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def language_model(dropout: float = 0.0) -> LanguageModel:
    return LanguageModel(130, GeneratorConfig(6, 5, 2, False, dropout, dropout, Init.mixed), rng())


def leak_generator(schedule: GoalSchedule) -> LeakGenerator:
    discriminator = LeakyTextCNN(
        130, DiscriminatorConfig(4, (1, 3), (3, 3), 0.0, 0.0, -1.0), 6, rng()
    )
    config = LeakGeneratorConfig(
        6, 5, 4, True, 0.0, 0.0, 3, 2, schedule, GoalCosine.step, False, Init.mixed
    )
    return LeakGenerator(130, config, discriminator, rng())


@pytest.mark.parametrize(
    "options", [SamplingOptions(), SamplingOptions(0.7, 5, 0.9), SamplingOptions(0.0)]
)
def test_decode_stays_on_the_device(options: SamplingOptions) -> None:
    """Off the CPU the batch is not shrunk: nothing is read back."""
    tokens = decode(language_model().to(META), 4, 6, rng(), options)
    assert tokens.device == META and tokens.shape == (4, 6)
    with pytest.raises(RuntimeError, match="item"):
        decode(language_model().to(META), 4, 6, rng(), options, compact=True)


@pytest.mark.parametrize("schedule", list(GoalSchedule))
def test_leakgan_decodes_on_the_device(schedule: GoalSchedule) -> None:
    """And the host never waits, with few rows and with the table of words that many rows use."""
    generator = leak_generator(schedule).to(META)
    generator._leak[0].to(META)
    tokens = decode(generator, 4, 6, rng(), SamplingOptions())
    assert tokens.device == META and tokens.shape == (4, 6)
    for rows in (4, 40):
        with Waits() as found:
            decode(leak_generator(schedule), rows, 6, rng(), SamplingOptions(), compact=False)
        assert found.count == 0


def test_forward_passes_stay_on_the_device() -> None:
    tokens = torch.full((4, 6), 5, device=META)
    assert language_model(0.3).to(META).features(tokens, rng()).device == META
    config = DiscriminatorConfig(4, (2, 3), (3, 3), 0.2, 0.1, -1.0)
    discriminator = TextCNN(130, config, 6, rng()).to(META)
    for found in (
        discriminator.logits(tokens, rng()),
        discriminator.prefix_logits(tokens, rng()),
        discriminator.score(tokens),
        discriminator.penalty(),
    ):
        assert found.device == META


def latent_decoder(inject: Injection) -> LSTMDecoder:
    return LSTMDecoder(130, 3, DecoderConfig(6, 5, 2, True, 0.3, 0.1, 0.2, inject), rng())


@pytest.mark.parametrize("inject", list(Injection))
def test_the_vae_stays_on_the_device(inject: Injection) -> None:
    """Its loss, and its decoding, in which the host never waits."""
    encoder = Encoder(130, 3, EncoderConfig(6, 5, 0.3, 0.5), rng()).to(META)
    decoder = latent_decoder(inject)
    tokens = torch.full((4, 6), 5, device=META)
    mu, log_var = encoder(tokens, rng())
    z = reparameterise(mu, log_var, rng())
    assert free_bits(gaussian_kl(mu, log_var), 0.1, True).device == META
    with Waits() as found:
        decode(GivenLatent(decoder, torch.zeros(4, 3)), 4, 6, rng(), SamplingOptions(), False)
    assert found.count == 0
    decoder = decoder.to(META)
    assert decoder.features(tokens, z, rng()).device == META
    drawn = decode(GivenLatent(decoder, z), 4, 6, rng(), SamplingOptions())
    assert drawn.device == META and drawn.shape == (4, 6)


def test_rewards_stay_on_the_device() -> None:
    values, valid = torch.rand(4, 6, device=META), torch.ones(4, 6, device=META) > 0
    for found in (
        leave_one_out_mean(values, valid),
        previous_values(values, 2),
        ranked(values, valid, 12.0),
        policy_gradient_loss(values, values, valid, 6),
    ):
        assert found.device == META


class Waits(TorchDispatchMode):
    """Counts the operations whose result the host must wait for on a GPU."""

    NAMES = ("nonzero", "_local_scalar_dense", "is_nonzero", "masked_select", "unique", "equal")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.name().removeprefix("aten::").partition(".")[0]
        places = args[1] if name in ("index", "index_put_") else ()
        by_mask = any(p is not None and p.dtype == torch.bool for p in places)
        self.count += name.lstrip("_").startswith(tuple(n.lstrip("_") for n in self.NAMES))
        self.count += by_mask
        return func(*args, **(kwargs or {}))


def waits(length: int, compact: bool) -> int:
    model = language_model()
    with torch.no_grad():
        model.output.bias[EOS] = -50.0  # no sentence ends before its last step
    tokens = decode(model, 3, length, rng(), SamplingOptions())
    with Waits() as found:
        decode(model, 3, length, rng(), SamplingOptions(), compact)
        roll_out(model, tokens, 2, 1, rng(), compact=compact)
    return found.count


def test_the_host_waits_no_more_often_for_longer_sentences() -> None:
    """Once for the rows of a rollout (their numbers come with a copy that is not counted)."""
    assert waits(4, compact=False) == waits(12, compact=False) == 1
    assert waits(12, compact=True) > waits(4, compact=True) > 8


def test_a_noise_state_of_another_kind_of_device_is_refused() -> None:
    """A CUDA generator's state is 16 bytes, a CPU's 5,056: set_state would fail deep inside."""
    from gantext.training.stepper import Stepper

    stepper = object.__new__(Stepper)
    stepper.device, stepper.noise = torch.device("cpu"), rng()
    with pytest.raises(UserError, match="another kind of device than cpu"):
        stepper.load_state({"noise": torch.zeros(16, dtype=torch.uint8)}, Path("checkpoints"))
