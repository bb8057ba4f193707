"""Decoders of the sentence VAE that are no LSTM: p(x | z) by a transformer or a relational memory.

What z gives to the first state of an LSTM it gives here to what all words attend to: keys and
values of a place before the sentence, in each layer of a transformer (the "memory" of Optimus, Li
et al. 2020, arXiv 2004.04092, section 3.2), or the memory that a relational one begins with. What
stands beside each word's embedding in an LSTM is added to it here (their "embedding").

Shapes: B batch, T steps, Z latent, N rows or places (see `places`), W width, S rows of a memory, M
numbers in each, E embedding.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gantext.models.vae.networks import DecoderConfig, Injection, LatentDecoder, LSTMDecoder
from gantext.nn.text import relational, transformer
from gantext.nn.text.dropout import hide_words, word_dropout
from gantext.nn.text.generator import Arch, ArchConfig
from gantext.nn.text.lstm import TextGenerator, with_added
from gantext.nn.text.output_layer import OutputLayer
from gantext.nn.text.places import at_places
from gantext.nn.text.relational import RelationalConfig, RelationalModel
from gantext.nn.text.sampling import State, bos_column
from gantext.nn.text.transformer import Transformer, TransformerConfig


@dataclass(frozen=True)
class TextDecoderConfig(DecoderConfig, ArchConfig):  # whose keys come first
    """The architecture, and the sizes of each (explained in conf/model/vae.yaml)."""

    transformer: TransformerConfig
    relational: RelationalConfig


class AttendingDecoder(LatentDecoder):
    """What both share: a generator of text, and what z gives to it.

    Args:
        words: the generator.
        size: Z.
        first: numbers that z gives to what stands before the first word.
        width: of a word's embedding.
        config: of the decoder.
    """

    def __init__(
        self, words: TextGenerator, size: int, first: int, width: int, config: DecoderConfig
    ) -> None:
        super().__init__()
        self.words, self.vocab_size = words, words.vocab_size
        self.hidden_words, inject = config.word_dropout, config.z_inject
        self.to_first = nn.Linear(size, first) if inject is not Injection.input else None
        self.to_word = nn.Linear(size, width) if inject is not Injection.init else None

    @torch.no_grad()
    def draw_given(self, rng: torch.Generator) -> None:
        """Draw the weights of z: Xavier, biases 0."""
        for linear in filter(None, (self.to_first, self.to_word)):
            nn.init.xavier_uniform_(linear.weight, generator=rng)
            nn.init.zeros_(linear.bias)

    def _read(self, tokens: Tensor, rng: torch.Generator | None) -> Tensor:
        """What is read at each step of (B, T) tokens, some of it hidden in training."""
        return hide_words(bos_column(tokens), self.hidden_words, rng)

    def output_layer(self, written: bool = False) -> OutputLayer:
        """The generator's."""
        return self.words.output_layer(written)

    def _added(self, z: Tensor) -> Tensor | None:
        """What z, (N, Z), adds to each word's embedding, (N, E)."""
        return None if self.to_word is None else self.to_word(z)

    def _embedded(self, tokens: Tensor, z: Tensor) -> Tensor:
        """The embeddings of tokens (N,), with what z adds, (N, E)."""
        embedding = self.words.get_submodule("embedding")
        return with_added(embedding(hide_words(tokens, self.hidden_words, None)), self._added(z))


