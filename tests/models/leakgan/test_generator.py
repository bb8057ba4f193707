"""Manager and worker: one pass equals step by step, goals by hand, the bilinear output."""

import math

import pytest
import torch
import torch.nn.functional as F

from gantext.data.vocabulary import BOS, EOS, PAD, UNK
from gantext.models.leakgan.features import LeakyTextCNN
from gantext.models.leakgan.generator import LeakGenerator
from gantext.models.leakgan.manager_worker import (
    GoalCosine,
    GoalSchedule,
    LeakGeneratorConfig,
    Worker,
)
from gantext.nn.text.fitting import mean_nll
from gantext.nn.text.lstm import Init
from gantext.nn.text.output_layer import mean_word_nll
from gantext.nn.text.rollouts import roll_out, valid_lengths
from gantext.nn.text.sampling import SamplingOptions, decode
from gantext.nn.text.text_cnn import DiscriminatorConfig
from tests.nn.text import plain

GREEDY = SamplingOptions(temperature=0.0)
SCHEDULES = list(GoalSchedule)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def settings(schedule: GoalSchedule, tie: bool = True, every: int = 3) -> LeakGeneratorConfig:
    return LeakGeneratorConfig(
        6, 5, 4, tie, 0.0, 0.0, 3, every, schedule, GoalCosine.step, False, Init.mixed
    )


def make(schedule: GoalSchedule, tie: bool = True, widths=(1, 2, 4, 7), words=9) -> LeakGenerator:
    """Weights large enough that distributions and goals are far from uniform."""
    filters = tuple(2 for _ in widths)
    discriminator = LeakyTextCNN(
        words, DiscriminatorConfig(4, tuple(widths), filters, 0.0, 0.0, -1.0), 10, rng(1)
    )
    model = LeakGenerator(words, settings(schedule, tie), discriminator, rng(2))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.5)
    return model


def ending_anywhere(rows: int = 24, length: int = 10, words: int = 9) -> torch.Tensor:
    """Random words that the policy may write; ends at every place, also at once and never."""
    tokens = torch.randint(4, words, (rows, length), generator=rng(3))
    for i, row in enumerate(tokens):
        end = i % (length + 1)
        row[end : end + 1] = EOS
        row[end + 1 :] = PAD
    return tokens


@pytest.mark.parametrize("tie", [True, False])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("widths", [(1,), (2, 3), (1, 4, 10)])
def test_teacher_forcing_equals_the_step_by_step_decode(schedule, tie, widths):
    """Scores, goals' embeddings and hidden states, at every valid step, to 1e-5."""
    model, tokens = make(schedule, tie, widths), ending_anywhere()
    valid = tokens != PAD
    with torch.no_grad():
        features, goals = model.leak(tokens)
        followed = model.worker.followed_goals(goals)
        embedded = model.worker.embed(goals)
        together = model.token_log_prob(tokens, written=True)
        state = model.start(len(tokens))
        for t in range(tokens.shape[1]):
            now = valid[:, t]
            log_probs = model.logits(state).log_softmax(-1)
            step = log_probs.gather(1, tokens[:, t : t + 1])[:, 0]
            for one, two in (
                (together[:, t], step),
                (followed[:, t], state[5]),
                (embedded[:, t], state[4][:, -1]),
            ):
                torch.testing.assert_close(one[now], two[now], rtol=1e-5, atol=1e-5)
            assert (state[6] == t).all()
            state = model.advance(state, tokens[:, t])
    assert features.shape == (24, 11, len(widths) * 2)
    assert torch.allclose(goals.norm(dim=-1), torch.ones(24, 10))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_followed_goals_by_hand(schedule):
    """c = 2, W_psi the identity on F = k = 2, initial goal (3, 4) of length 5: (.6, .8).
    Goals (1,0) (0,1) (1,0) (1,0) (0,1). Sliding, w_t = g_{t-2} + g_{t-1}: (1.2,1.6) (1.6,.8)
    (1,1) (1,1) (2,0). Block, steps 0-1: the initial goals, 2-3: g_0 + g_1, 4: g_2 + g_3, of
    length 1."""
    config = LeakGeneratorConfig(
        2, 2, 2, True, 0.0, 0.0, 2, 2, schedule, GoalCosine.step, False, Init.mixed
    )
    worker = Worker(6, 2, config)
    with torch.no_grad():
        worker.initial_goal.copy_(torch.tensor([[3.0, 4.0]]))
        worker.goal_embedding.weight.copy_(torch.eye(2))
        goals = torch.tensor([[[1.0, 0], [0, 1], [1, 0], [1, 0], [0, 1]]])
        found = worker.followed_goals(goals)[0]
    half = math.sqrt(0.5)
    expected = {
        GoalSchedule.sliding: [[1.2, 1.6], [1.6, 0.8], [1, 1], [1, 1], [2, 0]],
        GoalSchedule.block: [[0.6, 0.8], [0.6, 0.8], [half, half], [half, half], [1, 0]],
    }
    torch.testing.assert_close(found, torch.tensor(expected[schedule]))


