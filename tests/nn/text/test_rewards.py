"""Advantages and the policy gradient: values worked by hand."""

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD
from gantext.nn.text.rewards import (
    effective_share,
    importance_weights,
    leave_one_out_mean,
    policy_gradient_loss,
    policy_weights,
    previous_values,
    ranked,
    ranked_among,
    returns_to_go,
    sampled,
    spread,
    standardised,
    without_first,
)
from tests.pretended_gpu import pretended_gpu

VALID = torch.tensor([[1, 1, 1], [1, 1, 0]], dtype=torch.bool)


def test_the_first_words_have_no_advantage() -> None:
    advantage = torch.tensor([[1.0, -2.0, 3.0], [4.0, 0.0, 0.0]])
    assert without_first(advantage, 0).equal(advantage)
    assert without_first(advantage, 2).tolist() == [[0.0, 0.0, 3.0], [0.0, 0.0, 0.0]]


def test_returns_to_go_by_hand():
    """discount 1/2, r = 1, 2, 4: Q_0 = (1 + 1 + 1) / 1.75, Q_1 = (2 + 2) / 1.5, Q_2 = 4.
    The second sentence ends after two: Q_0 = (3 + 2.5) / 1.5, Q_1 = 5."""
    rewards = torch.tensor([[1.0, 2, 4], [3, 5, 9]])
    expected = torch.tensor([[3 / 1.75, 4 / 1.5, 4], [5.5 / 1.5, 5, 0]])
    torch.testing.assert_close(returns_to_go(rewards, VALID, 0.5), expected)
    torch.testing.assert_close(returns_to_go(rewards, VALID, 0.0), rewards * VALID)


def test_importance_weights_by_hand():
    """Step 0: 1 and 3 over their mean 2. The second sentence ends after two words with 5: step 1
    has 2 and 5 over 3.5, step 2 has 4 over (4 + 5) / 2. Their last words' weights are 8/9 and 10/7:
    (8/9 + 10/7)^2 / (2 (64/81 + 100/49)). Less the other's, at step 0: 1/2 - 3/2."""
    ratios = torch.tensor([[1.0, 2, 4], [3, 5, 0]])
    found = importance_weights(ratios, VALID)
    expected = torch.tensor([[1 / 2, 4 / 7, 8 / 9], [3 / 2, 10 / 7, 0]])
    torch.testing.assert_close(found, expected)
    share = (8 / 9 + 10 / 7) ** 2 / (2 * (64 / 81 + 100 / 49))
    assert effective_share(found, VALID).item() == pytest.approx(share)
    less = found - leave_one_out_mean(found, VALID)
    assert less[:, 0].tolist() == pytest.approx([-1, 1])


def test_leave_one_out_mean_by_hand():
    """Step 0: the other sentence's value. Step 2 has one sentence only: the mean of all tokens of
    the other, (3 + 5) / 2 = 4."""
    values = torch.tensor([[1.0, 2, 4], [3, 5, 9]])
    expected = torch.tensor([[3.0, 5, 4], [1, 2, 0]])
    torch.testing.assert_close(leave_one_out_mean(values, VALID), expected)
    # Of a single other token it is that one: 6.
    valid, values = torch.tensor([[True, True], [True, False]]), torch.tensor([[2.0, 4], [6, 9]])
    found = leave_one_out_mean(values, valid)
    torch.testing.assert_close(found, torch.tensor([[6.0, 6], [2, 0]]))


def test_standardised_by_hand():
    """Tokens 1, 2, 3, 4, 5: mean 3, deviation sqrt(2)."""
    values = torch.tensor([[1.0, 2, 3], [4, 5, 99]])
    expected = torch.tensor([[-2.0, -1, 0], [1, 2, 0]]) / 2**0.5
    torch.testing.assert_close(standardised(values, VALID), expected)


