"""What the autoregressive models share: words never written, log-likelihoods, LSTM weights.

Shapes: B batch, T steps, V vocabulary, H hidden, K features of the output
layer, N rows.
"""

import enum
from functools import partial

import torch
from torch import Tensor, nn

from gantext.data.vocabulary import BOS, EOS, PAD, UNK
from gantext.nn.text.kept_layer import KeptLayer
from gantext.nn.text.output_layer import OutputLayer, word_log_prob
from gantext.nn.text.places import at_places, words_at
from gantext.nn.text.sampling import State

# Of sentences scored together: as fast as all at once, and 40 MB for each of an LSTM's 1,024 gates.
SCORED_TOKENS = 2**13
LSTM_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class WordScores(nn.Module):
    """Scores of the next word, in which <pad> and <bos> have probability 0.

    Where all sentences have one length, `fixed_length`, so has <eos>: sentences end where decoding
    does. As a policy (sampling, rollouts, policy gradient) a model also never writes <unk>; its
    probability of <unk> counts in test likelihoods only.
    """

    never: Tensor

    def __init__(self, vocab_size: int, fixed_length: bool = False) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        unread = [PAD, BOS, EOS] if fixed_length else [PAD, BOS]
        self.register_buffer("never", torch.tensor([*unread, UNK]), persistent=False)
        self._kept = KeptLayer()

    def output_layer(self, written: bool = False) -> OutputLayer:
        """Of the features that it reads, the scores of the next word.

        `written` gives the policy's probabilities, in which <unk> is left out.
        """
        raise NotImplementedError

    def next_scores(self, features: Tensor) -> Tensor:
        """A policy's scores of the next word by what the output layer reads, (N, K): (N, V or a few
        more), fp32, without a gradient; -inf for words that are never written, and past V."""
        return self._kept.scores(features, self.parameters(), partial(self.output_layer, True))

    def ban(self, scores: Tensor, written: bool) -> Tensor:
        """The scores (..., V), in place, with -inf for words that are never read (or written)."""
        return scores.index_fill_(-1, self.never if written else self.never[:-1], -torch.inf)

    def without_never(self, bias: Tensor, written: bool) -> Tensor:
        """The bias (V,) of an output layer that gives -inf to words never read (or written)."""
        return self.ban(bias.clone(), written)


