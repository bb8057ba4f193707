"""Generators of other architectures than the default: what the contract asks of every model."""

import itertools
from pathlib import Path

import pytest
import torch

from gantext import data
from gantext.config.compose import compose
from gantext.data import Reads
from gantext.nn.text.generator import Arch
from tests.models import test_contract as contract
from tests.models.test_contract import Small, made, overrides

# Of gan all that copies the generator: a lagging rollout policy, an anchor, an average; a critic.
COPIES = [
    "model.adversarial.rollout_lag=0.8",
    "model.adversarial.kl_weight=0.1",
    "model.adversarial.ema=0.5",
    "model.adversarial.baseline=critic",
]
MODELS = {"mle": [], "gan": COPIES, "cot": [], "jsdgan": [], "dpgan": []}
OTHERS = [arch for arch in Arch if arch is not Arch.lstm]


@pytest.fixture(
    params=itertools.product(MODELS, OTHERS), ids=lambda pair: f"{pair[0]}-{pair[1].value}"
)
def small(request: pytest.FixtureRequest) -> Small:
    """A model of small sizes before its first step."""
    name, arch = request.param
    words = [*overrides(name), *MODELS[name], f"model.generator.arch={arch.value}"]
    settings = compose([*words, "model.generator.dropout=0.1"])
    return made(settings, data.load_for(settings.data, Reads.text))


def test_it_keeps_the_contract(small: Small, tmp_path: Path) -> None:
    """Finite steps, exact resume in each phase, samples by the seed, prompts, likelihoods."""
    contract.test_it_goes_on_exactly_in_the_middle_of_each_phase(small, tmp_path)
    contract.test_a_step_of_each_phase_is_finite(small)
    contract.check_written(small)
    contract.test_a_prompt_is_gone_on_from_by_ancestral_sampling(small)
    contract.test_a_likelihood_does_not_depend_on_the_batch(small)


def test_its_weights_start_one_of_longer_sentences() -> None:
    """A state of sentences of 4 words is taken by a model for 6."""
    oracle = ["data=oracle", "data.vocab_size=9", "data.train_size=8", "data.hidden=4"]
    words = [word for word in overrides("mle") if not word.startswith("data")]
    for arch in OTHERS:
        four, six = (
            made(settings, data.load_for(settings.data, Reads.text))
            for length in (4, 6)
            for settings in [
                compose(
                    [*words, *oracle, f"data.length={length}", f"model.generator.arch={arch.value}"]
                )
            ]
        )
        six.algorithm.load_pretrained(four.algorithm.state_dict())
        tokens = four.data.test.tokens.padded()[:5]
        found, wanted = (each.algorithm.log_prob(tokens) for each in (six, four))
        torch.testing.assert_close(found, wanted)
