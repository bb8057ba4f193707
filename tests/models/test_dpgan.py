"""DPGAN: rewards and losses by hand, the best discriminator, the gradient by enumeration."""

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from gantext.config.compose import compose
from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.errors import UserError
from gantext.models import dpgan
from gantext.models.contract import Task
from gantext.models.dpgan.config import Forcing
from gantext.models.dpgan.discriminator import (
    later_rewards,
    sentence_advantages,
    word_advantages,
)
from gantext.nn.text.adversary import ByLooks
from gantext.nn.text.lstm import TextGenerator
from tests.models.every_sentence import WORDS, T, all_sentences, sharpen, written_log_prob

CPU = torch.device("cpu")
CONFIG = compose(
    [
        "model=dpgan",
        "model.generator.embedding=8",
        "model.generator.hidden=8",
        "model.generator.dropout=0",
        "model.generator.word_dropout=0",
        "model.d_training.balance=fixed",
        "model.adversarial.batch_size=8",
    ]
).model


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(d: dict[str, Any] | None = None, **of_adversarial: Any) -> dpgan.DPGAN:
    config = dataclasses.replace(
        CONFIG,
        d_training=dataclasses.replace(CONFIG.d_training, **d or {}),
        adversarial=dataclasses.replace(CONFIG.adversarial, **of_adversarial),
    )
    task = Task(WORDS, T, 24, torch.zeros(WORDS, dtype=torch.bool), CPU)
    return dpgan.build(config, task, rng(3))


def let_write(model: TextGenerator, eos: float, four: float, five: float) -> None:
    """Let a model write <eos>, 4 and 5 with these probabilities, whatever it has read."""
    odds = {EOS: eos, 4: four, 5: five, UNK: 1e-30}
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        for word, p in odds.items():
            model.output.bias[word] = math.log(p)


def gradient(loss: Tensor, model: TextGenerator) -> list[Tensor]:
    """By the model's weights."""
    return list(torch.autograd.grad(loss, list(model.parameters())))


def test_rewards_by_hand() -> None:
    """D = (1/2 <eos>, 3/8, 1/8), G = 1/4 of 5, c = 2: -log D is log 2, log(8/3) and 3 log 2 = 2.08,
    which is cut to 2; with kappa = 1/2 a 5 pays 2 + log(1/4) / 2. S of a sentence is its mean.
    Of what G writes <unk> has no share."""
    model = make(reward_bound=2.0, own_surprise=0.5)
    let_write(model.discriminator.model, 1 / 2, 3 / 8, 1 / 8)
    let_write(model.generator, 1 / 4, 1 / 2, 1 / 4)
    with torch.no_grad():
        model.generator.output.bias[UNK] = 0.0
    tokens = torch.tensor([[4, EOS, PAD], [5, 4, 4]])
    four, end = math.log(8 / 3), math.log(2)
    rewards = model.discriminator.rewards(tokens)
    assert rewards.tolist() == [pytest.approx([four, end, 0]), pytest.approx([2, four, four])]
    paid = model.rewards(tokens)[1, 0].item()
    assert paid == pytest.approx(2 - math.log(4) / 2)


def test_looks_see_what_a_sentence_s_words_pay_above_what_was_expected() -> None:
    """D = (1/2 <eos>, 3/8, 1/8), G = (1/4, 1/2, 1/4), kappa = 0: b is log 2 / 4 + log(8/3) / 2 +
    3 log 2 / 4 at each word; "4 <eos>" pays log(8/3) and log 2, "5" 3 log 2."""
    model = make(own_surprise=0.0, reward_bound=50.0)
    let_write(model.discriminator.model, 1 / 2, 3 / 8, 1 / 8)
    let_write(model.generator, 1 / 4, 1 / 2, 1 / 4)
    four, two = math.log(8 / 3), math.log(2)
    found = model.held_out.judge.logits(torch.tensor([[4, EOS], [5, PAD]]))
    expected = two + four / 2
    wanted = [(four + two) / 2 - expected, 3 * two - expected]
    assert found.tolist() == pytest.approx(wanted, abs=1e-5)