def test_ranked_by_hand_with_ties():
    """Values 5, 1, 5, 3 at one step: 5 and 5 share rank 1.5, 3 has 3, 1 has 4; B = 4, delta 12:
    12 * (.5 - 1.5/4) = 1.5, 12 * (.5 - 3/4) = -3, 12 * (.5 - 4/4) = -6."""
    values = torch.tensor([[5.0], [1], [5], [3]])
    got = ranked(values, torch.ones(4, 1, dtype=torch.bool), 12.0)[:, 0]
    expected = torch.tensor([1.5, -6.0, 1.5, -3.0]).sigmoid()
    torch.testing.assert_close(got, expected)


def test_ranked_follows_shuffled_rewards():
    values = torch.randn(16, 3, generator=torch.Generator().manual_seed(1))
    valid = torch.ones(16, 3, dtype=torch.bool)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(
        ranked(values[order], valid, 12.0), ranked(values, valid, 12.0)[order]
    )


def test_policy_gradient_loss_by_hand():
    """log p = -1, -2, -3 / -4, -5; A = 1, 0, 2 / -1, 3: sum = -1 - 6 + 4 - 15 = -18; over B times
    the task's longest, 2 * 9, negated: 1. The invalid token does not count."""
    log_prob = torch.tensor([[-1.0, -2, -3], [-4, -5, -7]])
    advantage = torch.tensor([[1.0, 0, 2], [-1, 3, 8]])
    assert policy_gradient_loss(log_prob, advantage, VALID, 9).item() == pytest.approx(1.0)


def test_a_single_value_has_no_spread() -> None:
    """Of 1 and 3 it is sqrt(((1 - 2)^2 + (3 - 2)^2) / (2 - 1)) = sqrt 2; of one value, no NaN."""
    assert float(
        spread(torch.tensor([1.0, 7.0, 3.0]), torch.tensor([True, False, True]))
    ) == pytest.approx(2**0.5)
    assert float(spread(torch.tensor([4.0, 9.0]), torch.tensor([True, False]))) == 0


def test_what_is_logged_of_samples_by_hand() -> None:
    """Rewards 1, 2 and 6 of three tokens; three rows of which two are the same."""
    tokens = torch.tensor([[5, EOS], [EOS, PAD], [5, EOS]])
    rewards = torch.tensor([[1.0, 2.0], [6.0, 9.0], [1.0, 2.0]])
    found = sampled(tokens, rewards)
    assert float(found["reward"]) == pytest.approx(12 / 5)
    assert float(found["length"]) == pytest.approx(5 / 3)
    assert float(found["batch_unique"]) == pytest.approx(2 / 3)


def test_returns_are_sums_in_single_precision() -> None:
    """1.0078125 is next to 1 in bf16, in which 1.001 would be 1."""
    rewards = torch.tensor([[1.001, 2.002, 3.003], [1.0, 1.001, 9.0]])
    wanted = returns_to_go(rewards, VALID, 0.7)
    with torch.autocast("cpu", torch.bfloat16):
        assert returns_to_go(rewards, VALID, 0.7).equal(wanted)


def test_previous_values_by_hand() -> None:
    """Every second position has rollouts: the words of a block have the one before it."""
    rewards = torch.tensor([[1.0, 2, 3, 4, 5]])
    assert previous_values(rewards, 1).tolist() == [[0, 1, 2, 3, 4]]
    assert previous_values(rewards, 2).tolist() == [[0, 0, 2, 2, 4]]


def test_the_first_position_has_no_previous_value() -> None:
    """Also where every position is in one block."""
    assert previous_values(torch.tensor([[7.0, 8, 9]]), 3).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("on_gpu", [False, True])
