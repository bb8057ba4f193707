"""A weight of the entropy that a policy gradient leaves as it is.

By E[A grad log p] alone a word's entropy H changes, along the natural gradient, by
-E[A (log p + H)] (Cui et al. 2025, "The Entropy Mechanism of Reinforcement Learning for Reasoning
Language Models", arXiv 2505.22617): what a judge prefers is for the most part what was likely, so
that a generator that follows it grows sharper, as at a lower temperature. With c times the entropy
beside it A becomes A - c (log p + H), and the change is 0 for

- (1) c = E[A (log p + H)] / E[(log p + H)^2]

over the words that were drawn, here of the last batches. Shapes: B sentences, T steps, N places.
"""

import torch
from torch import Tensor, nn

from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.nn import ranks
from gantext.nn.text.output_layer import PolicyLoss
from gantext.nn.text.places import counted, share_of_words

AUTO, HELD = "auto", "held"
KEPT = 0.9  # share of the two means of (1) that a batch leaves

Bonus = float | Tensor


class HeldEntropy(nn.Module):
    """(1), times what a word's advantage counts in the loss; 0 before the first batch."""

    moments: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("moments", torch.zeros(2))

    @property
    def weight(self) -> Tensor:
        """Of each word's entropy, ()."""
        along, size = self.moments
        return torch.where(size > 0, along / size, torch.zeros_like(size))

    @torch.no_grad()
    def learn(self, weights: Tensor, drawn: PolicyLoss, tokens: Tensor) -> None:
        """Take the words of a batch: what multiplies their log p in the loss, (N,), these and
        entropies of tokens (B, T)."""
        counts = counted(tokens)
        centred = drawn.log_prob + drawn.entropy
        centred = centred if counts is None else centred * counts
        now = ranks.total(torch.stack([(weights * centred).sum(), centred.square().sum()]))
        self.moments.copy_(torch.where(self.moments[1] > 0, now.lerp(self.moments, KEPT), now))


def check_entropy(weight: float | str) -> None:
    """Raises UserError for a word that is none of these."""
    if isinstance(weight, str) and weight not in (AUTO, HELD):
        raise UserError(
            f"model.adversarial.entropy_weight={weight}: it must be a number, {HELD} or {AUTO}"
        )


def settled_entropy(weight: float | str, known: bool) -> float | str:
    """What `auto` stands for: nothing where the text is of a known grammar, whose sentences are all
    that a generator should write; elsewhere the entropy is held."""
    if weight != AUTO:
        return weight
    return 0.0 if known else HELD


def held_of(weight: float | str, device: torch.device) -> HeldEntropy | None:
    """What holds the entropy, if that is asked for."""
    return HeldEntropy().to(device) if weight == HELD else None


def bonus(held: HeldEntropy | None, weight: float | str, tokens: Tensor) -> Bonus:
    """What entropies count in the loss at the places of tokens (B, T): of all, or of each, (N,)."""
    if held is None:
        assert not isinstance(weight, str)
        return share_of_words(tokens, weight)
    counts = counted(tokens)
    if counts is None:
        return held.weight.expand(int((tokens != PAD).sum()))
    return held.weight * counts
