"""The LSTM language model: the generator that `arch: lstm` chooses, and small ones that judge.

Shapes: B batch, T steps, V vocabulary, E embedding, H hidden, L layers, N rows.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.ranges import Dropout, Layers, Size
from gantext.data.vocabulary import BOS
from gantext.nn.text.dropout import locked_dropout, word_dropout
from gantext.nn.text.lstm import (
    Init,
    TextGenerator,
    initialise,
    lstm_pass,
    lstm_step,
    with_added,
)
from gantext.nn.text.sampling import State, bos_column


@dataclass(frozen=True)
class GeneratorConfig:
    """Sizes and regularisation of the LSTM language model (explained in conf/model/*.yaml)."""

    embedding: Size
    hidden: Size
    layers: Layers
    tie_weights: bool
    dropout: Dropout
    word_dropout: Dropout
    init: Init


class LanguageModel(TextGenerator):
    """p(x_t | x_<t) by an LSTM; reads <bos> first, ends a sentence with <eos>."""

    def __init__(
        self,
        vocab_size: int,
        config: GeneratorConfig,
        rng: torch.Generator,
        fixed_length: bool = False,
    ) -> None:
        super().__init__(vocab_size, fixed_length)
        self.config = config
        hidden, width = config.hidden, config.embedding
        self.embedding = nn.Embedding(vocab_size, width)
        inputs = [width] + [hidden] * (config.layers - 1)
        self.lstms = nn.ModuleList(nn.LSTM(i, hidden, batch_first=True) for i in inputs)
        self.projection = nn.Linear(hidden, width) if config.tie_weights else nn.Identity()
        self.output = nn.Linear(width if config.tie_weights else hidden, vocab_size)
        initialise(self, rng, config.init)
        if config.tie_weights:
            self.output.weight = self.embedding.weight

    # Teacher forcing

    def features(
        self, tokens: Tensor, rng: torch.Generator | None = None, added: Tensor | None = None
    ) -> Tensor:
        """What the output layer reads at each step, (B, T, E or H); with rng, dropout is on."""
        table = word_dropout(self.embedding.weight, self.config.word_dropout, rng)
        x = with_added(F.embedding(bos_column(tokens), table), added)  # (B, T, E)
        for lstm in self.lstms:
            x, _ = lstm_pass(lstm, locked_dropout(x, self.config.dropout, rng))  # (B, T, H)
        projected: Tensor = self.projection(locked_dropout(x, self.config.dropout, rng))
        return projected

    # Step by step (the Policy contract)

    def start(self, rows: int, added: Tensor | None = None) -> State:
        """The state that has read <bos>: h and c, each (N, L, H)."""
        different = 1 if added is None else rows
        zeros = self.output.bias.new_zeros(different, self.config.layers, self.config.hidden)
        first = torch.full((different,), BOS, device=zeros.device)
        state = self.advance((zeros, zeros), first, added)
        return tuple(part.expand(rows, -1, -1) for part in state)

    def advance(self, state: State, tokens: Tensor, added: Tensor | None = None) -> State:
        """Read one token a row. The state stays fp32 under autocast, whatever the device."""
        h, c = state
        x = with_added(self.embedding(tokens), added)
        hs, cs = [], []
        for layer, lstm in enumerate(self.lstms):
            x, cell = lstm_step(lstm, x, h[:, layer], c[:, layer])
            hs.append(x)
            cs.append(cell)
        if len(hs) == 1:  # nothing to stack, which would be two launches on a GPU
            return hs[0][:, None].to(h.dtype), cs[0][:, None].to(c.dtype)
        return torch.stack(hs, 1).to(h.dtype), torch.stack(cs, 1).to(c.dtype)

    def logits(self, state: State) -> Tensor:
        """Scores of the next word, as `next_scores`."""
        return self.next_scores(self.projection(state[0][:, -1]))
