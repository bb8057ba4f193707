"""The sequence GAN: the policy gradient is the exact one, balance, lag, state."""

import copy
import dataclasses
import itertools
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gantext import data
from gantext.config.compose import compose
from gantext.data import Reads
from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.models import gan
from gantext.models.contract import Task
from gantext.models.gan.config import settled
from gantext.nn.text.foretold import without_line
from gantext.nn.text.judges.config import Kind
from gantext.nn.text.lstm import at_words
from gantext.nn.text.sampling import SamplingOptions, decode
from tests.models import test_contract as contract
from tests.models.test_contract import made, overrides
from tests.nn.text import plain

CPU = torch.device("cpu")
TINY = [
    "model.generator.embedding=6",
    "model.generator.hidden=5",
    "model.generator.dropout=0",
    "model.generator.word_dropout=0",
    "model.discriminator.embedding=4",
    "model.discriminator.widths=[1,2]",
    "model.discriminator.filters=[3,3]",
    "model.discriminator.dropout=0",
    "model.mle.unk_rate=0",
    "model.adversarial.entropy_weight=0",
]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(*overrides: str, words: int = 6, length: int = 3) -> gan.GAN:
    cfg = compose(["model=gan", *TINY, *overrides]).model
    task = Task(words, length, 100, torch.zeros(words, dtype=torch.bool), CPU)
    model = gan.build(cfg, task, rng(3))
    with torch.no_grad():
        for parameter in model.generator.parameters():
            parameter.mul_(4.0)
        for parameter in model.discriminator.parameters():
            parameter.mul_(2.0)
    model.policy.rollout_policy.load_state_dict(model.generator.state_dict())
    return model


@pytest.mark.parametrize("asked", [False, True])
def test_updates_are_graphs_but_beside_a_critic_which_learns_by_updates_of_its_own(asked: bool):
    for baseline in ("previous", "critic"):
        cfg = compose(["model=gan", *TINY, f"model.adversarial.baseline={baseline}"]).model
        task = Task(6, 3, 100, torch.zeros(6, dtype=torch.bool), CPU, graphs=asked)
        model = gan.build(cfg, task, rng(3))
        assert model._g_update._graphs.asked is (asked and baseline != "critic")
        assert model._mle_update._graphs.asked is asked


def policy_loss(model: gan.GAN, tokens: torch.Tensor, noise: torch.Generator):
    return model.policy.loss(tokens, *model.policy.rewards(tokens, noise))


def all_sentences(length: int = 3) -> torch.Tensor:
    """Every sentence over the words 4 and 5: those that end within T words, and those cut there."""
    ended = [
        [*words, EOS, *[PAD] * (length - 1 - n)]
        for n in range(length)
        for words in itertools.product((4, 5), repeat=n)
    ]
    return torch.tensor([*ended, *itertools.product((4, 5), repeat=length)])


def likelihoods(network, rows: torch.Tensor) -> torch.Tensor:
    """log p of each sentence, with a gradient."""
    features = network.valid_features(rows)
    every = plain.log_probs(network.output_layer(written=True), features)
    chosen = every.gather(1, rows[rows != PAD][:, None])[:, 0]
    return at_words(chosen, rows).sum(1)


def exact_gradient(model: gan.GAN) -> torch.Tensor:
    """d/dtheta of sum over x of p(x) D(x), by enumeration."""
    rows = all_sentences()
    probability = likelihoods(model.generator, rows).exp()
    assert probability.sum().item() == pytest.approx(1.0, abs=1e-5)
    expected = (probability * model.discriminator.score(rows)).sum()
    return flat(torch.autograd.grad(expected, list(model.generator.parameters())))


def flat(gradients) -> torch.Tensor:
    return torch.cat([g.reshape(-1) for g in gradients]).double()


@pytest.mark.parametrize("baseline", ["none", "mean", "previous"])
@pytest.mark.parametrize("every", [1, 2])
def test_policy_gradient_is_the_gradient_of_the_expected_reward(baseline, every):
    """The mean of -T * (gradient of the loss) over 60 batches of 512 is the exact gradient, each
    element within 5 standard errors, and the vector's direction within 2% (cosine)."""
    model = make(
        f"model.adversarial.baseline={baseline}",
        f"model.adversarial.rollout_every={every}",
        "model.adversarial.reward_scale=none",
        "model.adversarial.rollouts=2",
    )
    exact = exact_gradient(model)
    draws = []
    for i in range(60):
        tokens = model.sample(512, rng(100 + i), SamplingOptions())
        loss, _ = policy_loss(model, tokens, rng(500 + i))
        gradient = torch.autograd.grad(loss, list(model.generator.parameters()))
        draws.append(-3 * flat(gradient))
    stacked = torch.stack(draws)
    mean, error = stacked.mean(0), stacked.std(0) / len(draws) ** 0.5
    assert ((mean - exact).abs() <= 5 * error + 1e-7).all()
    assert torch.cosine_similarity(mean, exact, dim=0) > 0.98