class WordModel(WordScores):
    """p(x_t | x_<t), of whole sentences, whose output layer reads `valid_features`, and word by
    word (the Policy contract)."""

    def valid_features(self, tokens: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """What the output layer reads at the places of (B, T) tokens, (N, K); see `places`.

        One fused pass; with rng, dropout is on.
        """
        raise NotImplementedError

    @torch.no_grad()
    def token_log_prob(self, tokens: Tensor, written: bool = False) -> Tensor:
        """log p(x_t | x_<t), (B, T), nats, without a gradient; 0 at <pad>.

        Some sentences at a time, so that memory is bounded whatever their number, length and words.
        """
        layer, rows = self.output_layer(written), max(1, SCORED_TOKENS // max(1, tokens.shape[1]))
        found = [
            at_words(word_log_prob(layer, self.valid_features(part), words_at(part)), part)
            for part in torch.split(tokens, rows)
        ]
        return torch.cat(found)

    def start(self, rows: int) -> State:
        """The state that has read <bos>."""
        raise NotImplementedError

    def advance(self, state: State, tokens: Tensor) -> State:
        """Read one token a row, (N,)."""
        raise NotImplementedError

    def logits(self, state: State) -> Tensor:
        """Scores of the next word, as `next_scores`."""
        raise NotImplementedError

    def renew(self, rows: int) -> None:
        """Make anew what is kept of weights and `rows` rows read, if a weight has changed."""
        self.logits(self.start(1))


class TextGenerator(WordModel):
    """A language model of any architecture, whose output layer is its own.

    Attributes:
        output: the output layer, whose inputs are `features`.
    """

    output: nn.Linear

    def features(
        self, tokens: Tensor, rng: torch.Generator | None = None, added: Tensor | None = None
    ) -> Tensor:
        """What the output layer reads at each step of (B, T) tokens, (B, T, K); with rng, dropout
        is on. What stands at <pad> means nothing.

        `added`, (B, E), is added to the embeddings of a sentence's words, such as its class.
        """
        raise NotImplementedError

    def valid_features(
        self, tokens: Tensor, rng: torch.Generator | None = None, added: Tensor | None = None
    ) -> Tensor:
        """`features` at the places of tokens, (N, K); see `places`."""
        return at_places(self.features(tokens, rng, added), tokens)

    def output_layer(self, written: bool = False) -> OutputLayer:
        """Scores of the next word by `features`."""
        return OutputLayer(self.output.weight, self.without_never(self.output.bias, written))

    def start(self, rows: int, added: Tensor | None = None) -> State:
        """The state that has read <bos>; `added` to its embedding is (N, E)."""
        raise NotImplementedError

    def advance(self, state: State, tokens: Tensor, added: Tensor | None = None) -> State:
        """Read one token a row, (N,)."""
        raise NotImplementedError


def with_added(embedded: Tensor, added: Tensor | None) -> Tensor:
    """Embeddings (B, E) or (B, T, E) with what is added to all of a row's, (B, E)."""
    if added is None:
        return embedded
    return embedded + (added if embedded.dim() == 2 else added[:, None])


def at_words(values: Tensor, tokens: Tensor) -> Tensor:
    """Values (N,) of the places of tokens (B, T), see `places`, as (B, T); 0 at <pad>."""
    if values.device.type != "cpu":
        return values.view(tokens.shape).masked_fill(tokens == PAD, 0)
    return values.new_zeros(tokens.shape).masked_scatter(tokens != PAD, values)


class Init(enum.Enum):
    """How the weights of a generator are drawn: see `initialise`."""

    mixed = "mixed"
    normal = "normal"


@torch.no_grad()
def initialise(model: nn.Module, rng: torch.Generator, init: Init = Init.mixed) -> None:
    """Draw all weights.

    mixed: embeddings N(0, 0.1), recurrent matrices orthogonal, others Xavier, biases 0, but 1 of
    forget gates. normal: all N(0, 0.1), biases too (the code of SeqGAN and LeakGAN); of the two
    biases that torch adds up in each gate one is theirs, the other 0.
    """
    if init is Init.normal:
        for name, parameter in model.named_parameters():
            nn.init.normal_(parameter, 0.0, 0.0 if "bias_hh" in name else 0.1, generator=rng)
        return
    for name, parameter in model.named_parameters():
        if "embedding" in name or name == "output.weight":
            nn.init.normal_(parameter, 0.0, 0.1, generator=rng)
        elif "bias" in name:
            nn.init.zeros_(parameter)
        elif "weight_hh" in name:
            nn.init.orthogonal_(parameter, generator=rng)
        else:
            nn.init.xavier_uniform_(parameter, generator=rng)
    for lstm in model.modules():  # forget gates start open (Jozefowicz et al. 2015)
        if isinstance(lstm, nn.LSTM):
            hidden = lstm.hidden_size
            lstm.get_parameter("bias_ih_l0")[hidden : 2 * hidden] = 1.0


def lstm_pass(
    lstm: nn.Module, x: Tensor, state: tuple[Tensor, Tensor] | None = None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """All steps of a layer: x (B, T, I) -> its states (B, T, H), and the last (h, c), (1, B, H).

    Under bf16 autocast it stays in fp32 on a processor whose oneDNN has no LSTM in bf16: torch
    fails there instead of taking another path.
    """
    found: tuple[Tensor, tuple[Tensor, Tensor]]
    if x.device.type != "cpu" or not torch.is_autocast_enabled("cpu") or _has_bf16_lstm():
        found = lstm(x, state)
        return found
    with torch.autocast("cpu", enabled=False):
        found = lstm(x.float(), state and (state[0].float(), state[1].float()))
    return found


def _has_bf16_lstm() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def lstm_step(lstm: nn.Module, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """One step of a layer on N rows: (h, c), each (N, H)."""
    weights = [lstm.get_parameter(f"{name}_l0") for name in LSTM_WEIGHTS]
    found: tuple[Tensor, Tensor] = torch.lstm_cell(x, (h, c), *weights)
    return found
