"""LeakGAN: losses by hand, who learns from what, the phases, state."""

import copy
import dataclasses
import math

import pytest
import torch

from gantext.config.compose import compose
from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.models.contract import Guided, Judge, Task
from gantext.models.leakgan import model as leakgan
from gantext.models.leakgan.config import Reward, WorkerReward
from gantext.models.leakgan.manager_worker import (
    block_cosines,
    block_goals,
    block_intrinsic_rewards,
    goal_cosines,
    intrinsic_rewards,
)
from gantext.nn.optim import clipped_step
from gantext.nn.text.foretold import Less, without_line
from gantext.nn.text.judges.config import Kind
from gantext.nn.text.lstm import at_words
from gantext.nn.text.rewards import policy_gradient_loss, ranked, ranked_among
from gantext.nn.text.sampling import SamplingOptions, decode
from tests.nn.text import plain

CPU = torch.device("cpu")
TINY = [
    "model.generator.embedding=6",
    "model.generator.hidden=5",
    "model.generator.manager_hidden=4",
    "model.generator.goal_size=3",
    "model.generator.goal_steps=2",
    "model.generator.dropout=0",
    "model.generator.word_dropout=0",
    "model.discriminator.embedding=4",
    "model.discriminator.widths=[1,2]",
    "model.discriminator.filters=[3,3]",
    "model.discriminator.dropout=0",
    "model.mle.unk_rate=0",
    "model.mle.batch_size=8",
    "model.d_training.batch_size=8",
    "model.d_training.pretrain_batch_size=8",
    "model.d_training.pretrain_steps=20",
    "model.adversarial.batch_size=8",
    "model.adversarial.entropy_weight=0",
]
REAL = torch.tensor([[4, 5, 6, EOS, PAD], [5, 6, EOS, PAD, PAD]])


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(
    *overrides: str, words: int = 8, length: int = 5, train: int = 100, seed: int = 3
) -> leakgan.LeakGAN:
    cfg = compose(["model=leakgan", *TINY, *overrides]).model
    task = Task(words, length, train, torch.zeros(words, dtype=torch.bool), CPU)
    return leakgan.build(cfg, task, rng(seed))


def test_the_discriminator_is_pretrained_at_a_rate_of_its_own() -> None:
    model = make(
        "model.d_training.pretrain_learning_rate=0.02", "model.d_training.learning_rate=0.03"
    )
    for trainer, rate in ((model.d_pretrainer, 0.02), (model.d_trainer, 0.03)):
        [group] = trainer.optimiser.state_dict()["param_groups"]
        assert group["lr"] == rate


# Losses by hand

FEATURES = torch.tensor([[[0.0, 0], [1, 0], [1, 1], [3, 1]], [[0, 0], [0, 2], [0, 2], [0, 2]]])
GOALS = torch.tensor([[[1.0, 0], [0, 1], [1, 0]], [[0.0, 1], [1, 0], [0, 1]]])
HALF = math.sqrt(0.5)


def test_goal_cosines_by_hand():
    """c = 2. Row 0: f_2 - f_0 = (1, 1) against (1, 0): .7071; f_3 - f_1 = (2, 1) against (0, 1):
    1/sqrt(5); f_3 - f_2 = (2, 0) against (1, 0): 1. Row 1, which ended after one word: f_2 - f_0
    = (0, 2) against (0, 1): 1; then f does not move: 0."""
    expected = torch.tensor([[HALF, 1 / math.sqrt(5), 1.0], [1.0, 0.0, 0.0]])
    torch.testing.assert_close(goal_cosines(FEATURES, GOALS, 2), expected)


def test_features_that_differ_by_rounding_alone_have_not_moved():
    """Else the cosine, and the goal's gradient, were that of rounding errors: any direction."""
    features = torch.rand(1, 4, 50, generator=torch.Generator().manual_seed(0))
    features[:, 1] = features[:, 0] * (1 + 1e-7)
    goals = torch.nn.functional.normalize(torch.ones(1, 3, 50), dim=-1).requires_grad_()
    cosines = goal_cosines(features, goals, 1)
    assert cosines[0, 0] == 0 and (cosines[0, 1:] != 0).all()
    cosines.sum().backward()
    assert (goals.grad[0, 0] == 0).all() and goals.grad.isfinite().all()
    assert intrinsic_rewards(features, goals, 1)[0, 0] == 0


def test_a_move_counts_from_a_hundred_thousandth_of_the_features_on():
    """Of (2, 0) one of 3e-5 does, one of 1e-5 is rounding; of nothing none does."""
    features = torch.tensor([[[2.0, 0.0], [2.0, 3e-5], [2.0, 4e-5], [0.0, 0.0], [0.0, 0.0]]])
    goals = torch.tensor([[[0.0, 1.0]] * 4])
    found = goal_cosines(features, goals, 1)[0]
    assert found[[0, 1, 3]].tolist() == [1, 0, 0]