ONE = ("model.adversarial.reward=sentence", "model.adversarial.reward_scale=none")
LIMIT = 2.0
LOG_ODDS = f"model.adversarial.log_odds_bound={LIMIT}"
HELD = "model.adversarial.kl_weight=0.7"


@pytest.mark.parametrize(
    ("size", "options"),
    [
        (1, ["model.adversarial.baseline=none", LOG_ODDS, HELD]),
        (1, ["model.adversarial.baseline=ema", HELD, "model.adversarial.loss_reduction=sum"]),
        (2, ["model.adversarial.baseline=mean", LOG_ODDS, HELD]),
        (2, ["model.adversarial.baseline=mean"]),
    ],
    ids=["log-odds, held", "ema, summed, held", "leave-one-out, log-odds, held", "leave-one-out"],
)
def test_one_reward_a_sentence_and_the_anchor_by_enumeration(size, options):
    """The mean of the loss's gradient over all batches is, times -T, d/dtheta of the sum over x of
    p(x) (r(x) - .7 (log p(x) - log q(x))): the anchor's part is KL(p || q) of sentences."""
    length = 4 - size
    model, rows = make(*ONE, *options, length=length), all_sentences(length)  # 15, or 7
    weights, reward = list(model.generator.parameters()), model.policy.sentence_rewards(rows)
    likelihood = likelihoods(model.generator, rows)
    assert likelihood.exp().sum().item() == pytest.approx(1.0, abs=1e-5)
    apart = torch.zeros(len(rows))
    if HELD in options:
        apart = likelihood - likelihoods(model.policy.anchor.frozen, rows)
    if LOG_ODDS in options:
        assert 0 < (reward.abs() == LIMIT).sum() < len(rows)
    expected = (likelihood.exp() * (reward - 0.7 * apart)).sum()
    exact = flat(torch.autograd.grad(expected, weights, retain_graph=True))
    total, odds = torch.zeros_like(exact), likelihood.detach().exp()
    for batch in itertools.product(range(len(rows)), repeat=size):
        model.policy.ema.fill_(0.5)
        loss, _ = policy_loss(model, rows[list(batch)], rng())
        gradient = flat(torch.autograd.grad(loss, weights))
        total -= odds[list(batch)].prod().item() * gradient
    scale = 1 if "model.adversarial.loss_reduction=sum" in options else length
    torch.testing.assert_close(scale * total, exact, rtol=1e-3, atol=1e-5)


def test_a_ratio_of_language_models_rewards_by_enumeration():
    """r(x) = sigmoid(.5 (log p_backward(x from its end) - log p(x)) + .2); the mean of the loss's
    gradient over all sentences is, times -T, d/dtheta of the sum of p(x) r(x), r held as it is."""
    model = make(*ONE, "model.adversarial.baseline=none", "model.judge.kind=lm_ratio")
    rows = all_sentences()
    model.judge.calibrations = torch.tensor([[0.5, 0.2]]).double()
    model.judge.calibrated = True
    words = [[word for word in row if word > EOS] for row in rows.tolist()]
    ends = [row[len(own) :] for row, own in zip(rows.tolist(), words, strict=True)]
    turned = torch.tensor([own[::-1] + end for own, end in zip(words, ends, strict=True)])
    likelihood = likelihoods(model.generator, rows)
    backward = model.judge.members["lm_ratio"].backward.token_log_prob(turned).sum(1)
    wanted = (0.5 * (backward - model.log_prob(rows)) + 0.2).sigmoid().detach()
    reward = model.policy.sentence_rewards(rows)
    torch.testing.assert_close(reward, wanted, rtol=0, atol=1e-5)
    assert torch.equal(model.score(rows)["real"], reward)
    weights = list(model.generator.parameters())
    losses = torch.stack([policy_loss(model, row[None], rng())[0] for row in rows])
    expected = (likelihood.exp() * reward).sum()
    exact = flat(torch.autograd.grad(expected, weights, retain_graph=True))
    found = flat(torch.autograd.grad((likelihood.exp().detach() * losses).sum(), weights))
    torch.testing.assert_close(-3 * found, exact, rtol=1e-4, atol=1e-6)


