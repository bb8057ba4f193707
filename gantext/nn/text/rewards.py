"""Rewards to advantages, and the policy-gradient loss: pure functions.

Shapes: B batch, T steps. `valid` is (B, T) bool, true where there is a token (<eos> counts).
"""

import torch
from torch import Tensor

from gantext.data.vocabulary import PAD
from gantext.nn.text.equal_rows import different_share


def returns_to_go(rewards: Tensor, valid: Tensor, discount: float) -> Tensor:
    """Q_t = sum over s >= t of discount^(s-t) r_s, over the sum of the same weights; (B, T).

    The weights' sum makes Q an average of rewards, whatever the sentence's length. With
    discount 0 it is r_t itself.
    """
    steps = torch.arange(rewards.shape[1], device=rewards.device)
    lag = steps[None, :] - steps[:, None]  # (t, s)
    weights = torch.where(lag >= 0, float(discount) ** lag.clamp_min(0), 0.0).to(rewards.dtype)
    with torch.autocast(rewards.device.type, enabled=False):  # sums of rewards are fp32
        total = (rewards * valid) @ weights.T
        # A word's own weight is 1; past the end of a sentence there may be none.
        return total / (valid.to(rewards.dtype) @ weights.T).clamp_min(1) * valid


def leave_one_out_mean(values: Tensor, valid: Tensor) -> Tensor:
    """Per step, the mean over the other sentences of the batch; (B, T).

    A sentence's own value does not enter its baseline, so the gradient stays unbiased. Where no
    other sentence is that long, the mean over all other sentences' tokens is taken.
    """
    kept = values * valid
    count = valid.sum(0) - valid.to(values.dtype)
    others = (kept.sum(0) - kept) / count.clamp_min(1)
    tokens = (valid.sum() - valid.sum(1)).clamp_min(1)
    overall = (kept.sum() - kept.sum(1)) / tokens  # (B,)
    return torch.where(count > 0, others, overall[:, None]) * valid


def previous_values(rewards: Tensor, every: int) -> Tensor:
    """The reward at the last position with rollouts before each word's own block; (B, T).

    With every = 1 that is Q_{t-1}. It does not depend on x_t. Zero in the first block.
    """
    steps = torch.arange(rewards.shape[1], device=rewards.device)
    source = steps // every * every - 1
    return torch.where(source >= 0, rewards[:, source.clamp_min(0)], 0.0)


def without_first(advantage: Tensor, count: int) -> Tensor:
    """Advantages (B, T), 0 for the first so many words of a sentence: they say what it is about."""
    if not count:
        return advantage
    return advantage * (torch.arange(advantage.shape[1], device=advantage.device) >= count)


def standardised(advantage: Tensor, valid: Tensor) -> Tensor:
    """Advantages with mean 0 and standard deviation 1 over the batch's tokens."""
    if advantage.device.type != "cpu":  # which would be waited for
        centred = advantage - valid_mean(advantage, valid)
        return centred / valid_mean(centred.square(), valid).sqrt().clamp_min(1e-6) * valid
    chosen = advantage[valid]
    deviation = chosen.std(correction=0).clamp_min(1e-6)
    return (advantage - chosen.mean()) / deviation * valid


def valid_mean(values: Tensor, valid: Tensor) -> Tensor:
    """The mean over the batch's tokens. No host waits to learn how many those are."""
    return (values * valid).sum() / valid.sum()


def spread(values: Tensor, valid: Tensor) -> Tensor:
    """The standard deviation over the batch's tokens; 0 of a single one, which has none."""
    squares = ((values - valid_mean(values, valid)) * valid).square().sum()
    return (squares / (valid.sum() - 1).clamp_min(1)).sqrt()


def sampled(tokens: Tensor, rewards: Tensor) -> dict[str, Tensor]:
    """What is logged of samples (B, T) and their rewards; all scalars that no host waits for."""
    valid = tokens != PAD
    return {
        "reward": valid_mean(rewards, valid),
        "length": valid.sum(1).float().mean(),
        "batch_unique": different_share(tokens),
    }


def ranked(values: Tensor, valid: Tensor, delta: float) -> Tensor:
    """Per step over the batch: sigmoid(delta * (0.5 - rank / B)), rank 1 the best; (B, T).

    The bootstrapped rescaled activation of LeakGAN (Guo et al. 2018, section 3.3); ties share
    their mean rank, and B is the number of sentences that have a token at that step.
    """
    above = (values[None] > values[:, None]) & valid[None]
    equal = (values[None] == values[:, None]) & valid[None]
    rank = above.sum(1) + (equal.sum(1) + 1) / 2
    share = rank / valid.sum(0).clamp_min(1)
    return torch.sigmoid(delta * (0.5 - share)) * valid


def importance_weights(ratios: Tensor, valid: Tensor) -> Tensor:
    """Per step, ratios p_data / p of prefixes over their mean in the batch; (B, T), 0 at <pad>.

    MaliGAN's r_D(x_i) / sum over j of r_D(x_j) (Che et al. 2017), times B, since `policy_weights`
    divides by it. A sentence that has ended stands in later steps' means with its own last ratio:
    its prefix is all of it, and of the best discriminator every step's expected ratio is 1.
    """
    ends = valid.sum(1, keepdim=True) - 1
    carried = torch.where(valid, ratios, ratios.gather(1, ends))
    return carried / carried.mean(0).clamp_min(1e-30) * valid


def effective_share(weights: Tensor, valid: Tensor) -> Tensor:
    """Of how many sentences' worth the weights (B, T) are, over B, by those of the last words:
    (sum w)^2 / (B sum w^2), the effective sample size. 1: all weigh alike; 1 / B: one has it all.
    """
    last = weights.gather(1, valid.sum(1, keepdim=True) - 1)
    return last.sum().square() / (len(last) * last.square().sum()).clamp_min(1e-30)


def policy_weights(advantage: Tensor, valid: Tensor, longest: int) -> Tensor:
    """The weight of -log p(x_t) at each place, (N,), in the policy-gradient loss (see `places`):
    A_t over B times the `longest` length of a sentence, 0 at <pad> (REINFORCE; SeqGAN's eq. 7).

    `longest` is the task's and not the batch's: dividing by a constant, neither by the number of
    words nor by T, keeps the gradient that of the expected reward, up to that constant. Both depend
    on the sample: a batch with one long sentence would weigh less.
    """
    weights = advantage.detach() / (len(valid) * longest)
    return weights[valid] if weights.device.type == "cpu" else (weights * valid).flatten()


def policy_gradient_loss(
    log_prob: Tensor, advantage: Tensor, valid: Tensor, longest: int
) -> Tensor:
    """-sum of log p(x_t), or of what stands for it, (B, T), by its share in `policy_weights`."""
    return -(log_prob * advantage.detach() * valid).sum() / (len(valid) * longest)


def ranked_among(rewards: Tensor, valid: Tensor, real: Tensor, delta: float) -> Tensor:
    """`ranked` per step of (B, T) rewards, among which stand the scores (N,) of real sentences."""
    standing = real[:, None].expand(-1, rewards.shape[1])
    everyone = torch.cat([valid, torch.ones_like(standing, dtype=torch.bool)])
    return ranked(torch.cat([rewards, standing]), everyone, delta)[: len(rewards)]