def test_each_network_learns_at_its_own_rate() -> None:
    model = make({"learning_rate": 0.02}, learning_rate=0.01)
    pairs = (model.g_optimiser, model.generator), (model.d_optimiser, model.discriminator)
    for (optimiser, network), rate in zip(pairs, (0.01, 0.02), strict=True):
        (group,) = optimiser.param_groups
        assert group["lr"] == rate and group["params"][0] is next(network.parameters())


def test_the_discriminator_s_loss_by_hand() -> None:
    """D = (1/2, 3/8, 1/8), lambda = 1/2, c = 2: of samples S is log 2 of "<eos>" and 3 log 2 of
    "5", which the loss counts whole; of real ones (log(8/3) + log 2) / 2 of "4 <eos>" and 2 of
    "5"."""
    model = make(reward_bound=2.0)
    let_write(model.discriminator.model, 1 / 2, 3 / 8, 1 / 8)
    fake, real = torch.tensor([[EOS], [5]]), torch.tensor([[4, EOS], [5, PAD]])
    loss, found = model.discriminator.loss(real, fake, 0.5)
    four_end = (math.log(8 / 3) + math.log(2)) / 2
    assert float(found["r_fake"]) == pytest.approx((math.log(2) + 2) / 2)
    assert float(found["r_real"]) == pytest.approx((four_end + 2) / 2)
    # The value of what is past the bound stands in no loss, nor has it a gradient.
    assert loss.item() == pytest.approx((math.log(2) + 3 * math.log(2)) / 2 - four_end / 4)
    by_bias = gradient(loss, model.discriminator.model)[-1]
    odds = torch.tensor([1 / 2, 3 / 8, 1 / 8])
    words = torch.eye(3)
    wanted = (odds - words[0] + odds - words[2]) / 2 - (2 * odds - words[1] - words[0]) / 8
    assert by_bias[[EOS, 4, 5]].tolist() == pytest.approx(wanted.tolist(), abs=1e-6)


def test_the_discriminator_is_best_at_samples_less_real_text() -> None:
    """Of one word, G = (4, 2, 2) / 8 and P = (2, 3, 3) / 8: (G - P / 2) / (1 / 2) = (6, 1, 1) / 8,
    at which there is no gradient; at G there is one."""
    model = make(reward_bound=50.0)
    kinds = torch.tensor([EOS, 4, 5])
    fake, real = (kinds.repeat_interleave(torch.tensor(n))[:, None] for n in ([4, 2, 2], [2, 3, 3]))
    norms = []
    for odds in ((6 / 8, 1 / 8, 1 / 8), (4 / 8, 2 / 8, 2 / 8)):
        let_write(model.discriminator.model, *odds)
        loss, _ = model.discriminator.loss(real, fake, 0.5)
        norms.append(gradient(loss, model.discriminator.model)[-1].norm().item())
    assert norms[0] < 1e-6 and norms[1] > 0.05


@pytest.mark.parametrize("kappa", [0.0, 1.0])
def test_the_policy_gradient_is_that_of_the_expected_reward(kappa: float) -> None:
    """At gamma = 1, by all 15 sentences: sum_s G(s) grad of the loss of s = -grad sum_s G(s) R(s),
    with R the sum over its words. A sentence alone has no others to be held against: l_t = 0."""
    model = make(own_surprise=kappa, discount=1.0, reward_bound=50.0)
    sharpen(model.generator)
    sharpen(model.discriminator.model, 2)
    sentences, generator = all_sentences(), model.generator
    log_g = written_log_prob(generator, sentences).sum(1)
    rewards = model.rewards(sentences).sum(1)
    assert rewards.std() > 0.3
    wanted = gradient((log_g.exp() * rewards).sum(), generator)
    found = [torch.zeros_like(each) for each in generator.parameters()]
    for row, p in zip(sentences, log_g.exp().tolist(), strict=True):
        loss, _ = model.policy_loss(row[None])
        for total, each in zip(found, gradient(loss, generator), strict=True):
            total -= T * p * each
    assert max(each.abs().max().item() for each in wanted) > 0.01
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_what_is_to_be_expected_is_the_mean_over_the_vocabulary() -> None:
    """b_t against the sum over <eos>, 4 and 5 of G times the reward."""
    model = make(own_surprise=0.3, reward_bound=1.5)
    sharpen(model.generator)
    sharpen(model.discriminator.model, 2)
    prefix = torch.tensor([[4, 5]])
    words = torch.cat([prefix.repeat(3, 1), torch.tensor([[EOS], [4], [5]])], 1)  # (3, T)
    p = written_log_prob(model.generator, words)[:, -1].exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-5)
    wanted = (p * model.rewards(words)[:, -1]).sum().item()
    assert model.expected(words)[:, -1].tolist() == pytest.approx([wanted] * 3, rel=1e-4)