def best_judge(network, rows: torch.Tensor, data: torch.Tensor):
    """A judge that knows both distributions of sentences, which are the rows."""
    places = {tuple(row): place for place, row in enumerate(rows.tolist())}
    known = (data.log() - likelihoods(network, rows)).detach()
    return lambda tokens: torch.stack([known[places[tuple(row)]] for row in tokens.tolist()])


@pytest.mark.parametrize("reward", ["sentence", "rollout"])
def test_maligan_climbs_the_likelihood_of_the_data_by_enumeration(reward):
    """A generator of uniform words, 4, 5 or <eos>, writes <eos> with 1/3 and each of the six others
    of two words with 1/9. The batch has each as often as it is written. The best D's odds are the
    data's probability over that, so that -T times the loss's gradient is the gradient of the sum of
    P(x) log p(x). Rollouts estimate what a first word's odds are by their mean."""
    words = f"model.adversarial.reward={reward}", "model.adversarial.baseline=none"
    scale = "model.adversarial.reward_scale=maligan"
    model = make(*words, scale, "model.adversarial.rollouts=2000", length=2)
    with torch.no_grad():
        model.generator.output.weight.zero_()
        model.generator.output.bias.zero_()
        model.policy.rollout_policy.load_state_dict(model.generator.state_dict())
    rows = all_sentences(2)
    data = torch.tensor([0.1, 0.3, 0.05, 0.25, 0.1, 0.15, 0.05])
    model.discriminator.log_odds = best_judge(model.generator, rows, data)
    weights = list(model.generator.parameters())
    likelihood = (data * likelihoods(model.generator, rows)).sum()
    exact = flat(torch.autograd.grad(likelihood, weights))
    written = rows[[0, 0, *range(len(rows))]]
    loss, found = policy_loss(model, written, rng(1))
    climbed = -2 * flat(torch.autograd.grad(loss, weights))
    near = {"rtol": 1e-4, "atol": 1e-6} if reward == "sentence" else {"rtol": 0.05, "atol": 0.02}
    torch.testing.assert_close(climbed, exact, **near)
    ratios = torch.tensor([0.3, 0.3, 0.3, 2.7, 0.45, 2.25, 0.9, 1.35, 0.45])
    share = ratios.sum().square() / (9 * ratios.square().sum())
    assert found["effective_share"].item() == pytest.approx(share.item(), rel=near["rtol"])


def test_what_is_foretold_is_taken_off_sentences_rewards_and_kept_in_the_state():
    words = *ONE, "model.adversarial.baseline=none", LOG_ODDS, "model.adversarial.reward_less=words"
    model, other, rows = make(*words), make(*words), all_sentences()
    judged, log_prob = model.policy.sentence_rewards(rows), model.log_prob(rows)
    found, _ = model.policy.rewards(rows, rng())
    wanted = without_line(judged, log_prob)[:, None] * (rows != PAD)
    torch.testing.assert_close(found, wanted)
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    second, _ = model.policy.rewards(rows, rng())
    assert second.equal(other.policy.rewards(rows, rng())[0]) and not second.allclose(found)
    assert "foretold" not in make().state_dict()
    for refused in (["reward_less=words"], ["reward=sentence", "reward_scale=maligan"]):
        options = [f"model.adversarial.{word}" for word in [*refused, "reward_less=likelihood"]]
        with pytest.raises(UserError, match="reward_less=likelihood"):
            make(*options, "model.adversarial.baseline=mean")


def test_the_first_words_are_not_rewarded_where_that_is_asked_for():
    rows = all_sentences()
    for words in ([], [*ONE, "model.adversarial.baseline=mean"]):
        model, after = make(*words), make(*words, "model.adversarial.reward_after=1")
        rewards, before = model.policy.rewards(rows, rng(1))
        wanted = model.policy.advantages(rewards, before, rows)
        found = after.policy.advantages(rewards, before, rows)
        assert not found[:, 0].any() and wanted[:, 0].any() and wanted[:, 1:].any()
        assert found[:, 1:].equal(wanted[:, 1:])
    with pytest.raises(UserError, match=r"reward_after: reward=constant rewards all words"):
        make("model.adversarial.reward=constant", "model.adversarial.reward_after=1")


