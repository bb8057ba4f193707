"""A text CNN that has read the sentence so far: the discriminator of `judge.kind: rcnn`.

Windows of a few words cannot tell what is wrong with a word by one that stood much earlier. So
beside each word's embedding they read the state of an LSTM that has read the sentence up to that
word (Lai et al. 2015, "Recurrent Convolutional Neural Networks for Text Classification", AAAI). Of
their two directions there is one: a prefix is then a sentence that ends there, as the text CNN has
it, and on text from a known grammar both directions tell less (docs/judges.md).

Shapes: B batch, T steps, E embedding and as many numbers of the state, U words of a batch, w a
filter's width, F_w its filters, F all filters.
"""

import torch
from torch import Tensor, nn

from gantext.data.vocabulary import PAD
from gantext.nn.text.lstm import initialise, lstm_pass
from gantext.nn.text.text_cnn import DiscriminatorConfig, TextCNN
from gantext.nn.text.windows import prefix_windows, prefix_windows_of, tap_products, tap_table


class RecurrentCNN(TextCNN):
    """Logits as of a text CNN, by windows over words and what came before them."""

    def __init__(
        self, vocab_size: int, config: DiscriminatorConfig, max_length: int, rng: torch.Generator
    ) -> None:
        size = config.embedding
        super().__init__(vocab_size, config, max_length, rng, beside=size)
        self.reader = nn.LSTM(size, size, batch_first=True)
        initialise(self.reader, rng)

    def vectors(self, tokens: Tensor) -> Tensor:
        """Each word's embedding and the state after it, (B, T, 2 E); 0 at <pad>."""
        embedded = self.embedding(tokens)
        states, _ = lstm_pass(self.reader, embedded)
        return torch.cat([embedded, states.masked_fill((tokens == PAD)[..., None], 0.0)], -1)

    def pooled(self, tokens: Tensor) -> Tensor:
        """Largest activation of each filter over a sentence's windows, (B, F)."""
        if tokens.device.type != "cpu":
            return self.convolved(tokens)
        vectors, places = self._read(tokens)
        return self._pooled([tap_table(vectors, each) for each in self.convolutions], places)

    def prefix_pooled(self, tokens: Tensor) -> Tensor:
        """`pooled` of each prefix x_1..x_t as a sentence of its own, (B, T, F), in one pass."""
        if tokens.device.type != "cpu":
            read = self.vectors(tokens)
            found = [prefix_windows(tap_products(read, each)) for each in self.convolutions]
        else:
            read, places = self._read(tokens)
            products = [tap_products(read, each) for each in self.convolutions]
            found = [prefix_windows_of(each, places) for each in products]
        return torch.cat(found, -1).add_(self._biases()).relu_()

    def shared_tables(self, words: Tensor) -> None:
        """None: what windows read depends on the words before."""

    def _read(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The vectors of <pad> and of all words of a batch in turn, (U, 2 E), and which of them
        stands at each place, (B, T)."""
        valid = tokens != PAD
        vectors = self.vectors(tokens)
        places = torch.where(valid, valid.flatten().cumsum(0).view_as(tokens), PAD)
        return torch.cat([vectors.new_zeros(1, vectors.shape[-1]), vectors[valid]]), places