def test_intrinsic_rewards_by_hand():
    """c = 2. Row 0, word 0: f_1 - f_0 = (1, 0) against g_0 = (1, 0): 1. Word 1: f_2 - f_1 = (0, 1)
    against g_1 = (0, 1): 1, and f_2 - f_0 = (1, 1) against g_0: .7071; their mean. Word 2: f_3 -
    f_2 = (2, 0) against g_2: 1, f_3 - f_1 = (2, 1) against g_1 = (0, 1): 1/sqrt(5); their mean.
    Row 1, word 0: (0, 2) against (0, 1): 1."""
    found = intrinsic_rewards(FEATURES, GOALS, 2)
    expected = torch.tensor([1.0, (1 + HALF) / 2, (1 + 1 / math.sqrt(5)) / 2])
    torch.testing.assert_close(found[0], expected)
    assert found[1, 0].item() == pytest.approx(1.0)


def test_cosines_of_blocks_by_hand():
    """c = 2, the initial goal (1, 0). Words 0 and 1 follow it, word 2 the sum of g_0 and g_1, in
    both rows (.7071, .7071). Row 0: f_2 - f_0 = (1, 1): .7071; f_3 - f_2 = (2, 0): .7071. Its words
    have gone (1, 0), (1, 1) and (2, 0) since their block began: 1, .7071, .7071. Row 1 goes (0, 2)
    in block 0, which is 0 along (1, 0), and nowhere in block 1."""
    followed = block_goals(GOALS, torch.tensor([[1.0, 0]]), 2)
    torch.testing.assert_close(followed, torch.tensor([[[1.0, 0], [1, 0], [HALF, HALF]]] * 2))
    cosines = block_cosines(FEATURES, followed, 2)
    torch.testing.assert_close(cosines, torch.tensor([[HALF, HALF, HALF], [0, 0, 0]]))
    rewards = block_intrinsic_rewards(FEATURES, followed, 2)
    torch.testing.assert_close(rewards, torch.tensor([[1, HALF, HALF], [0, 0, 0]]))


def test_what_a_block_follows_is_what_its_words_are_written_by():
    """`followed_goals` embeds the same sums, and scales after it."""
    model = make("model.generator.goal_schedule=block", "model.generator.goal_cosine=block")
    worker, (_, goals) = model.generator.worker, model.generator.leak(REAL)
    embedded = torch.nn.functional.normalize(
        worker.embed(model.generator._block_goals(goals)), dim=-1
    )
    torch.testing.assert_close(embedded, worker.followed_goals(goals))


def test_cosines_are_per_step_and_per_row():
    """Turning one row's goal at one step changes that cosine and no other."""
    features, goals = torch.randn(3, 7, 4, generator=rng(1)), torch.randn(3, 6, 4, generator=rng(2))
    turned = goals.clone()
    turned[1, 2] = -goals[1, 2]
    before, after = goal_cosines(features, goals, 2), goal_cosines(features, turned, 2)
    changed = (before - after).abs() > 1e-6
    assert changed.nonzero().tolist() == [[1, 2]]
    assert after[1, 2].item() == pytest.approx(-before[1, 2].item())
    # Goal 2 rewards words 2 and 3: those that it says where to go from.
    moved = (intrinsic_rewards(features, goals, 2) - intrinsic_rewards(features, turned, 2)).abs()
    assert (moved > 1e-6).nonzero().tolist() == [[1, 2], [1, 3]]


def test_manager_and_worker_losses_by_hand():
    """T = 3, row 1 ends after one word. Manager, Q = (.5, 1, 0), (.25, ., .): cosines as above:
    -(.5 * .7071 + 1/sqrt(5) + .25) / 6. Worker, log p = (-1, -2, -3), (-4, ., .), rewards as
    above: (1 + 2 (1 + .7071)/2 + 3 (1 + 1/sqrt(5))/2 + 4) / 6."""
    valid = torch.tensor([[True, True, True], [True, False, False]])
    rewards = torch.tensor([[0.5, 1.0, 0.0], [0.25, 9.0, 9.0]])
    cosines = goal_cosines(FEATURES, GOALS, 2)
    root = 1 / math.sqrt(5)
    manager = policy_gradient_loss(cosines, rewards, valid, 3).item()
    assert manager == pytest.approx(-(0.5 * HALF + root + 0.25) / 6)
    log_prob = torch.tensor([[-1.0, -2, -3], [-4, 0, 0]])
    intrinsic = intrinsic_rewards(FEATURES, GOALS, 2)
    worker = policy_gradient_loss(log_prob, intrinsic, valid, 3).item()
    assert worker == pytest.approx((1 + (1 + HALF) + 1.5 * (1 + root) + 4) / 6)