def test_rollouts_and_prefixes_are_judged_by_log_odds_too():
    tokens = all_sentences()
    for reward in ("rollout", "prefix"):
        model = make(f"model.adversarial.reward={reward}", LOG_ODDS)
        found, _ = model.policy.rewards(tokens, rng(1))
        ends = found[range(len(tokens)), (tokens != PAD).sum(1) - 1]
        torch.testing.assert_close(ends, model.discriminator.logits(tokens).clamp(-LIMIT, LIMIT))


def test_the_anchor_is_dropped_as_the_phase_begins_and_stays():
    """At the first step there is nothing yet to hold; later there is, also after a resume."""
    words = ONE[0], HELD, "model.adversarial.baseline=mean", "model.adversarial.learning_rate=0.05"
    model, other = make(*words), make(*words)
    with torch.no_grad():
        for parameter in model.generator.parameters():
            parameter.add_(0.1)
    real = torch.tensor([[4, 5, EOS]]).repeat(model.phases()[2].rows, 1)
    start = [p.clone() for p in model.generator.parameters()]
    found = [model.adversarial_step(real, rng(i))["kl_anchor"].item() for i in range(2)]
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    found.append(other.adversarial_step(real, rng(2))["kl_anchor"].item())
    assert found[0] == pytest.approx(0, abs=1e-6) and min(found[1:]) > 1e-3
    for network in (model, other):
        kept = network.policy.anchor.frozen.parameters()
        assert all(torch.equal(a, b) for a, b in zip(start, kept, strict=True))
    assert "anchor" not in make().state_dict() and "average" not in make().state_dict()


def test_samples_and_scores_are_the_average_s_once_the_phase_has_begun():
    """What trains G and D is drawn by the generator itself."""
    words = ONE[0], "model.adversarial.baseline=mean", "model.adversarial.learning_rate=0.1"
    model = make("model.adversarial.ema=0.9", *words)
    options, tokens = SamplingOptions(), all_sentences()
    assert model.evaluated is model.generator
    real = torch.tensor([[4, 5, EOS]]).repeat(model.phases()[2].rows, 1)
    for i in range(2):
        model.adversarial_step(real, rng(i))
    average = model.average.module
    assert model.writer(1, rng()) is average is not model.generator
    assert model.log_prob(tokens).equal(average.token_log_prob(tokens).sum(1))
    assert not model.log_prob(tokens).equal(model.generator.token_log_prob(tokens).sum(1))
    drawn = model.sample(200, rng(5), options)
    assert drawn.equal(decode(average, 200, 3, rng(5), options))
    fakes = []
    model.d_trainer.step = lambda real, fake, r: fakes.append(fake) or {}
    model.d_step(tokens, rng(6))
    assert fakes[0].equal(decode(model.generator, len(tokens), 3, rng(6), options))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["reward=sentence"], "makes no rollouts for baseline=previous"),
        (["reward=constant", "log_odds_bound=5"], "reward=constant asks no judge"),
        (["kl_weight=1", "policy_weight=0"], "needs policy_weight above 0"),
        (["reward=prefix", "reward_scale=maligan"], "reward=rollout or sentence"),
    ],
)
def test_options_of_the_reward_that_do_not_go_together_are_refused(words, said):
    with pytest.raises(UserError, match=said):
        make(*(f"model.adversarial.{word}" for word in words))


def test_a_wrong_reward_layout_would_be_seen():
    """The check above can fail: rewards shifted by one step give another direction."""
    model = make("model.adversarial.baseline=none", "model.adversarial.reward_scale=none")
    exact = exact_gradient(model)
    honest = model.policy.rewards
    model.policy.rewards = lambda tokens, r: tuple(x.roll(1, 0) for x in honest(tokens, r))
    total = torch.zeros_like(exact)
    for i in range(60):
        tokens = model.sample(512, rng(100 + i), SamplingOptions())
        loss, _ = policy_loss(model, tokens, rng(500 + i))
        total -= 3 * flat(torch.autograd.grad(loss, list(model.generator.parameters()))) / 60
    assert torch.cosine_similarity(total, exact, dim=0) < 0.9


