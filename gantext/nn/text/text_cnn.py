"""The text CNN discriminator (Kim 2014, arXiv 1408.5882) with one highway layer, as in SeqGAN.

Shapes: B batch, T steps, V vocabulary, E embedding, w a filter's width, F_w its filters, F all
filters. A window begins at each word and may reach past the sentence's end, where the embedding
is zero; windows that begin after the end do not count. So a sentence's features do not depend on
how it is padded, and a prefix is a sentence that ends there: `prefix_pooled` gives all of them
in one pass.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.batches import of_like_length
from gantext.data.ranges import Bias, Dropout, Size, Weight, Words
from gantext.data.vocabulary import PAD
from gantext.nn import ranks
from gantext.nn.text.dropout import keep_mask
from gantext.nn.text.equal_rows import unique_rows
from gantext.nn.text.rollouts import PLACES
from gantext.nn.text.sentence_judge import Discriminator
from gantext.nn.text.windows import (
    different_words,
    fitting_filters,
    largest_windows,
    prefix_windows,
    prefix_windows_of,
    tap_products,
    tap_table,
)

SCORE_ROWS = 256
# Of the tables that all sentences of a `score` share, at most: half a gigabyte of single precision.
SHARED_NUMBERS = 2**27


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Sizes and regularisation of the discriminator (explained in conf/model/*.yaml)."""

    embedding: Size
    widths: tuple[Words, ...]
    filters: tuple[Size, ...]
    dropout: Dropout
    l2: Weight
    gate_bias: Bias


