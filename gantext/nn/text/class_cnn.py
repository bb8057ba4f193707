"""A text CNN with a logit for each class: of what a discriminator or a classifier tells apart.

Shapes: B sentences, N sentences or words, T steps, V vocabulary, K outputs, F all filters.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.batches import of_like_length
from gantext.data.vocabulary import PAD
from gantext.nn.text.places import on_grid
from gantext.nn.text.text_cnn import SCORE_ROWS, DiscriminatorConfig, TextCNN


class ClassCNN(TextCNN):
    """K logits a sentence.

    Args:
        real: makes of logits (B, K) one of being real, (B,), where it is a discriminator.
    """

    def __init__(
        self,
        vocab_size: int,
        config: DiscriminatorConfig,
        max_length: int,
        rng: torch.Generator,
        outputs: int,
        real: Callable[[Tensor], Tensor] = lambda logits: logits.logsumexp(-1),
    ) -> None:
        super().__init__(vocab_size, config, max_length, rng)
        self.output, self._real = nn.Linear(self.size, outputs), real
        with torch.no_grad():
            nn.init.normal_(self.output.weight, 0.0, self.size**-0.5, generator=rng)
            nn.init.zeros_(self.output.bias)

    def _output(self, pooled: Tensor, kept: Tensor | None) -> Tensor:
        logits: Tensor = self.output(self._kept_features(pooled, kept)).float()
        return logits

    def real(self, logits: Tensor) -> Tensor:
        """Of being real, (B,), by logits (B, K)."""
        return self._real(logits)

    def class_logits(self, tokens: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Of sentences (B, T), (B, K); with rng, dropout is on."""
        return super().logits(tokens, rng)

    def class_logits_of(self, batches: Sequence[Tensor], rng: torch.Generator) -> Sequence[Tensor]:
        """Of each batch, dropout drawn for one after the other, in one pass."""
        return self.logits_of(batches, rng)

    def relaxed_logits(self, tokens: Tensor, words: Tensor, rng: torch.Generator) -> Tensor:
        """`class_logits` of sentences (B, T) with vectors (N, V) in the place of their words, N of
        them as in `places`: the gradient passes through these."""
        embedded = on_grid(words @ self.embedding.weight, tokens).transpose(1, 2)  # (B, E, T)
        outside, found = (tokens == PAD)[:, None], []
        for width, convolution in zip(self.widths, self.convolutions, strict=True):
            windows = convolution(F.pad(embedded, (0, width - 1)))  # (B, F_w, T)
            found.append(windows.masked_fill(outside, 0.0).amax(-1).relu())
        pooled = torch.cat(found, 1)
        return self._output(pooled, self._dropout(pooled, rng))

    def logits(self, tokens: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Logit of 'real' of each sentence, (B,)."""
        return self.real(self.class_logits(tokens, rng))

    def score(self, tokens: Tensor) -> Tensor:
        """Probability of 'real' of many sentences, (N,), without gradient."""
        return self.scored(tokens, lambda logits: self.real(logits).sigmoid())

    def log_odds(self, tokens: Tensor) -> Tensor:
        """Logit of 'real' of many sentences, (N,), without gradient."""
        return self.scored(tokens, self.real)

    def scored(self, tokens: Tensor, score_of: Callable[[Tensor], Tensor]) -> Tensor:
        """What is made of the K logits of many sentences, (N,), without gradient."""
        return self._scored(tokens, score_of)

    @torch.no_grad()
    def all_logits(self, tokens: Tensor) -> Tensor:
        """`class_logits` of many sentences, (N, K), without gradient."""
        found = torch.zeros(len(tokens), self.output.out_features, device=tokens.device)
        for rows, group in of_like_length(tokens, SCORE_ROWS):
            found[rows] = self.class_logits(group)
        return found
