"""Advantages and the policy gradient: values worked by hand."""

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD
from gantext.nn.text.rewards import (
    effective_share,
    importance_weights,
    leave_one_out_mean,
    policy_gradient_loss,
    ranked,
    returns_to_go,
    sampled,
    spread,
    standardised,
    without_first,
)

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