def test_policy_gradient_raises_a_known_reward():
    """With a fixed D that likes word 5, 150 steps make the words of samples mostly 5."""
    model = make(
        "model.adversarial.learning_rate=0.02",
        "model.d_training.steps=0",
        "model.adversarial.batch_size=64",
        length=5,
    )
    model.discriminator.score = lambda t: (t == 5).float().sum(1) / (t != PAD).sum(1)
    for i in range(150):
        model.g_step(None, rng(i))
    tokens = model.sample(500, rng(9), SamplingOptions())
    words = tokens[tokens > EOS]
    assert (words == 5).float().mean() > 0.9


def test_the_discriminator_learns_to_tell_word_4_from_the_generator_s_words():
    model = make("model.d_training.learning_rate=0.01", length=5)
    real = torch.tensor([[4, 4, 4, EOS, PAD]]).repeat(32, 1)
    for i in range(60):
        found = model.d_step(real, rng(i))
    assert found["d_accuracy_real"] > 0.9
    assert found["d_real"] > found["d_fake"] + 0.3
    gap = (found["d_accuracy_real"] + found["d_accuracy_fake"]) / 2 - 0.5
    assert found["d_gap"].item() == pytest.approx(gap.item())


def test_adaptive_balance_holds_a_strong_discriminator():
    """D is not updated once its recent accuracy is above the ceiling."""
    model = make(
        "model.d_training.balance=adaptive",
        "model.d_training.ceiling=0.6",
        "model.d_training.learning_rate=0.05",
        length=5,
    )
    real = torch.tensor([[4, 4, 4, EOS, PAD]]).repeat(64, 1)
    for i in range(80):
        found = model.d_step(real, rng(i))
    assert model.d_trainer.accuracy > 0.55
    before = [p.clone() for p in model.discriminator.parameters()]
    model.d_trainer.accuracy = 0.99
    found = model.d_step(real, rng(99))
    assert "d_grad_norm" not in found
    assert all(
        torch.equal(a, b) for a, b in zip(before, model.discriminator.parameters(), strict=True)
    )


def test_the_rollout_policy_lags_by_the_stated_share():
    """theta' = 1, theta = 3, lag 0.8: 0.8 * 1 + 0.2 * 3 = 1.4."""
    model = make("model.adversarial.rollout_lag=0.8")
    with torch.no_grad():
        for parameter in model.policy.rollout_policy.parameters():
            parameter.fill_(1.0)
        for parameter in model.generator.parameters():
            parameter.fill_(3.0)
    model.policy.lag()
    for parameter in model.policy.rollout_policy.parameters():
        torch.testing.assert_close(parameter, torch.full_like(parameter, 1.4))


def test_the_belief_before_a_word_is_that_in_its_prefix():
    """Before the second word of "4 5 5" D has read "4" alone, before the third "4 5"."""
    model = make("model.adversarial.reward=prefix", "model.adversarial.discount=0.5")
    tokens = torch.tensor([[4, 5, 5], [5, EOS, PAD]])
    belief = model.discriminator.prefix_logits(tokens).sigmoid()
    found, before = model.policy.rewards(tokens, rng(1))
    first, second, third = belief[0].tolist()
    assert before[0].tolist() == pytest.approx([0.0, first, second])
    assert before[1].tolist() == pytest.approx([0.0, belief[1, 0].item(), 0.0])
    expected = [(first + second / 2 + third / 4) / 1.75, (second + third / 2) / 1.5, third]
    assert found[0].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("reward", ["rollout", "prefix"])
@pytest.mark.parametrize("baseline", ["none", "mean", "previous", "ema", "critic"])
@pytest.mark.parametrize("scale", ["none", "rank", "standardise"])
def test_every_option_takes_a_step(reward, baseline, scale):
    model = make(
        f"model.adversarial.reward={reward}",
        f"model.adversarial.baseline={baseline}",
        f"model.adversarial.reward_scale={scale}",
        "model.adversarial.mle_weight=0.1",
        "model.adversarial.entropy_weight=0.01",
        "model.adversarial.batch_size=8",
        "model.d_training.batch_size=8",
        "model.d_training.steps=2",
        length=5,
    )
    phase = model.phases()[2]
    real = torch.tensor([[4, 5, EOS, PAD, PAD]]).repeat(phase.rows, 1)
    assert phase.rows == 24
    before = [p.clone() for p in model.generator.parameters()]
    found = phase.step(real, rng(1))
    assert all(torch.isfinite(torch.as_tensor(value)).all() for value in found.values())
    after = model.generator.parameters()
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_each_of_the_discriminator_s_steps_has_real_sentences_of_its_own():
    model = make(
        "model.adversarial.mle_weight=0.1",
        "model.adversarial.batch_size=3",
        "model.d_training.batch_size=4",
        "model.d_training.steps=2",
    )
    real, seen = torch.arange(11)[:, None], []
    model.d_step = lambda rows, r: seen.append(rows[:, 0].tolist()) or {}
    model.g_step = lambda rows, r: seen.append(rows[:, 0].tolist()) or {}
    assert model.phases()[2].rows == 11
    model.adversarial_step(real, rng(1))
    assert seen == [[8, 9, 10], [0, 1, 2, 3], [4, 5, 6, 7]]