def test_tiny_advantages_are_not_blown_up(on_gpu: bool) -> None:
    """A deviation of 1e-7 is taken for 1e-6; none at all leaves 0. A GPU's own path too."""
    values = torch.tensor([[1.0, 2, 3], [4, 5, 99]])
    tiny = torch.tensor([[1e-7, -1e-7, 0], [0, 0, 5]])
    valid = torch.tensor([[True, True, False], [False, False, False]])
    given = [(values, VALID), (tiny, valid), (torch.full((2, 3), 4.0), VALID)]
    if on_gpu:
        with pretended_gpu():
            found = [standardised(v.to("cuda"), there.to("cuda")).cpu() for v, there in given]
    else:
        found = [standardised(*each) for each in given]
    torch.testing.assert_close(found[0], torch.tensor([[-2.0, -1, 0], [1, 2, 0]]) / 2**0.5)
    torch.testing.assert_close(found[1], torch.tensor([[0.1, -0.1, 0], [0, 0, 0]]))
    assert found[2].tolist() == [[0, 0, 0], [0, 0, 0]]


def test_ranks_are_among_the_sentences_that_are_that_long() -> None:
    """Step 0: of 3 and 5 the second is the best, rank 1 of 2; step 2 has one sentence, rank 1 of 1:
    sigmoid(4 (.5 - 1)). The 9 and 7 at <pad> stand in nobody's way."""
    values = torch.tensor([[3.0, 4, 2], [5, 1, 9], [7, 7, 7]])
    valid = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 0, 0]], dtype=torch.bool)
    half, whole = torch.tensor([0.0, -2.0]).sigmoid().tolist()
    wanted = torch.tensor([[whole, half, whole], [half, whole, 0], [0, 0, 0]])
    torch.testing.assert_close(ranked(values, valid, 4.0), wanted)


def test_ranked_among_real_sentences_by_hand() -> None:
    """Of 3 and the real 1 and 5, 3 has rank 2 of 3; of 6, rank 1; where the second sentence has
    ended the first stands among the real ones alone."""
    valid = torch.tensor([[True, True], [True, False]])
    found = ranked_among(torch.tensor([[3.0, 3], [6, 9]]), valid, torch.tensor([1.0, 5.0]), 2.0)
    wanted = torch.tensor([[0.5 - 3 / 4, 0.5 - 2 / 3], [0.5 - 1 / 4, 0]]) * 2
    torch.testing.assert_close(found[0], wanted[0].sigmoid())
    assert found[1, 0].item() == pytest.approx(wanted[1, 0].sigmoid().item()) and found[1, 1] == 0
    assert found.shape == (2, 2)


def test_ratios_near_0_are_weighed_as_others() -> None:
    """Means down to 1e-30, and sums of squares: below them a weight would be no number."""
    tiny = torch.full((2, 3), 1.5e-30)
    torch.testing.assert_close(importance_weights(tiny, VALID), VALID.float())
    assert importance_weights(0 * tiny, VALID).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert effective_share(torch.full((2, 3), 6e-16), VALID).item() == pytest.approx(1)
    assert effective_share(torch.zeros(2, 3), VALID).item() == 0


def test_the_weights_of_the_loss_by_hand() -> None:
    """Over B times the longest, 2 * 9; on a GPU every place is there, 0 at <pad>."""
    advantage = torch.tensor([[18.0, 0, 36], [-18, 54, 8]]).requires_grad_()
    found = policy_weights(advantage, VALID, 9)
    assert found.tolist() == [1, 0, 2, -1, 3] and not found.requires_grad
    with pretended_gpu():
        there = policy_weights(advantage.to("cuda"), VALID.to("cuda"), 9).cpu()
    assert there.tolist() == [1, 0, 2, -1, 3, 0]


def test_the_loss_gives_advantages_no_gradient() -> None:
    log_prob = torch.zeros(2, 3, requires_grad=True)
    advantage = torch.ones(2, 3, requires_grad=True)
    policy_gradient_loss(log_prob * advantage, advantage, VALID, 5).backward()
    assert log_prob.grad is not None and log_prob.grad.tolist()[1] == pytest.approx([-0.1, -0.1, 0])
    assert advantage.grad is not None and not advantage.grad.any()