def test_policy_loss_is_made_of_these():
    """The model's losses equal the formulas on its own features, goals and probabilities, word by
    word and sentence by sentence; with `baseline: none` and temperature 2."""
    paper = ("model.adversarial.baseline=none", "model.adversarial.worker_reward=intrinsic")
    model = make(*paper, "model.adversarial.temperature=2")
    tokens = model.sample(6, rng(1), SamplingOptions())
    rewards = torch.rand(tokens.shape, generator=rng(2))
    _, found = model.policy.loss(tokens, rewards)
    goals, features = model.trace(tokens)
    manager = worker = 0.0
    with torch.no_grad():
        state = model.generator.start(6)
        for s in range(tokens.shape[1]):
            log_probs = (model.generator.logits(state) / 2).log_softmax(-1)
            for b in (tokens[:, s] != PAD).nonzero()[:, 0].tolist():
                ahead = features[b, min(s + 2, tokens.shape[1])] - features[b, s]
                manager -= rewards[b, s] * torch.cosine_similarity(ahead, goals[b, s], 0)
                backs = range(1, min(2, s + 1) + 1)
                moved = [features[b, s + 1] - features[b, s + 1 - i] for i in backs]
                along = [goals[b, s + 1 - i] for i in backs]
                pairs = zip(moved, along, strict=True)
                reward = sum(torch.cosine_similarity(m, g, 0) for m, g in pairs) / len(moved)
                worker -= reward * log_probs[b, tokens[b, s]]
            state = model.generator.advance(state, tokens[:, s])
    assert found["manager_loss"].item() == pytest.approx(manager.item() / tokens.numel(), rel=1e-4)
    assert found["worker_loss"].item() == pytest.approx(worker.item() / tokens.numel(), rel=1e-4)


def test_the_rescaled_activation_ranks_shuffled_rewards_with_ties():
    """Rewards .2 .9 .2 .5 in any order: ranks 3.5, 1, 3.5, 2 of 4; delta 12."""
    rewards = torch.tensor([0.2, 0.9, 0.2, 0.5])
    expected = (12 * (0.5 - torch.tensor([3.5, 1, 3.5, 2]) / 4)).sigmoid()
    for seed in range(5):
        order = torch.randperm(4, generator=rng(seed))
        found = ranked(rewards[order][:, None], torch.ones(4, 1, dtype=torch.bool), 12.0)
        torch.testing.assert_close(found[:, 0], expected[order])


def test_real_sentences_join_the_ranking():
    """Samples .2 and .6 at step 0 among real ones of .5 and .9: ranks 4 and 2 of 4. At step 1 only
    the second sample is left, with .95: rank 1 of 3."""
    rewards = torch.tensor([[0.2, 0.0], [0.6, 0.95]])
    valid = torch.tensor([[True, False], [True, True]])
    found = ranked_among(rewards, valid, torch.tensor([0.5, 0.9]), 12.0)
    wanted = [[12 * (0.5 - 1), 0], [12 * (0.5 - 0.5), 12 * (0.5 - 1 / 3)]]
    torch.testing.assert_close(found, torch.tensor(wanted).sigmoid() * valid)
    alone = ranked_among(rewards, valid, torch.zeros(0), 12.0)
    torch.testing.assert_close(alone, ranked(rewards, valid, 12.0))


def test_real_sentences_join_one_after_the_other():
    """Of up to 3, one more every 2 steps: 0 0 1 1 2 2 3 3 3. All from the first step on without it;
    a resume goes on where it was."""
    model = make("model.adversarial.rank_real=3", "model.adversarial.rank_real_every=2")
    model.g_step = lambda real, r: joined.append(len(real)) or {}
    model.d_step = lambda real, r: {}
    joined, batch = [], REAL.repeat(model.phases()[2].rows, 1)
    for _ in range(9):
        model.adversarial_step(batch, rng(1))
    assert joined == [0, 0, 1, 1, 2, 2, 3, 3, 3]
    assert make("model.adversarial.rank_real=3").joining == 3
    assert model.state_dict()["adversarial_steps"] == 9


# Training


def weights(network: torch.nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in network.parameters()]


