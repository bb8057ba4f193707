"""What of a sentence's reward is foretold by how likely it is, and by which words it has.

A judge prefers sentences that the generator finds likely, and those of topics that it writes well:
on captions a generator that follows it grows sharper and writes of bathrooms. Yet how likely its
own sentences are, and how often it writes a word, likelihood has taught it better than a judge can.
So that is taken off its rewards, and what is left pays for how words go together.

Shapes: N sentences, T steps, F features.
"""

import enum
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from gantext.data.vocabulary import PAD, SPECIALS
from gantext.errors import UserError
from gantext.nn import ranks
from gantext.nn.autocast import without_autocast
from gantext.nn.text.lstm import WordModel

WORDS = 500  # the commonest of the vocabulary, each by itself and as a sentence's first
HALF = 2000  # sentences after which one counts half as much
RIDGE = 15.0  # as many sentences as an effect of a word is held to 0 by

LogProb = Callable[[Tensor], Tensor]  # of (N, T) sentences, nats, (N,)


class Less(enum.Enum):
    """What is taken off the rewards of sentences."""

    none = "none"
    likelihood = "likelihood"
    words = "words"


class Foretold(nn.Module):
    """Takes off rewards what is foretold by a sentence's log p and, with `words`, by its words.

    The first is a line, by least squares within the batch. The second is a ridge regression on
    whether a common word is there, whether it is the first, and on the length; it learns of the
    batches before, so that no sentence foretells its own reward.

    Args:
        less: what is taken off.
        vocab_size: of the text, whose words come in the order of how common they are.
        log_prob: of the generator as it is.
    """

    gram: Tensor
    along: Tensor

    def __init__(self, less: Less, vocab_size: int, log_prob: LogProb) -> None:
        super().__init__()
        self.log_prob = log_prob
        self.words = min(WORDS, vocab_size - len(SPECIALS)) if less is Less.words else 0
        size = 2 * self.words + 1 if self.words else 0
        self.register_buffer("gram", torch.zeros(size, size))
        self.register_buffer("along", torch.zeros(size))

    @torch.no_grad()
    def left(self, rewards: Tensor, tokens: Tensor) -> Tensor:
        """What is left of rewards (N,) of sentences (N, T), of mean 0; (N,). It learns of them."""
        log_prob = ranks.gathered(self.log_prob(ranks.mine(tokens)), len(tokens))
        with without_autocast(tokens.device):  # sums of rewards are fp32
            found = without_line(rewards, log_prob)
            return (
                without_line(self._without_words(found, tokens), log_prob) if self.words else found
            )

    def _without_words(self, rewards: Tensor, tokens: Tensor) -> Tensor:
        features = self.features(tokens)
        left = rewards - features @ self.effects()
        kept = 0.5 ** (len(tokens) / HALF)
        self.gram.mul_(kept).addmm_(features.T, features)
        self.along.mul_(kept).addmv_(features.T, rewards)
        return left

    def features(self, tokens: Tensor) -> Tensor:
        """Of (N, T) sentences: which of the words are there, which is the first, and the length in
        tens of words; (N, F)."""
        rows, last = len(tokens), self.words
        place = tokens - len(SPECIALS)
        place = place.where((place >= 0) & (place < last), last)  # the last: all other ones
        there, first = self.gram.new_zeros(2, rows, last + 1)
        there.scatter_(1, place, 1.0)
        first.scatter_(1, place[:, :1], 1.0)
        length = (tokens != PAD).sum(1, keepdim=True).to(there) / 10
        return torch.cat([there[:, :last], first[:, :last], length], 1)

    def effects(self) -> Tensor:
        """What each feature adds to a reward, by the batches so far; (F,)."""
        held = self.gram + RIDGE * torch.eye(len(self.gram), device=self.gram.device)
        factor, _ = torch.linalg.cholesky_ex(held)  # without waiting for a GPU
        return torch.cholesky_solve(self.along[:, None], factor)[:, 0]


def without_line(values: Tensor, by: Tensor) -> Tensor:
    """Values (N,), less their line by another number of each, by least squares; of mean 0."""
    values, by = values - values.mean(), by - by.mean()
    return values - by * (by @ values) / (by @ by).clamp_min(1e-12)


def foretold_of(
    less: Less, vocab_size: int, generator: WordModel, device: torch.device
) -> Foretold | None:
    """What takes something off the rewards of a generator's samples, if that is asked for."""
    if less is Less.none:
        return None
    return Foretold(less, vocab_size, partial(_log_prob, generator)).to(device)


def _log_prob(generator: WordModel, tokens: Tensor) -> Tensor:
    return generator.token_log_prob(tokens).sum(1)


def check_less(less: Less, reward: str, others: str = "") -> None:
    """Raises UserError where rewards are not those of whole sentences, or `others` forbid it."""
    if less is Less.none:
        return
    asked = f"model.adversarial.reward_less={less.value}"
    if reward != "sentence":
        raise UserError(f"{asked} needs model.adversarial.reward=sentence")
    if others:
        raise UserError(f"{asked} {others}")
