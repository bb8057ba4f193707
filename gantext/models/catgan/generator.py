"""A generator that reads the class with each word: its vector is added to the word's embedding.

Shapes: B sentences, N rows, T steps, K classes, E embedding.
"""

import torch
from torch import Tensor, nn

from gantext.nn.text.lstm import SCORED_TOKENS, TextGenerator
from gantext.nn.text.output_layer import OutputLayer
from gantext.nn.text.sampling import State

DEVIATION = 0.1  # of a class's vector at first, as of a word's


class ClassGenerator(nn.Module):
    """A generator of any architecture, and a vector for each class, (K, E)."""

    def __init__(self, network: TextGenerator, classes: int, rng: torch.Generator) -> None:
        super().__init__()
        self.network = network
        width = network.get_parameter("embedding.weight").shape[1]
        self.classes = nn.Embedding(classes, width)
        with torch.no_grad():
            nn.init.normal_(self.classes.weight, 0.0, DEVIATION, generator=rng)

    def of(self, labels: Tensor) -> "OfClass":
        """The generator of the classes of rows (N,), or of one class, ()."""
        return OfClass(self.network, self.classes(labels))


class OfClass(TextGenerator):
    """The generator with classes given; a policy, and a model to be fitted, as others are.

    Its state ends with the vectors of its rows, (N, E).
    """

    def __init__(self, network: TextGenerator, vectors: Tensor) -> None:
        super().__init__(network.vocab_size)
        self._network = [network]  # no part of this, which is made anew with each use
        self.vectors = vectors

    @property
    def network(self) -> TextGenerator:
        """That of all classes."""
        return self._network[0]

    def _rows(self, rows: int) -> Tensor:
        return self.vectors.expand(rows, -1)

    def output_layer(self, written: bool = False) -> OutputLayer:
        """The network's."""
        return self.network.output_layer(written)

    def features(
        self, tokens: Tensor, rng: torch.Generator | None = None, added: Tensor | None = None
    ) -> Tensor:
        """The network's, of tokens (B, T)."""
        return self.network.features(tokens, rng, self._rows(len(tokens)))

    def valid_features(
        self, tokens: Tensor, rng: torch.Generator | None = None, added: Tensor | None = None
    ) -> Tensor:
        """The network's, of tokens (B, T)."""
        return self.network.valid_features(tokens, rng, self._rows(len(tokens)))

    @torch.no_grad()
    def token_log_prob(self, tokens: Tensor, written: bool = False) -> Tensor:
        """log p(x_t | x_<t, class), (B, T), nats; some sentences at a time, with their classes."""
        rows = max(1, SCORED_TOKENS // max(1, tokens.shape[1]))
        both = tokens, self._rows(len(tokens))
        pairs = zip(*(torch.split(part, rows) for part in both), strict=True)
        parts = [(part, OfClass(self.network, vectors)) for part, vectors in pairs]
        return torch.cat([TextGenerator.token_log_prob(own, part, written) for part, own in parts])

    def start(self, rows: int, added: Tensor | None = None) -> State:
        """The state that has read <bos> and the class."""
        vectors = self._rows(rows)
        return *self.network.start(rows, vectors), vectors

    def advance(self, state: State, tokens: Tensor, added: Tensor | None = None) -> State:
        """Read one token a row, (N,)."""
        *rest, vectors = state
        return *self.network.advance(tuple(rest), tokens, vectors), vectors

    def logits(self, state: State) -> Tensor:
        """Scores of the next word."""
        return self.network.logits(state[:-1])
