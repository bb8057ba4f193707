"""A backward language model of real sentences against the generator, as a judge.

The logit is log p_backward(x) - log p_generator(x). The backward model is fitted to real sentences
by likelihood alone and reads them from their ends: it errs in other places than the generator,
which reads them from their beginnings.

Shapes: N sentences, T steps.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from gantext.data.batches import of_like_length
from gantext.data.flat import Tokens
from gantext.data.vocabulary import EOS, PAD
from gantext.nn.text.judges.config import RatioConfig
from gantext.nn.text.judges.small_lm import LM, LMConfig, log_prob
from gantext.nn.text.language_model import LanguageModel

# What --judge lm-ratio fits: as strong as a generator of the default sizes and epochs, since the
# ratio of a weaker model to the generator says which of them knows a sentence better.
RATIO = RatioConfig(embedding=128, hidden=256, dropout=0.3, batch_size=128, learning_rate=0.006)
ROWS = 500  # sentences of like length that are scored together

LogProb = Callable[[Tensor], Tensor]  # of (N, T) tokens, nats, (N,)


def backward_config(config: RatioConfig, steps: int) -> LMConfig:
    """The backward language model of a ratio, fitted in so many steps; what a config does not say
    is as the language model of `lm-score` has it."""
    network = dataclasses.replace(
        LM.network, embedding=config.embedding, hidden=config.hidden, dropout=config.dropout
    )
    training = dataclasses.replace(
        LM.training, learning_rate=config.learning_rate, batch_size=config.batch_size
    )
    return LMConfig(network, training, steps)


BACKWARD = backward_config(RATIO, 800)


@torch.no_grad()
def ratio(backward: LanguageModel, generator: LogProb, tokens: Tensor) -> Tensor:
    """The logit of (N, T) tokens, (N,) float64 on the CPU, nats."""
    found = torch.from_numpy(log_prob(backward, reversed_words(rows_of(tokens.cpu())))[0])
    return found - by_length(generator, tokens, backward.output.bias.device)


def by_length(log_prob: LogProb, tokens: Tensor, device: torch.device) -> Tensor:
    """log p of (N, T) tokens, sentences of like length together, (N,) float64 on the CPU, nats."""
    found = torch.zeros(len(tokens), dtype=torch.float64)
    for places, rows in of_like_length(tokens.cpu(), ROWS):
        found[places] = log_prob(rows.to(device)).double().cpu()
    return found


def backward_rows(tokens: Tensor) -> Tensor:
    """(N, T) tokens with their words from last to first, on the device that they are on."""
    return reversed_words(rows_of(tokens.cpu())).padded(tokens.shape[1]).to(tokens.device)


def rows_of(tokens: Tensor) -> Tokens:
    """(N, T) tokens without their padding."""
    there = tokens != PAD
    return Tokens.behind(tokens[there].numpy(), there.sum(1).numpy())


def reversed_words(tokens: Tokens) -> Tokens:
    """The sentences with their words from last to first; <eos> stays at the end where there is."""
    values, lengths = tokens.gathered(), tokens.lengths.astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    words = lengths - (values[starts + lengths - 1] == EOS)
    place = np.arange(len(values)) - np.repeat(starts, lengths)  # within its sentence
    last = np.repeat(words, lengths) - 1
    turned = np.where(place <= last, last - place, place) + np.repeat(starts, lengths)
    return Tokens.behind(values[turned], lengths)