def test_a_discriminator_that_is_the_generator_pays_nothing() -> None:
    """With kappa = 1: log G - log D = 0 of every word, so that no weight of G moves."""
    model = make()
    sharpen(model.generator)
    model.begin()
    with torch.no_grad():  # D's <unk>, which G never writes, has no share
        for network in (model.generator, model.discriminator.model):
            network.output.bias[UNK] = -60
    loss, found = model.policy_loss(all_sentences())
    assert float(found["advantage_std"]) < 1e-4
    assert max(each.abs().max().item() for each in gradient(loss, model.generator)) < 1e-5


def test_later_rewards_and_advantages_by_hand() -> None:
    """gamma = 1/2: of (1, 2, 4) after each word 2/2 + 4/4 = 2, 2 and 0; another, (3, 1), has 1/2
    and 0. Less the other's: 3/2, 2 and 0 (nobody else has a third word: less the mean of its
    words, 1/4)."""
    rewards = torch.tensor([[1.0, 2, 4], [3, 1, 0]])
    valid = torch.tensor([[True, True, True], [True, True, False]])
    assert later_rewards(rewards, 0.5).tolist() == [[2, 2, 0], [0.5, 0, 0]]
    assert later_rewards(rewards, 0.0).tolist() == [[0, 0, 0], [0, 0, 0]]
    found = word_advantages(rewards, torch.full((2, 3), 0.5), valid, 0.5)
    assert found.tolist() == [[2, 3.5, 3.25], [1, -1.5, 0]]
    sentences = sentence_advantages(rewards, valid)
    assert sentences[0].tolist() == pytest.approx([7 / 3 - 2] * 3)
    assert sentences[1].tolist() == pytest.approx([2 - 7 / 3] * 2 + [0])


def test_teacher_forcing_by_hand() -> None:
    """D = (1/2, 1/4, 1/4), G = (1/4, 1/2, 1/4): of "4 <eos>" S is 2 log 2 and log 2, over their
    mean 4/3 and 2/3, and -log G log 2 and 2 log 2: 4/3 log 2; plain it is 3/2 log 2."""
    real = torch.tensor([[4, EOS]])
    for forcing, wanted in ((Forcing.rewarded, 4 / 3), (Forcing.plain, 3 / 2)):
        model = make(teacher_forcing=forcing)
        let_write(model.discriminator.model, 1 / 2, 1 / 4, 1 / 4)
        let_write(model.generator, 1 / 4, 1 / 2, 1 / 4)
        loss, nll = model.forced_loss(real, rng())
        assert loss.item() == pytest.approx(wanted * math.log(2))
        assert nll.item() == pytest.approx(3 / 2 * math.log(2))


def test_rewards_of_next_to_nothing_are_not_blown_up() -> None:
    """2e-7 of each word of "4 <eos>": a weight of 2e-7 / 1e-6 = 1/5 each, of log 2 and 2 log 2."""
    model = make(teacher_forcing=Forcing.rewarded)
    let_write(model.generator, 1 / 4, 1 / 2, 1 / 4)
    model.discriminator.rewards = lambda tokens: torch.full(tokens.shape, 2e-7)  # type: ignore[method-assign]
    loss, _ = model.forced_loss(torch.tensor([[4, EOS]]), rng())
    assert loss.item() == pytest.approx(3 / 5 * math.log(2))


def test_teacher_forcing_reads_with_dropout() -> None:
    model = make(teacher_forcing=Forcing.rewarded)
    model.generator.config = dataclasses.replace(model.generator.config, dropout=0.5)
    losses = [model.forced_loss(all_sentences(), rng(seed))[0].item() for seed in (1, 2, 1)]
    assert losses[0] == losses[2] != losses[1]