def test_another_judge_s_real_sentences_come_after_those_of_the_discriminator():
    """Of one that asks the discriminator too, which has two steps of four each; what is left over
    nobody reads."""
    model, seen = make("model.d_training.batch_size=4", "model.d_training.steps=2"), []
    note = lambda rows, r: seen.append(rows[:, 0].tolist()) or {}  # noqa: E731
    config = SimpleNamespace(members=(Kind.lm_ratio, Kind.cnn))
    model.judge = SimpleNamespace(config=config, beside_rows=3, refresh=note, memory=7)
    model.d_step = note
    model.held_out.beside = lambda steps, rewarded: seen.append((steps, rewarded)) or {}
    model.judges_step(torch.arange(20)[:, None], True, rng())
    assert seen == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10], (2, True)]
    assert model.adversarial_steps == 1
    assert model.memory_later() == 7 and make().memory_later() == 0
    config.members = (Kind.lm_ratio,)
    assert not model.d_learns and model.d_rows == 0


def test_how_far_apart_rollouts_are_is_said_where_there_are_any():
    words = ("model.adversarial.rollout_every=auto", "model.d_training.balance=fixed")
    (said,) = make(*words, length=200).notes()
    assert said.startswith("rollouts after every 5 words") and not make(*words).notes()
    for none in ("reward=prefix", "policy_weight=0"):
        chosen = (f"model.adversarial.{none}", "model.adversarial.mle_weight=1")
        assert not make(*words, *chosen, length=200).notes()


def test_either_part_of_the_loss_may_be_left_out_but_not_both():
    """Without the policy gradient an adversarial step is one of maximum likelihood."""
    real = torch.tensor([[4, 5, EOS]]).repeat(64, 1)
    for left_out in ("policy_weight", "mle_weight"):
        model = make(f"model.adversarial.{left_out}=0", "model.adversarial.batch_size=8")
        phase = model.phases()[2]
        before = [p.clone() for p in model.generator.parameters()]
        phase.step(real[: phase.rows], rng(1))
        after = model.generator.parameters()
        assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    with pytest.raises(UserError, match="policy_weight and mle_weight cannot both be 0"):
        make("model.adversarial.policy_weight=0", "model.adversarial.mle_weight=0")