class TransformerDecoder(AttendingDecoder):
    """p(x | z) by a transformer."""

    words: Transformer

    def __init__(
        self,
        vocab_size: int,
        max_length: int,
        size: int,
        config: TextDecoderConfig,
        rng: torch.Generator,
        fixed_length: bool,
    ) -> None:
        sizes, shared = config.transformer, (config.tie_weights, config.embedding_dropout)
        where = "model.decoder.transformer"
        words = Transformer(vocab_size, max_length, sizes, *shared, rng, fixed_length, where)
        super().__init__(words, size, 2 * sizes.width * sizes.layers, sizes.width, config)
        self.draw_given(rng)

    def draw(self, rng: torch.Generator) -> None:
        """Draw all weights: the generator's as its own, and those of z."""
        transformer.initialise(self.words, rng)
        self.draw_given(rng)

    def _before(self, z: Tensor) -> list[Tensor]:
        """Each layer's keys and values before <bos>, (B, t, 2W): t is 1; 0 without any by z."""
        layers, width = len(self.words.blocks), 2 * self.words.config.width
        if self.to_first is None:
            return [z.new_zeros(len(z), 0, width)] * layers
        given = self.to_first(z).to(z.dtype).view(len(z), 1, layers, width)
        return list(given.unbind(2))

    def valid_features(
        self, tokens: Tensor, z: Tensor, rng: torch.Generator | None = None
    ) -> Tensor:
        """What the output layer reads at the places of tokens (B, T), (N, W), by z (B, Z)."""
        x = self.words.entered(self._read(tokens, rng), tokens, rng, self._added(z))
        return self.words.attended(x, tokens, rng, self._before(z))

    def before_words(self, z: Tensor) -> State:
        """z, (N, Z), and each layer's keys and values, (N, t, 2W)."""
        return z, *self._before(z)

    def advance(self, state: State, tokens: Tensor) -> State:
        """Read one token a row."""
        z, caches = state[0], state[-len(self.words.blocks) :]
        place = caches[0].shape[1] - (self.to_first is not None)
        x = self._embedded(tokens, z) + self.words.position(place)
        features, *caches_after = self.words.stepped(x, caches)
        return z, features, *caches_after

    def logits(self, state: State) -> Tensor:
        """Scores of the next word."""
        return self.words.logits(state[1:])


class RelationalDecoder(AttendingDecoder):
    """p(x | z) by a relational memory."""

    words: RelationalModel

    def __init__(
        self,
        vocab_size: int,
        size: int,
        config: TextDecoderConfig,
        rng: torch.Generator,
        fixed_length: bool,
    ) -> None:
        sizes, shared = config.relational, (config.tie_weights, config.embedding_dropout)
        words = RelationalModel(vocab_size, sizes, *shared, rng, fixed_length)
        numbers = sizes.slots * sizes.heads * sizes.head_size
        super().__init__(words, size, numbers, sizes.embedding, config)
        self.draw_given(rng)

    def draw(self, rng: torch.Generator) -> None:
        """Draw all weights: the generator's as its own, and those of z."""
        relational.initialise(self.words, rng)
        self.draw_given(rng)

    def _first(self, z: Tensor) -> Tensor:
        """The memory before <bos>, (B, S, M)."""
        first = self.words.get_buffer("first").expand(len(z), -1, -1)
        return first if self.to_first is None else first + self.to_first(z).view_as(first)

    def valid_features(
        self, tokens: Tensor, z: Tensor, rng: torch.Generator | None = None
    ) -> Tensor:
        """What the output layer reads at the places of (B, T) tokens, (N, S M or E), by z."""
        table = word_dropout(self.words.embedding.weight, self.words.hidden_words, rng)
        x = nn.functional.embedding(self._read(tokens, rng), table)  # (B, T, E)
        x = with_added(x, self._added(z))
        return at_places(self.words.rolled(x, self._first(z), rng), tokens)

    def before_words(self, z: Tensor) -> State:
        """The memory, (N, S, M), and z, (N, Z)."""
        return self._first(z).to(z.dtype), z

    def advance(self, state: State, tokens: Tensor) -> State:
        """Read one token a row."""
        memory, z = state
        return *self.words.stepped(self._embedded(tokens, z), memory), z

    def logits(self, state: State) -> Tensor:
        """Scores of the next word."""
        return self.words.logits(state[:1])


def latent_decoder(
    vocab_size: int,
    max_length: int,
    size: int,
    config: TextDecoderConfig,
    rng: torch.Generator,
    fixed_length: bool = False,
) -> LatentDecoder:
    """The decoder that a config chooses; arguments as `text_generator`, and Z.

    Raises:
        UserError: sizes that do not go together.
    """
    shared = size, config, rng, fixed_length
    if config.arch is Arch.lstm:
        return LSTMDecoder(vocab_size, *shared)
    if config.arch is Arch.relational:
        return RelationalDecoder(vocab_size, *shared)
    return TransformerDecoder(vocab_size, max_length, *shared)