class TextCNN(Discriminator):
    """One logit a sentence: above 0 for 'real'. Widths over a sentence's length are left out.

    Raises:
        UserError: see `fitting_filters`.
    """

    def __init__(
        self, vocab_size: int, config: DiscriminatorConfig, max_length: int, rng: torch.Generator
    ) -> None:
        super().__init__()
        kept = fitting_filters(config.widths, config.filters, max_length)
        self.config, self.widths = config, [width for width, _ in kept]
        self.embedding = nn.Embedding(vocab_size, config.embedding, padding_idx=PAD)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(config.embedding, filters, width) for width, filters in kept
        )
        self.size = sum(filters for _, filters in kept)
        self.transform = nn.Linear(self.size, self.size)
        self.gate = nn.Linear(self.size, self.size)
        self.output = nn.Linear(self.size, 1)
        self._initialise(rng)

    @torch.no_grad()
    def _initialise(self, rng: torch.Generator) -> None:
        for name, parameter in self.named_parameters():
            if "bias" in name:
                nn.init.constant_(parameter, self.config.gate_bias if name == "gate.bias" else 0.0)
            else:
                std = 1.0 if "embedding" in name else parameter[0].numel() ** -0.5
                nn.init.normal_(parameter, 0.0, std, generator=rng)
        self.embedding.weight[PAD] = 0

    def pooled(self, tokens: Tensor) -> Tensor:
        """Largest activation of each filter over a sentence's windows, (B, F)."""
        if tokens.device.type != "cpu":
            return self.convolved(tokens)
        words, places = different_words(tokens, self.embedding.num_embeddings)
        return self._pooled(self._tap_tables(words), places)

    def convolved(self, tokens: Tensor) -> Tensor:
        """`pooled` by convolutions over all windows.

        For GPUs, which have the products to spare: they would wait for the number of different
        words, and a launch costs them more than what it computes.
        """
        embedded = self.embedding(tokens).transpose(1, 2)  # (B, E, T)
        outside = (tokens == PAD)[:, None]  # (B, 1, T)
        found = []
        for width, convolution in zip(self.widths, self.convolutions, strict=True):
            windows = convolution(F.pad(embedded, (0, width - 1)))  # (B, F_w, T)
            found.append(windows.masked_fill(outside, 0.0).amax(-1).relu())
        return torch.cat(found, 1)

    def _tap_tables(self, words: Tensor) -> list[Tensor]:
        """`tap_table` of each width, of the words of `different_words`."""
        embedded = self.embedding(words)  # (U, E)
        return [tap_table(embedded, convolution) for convolution in self.convolutions]

    def _pooled(self, tables: list[Tensor], places: Tensor) -> Tensor:
        """`pooled` of sentences whose words have places (B, T) in the tables, (B, F)."""
        pairs = zip(tables, self.widths, strict=True)
        largest = torch.cat([largest_windows(table, places, width) for table, width in pairs], 1)
        return (largest + self._biases()).relu()

    def _biases(self) -> Tensor:
        """Of all filters, (F,)."""
        return torch.cat([c.get_parameter("bias") for c in self.convolutions])

    def prefix_pooled(self, tokens: Tensor) -> Tensor:
        """`pooled` of each prefix x_1..x_t as a sentence of its own, (B, T, F), in one pass."""
        if tokens.device.type != "cpu":
            products = [self.prefix_products(tokens, c) for c in self.convolutions]
            found = [prefix_windows(each) for each in products]
        else:
            words, places = different_words(tokens, self.embedding.num_embeddings)
            products = [self.prefix_products(words, c) for c in self.convolutions]
            found = [prefix_windows_of(each, places) for each in products]
        return torch.cat(found, -1).add_(self._biases()).relu_()

    def prefix_products(self, words: Tensor, convolution: nn.Module) -> Tensor:
        """What each word (...) adds to the windows that read it at each tap, (..., w, F_w)."""
        return tap_products(self.embedding(words), convolution)

    def highway(self, pooled: Tensor) -> Tensor:
        """t * relu(W_h x + b_h) + (1 - t) * x with t = sigmoid(W_t x + b_t)."""
        gate = self.gate(pooled).sigmoid_()
        changed = self.transform(pooled).relu_()
        return torch.lerp(pooled, changed.to(pooled.dtype), gate.to(pooled.dtype))

    def logits(self, tokens: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Logit of 'real' of each sentence, (B,); with rng, dropout is on."""
        pooled = self.pooled(tokens)
        return self._output(pooled, self._dropout(pooled, rng))

    def logits_of(self, batches: Sequence[Tensor], rng: torch.Generator) -> Sequence[Tensor]:
        """`logits` of each batch, dropout drawn for one after the other, in one pass."""
        sizes, pooled = [len(each) for each in batches], self._pooled_together(batches)
        return torch.split(self._output(pooled, self._dropout(pooled, rng, sizes)), sizes)

    def features_of(self, batches: Sequence[Tensor], rng: torch.Generator) -> Sequence[Tensor]:
        """What the output layer reads of each batch, (B, F), drawn as `logits_of`."""
        sizes, pooled = [len(each) for each in batches], self._pooled_together(batches)
        kept = self._dropout(pooled, rng, sizes)
        return torch.split(self._kept_features(pooled, kept), sizes)

    def _pooled_together(self, batches: Sequence[Tensor]) -> Tensor:
        length = max(each.shape[1] for each in batches)
        # With 0, which is <pad>.
        padded = [F.pad(each, (0, length - each.shape[1])) for each in batches]
        return self.pooled(torch.cat(padded))

    def prefix_logits(self, tokens: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Logit of 'real' of each prefix, (B, T); without a meaning at <pad>."""
        pooled = self.prefix_pooled(tokens)
        kept = self._dropout(pooled, rng)
        if tokens.device.type != "cpu":
            return self._output(pooled, kept)
        valid = tokens != PAD  # the others cost as much; a GPU would wait for their number
        logits = self._output(pooled[valid], None if kept is None else kept[valid])
        return logits.new_zeros(valid.shape).masked_scatter(valid, logits)

    def _dropout(
        self, pooled: Tensor, rng: torch.Generator | None, sizes: Sequence[int] | None = None
    ) -> Tensor | None:
        """What dropout multiplies features like `pooled` by, drawn for batches of these sizes (all
        as one) in turn; None: it is off."""
        rate = self.config.dropout
        if rng is None or rate == 0:
            return None
        shapes = [(size, *pooled.shape[1:]) for size in sizes or [len(pooled)]]
        return torch.cat(
            [ranks.noise(s, lambda whole: keep_mask(whole, rate, pooled, rng)) for s in shapes]
        )

    def _kept_features(self, pooled: Tensor, kept: Tensor | None) -> Tensor:
        """The highway layer's, times what dropout keeps of them, (..., F)."""
        features = self.highway(pooled)
        return features if kept is None else features * kept

    def _output(self, pooled: Tensor, kept: Tensor | None) -> Tensor:
        logit: Tensor = self.output(self._kept_features(pooled, kept)).squeeze(-1).float()
        return logit

    def penalty(self) -> Tensor:
        """L2 penalty of the output layer, as SeqGAN's code has it: l2 * (|W|^2 + |b|^2) / 2."""
        squares = self.output.weight.square().sum() + self.output.bias.square().sum()
        return self.config.l2 * squares / 2

    @property
    def places(self) -> int:
        """At how many words of the longest sentences `rollout_every: auto` rolls out."""
        return PLACES

    def score(self, tokens: Tensor) -> Tensor:
        """Probability of 'real' of many sentences, (N,), without gradient."""
        return self._scored(tokens, torch.sigmoid)

    def log_odds(self, tokens: Tensor) -> Tensor:
        """Logit of 'real' of many sentences, (N,), without gradient."""
        return self._scored(tokens, lambda logits: logits)

    @torch.no_grad()
    def _scored(self, tokens: Tensor, score_of: Callable[[Tensor], Tensor]) -> Tensor:
        """What is made of the logits of many sentences, (N,).

        Exact short cuts on a CPU: equal sentences are scored once, sentences of like length go
        together, each group cut at its longest, since features do not depend on padding, and all
        groups share the tables of their words, where these are not too large. Ranks take turns.
        """
        if tokens.device.type != "cpu":
            parts = torch.split(tokens, SCORE_ROWS * 64)
            return torch.cat([score_of(self._output(self.pooled(part), None)) for part in parts])
        first, inverse = unique_rows(tokens)
        words, places = different_words(tokens[first], self.embedding.num_embeddings)
        numbers = len(words) * sum(
            c.get_parameter("weight")[:, 0].numel() for c in self.convolutions
        )
        tables = self._tap_tables(words) if numbers <= SHARED_NUMBERS else None
        scores = torch.zeros(len(first))
        for rows, group in ranks.turns(of_like_length(places, SCORE_ROWS)):
            pooled = self._pooled(tables, group) if tables else self.pooled(words[group])
            scores[rows] = score_of(self._output(pooled, None))
        return ranks.total(scores)[inverse]
