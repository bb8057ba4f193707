"""Judges of whole sentences, and what they give a generator for them.

Shapes: N sentences, T steps.
"""

from typing import Protocol

import torch
from torch import Tensor, nn

from gantext.data.batches import of_like_length

SCORE_ROWS = 64  # of like length that are scored together
FINITE = 40.0  # of log-odds: the square of a sum of so large odds still has a single precision


class SentenceJudge(Protocol):
    """Tells real sentences from a generator's."""

    def score(self, tokens: Tensor) -> Tensor:
        """The probability of 'real' of (N, T) sentences, (N,), without gradient."""
        ...

    def log_odds(self, tokens: Tensor) -> Tensor:
        """Its logit, (N,), nats, without gradient."""
        ...


class Discriminator(nn.Module):
    """A network that tells real sentences from a generator's; a logit does not depend on <pad>."""

    def logits(self, tokens: Tensor) -> Tensor:
        """Of being real, (B,), of sentences (B, T)."""
        raise NotImplementedError

    @torch.no_grad()
    def score(self, tokens: Tensor) -> Tensor:
        """Probability of 'real' of many sentences, (N,), without gradient."""
        scores = torch.empty(len(tokens), device=tokens.device)
        for rows, group in of_like_length(tokens, SCORE_ROWS):
            scores[rows] = self.logits(group).sigmoid()
        return scores


def sentence_rewards(judge: SentenceJudge, tokens: Tensor, clip: float) -> Tensor:
    """A judge's probability of 'real' of (N, T) sentences, or its clipped log-odds; (N,).

    Of the best judge the log-odds are log p_data(x) - log p(x), so that the expected reward is
    minus KL(p || p_data) (Sonderby et al. 2017, arXiv 1610.04490). They tell very bad from bad
    where probabilities are all near 0.

    Args:
        judge: of the sentences.
        tokens: whole sentences.
        clip: log-odds between minus this and this; 0: the probability.
    """
    return judge.log_odds(tokens).clamp(-clip, clip) if clip else judge.score(tokens)


def belief_of(logits: Tensor, clip: float) -> Tensor:
    """As `sentence_rewards`, of logits of any shape."""
    return logits.clamp(-clip, clip) if clip else torch.sigmoid(logits)


def sentence_odds(judge: SentenceJudge, tokens: Tensor, clip: float) -> Tensor:
    """D / (1 - D) of (N, T) sentences, (N,); of the best judge p_data(x) / p(x).

    `clip` bounds the log-odds as in `sentence_rewards`; 0: only so that sums of odds stay finite.
    """
    bound = clip or FINITE
    return judge.log_odds(tokens).clamp(-bound, bound).exp()