def test_a_constant_reward_asks_no_discriminator():
    """Every word's reward is 1, whatever baseline and scale are: the loss is -sum of log p over
    B * T = 15 * 3 places. The default baseline and scale would leave nothing of it."""
    model = make("model.adversarial.reward=constant", "model.adversarial.batch_size=8")
    tokens = all_sentences()
    loss, found = policy_loss(model, tokens, rng(1))
    log_prob = model.generator.token_log_prob(tokens, written=True)
    assert loss.item() == pytest.approx(-log_prob.sum().item() / (len(tokens) * 3), rel=1e-5)
    assert found["reward"] == 1 and found["advantage_std"] == 0
    _, second, third = model.phases()
    before = [p.clone() for p in model.discriminator.parameters()]
    real = torch.tensor([[4, 5, EOS]]).repeat(third.rows, 1)
    assert second.steps == 0 and "d_loss" not in third.step(real, rng(1))
    assert model.score(tokens) == {}  # it has learned nothing
    pairs = zip(before, model.discriminator.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_sum_is_the_mean_times_all_places():
    """Of 15 sentences of at most 3 words."""
    mean, summed = make(), make("model.adversarial.loss_reduction=sum")
    tokens = all_sentences()
    losses = [policy_loss(model, tokens, rng(1))[0].item() for model in (mean, summed)]
    assert losses[1] == pytest.approx(len(tokens) * 3 * losses[0], rel=1e-4)


def test_the_discriminator_reads_fresh_sentences_and_fakes_of_its_own_temperature():
    model = make("model.d_training.fresh_real=true", "model.d_training.temperature=0.5")
    with pytest.raises(UserError, match=r"^model\.d_training\.fresh_real=true: no more sentences"):
        model.phases()
    model.task = dataclasses.replace(
        model.task, draw=lambda n, r: torch.full((n, 3), r.initial_seed())
    )
    taken = []
    model.sampler = lambda n, r, options: taken.append((n, options)) or all_sentences()[:n]
    model.d_trainer.step = lambda real, fake, r: taken.append(real) or {}
    draws = rng(1)
    for _ in range(2):
        model.d_step(all_sentences()[:2], draws)
    (first, real, second, other), options = taken, SamplingOptions(temperature=0.5)
    assert first == second == (2, options)
    assert real.shape == (2, 3) and not torch.equal(real, other)


RANKED = "model.judge.kind=ranker", "model.judge.ranker.references=4"


def test_auto_takes_another_judge_for_whole_sentences_of_captions_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The discriminator alone scores prefixes; of text from a known grammar it learns enough."""
    monkeypatch.setattr("gantext.nn.text.judges.config.is_installed", lambda: False)
    rare, held_out = torch.zeros(6, dtype=torch.bool), torch.full((1000, 2), EOS)
    captions = Task(6, 3, 100, rare, CPU, held_out=held_out)
    grammar = dataclasses.replace(captions, known=True)

    def taken(task: Task, *words: str) -> str:
        config = compose(["model=gan", "model.judge.kind=auto", *words]).model
        return settled(config, task).judge.kind.value

    assert taken(captions) == "lm_ratio"
    assert taken(grammar) == taken(captions, "model.adversarial.reward=prefix") == "cnn"
    assert taken(dataclasses.replace(captions, held_out=None)) == "cnn"


@pytest.mark.parametrize("judge", [(), RANKED], ids=["cnn", "ranker"])
def test_state_goes_round_and_training_goes_on_identically(judge):
    held = "model.adversarial.entropy_weight=held"
    words = "model.adversarial.mle_weight=0.1", held, *judge
    one, two = make(*words), make(*words)
    phase = one.phases()[2]
    real = torch.tensor([[4, 5, EOS]]).repeat(phase.rows, 1)
    phase.step(real, rng(1))
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    one.phases()[2].step(real, rng(2))
    two.phases()[2].step(real, rng(2))
    pairs = zip(one.networks().values(), two.networks().values(), strict=True)
    for a, b in pairs:
        for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True):
            assert torch.equal(x, y)


def test_a_ranker_rewards_by_its_log_odds_and_knows_which_of_two_words_is_real():
    """Real sentences are "4 4 4"; of others it thinks less, and rewards are what it thinks."""
    bound = "model.adversarial.log_odds_bound=50"
    model = make(*RANKED, *ONE, "model.adversarial.baseline=mean", bound)
    assert not model.score(all_sentences())
    real, fake = torch.full((64, 3), 4), torch.full((64, 3), 5)
    for i in range(30):
        model.d_trainer.step(real, fake, rng(i))
    odds = model.discriminator.log_odds(all_sentences())
    assert odds.argmax() == all_sentences().tolist().index([4, 4, 4]) and odds.max() > 0
    assert model.score(all_sentences())["real"].equal(odds.sigmoid())
    rewards, _ = model.policy.rewards(all_sentences(), rng())
    assert rewards[:, 0].equal(odds)


def test_a_ranker_needs_whole_sentences_and_some_of_a_step_to_rank():
    with pytest.raises(UserError, match="scores whole sentences"):
        make(*RANKED, "model.adversarial.reward=prefix")
    with pytest.raises(UserError, match="references=64: so many of the"):
        make(RANKED[0], "model.judge.ranker.references=64")


def test_the_entropy_bonus_lowers_the_loss_by_the_weighted_entropy():
    """Of 6 words <pad>, <bos> and <unk> are never written: with all logits 0 each of the other
    three has 1/3, and the entropy is log 3 a token.
    """
    plain, bonus = make(), make("model.adversarial.entropy_weight=0.25")
    with torch.no_grad():
        for parameter in [*plain.generator.parameters(), *bonus.generator.parameters()]:
            parameter.zero_()
    tokens = all_sentences()
    without, _ = policy_loss(plain, tokens, rng(1))
    weighted, found = policy_loss(bonus, tokens, rng(1))
    assert found["entropy"].item() == pytest.approx(math.log(3), rel=1e-6)
    assert (weighted - without).item() == pytest.approx(-0.25 * math.log(3), rel=1e-5)


def test_an_entropy_that_is_held_is_learned_of_each_batch():
    policy = make("model.adversarial.entropy_weight=held").policy
    before = policy.held_entropy.moments.clone()
    policy.loss(all_sentences(), *policy.rewards(all_sentences(), rng(1)))
    assert not policy.held_entropy.moments.equal(before)


def test_the_policy_gradient_has_its_weight():
    norms = []
    for weight in (1, 3):
        model = make(f"model.adversarial.policy_weight={weight}", "model.adversarial.mle_weight=0")
        norms.append(float(model.g_step(None, rng(1))["g_grad_norm"]))
    assert norms[0] and norms[1] == pytest.approx(3 * norms[0], rel=1e-4)


def test_the_moving_baseline_keeps_nine_tenths():
    """It begins at .5; rewards of mean 2 move it to .9 * .5 + .1 * 2 = .65, then to .785."""
    model = make("model.adversarial.baseline=ema", "model.adversarial.reward_scale=none")
    tokens = all_sentences()
    valid = (tokens != PAD).float()
    first = model.policy.advantages(2 * valid, valid, tokens)
    second = model.policy.advantages(2 * valid, valid, tokens)
    torch.testing.assert_close(first, 1.5 * valid)
    torch.testing.assert_close(second, 1.35 * valid)
    assert model.policy.ema.item() == pytest.approx(0.785)


def test_the_critic_begins_at_zero_and_learns_the_reward():
    model = make("model.adversarial.baseline=critic", "model.adversarial.reward_scale=none")
    tokens = all_sentences()
    rewards = 0.8 * (tokens != PAD).float()
    torch.testing.assert_close(model.policy.advantages(rewards, rewards, tokens), rewards)
    assert model.policy.critic.bias.item() == pytest.approx(0.01)  # its rate, Adam's first step
    for _ in range(300):
        left = model.policy.advantages(rewards, rewards, tokens)
    assert left.abs().max() < 0.1


def test_a_step_of_the_generator_takes_the_rollout_policy_along():
    model = make("model.adversarial.rollout_lag=0.75", "model.adversarial.batch_size=8")
    old = [p.clone() for p in model.policy.rollout_policy.parameters()]
    model.g_step(None, rng(1))
    pairs = zip(
        old, model.policy.rollout_policy.parameters(), model.generator.parameters(), strict=True
    )
    assert all(torch.allclose(now, 0.75 * was + 0.25 * new) for was, now, new in pairs)
    assert any(
        not torch.equal(a, b)
        for a, b in zip(old, model.policy.rollout_policy.parameters(), strict=True)
    )


def test_a_pretrained_run_gives_its_discriminator_if_it_has_one():
    source = make()
    with torch.no_grad():
        for parameter in [*source.generator.parameters(), *source.discriminator.parameters()]:
            parameter.add_(1.0)
    whole, alone = make(), make()
    before = alone.discriminator.state_dict()["output.weight"].clone()
    state = source.state_dict()
    whole.load_pretrained(state)
    alone.load_pretrained({key: part for key, part in state.items() if key != "discriminator"})
    for model in (whole, alone):
        for network in (model.generator, model.policy.rollout_policy):
            for key, value in source.generator.state_dict().items():
                assert torch.equal(network.state_dict()[key], value)
    for key, value in source.discriminator.state_dict().items():
        assert torch.equal(whole.discriminator.state_dict()[key], value)
    assert torch.equal(alone.discriminator.state_dict()["output.weight"], before)


def test_widths_and_filters_must_be_as_many():
    cfg = compose(["model=gan"]).model
    wrong = dataclasses.replace(cfg.discriminator, widths=(1, 2, 3), filters=(4,))
    task = Task(6, 3, 100, torch.zeros(6, dtype=torch.bool), CPU)
    with pytest.raises(Exception, match="as many"):
        gan.build(dataclasses.replace(cfg, discriminator=wrong), task, rng())


def test_a_word_for_the_entropy_s_weight_that_is_none_is_refused():
    with pytest.raises(UserError, match="entropy_weight=hold: it must be a number, held or auto"):
        make("model.adversarial.entropy_weight=hold")


def test_a_running_mean_of_rewards_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    settings = compose([*overrides("gan"), "model.adversarial.baseline=ema"])
    small = made(settings, data.load_for(settings.data, Reads.text))
    contract.test_it_goes_on_exactly_in_the_middle_of_each_phase(small, tmp_path)
    assert small.algorithm.policy.ema != 0
