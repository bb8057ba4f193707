"""The discriminator of model=dpgan, its rewards, and what of them is an advantage.

Shapes: B sentences, T steps, N places (see `places`). Rewards are in nats.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.vocabulary import PAD
from gantext.nn import ranks
from gantext.nn.optim import Metrics
from gantext.nn.text.lstm import TextGenerator, at_words
from gantext.nn.text.output_layer import OutputLayer, policy_nll, word_log_prob
from gantext.nn.text.places import at_places, words_at
from gantext.nn.text.rewards import leave_one_out_mean

SCORES = 2**20  # of all words, that are made together


@torch.no_grad()
def expected_rewards(
    layer: OutputLayer,
    features: Tensor,
    other: OutputLayer,
    read: Tensor,
    bound: float,
    own_surprise: float,
) -> Tensor:
    """b_t of (4): E_{v ~ G} R(v) at each place, exact over the vocabulary, (N,), nats.

    Args:
        layer: G's, of the words that it writes.
        features: what that reads, (N, K).
        other: D's.
        read: what that reads, (N, L).
        bound: c.
        own_surprise: kappa.
    """
    found, rows = list[Tensor](), max(1, SCORES // len(layer.weight))
    parts = torch.split(features.float(), rows), torch.split(read.float(), rows)
    with torch.autocast(features.device.type, enabled=False):
        for g, d in zip(*parts, strict=True):
            odds = F.linear(g, *layer).softmax(1)
            paid = (-F.linear(d, *other).log_softmax(1)).clamp_max(bound)
            entropy = -torch.xlogy(odds, odds).sum(1)
            found.append(torch.linalg.vecdot(odds, paid) - own_surprise * entropy)
    return torch.cat(found)


def sentence_means(values: Tensor, valid: Tensor) -> Tensor:
    """The mean over the words of each sentence, (B,), of values (B, T), 0 at <pad>."""
    return values.sum(1) / valid.sum(1).clamp_min(1)


def later_rewards(rewards: Tensor, discount: float) -> Tensor:
    """sum over s > t of discount^(s-t) R_s, (B, T), of rewards (B, T), 0 at <pad>."""
    steps = torch.arange(rewards.shape[1], device=rewards.device)
    lag = steps[None, :] - steps[:, None]  # (t, s)
    weights = torch.where(lag > 0, float(discount) ** lag.clamp_min(1), 0.0).to(rewards.dtype)
    with torch.autocast(rewards.device.type, enabled=False):  # sums of rewards are fp32
        return rewards @ weights.T


def word_advantages(rewards: Tensor, expected: Tensor, valid: Tensor, discount: float) -> Tensor:
    """(4): A_t of each word, (B, T), 0 at <pad>; `expected` are the b_t."""
    later = later_rewards(rewards, discount) * valid
    return (rewards - expected + later - leave_one_out_mean(later, valid)) * valid


def sentence_advantages(rewards: Tensor, valid: Tensor) -> Tensor:
    """A sentence's mean R less that of the others, (B, T), the same at each word; 0 at <pad>."""
    means = sentence_means(rewards, valid)[:, None]
    return (means - leave_one_out_mean(means, torch.ones_like(means))) * valid


class Discriminator(nn.Module):
    """The language model whose -log D, up to a bound, is the reward.

    Args:
        model: of the generator's architecture and sizes.
        bound: c, nats.
    """

    def __init__(self, model: TextGenerator, bound: float) -> None:
        super().__init__()
        self.model, self.bound = model, bound

    def rewards(self, tokens: Tensor) -> Tensor:
        """(1) of each word, (B, T), without a gradient; 0 at <pad>."""
        return (-self.model.token_log_prob(tokens)).clamp_max(self.bound)

    def loss(self, real: Tensor, fake: Tensor, real_weight: float) -> tuple[Tensor, Metrics]:
        """(2), and S(y) of both, by sentences (B, T) and the generator's, (B, T'); real_weight is
        lambda. Without dropout, as it rewards. A rank gives its share."""
        generated, r_fake = self._mean_nll(ranks.mine(fake), 1.0, None)
        asked, r_real = self._mean_nll(ranks.mine(real), -real_weight, self.bound)
        return generated + asked, {"r_real": r_real, "r_fake": r_fake}

    def _mean_nll(self, tokens: Tensor, sign: float, bound: float | None) -> tuple[Tensor, Tensor]:
        """`sign` times the sentences' mean -log D, whose gradient ends where a word's passes the
        bound; and without a gradient the mean of S(y)."""
        valid = tokens != PAD
        share = sign / (len(tokens) * valid.sum(1, keepdim=True))  # of each word
        shares = at_places(share * valid, tokens)
        layer, words = self.model.output_layer(), words_at(tokens)
        features = self.model.valid_features(tokens)
        if bound is not None:
            shares = shares.masked_fill(word_log_prob(layer, features, words) <= -bound, 0)
        found = policy_nll(layer, features, words, shares)
        rewards = at_words((-found.log_prob).clamp_max(self.bound), tokens)
        return found.loss, sentence_means(rewards, valid).mean()