@pytest.mark.parametrize("tie", [True, False])
def test_the_bilinear_output_equals_the_plain_product_with_o(tie):
    """O_t (N, V, k) is made here, from the worker's weights, and multiplied with w_t."""
    worker = make(GoalSchedule.sliding, tie).worker
    h, w = torch.randn(7, 5, generator=rng(4)), torch.randn(7, 3, generator=rng(5))
    weights = worker.bilinear.weight.view(-1, 3, 5)  # (E or V, k, H)
    output = torch.einsum("rkh,nh->nrk", weights, h)
    if tie:
        output = torch.einsum("ve,nek->nvk", worker.embedding.weight, output)
    output = output + worker.goal_scores.weight  # (N, V, k)
    plain = (output @ w[:, :, None])[:, :, 0]
    for features in (worker.output_features(h, w), worker.next_features(h, w)):
        scores = features @ worker.output_weight().T
        torch.testing.assert_close(scores, plain, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_greedy_rollouts_equal_completing_each_prefix_alone(schedule):
    """A rollout starts from its prefix's state: features, goals, both LSTMs."""
    model = make(schedule)
    tokens = decode(model, 12, 10, rng(1), SamplingOptions())
    made = roll_out(model, tokens, 1, 3, rng(), GREEDY)
    assert len(made.tokens) > 5
    rows = zip(made.position.tolist(), made.sentence.tolist(), made.tokens, strict=True)
    for position, sentence, row in rows:
        state, wanted = model.start(1), tokens[sentence, : position + 1].tolist()
        for word in wanted:
            state = model.advance(state, torch.tensor([word]))
        while len(wanted) < 10 and wanted[-1] != EOS:
            wanted.append(int(model.logits(state).argmax()))
            state = model.advance(state, torch.tensor([wanted[-1]]))
        assert row.tolist() == wanted + [PAD] * (10 - len(wanted))


def test_with_and_without_shrinking_greedy_sentences_are_the_same():
    model = make(GoalSchedule.block)
    tokens = ending_anywhere()
    with torch.no_grad():
        model.worker.goal_scores.weight[EOS] = model.worker.goal_scores.weight[7] + 0.3
    one = roll_out(model, tokens, 2, 2, rng(), GREEDY, compact=True)
    two = roll_out(model, tokens, 2, 2, rng(), GREEDY, compact=False)
    assert torch.equal(one.tokens, two.tokens)
    assert len(set(valid_lengths(one.tokens).tolist())) > 1


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_probabilities_of_all_sentences_sum_to_one(schedule):
    """Over a vocabulary of 3 words and T = 3: all sentences that end, and all that are cut."""
    model, words = make(schedule, words=7), range(4, 7)
    rows = [[EOS, PAD, PAD]]
    rows += [[a, EOS, PAD] for a in words]
    rows += [[a, b, c] for a in words for b in words for c in (EOS, *words)]
    with torch.no_grad():
        total = model.token_log_prob(torch.tensor(rows), written=True).sum(1).double().exp().sum()
    assert total.item() == pytest.approx(1.0, abs=1e-5)


def test_what_is_never_written():
    """<pad> and <bos> are impossible; <unk> has a probability, and is not sampled."""
    model, tokens = make(GoalSchedule.sliding), ending_anywhere()
    features = model.valid_features(tokens)
    log_probs = plain.log_probs(model.output_layer(), features)
    assert torch.isinf(log_probs[:, [PAD, BOS]]).all()
    assert torch.isfinite(log_probs[:, UNK]).all()
    written = plain.log_probs(model.output_layer(written=True), features)
    assert torch.isinf(written[:, UNK]).all()
    drawn = decode(model, 300, 10, rng(1), SamplingOptions())
    assert not {BOS, UNK} & set(drawn.flatten().tolist())


def test_order_and_padding_of_a_batch_do_not_matter():
    model, tokens = make(GoalSchedule.sliding), ending_anywhere()
    order, wide = torch.randperm(24, generator=rng(2)), F.pad(tokens, (0, 5))
    plain = model.token_log_prob(tokens).sum(1)
    torch.testing.assert_close(model.token_log_prob(wide[order]).sum(1), plain[order])


def test_no_gradient_leaves_its_own_network():
    """The worker's loss moves no weight of the manager's, and neither loss one of D's."""
    model, tokens = make(GoalSchedule.sliding), ending_anywhere()
    _, goals = model.leak(tokens)
    features = model.worker_features(tokens, goals)
    mean_word_nll(model.output_layer(), features, tokens[tokens != PAD])[0].backward()
    assert all(p.grad is None for p in model.manager.parameters())
    assert all(p.grad is not None for p in model.worker.parameters())
    goals.square().cumsum(-1).sum().backward()
    assert all(p.grad is not None for p in model.manager.parameters())
    assert all(p.grad is None for p in model._leak[0].parameters())
    names = {name.split(".")[0] for name, _ in model.named_parameters()}
    assert names == {"manager", "worker"}


def test_dropout_is_drawn_from_the_given_generator_only():
    schedule = GoalSchedule.sliding
    discriminator = LeakyTextCNN(9, DiscriminatorConfig(4, (2,), (3,), 0.0, 0.0, -1.0), 10, rng(1))
    config = LeakGeneratorConfig(
        6, 5, 4, True, 0.5, 0.3, 3, 3, schedule, GoalCosine.step, False, Init.mixed
    )
    model, tokens = LeakGenerator(9, config, discriminator, rng(2)), ending_anywhere()
    before = torch.get_rng_state()
    one = mean_nll(model, tokens, rng(3))
    assert torch.equal(one, mean_nll(model, tokens, rng(3)))
    assert not torch.equal(one, mean_nll(model, tokens, rng(4)))
    assert torch.equal(before, torch.get_rng_state())


def test_a_temperature_divides_the_scores():
    """log p at temperature 1/2 is 2 log p at 1, normalised again."""
    model, tokens = make(GoalSchedule.sliding), ending_anywhere()
    _, goals = model.leak(tokens)
    layer = model.output_layer(written=True)
    warm = plain.log_probs(layer, model.worker_features(tokens, goals))
    cold = plain.log_probs(layer, model.worker_features(tokens, goals, temperature=0.5))
    torch.testing.assert_close(cold, (2 * warm).log_softmax(-1))
