"""All sentences of up to three words over two words, and what a generator makes of them.

Shapes: N sentences, T = 3 steps, V words.
"""

import itertools

import torch
from torch import Tensor

from gantext.data.vocabulary import EOS, PAD
from gantext.nn.text.lstm import TextGenerator

WORDS, T = 6, 3  # the words 4 and 5, <eos>, and <unk>, which no sample has


def all_sentences() -> Tensor:
    """Every one over 4 and 5, (15, T): those that end within T words, and those cut there."""
    ended = [
        [*words, EOS, *[PAD] * (T - 1 - n)]
        for n in range(T)
        for words in itertools.product((4, 5), repeat=n)
    ]
    return torch.tensor([*ended, *itertools.product((4, 5), repeat=T)])


def written_log_prob(generator: TextGenerator, tokens: Tensor) -> Tensor:
    """log p of the words of (N, T) as the generator writes them, (N, T), with a gradient; 0 at
    <pad>."""
    scores = generator.features(tokens) @ generator.output.weight.T + generator.output.bias
    log_p = scores.index_fill(2, generator.never, -torch.inf).log_softmax(2)
    found = log_p.gather(2, tokens.clamp_min(EOS)[:, :, None])[:, :, 0]
    return found * (tokens != PAD)


def sharpen(generator: TextGenerator, seed: int = 1) -> None:
    """Let it give words different probabilities, by what it has read."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in generator.parameters():
            weight.add_(torch.randn(weight.shape, generator=rng), alpha=0.5)