def changed(network: torch.nn.Module, before: list[torch.Tensor]) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def test_a_generator_step_leaves_the_discriminator_as_it_is():
    model = make("model.d_training.steps=0", "model.adversarial.mle_every=15")
    manager, worker = weights(model.generator.manager), weights(model.generator.worker)
    discriminator = weights(model.discriminator)
    phase = model.phases()[2]
    phase.step(REAL.repeat(phase.rows // 2, 1), rng(1))
    assert changed(model.generator.manager, manager) and changed(model.generator.worker, worker)
    assert not changed(model.discriminator, discriminator)


def test_pretraining_spreads_the_discriminator_s_steps():
    """100 sentences in batches of 8: 13 steps an epoch. With 6 D steps over 13, D changes in
    exactly 6 of them."""
    model = make("model.mle.epochs=1", "model.d_training.pretrain_steps=6")
    phase = model.phases()[0]
    assert (phase.steps, phase.rows) == (13, 8)
    moved = []
    for i in range(13):
        before = weights(model.discriminator)
        found = phase.step(REAL.repeat(4, 1), rng(i))
        moved.append(changed(model.discriminator, before))
        assert moved[-1] == ("d_loss" in found)
    assert sum(moved) == 6 and not all(moved[:6])


def test_more_discriminator_than_generator_steps_in_pretraining():
    """30 D steps over 13: two or three a step, each on real sentences of its own."""
    model = make("model.mle.epochs=1", "model.d_training.pretrain_steps=30")
    phase, seen, shown = model.phases()[0], [], []
    assert phase.rows == 24
    model.d_step = lambda real, r, trainer: seen.append(real) or {}
    show = model.trainer.shown
    model.trainer.shown = lambda rows, r: shown.append(len(rows)) or show(rows, r)
    for i in range(13):
        phase.step(REAL.repeat(12, 1), rng(i))
    assert len(seen) == 30 and all(len(real) == 8 for real in seen)
    assert shown == [8] * 13  # the generator's batch is as large as ever


def test_one_step_of_pretraining_has_so_many_of_the_discriminator_s_at_most():
    """13 steps of G; 10,000 of D in each go, one more does not. Without any of G there are none."""
    words = "model.mle.epochs=1", "model.d_training.pretrain_steps"
    assert make(words[0], f"{words[1]}=130000").d_steps == 10_000
    with pytest.raises(UserError, match=r"10,001 for each of the 13 steps .* at most 10,000"):
        make(words[0], f"{words[1]}=130001")
    assert make("model.mle.epochs=0", f"{words[1]}=20000").phases()[0].steps == 0
    assert make(words[0], f"{words[1]}=20", train=8).phases()[0].rows == 20 * 8


def test_what_pretraining_depends_on_is_said():
    """On how many steps it has where D's are spread over them, or where its rate falls."""
    still = "model.mle.final_rate=1"
    none, some = "model.d_training.pretrain_steps=0", "model.d_training.pretrain_steps=6"
    assert make(still, none).phases()[0].tied == ""
    assert make(still, some).phases()[0].tied.startswith("the discriminator's steps are spread")
    for word in (none, some):
        assert make("model.mle.final_rate=0.5", word).phases()[0].tied.startswith("its learning")


def test_the_policy_gradient_has_its_weight():
    norms = []
    for weight in (1, 3):
        model = make(f"model.adversarial.policy_weight={weight}")
        norms.append(float(model.g_step(REAL[:0], rng(1))["g_grad_norm"]))
    assert norms[0] and norms[1] == pytest.approx(3 * norms[0], rel=1e-4)


def test_the_entropy_of_the_worker_s_words_has_its_weight_or_is_held():
    rewards = torch.rand(REAL.shape, generator=rng(3)) * (REAL != PAD)
    plainly, _ = make().policy.loss(REAL, rewards)
    weighted, found = make("model.adversarial.entropy_weight=0.25").policy.loss(REAL, rewards)
    assert (weighted - plainly).item() == pytest.approx(-0.25 * found["entropy"].item(), rel=1e-4)
    held = make("model.adversarial.entropy_weight=held").policy
    before = held.held_entropy.moments.clone()
    held.loss(REAL, rewards)
    assert not held.held_entropy.moments.equal(before)


def test_a_sample_of_n_reads_n_times_the_longest_length(monkeypatch: pytest.MonkeyPatch):
    """By which it is known whether the table of all words pays."""
    model, asked = make(), []
    often = model.leak.read_often
    monkeypatch.setattr(model.leak, "read_often", lambda words: asked.append(words) or often(words))
    model.sample(3, rng(), SamplingOptions())
    assert asked == [3 * 5]


def test_how_far_apart_rollouts_are_is_said_where_there_are_any():
    words = ("model.adversarial.rollout_every=auto", "model.d_training.balance=fixed")
    (said,) = make(*words, length=200).notes()
    assert said.startswith("rollouts after every ") and not make(*words).notes()
    for none in ("reward=sentence", "policy_weight=0"):
        chosen = (f"model.adversarial.{none}", "model.adversarial.mle_every=1")
        assert not make(*words, *chosen, length=200).notes()


def test_the_share_of_a_maximum_likelihood_epoch():
    """100 sentences, batches of 8, one epoch in 5 steps: 100 / 40 = 2.5, so 3 batches a step."""
    model = make("model.adversarial.mle_every=5", "model.d_training.steps=2")
    assert model.mle_steps == 3
    assert model.phases()[2].rows == 3 * 8 + 2 * 8
    assert make("model.adversarial.mle_every=0").mle_steps == 0
    seen, real = [], torch.arange(40)[:, None]
    model.g_step = lambda rows, r: {}
    model.d_step = lambda rows, r: seen.append(rows[:, 0].tolist()) or {}
    model.trainer.shown = lambda rows, r: seen.append(rows[:, 0].tolist()) or REAL
    model.adversarial_step(real, rng(1))
    assert seen == [list(range(first, first + 8)) for first in range(0, 40, 8)]


@pytest.mark.parametrize("tie", ["true", "false"])
@pytest.mark.parametrize("schedule", ["sliding", "block"])
def test_pretraining_learns_below_the_unigram_s_nll_and_goals_that_point_ahead(schedule, tie):
    """Sentences '4 5 6 <eos>' and '5 6 <eos>': 5 6 and <eos> twice in 7 words, 4 once, so a
    unigram model needs 1.35 nats a token; only the first word is uncertain, 2 ln 2 / 7 = .20."""
    model = make(
        f"model.generator.goal_schedule={schedule}",
        f"model.generator.tie_weights={tie}",
        "model.mle.epochs=20",
        "model.mle.learning_rate=0.02",
        "model.mle.warmup_steps=5",
        "model.d_training.pretrain_steps=20",
        train=48,
    )
    phase = model.phases()[0]
    for i in range(phase.steps):
        found = phase.step(REAL.repeat(4, 1), rng(i))
    unigram = -(6 / 7 * math.log(2 / 7) + 1 / 7 * math.log(1 / 7))
    assert unigram > 1.3
    assert 0.19 < found["nll"] < 0.4 < unigram
    assert found["goal_cosine"] > 0.8


def test_the_worker_learns_to_follow_its_rewards():
    """With an intrinsic reward that likes word 5, 100 steps make samples mostly 5."""
    model = make(
        "model.adversarial.learning_rate=0.02",
        "model.adversarial.worker_reward=intrinsic",
        "model.adversarial.mle_every=0",
        "model.adversarial.batch_size=32",
    )
    tokens = None

    def likes_five(features, goals):
        return (tokens == 5).float()

    model.generator.intrinsic_rewards = likes_five
    for i in range(100):
        tokens = leakgan.trimmed(model.sample(32, rng(i), SamplingOptions()))
        loss, _ = model.policy.loss(tokens, torch.zeros(tokens.shape))
        clipped_step(model.g_optimiser, model.generator, loss, 5.0)
    words = model.sample(300, rng(500), SamplingOptions())
    words = words[words > EOS]
    assert (words == 5).float().mean() > 0.9


def test_the_pretrained_leak_keeps_what_the_generator_reads():
    """D's steps after pretraining change its judgement, not the features, goals or words; those
    of pretraining change both. With leak=current all steps do."""
    for source, moves in (("pretrained", False), ("current", True)):
        alone = "model.d_training.alone_steps=0" if moves else "model.d_training.alone_steps=2"
        model = make(f"model.d_training.leak={source}", alone, "model.mle.epochs=1")
        before, phase = model.trace(REAL)[1], model.phases()[0]
        for _ in range(2):
            phase.step(REAL.repeat(phase.rows, 1)[: phase.rows], rng(1))
        pretrained = model.trace(REAL)[1]
        assert not torch.equal(before, pretrained)
        assert torch.equal(model.discriminator.leaked_features(REAL), pretrained)
        model.d_step(REAL, rng(2))
        assert torch.equal(model.trace(REAL)[1], pretrained) is not moves
        assert not torch.equal(model.discriminator.leaked_features(REAL), pretrained)


def test_the_worker_is_rewarded_by_quality():
    """With quality the worker's loss is -mean of r log p of the rewards given, baseline none; the
    intrinsic one has another value."""
    losses = {}
    for kind in ("quality", "intrinsic"):
        words = (f"model.adversarial.worker_reward={kind}", "model.adversarial.baseline=none")
        model = make(*words)
        rewards = torch.rand(REAL.shape, generator=rng(3)) * (REAL != PAD)
        losses[kind] = model.policy.loss(REAL, rewards)[1]["worker_loss"].item()
        log_prob = model.generator.token_log_prob(REAL, written=True).detach()
    expected = policy_gradient_loss(log_prob, rewards, REAL != PAD, model.task.max_length).item()
    assert losses["quality"] == pytest.approx(expected, rel=1e-5)
    assert losses["intrinsic"] != pytest.approx(expected, rel=1e-2)


def losses_of(model: leakgan.LeakGAN, rewards: torch.Tensor) -> tuple[float, float]:
    """The manager's and the worker's."""
    found = model.policy.loss(REAL, rewards)[1]
    return found["manager_loss"].item(), found["worker_loss"].item()


def along_and_likely(model: leakgan.LeakGAN) -> tuple[float, float]:
    """The losses if each reward is 1: -sum of the 7 words' cosines, or log p, over 2 * 5 places."""
    features, goals = model.generator.leak(REAL)
    cosines = model.generator.goal_cosines(features, goals)[REAL != PAD]
    log_prob = model.generator.token_log_prob(REAL, written=True)
    return -cosines.sum().item() / 10, -log_prob.sum().item() / 10


def test_one_reward_is_the_mean_of_all():
    """Of the manager's, and of the worker's."""
    rewards = torch.rand(REAL.shape, generator=rng(3)) * (REAL != PAD)
    words = ("model.adversarial.one_reward=true", "model.adversarial.baseline=none")
    model = make(*words)
    mean = rewards.sum().item() / 7
    expected = [mean * loss for loss in along_and_likely(model)]
    assert losses_of(model, rewards) == pytest.approx(expected, rel=1e-4)
    model = make(*words, "model.adversarial.worker_reward=intrinsic")
    along = model.generator.intrinsic_rewards(*model.generator.leak(REAL))[REAL != PAD].mean()
    worker = along.item() * along_and_likely(model)[1]
    assert losses_of(model, rewards)[1] == pytest.approx(worker, rel=1e-4)
    with pytest.raises(UserError, match="one_reward=true needs"):
        make("model.adversarial.one_reward=true")


def test_a_constant_reward_asks_no_discriminator():
    """Whatever the worker's reward and the baseline are; D stays as it was pretrained."""
    leak = ("model.d_training.leak=current", "model.d_training.alone_steps=0")
    model = make("model.adversarial.reward=constant", *leak)
    intrinsic = dataclasses.replace(model.config.adversarial, worker_reward=WorkerReward.intrinsic)
    model.policy.config = intrinsic
    model.discriminator.score = None
    rewards = model.policy.rewards(REAL, REAL[:0], rng(1))
    assert losses_of(model, rewards) == pytest.approx(along_and_likely(model), rel=1e-4)
    before, phase = weights(model.discriminator), model.phases()[2]
    assert "d_loss" not in phase.step(REAL.repeat(phase.rows, 1)[: phase.rows], rng(1))
    assert not changed(model.discriminator, before)


ONE = ["model.adversarial.reward=sentence", "model.adversarial.baseline=none"]
HELD = "model.adversarial.kl_weight=0.7"
LESS = {"reward": Reward.sentence, "reward_less": Less.words}


def worker_likelihoods(generator, goals: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """log p of each sentence at temperature 1.3 under given goals, with a gradient."""
    features = generator.worker_features(rows, goals, temperature=1.3)
    every = plain.log_probs(generator.output_layer(written=True), features)
    chosen = every.gather(1, rows[rows != PAD][:, None])[:, 0]
    return at_words(chosen, rows).sum(1)


@pytest.mark.parametrize("clip", [0.0, 0.15])
def test_one_reward_a_sentence_and_the_anchor_by_enumeration(clip):
    """The mean over all sentences x of the worker's gradient is, times -T, that of the sum of p(x)
    (r(x) - .7 (log p(x) - log q(x))), goals given; the manager's loss has the same rewards."""
    words = [f"model.adversarial.log_odds_bound={clip}", "model.adversarial.temperature=1.3"]
    plainly = "model.adversarial.rank_delta=0"
    model = make(*ONE, HELD, *words, plainly, words=6, length=2)
    rows = torch.tensor([[EOS, PAD], [4, EOS], [5, EOS], [4, 4], [4, 5], [5, 4], [5, 5]])
    generator, anchor = model.generator, model.policy.anchor.frozen
    with torch.no_grad():
        for parameter in [*generator.parameters(), *model.discriminator.parameters()]:
            parameter.mul_(2.0)
    worker = [p for p in generator.worker.parameters() if p is not generator.worker.initial_goal]
    rewards = model.policy.rewards(rows, rows[:0], rng())
    logits = model.discriminator.logits(rows)
    wanted = logits.clamp(-clip, clip) if clip else logits.sigmoid()
    torch.testing.assert_close(rewards, wanted[:, None] * (rows != PAD))
    assert not clip or 0 < (wanted.abs() == clip).sum() < len(rows)
    features, goals = generator.leak(rows)
    likelihood = worker_likelihoods(generator, goals, rows)
    with torch.no_grad():
        before = worker_likelihoods(anchor, anchor.leak(rows)[1], rows)
    expected = (likelihood.exp() * (wanted - 0.7 * (likelihood - before))).sum()
    exact = flat(torch.autograd.grad(expected, worker))
    total, odds = torch.zeros_like(exact), likelihood.detach().exp()
    assert odds.sum().item() == pytest.approx(1.0, abs=1e-5)
    for row, reward, chance in zip(rows, rewards, odds, strict=True):
        loss, _ = model.policy.loss(row[None], reward[None])
        total -= 2 * chance * flat(torch.autograd.grad(loss, worker))
    torch.testing.assert_close(total, exact, rtol=1e-3, atol=1e-5)
    cosines = generator.goal_cosines(features, goals)
    manager = policy_gradient_loss(cosines, rewards, rows != PAD, 2)
    assert model.policy.loss(rows, rewards)[1]["manager_loss"].item() == pytest.approx(
        manager.item(), rel=1e-5
    )


def flat(gradients) -> torch.Tensor:
    return torch.cat([gradient.reshape(-1) for gradient in gradients])


def test_the_anchor_and_the_average_begin_with_the_phase():
    """Both read what the generator reads; samples, scores and goals are the average's from then on,
    what trains is drawn by the generator itself; a resume has both."""
    words = [HELD, "model.adversarial.ema=0.9", "model.adversarial.learning_rate=0.05"]
    model, other = make(*words), make(*words, seed=5)
    with torch.no_grad():
        for parameter in model.generator.parameters():
            parameter.add_(0.1)
    start, phase = weights(model.generator), model.phases()[2]
    assert model.evaluated is model.generator
    real = REAL.repeat(phase.rows, 1)[: phase.rows]
    found = [phase.step(real, rng(i))["kl_anchor"].item() for i in range(2)]
    assert found[0] == pytest.approx(0, abs=1e-6) and found[1] > 1e-4
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    for network in (model, other):
        average = network.average.module
        assert not changed(network.policy.anchor.frozen, start)
        assert average.leak(REAL)[0].equal(network.generator.leak(REAL)[0])
        assert average is network.writer(1, rng()) is not network.generator
        assert network.log_prob(REAL).equal(average.token_log_prob(REAL).sum(1))
        with torch.no_grad():
            assert network.trace(REAL)[0].equal(average.leak(REAL)[1])
        drawn = network.sample(50, rng(5), SamplingOptions())
        assert drawn.equal(decode(average, 50, 5, rng(5), SamplingOptions()))
        plainly = decode(network.generator, 50, 5, rng(5), SamplingOptions())
        assert not drawn.equal(plainly)
        assert network.plain_samples(50, rng(5)).equal(plainly)
    assert not {"anchor", "average"} & make().state_dict().keys()


OPTIONS = [
    [],
    [*ONE, "model.adversarial.worker_reward=intrinsic", "model.adversarial.rank_real=6"],
    [HELD, "model.adversarial.ema=0.9", "model.adversarial.log_odds_bound=5"],
    ["model.adversarial.worker_reward=intrinsic"],
    ["model.d_training.leak=current", "model.d_training.alone_steps=0"],
    ["model.generator.goal_schedule=block", "model.generator.tie_weights=false"],
    ["model.adversarial.baseline=none", "model.adversarial.rank_delta=0"],
    ["model.adversarial.rank_real=6", "model.adversarial.temperature=0.7"],
    ["model.d_training.prefixes=true", "model.d_training.balance=adaptive"],
    ["model.adversarial.policy_weight=0", "model.d_training.steps=0"],
    [
        "model.generator.init=normal",
        "model.generator.goal_schedule=block",
        "model.generator.goal_cosine=block",
        "model.generator.clip_apart=true",
        "model.d_training.temperature=0.7",
        "model.adversarial.one_reward=true",
        "model.adversarial.baseline=none",
    ],
]


@pytest.mark.parametrize("words", OPTIONS, ids=" ".join)
def test_every_option_takes_a_step(words):
    model = make(*words)
    for phase in model.phases():
        learns = model.discriminator if phase.name == "discriminator" else model.generator
        before = weights(learns)
        found = phase.step(REAL.repeat(phase.rows, 1)[: phase.rows], rng(1))
        assert all(torch.isfinite(torch.as_tensor(value)).all() for value in found.values())
        assert changed(learns, before)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_state_goes_round_and_training_goes_on_identically(number):
    words = "model.mle.epochs=1", "model.adversarial.entropy_weight=held"
    one, two = make(*words), make(*words)
    for _ in range(3):
        phase = one.phases()[number]
        phase.step(REAL.repeat(phase.rows, 1)[: phase.rows], rng(1))
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    for model in (one, two):
        phase = model.phases()[number]
        for i in range(3):
            phase.step(REAL.repeat(phase.rows, 1)[: phase.rows], rng(i))
    for name, network in one.networks().items():
        assert not changed(two.networks()[name], weights(network)), name


def test_traces_and_judgement():
    model = make()
    goals, features = model.trace(REAL)
    assert goals.shape == (2, 5, 6) and features.shape == (2, 6, 6)
    assert torch.equal(features[0, 4], features[0, 5])  # past the end nothing moves
    assert isinstance(model, Guided) and model.goal_steps == 2
    assert isinstance(model, Judge) and model.score(REAL) == {}
    model.d_step(REAL, rng(1))
    assert ((model.score(REAL)["real"] > 0) & (model.score(REAL)["real"] < 1)).all()


def test_what_is_foretold_is_taken_off_rewards_and_kept_in_the_state():
    words = *ONE, "model.adversarial.rank_delta=0", "model.adversarial.reward_less=words"
    model, other = make(*words, words=6, length=2), make(*words, words=6, length=2)
    rows = torch.tensor([[EOS, PAD], [4, EOS], [5, EOS], [4, 4], [4, 5], [5, 4], [5, 5]])
    judged, log_prob = model.policy.sentence_rewards(rows), model.log_prob(rows)
    found = model.policy.rewards(rows, rows[:0], rng())
    wanted = without_line(judged, log_prob)[:, None] * (rows != PAD)
    torch.testing.assert_close(found, wanted)
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    second = model.policy.rewards(rows, rows[:0], rng())
    assert second.equal(other.policy.rewards(rows, rows[:0], rng())) and not second.allclose(found)


def test_the_first_words_and_their_goals_are_not_rewarded_where_that_is_asked_for():
    model, after = make(), make("model.adversarial.reward_after=2")
    rewards, intrinsic = torch.rand(2, 6, model.task.max_length, generator=rng())
    valid = torch.ones_like(rewards, dtype=torch.bool)
    wanted = model.policy.advantages(rewards, intrinsic, valid)
    found = after.policy.advantages(rewards, intrinsic, valid)
    for one, other in zip(found, wanted, strict=True):
        assert not one[:, :2].any() and other[:, :2].any()
        assert one[:, 2:].equal(other[:, 2:]) and one[:, 2:].any()


def test_pretrained_weights_are_taken():
    one, two = make(), make(seed=4)
    phase = one.phases()[0]
    phase.step(REAL.repeat(phase.rows // 2, 1), rng(1))
    taken = {**one.networks(), "leak": one.leak}
    for name, network in {**two.networks(), "leak": two.leak}.items():
        assert changed(network, weights(taken[name])), name
    two.load_pretrained(copy.deepcopy(one.state_dict()))
    for name, network in {**two.networks(), "leak": two.leak}.items():
        assert not changed(network, weights(taken[name])), name


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("discriminator", {"widths": (1, 2, 3)}, "as many"),
        ("adversarial", {"policy_weight": 0.0, "mle_every": 0}, "cannot both be 0"),
        ("adversarial", {"policy_weight": 0.0, "kl_weight": 1.0}, "needs policy_weight above 0"),
        ("adversarial", {"reward": Reward.constant, "log_odds_bound": 1.0}, "asks no judge"),
        ("adversarial", {"reward_less": Less.words}, "needs model.adversarial.reward=sentence"),
        ("adversarial", {**LESS, "rank_real": 3}, "needs rank_real=0"),
        ("judge", {"kind": Kind.ranker}, "leaks the features of a discriminator that classifies"),
    ],
)
def test_values_that_do_not_go_together_are_refused(path, value, said):
    cfg = compose(["model=leakgan"]).model
    part = dataclasses.replace(getattr(cfg, path), **value)
    task = Task(8, 5, 100, torch.zeros(8, dtype=torch.bool), CPU)
    with pytest.raises(UserError, match=said):
        leakgan.build(dataclasses.replace(cfg, **{path: part}), task, rng())


@pytest.mark.parametrize(
    ("words", "together"),
    [
        ([], [16, 16]),
        (["model.mle.batch_size=20"], [20, 20]),
        (["model.d_training.pretrain_batch_size=9"], [18, 16]),
        (["model.adversarial.batch_size=17"], [16, 17]),
        (["model.adversarial.rank_real=18"], [16, 18]),
    ],
)
def test_a_step_s_largest_update_is_known(words, together):
    """D reads as many samples as real sentences, 8 of each."""
    first, _, third = make(*words).phases()
    assert [first.together, third.together] == together


def test_what_reads_changing_features_has_no_anchor():
    with pytest.raises(UserError, match=r"kl_weight needs model\.d_training\.leak=pretrained"):
        make(HELD, "model.d_training.leak=current", "model.d_training.alone_steps=0")


def test_training_samples_are_never_greedy():
    with pytest.raises(UserError, match=r"adversarial\.temperature=0\.0: it must be at least"):
        compose(["model=leakgan", "model.adversarial.temperature=0"])


@pytest.mark.parametrize(
    ("judge", "leak", "learns"),
    [
        ("cnn", "pretrained", True),
        ("lm_ratio", "current", True),
        ("lm_ratio", "pretrained", False),
    ],
)
def test_the_discriminator_goes_on_where_somebody_asks_it_or_reads_its_features(
    judge: str, leak: str, learns: bool
):
    words = f"model.judge.kind={judge}", f"model.d_training.leak={leak}"
    assert make(*words, "model.d_training.alone_steps=0").d_learns == learns