def norm(**adversarial: Any) -> float | None:
    """Of the gradient of a generator's step on real sentences; None: there is none."""
    model = make(**{"policy_weight": 0.0, "mle_weight": 1.0, **adversarial})
    real = all_sentences() if model.config.adversarial.mle_weight else None
    found = model.g_step(real, rng(1))
    assert ("reward" in found) == bool(model.config.adversarial.policy_weight)
    return float(found["g_grad_norm"]) if found else None


def test_each_part_of_the_generator_s_loss_has_its_weight() -> None:
    for once, thrice in (
        (norm(), norm(mle_weight=3.0)),
        *[tuple(norm(mle_weight=0.0, policy_weight=weight) for weight in (1.0, 3.0))],
    ):
        assert once and thrice == pytest.approx(3 * once, rel=1e-4)
    assert norm(policy_weight=1.0) != norm()


def test_without_trust_and_likelihood_there_is_no_step() -> None:
    model = make(mle_weight=0.0)
    model.held_out.trusted = False
    assert model.g_step(None, rng()) == {}


def test_each_step_has_real_sentences_of_its_own() -> None:
    """Those of the discriminator's steps come first, then the generator's."""
    model, seen = make({"batch_size": 3, "steps": 2}, batch_size=4), list[list[int]]()
    model.begin = lambda: seen.append([])  # type: ignore[method-assign]
    for name in ("g_step", "d_step"):
        setattr(model, name, lambda rows, noise: seen.append(rows[:, 0].tolist()) or {})
    model.adversarial_step(torch.arange(10)[:, None], rng())
    assert seen == [[], [6, 7, 8, 9], [0, 1, 2], [3, 4, 5]]
    seen.clear()
    model.d_step_alone(torch.arange(3)[:, None], rng())
    assert seen == [[], [0, 1, 2]]  # it is the generator before its first step
    assert model.state_dict()["adversarial_steps"] == 1
    assert make().state_dict()["adversarial_steps"] == 0


def test_the_discriminator_begins_as_the_generator_once() -> None:
    """Also in a model that takes the weights of another, but not where that had begun."""
    model = make({"learning_rate": 0.1})
    sharpen(model.generator)
    tokens = all_sentences()
    before = model.generator.token_log_prob(tokens)
    model.begin()
    assert torch.equal(model.discriminator.model.token_log_prob(tokens), before)
    model.d_step(tokens[:4], rng(1))
    after = model.discriminator.model.token_log_prob(tokens)
    model.begin()
    assert torch.equal(model.discriminator.model.token_log_prob(tokens), after)
    assert not torch.equal(after, before)
    other = make()
    other.load_pretrained(model.state_dict())
    other.begin()
    assert torch.equal(other.discriminator.model.token_log_prob(tokens), after)


@pytest.mark.parametrize(
    ("d", "adversarial", "said"),
    [
        ({"balance": ByLooks.held_out, "look_every": 0}, {}, "decides by looks"),
        ({}, {"policy_weight": 0.0, "mle_weight": 0.0}, "cannot both be 0"),
    ],
)
def test_values_that_do_not_go_together_are_refused(
    d: dict[str, Any], adversarial: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        make(d, **adversarial)


def test_a_step_without_rewards_draws_nothing() -> None:
    model = make(policy_weight=0.0)
    found = model.g_step(all_sentences(), rng())
    assert "reward" not in found and "nll" in found


def test_it_learns_by_rewards_alone() -> None:
    """Real text is "4 5 <eos>" and "5 <eos>", half and half, at log 2 a sentence: without teacher
    forcing, by a discriminator that learns faster, G comes from 3.5 nats to under 2."""
    real = torch.tensor([[4, 5, EOS], [5, EOS, PAD]]).repeat(24, 1)
    d = {"learning_rate": 0.03, "batch_size": 16, "steps": 3}
    model = make(d, mle_weight=0.0, batch_size=32, learning_rate=0.01)
    noise = rng(5)
    assert -model.log_prob(real).mean().item() > 3
    for _ in range(70):
        model.adversarial_step(real, noise)
    assert math.log(2) < -model.log_prob(real).mean().item() < 2
