"""Encoder and decoder of the sentence VAE: q(z | x) by an LSTM, p(x | z), and that by an LSTM.

Shapes: B batch, T steps, V vocabulary, E embedding, H hidden, L layers, Z latent, N rows.
"""

import enum
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.ranges import Dropout, Layers, Probability, Size, Weight
from gantext.data.vocabulary import BOS, PAD
from gantext.nn import ranks
from gantext.nn.text.dropout import hide_words, locked_dropout, word_dropout
from gantext.nn.text.lstm import WordScores, at_words, initialise, lstm_pass, lstm_step
from gantext.nn.text.output_layer import OutputLayer, mean_word_nll, word_log_prob
from gantext.nn.text.places import at_places, counted, words_at
from gantext.nn.text.sampling import State, bos_column
from gantext.nn.text.weighting import Weigh


class Injection(enum.Enum):
    """Where the decoder reads z."""

    init = "init"
    input = "input"
    both = "both"


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of the encoder (explained in conf/model/vae.yaml)."""

    embedding: Size
    hidden: Size
    dropout: Dropout
    bn_gamma: Weight


@dataclass(frozen=True)
class DecoderConfig:
    """Sizes and regularisation of the decoder (explained in conf/model/vae.yaml)."""

    embedding: Size
    hidden: Size
    layers: Layers
    tie_weights: bool
    dropout: Dropout
    embedding_dropout: Dropout
    word_dropout: Probability
    z_inject: Injection


class Encoder(nn.Module):
    """q(z | x) = N(mu, diag exp(log_var)) by an LSTM's state at the sentence's end."""

    def __init__(
        self, vocab_size: int, size: int, config: EncoderConfig, rng: torch.Generator
    ) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(vocab_size, config.embedding)
        self.lstm = nn.LSTM(config.embedding, config.hidden, batch_first=True)
        self.heads = nn.Linear(config.hidden, 2 * size)
        self.norm = BatchNormalisedMean(size, config.bn_gamma) if config.bn_gamma else None
        initialise(self, rng)

    def forward(self, tokens: Tensor, rng: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """mu and log_var, (B, Z) each, of sentences (B, T); with rng, dropout is on.

        Of ranks each reads its own sentences, and has the posteriors of all.
        """
        own = ranks.mine(tokens)
        x = locked_dropout(self.embedding(own), self.config.dropout, rng)
        states, _ = lstm_pass(
            self.lstm, x
        )  # (B, T, H): what stands after <eos> changes nothing before it
        last = (own != PAD).sum(1) - 1
        ends = states[torch.arange(len(own), device=own.device), last]  # (B, H)
        mu, log_var = ranks.gathered(self.heads(ends).float(), len(tokens)).chunk(2, 1)
        return (mu if self.norm is None else self.norm(mu, rng is not None)), log_var


class LatentDecoder(nn.Module):
    """p(x | z), which reads <bos> first and ends a sentence with <eos>; of any architecture.

    Attributes:
        vocab_size: V.
    """

    vocab_size: int

    def draw(self, rng: torch.Generator) -> None:
        """Draw all weights (anew)."""
        raise NotImplementedError

    # Teacher forcing

    def valid_features(
        self, tokens: Tensor, z: Tensor, rng: torch.Generator | None = None
    ) -> Tensor:
        """What the output layer reads at the places of tokens (B, T), (N, K), by z (B, Z); see
        `places`. With rng, dropout is on."""
        raise NotImplementedError

    def output_layer(self, written: bool = False) -> OutputLayer:
        """Scores of the next word by `valid_features`; `written` leaves <unk> out."""
        raise NotImplementedError

    def nll(
        self,
        tokens: Tensor,
        z: Tensor,
        rng: torch.Generator | None = None,
        weigh: Weigh | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Mean of -log p(word | prefix, z), (), nats, of which a rank gives its share, and
        log p(x | z), (B,), without a gradient; <eos> counted. `weigh`: see `mean_word_nll`."""
        own = ranks.mine(tokens)
        features = self.valid_features(own, ranks.mine(z), rng)
        given = self.output_layer(), features, words_at(own), counted(own)
        loss, log_prob = mean_word_nll(*given, weigh)
        return loss, ranks.gathered(at_words(log_prob, own).sum(1), len(tokens))

    @torch.no_grad()
    def log_prob(self, tokens: Tensor, z: Tensor) -> Tensor:
        """log p(x | z), (B,), nats, without a gradient; <eos> counted."""
        features = self.valid_features(tokens, z)
        found = word_log_prob(self.output_layer(), features, words_at(tokens))
        return at_words(found, tokens).sum(1)

    # Step by step

    def start_from(self, z: Tensor) -> State:
        """The state of each row of z, (N, Z), that has read <bos>."""
        first = torch.full((len(z),), BOS, dtype=torch.long, device=z.device)
        return self.advance(self.before_words(z), first)

    def before_words(self, z: Tensor) -> State:
        """The state of each row of z, (N, Z), before <bos>."""
        raise NotImplementedError

    def advance(self, state: State, tokens: Tensor) -> State:
        """Read one token a row. The state stays fp32 under autocast, whatever the device."""
        raise NotImplementedError

    def logits(self, state: State) -> Tensor:
        """Scores of the next word, (N, V or a few more), fp32, -inf for what is never written."""
        raise NotImplementedError


class LSTMDecoder(WordScores, LatentDecoder):
    """p(x | z) by an LSTM.

    z gives the first state (c = W z + b, h = tanh c) or stands beside each word's embedding, or
    both.
    """

    def __init__(
        self,
        vocab_size: int,
        size: int,
        config: DecoderConfig,
        rng: torch.Generator,
        fixed_length: bool = False,
    ) -> None:
        super().__init__(vocab_size, fixed_length)
        self.config = config
        hidden, width = config.hidden, config.embedding
        self.embedding = nn.Embedding(vocab_size, width)
        first = width if config.z_inject is Injection.init else width + size
        inputs = [first] + [hidden] * (config.layers - 1)
        self.lstms = nn.ModuleList(nn.LSTM(i, hidden, batch_first=True) for i in inputs)
        self.to_state: nn.Linear | None = None
        if config.z_inject is not Injection.input:
            self.to_state = nn.Linear(size, config.layers * hidden)
        self.projection = nn.Linear(hidden, width) if config.tie_weights else nn.Identity()
        self.output = nn.Linear(width if config.tie_weights else hidden, vocab_size)
        self.draw(rng)
        if config.tie_weights:
            self.output.weight = self.embedding.weight

    def draw(self, rng: torch.Generator) -> None:
        """Draw all weights as those of a generator of text."""
        initialise(self, rng)

    def _first_state(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """h and c before the first word, (N, L, H) each."""
        layers, hidden = self.config.layers, self.config.hidden
        if self.to_state is None:
            zeros = z.new_zeros(len(z), layers, hidden)
            return zeros, zeros
        c = self.to_state(z).view(len(z), layers, hidden)
        return c.tanh(), c

    def _with_z(self, x: Tensor, z: Tensor) -> Tensor:
        return x if self.config.z_inject is Injection.init else torch.cat([x, z.to(x.dtype)], -1)

    # Teacher forcing

    def features(self, tokens: Tensor, z: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """What the output layer reads at each step, (B, T, E or H); with rng, dropout is on."""
        config = self.config
        table = word_dropout(self.embedding.weight, config.embedding_dropout, rng)
        read = hide_words(bos_column(tokens), config.word_dropout, rng)
        x = locked_dropout(F.embedding(read, table), config.dropout, rng)  # (B, T, E)
        x = self._with_z(x, z[:, None].expand(-1, x.shape[1], -1))
        h, c = self._first_state(z)
        for layer, lstm in enumerate(self.lstms):
            first = h[None, :, layer].contiguous(), c[None, :, layer].contiguous()
            x, _ = lstm_pass(lstm, x, first)  # (B, T, H)
            x = locked_dropout(x, config.dropout, rng)
        projected: Tensor = self.projection(x)
        return projected

    def valid_features(
        self, tokens: Tensor, z: Tensor, rng: torch.Generator | None = None
    ) -> Tensor:
        """`features` at the places of tokens, (N, E or H)."""
        return at_places(self.features(tokens, z, rng), tokens)

    def output_layer(self, written: bool = False) -> OutputLayer:
        """Scores of the next word by `features`."""
        return OutputLayer(self.output.weight, self.without_never(self.output.bias, written))

    # Step by step

    def before_words(self, z: Tensor) -> State:
        """h and c, (N, L, H) each, and z, (N, Z)."""
        return *self._first_state(z), z

    def advance(self, state: State, tokens: Tensor) -> State:
        """Read one token a row. The state stays fp32 under autocast, whatever the device."""
        h, c, z = state
        x = self._with_z(self.embedding(hide_words(tokens, self.config.word_dropout, None)), z)
        hs, cs = [], []
        for layer, lstm in enumerate(self.lstms):
            x, cell = lstm_step(lstm, x, h[:, layer], c[:, layer])
            hs.append(x)
            cs.append(cell)
        return torch.stack(hs, 1).to(z.dtype), torch.stack(cs, 1).to(z.dtype), z

    def logits(self, state: State) -> Tensor:
        """Scores of the next word, as `next_scores`."""
        return self.next_scores(self.projection(state[0][:, -1]))


class GivenLatent:
    """The decoder as a policy whose rows are those of z, (N, Z)."""

    def __init__(self, decoder: LatentDecoder, z: Tensor) -> None:
        self.decoder, self.z, self.vocab_size = decoder, z, decoder.vocab_size

    def start(self, rows: int) -> State:
        """The state of each row of z that has read <bos>."""
        if rows != len(self.z):
            raise ValueError(f"{rows} rows for {len(self.z)} latent vectors")
        return self.decoder.start_from(self.z)

    def advance(self, state: State, tokens: Tensor) -> State:
        """Read one token a row, (N,)."""
        return self.decoder.advance(state, tokens)

    def logits(self, state: State) -> Tensor:
        """As the decoder's."""
        return self.decoder.logits(state)

    def renew(self, rows: int) -> None:
        """Make anew what the decoder keeps of its weights, if one has changed."""
        self.logits(self.start(rows))


# Batch normalisation with a fixed scale: a remedy for posterior collapse.
class BatchNormalisedMean(nn.Module):
    """Batch normalisation of mu with its scale fixed at gamma (BN-VAE, Zhu et al. 2020).

    Over the data each dimension's mu then has variance gamma^2, whatever is learned, so that the
    mean KL is at least half the sum over dimensions of gamma^2 + bias^2; the shift is learned.
    """

    running_mean: Tensor
    running_var: Tensor
    scale: Tensor

    def __init__(self, size: int, gamma: float) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))
        self.register_buffer("scale", torch.full((size,), gamma), persistent=False)
        self.register_buffer("running_mean", torch.zeros(size))
        self.register_buffer("running_var", torch.ones(size))

    def forward(self, mu: Tensor, training: bool) -> Tensor:
        """By the statistics of the batch (N, Z) in training, else by their running means."""
        mean, var = self.running_mean, self.running_var
        return F.batch_norm(mu, mean, var, self.scale, self.bias, training)
