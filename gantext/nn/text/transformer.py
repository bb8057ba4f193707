"""The transformer language model: the generator that `arch: transformer` chooses.

A decoder (Vaswani et al. 2017, arXiv 1706.03762, section 3) whose layers normalise what they read
rather than what they write (Xiong et al. 2020, arXiv 2002.04745, figure 1b), with learned positions
and one matrix for the words that are read and written (Press & Wolf 2017, arXiv 1608.05859):

    (1)  x = E[word] + P[place]
    (2)  x = x + Wo attention(Wqkv norm(x)), a word's own place and those before it
    (3)  x = x + W2 gelu(W1 norm(x))
    (4)  scores of the next word = E norm(x) + b

with (2) and (3) in each layer. Shapes: B batch, T steps, N places (see `places`) or rows of a
state, t words that a state has read, W width, A heads, D = W / A, V vocabulary.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.ranges import Dropout, Heads, Layers, Size
from gantext.data.vocabulary import BOS
from gantext.errors import UserError
from gantext.nn.text.dropout import place_dropout, word_dropout
from gantext.nn.text.lstm import TextGenerator, with_added
from gantext.nn.text.places import at_places, on_grid
from gantext.nn.text.sampling import State, bos_column

DEVIATION = 0.02  # of weights at first (GPT-2, Radford et al. 2019)


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes and regularisation of the transformer (explained in conf/model/*.yaml)."""

    width: Size
    layers: Layers
    heads: Heads
    feed_forward: Size
    dropout: Dropout


class Block(nn.Module):
    """A layer: equations (2) and (3)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width, self.heads, self.dropout = config.width, config.heads, config.dropout
        self.attention_norm, self.feed_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.attended = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widened = nn.Linear(width, config.feed_forward)
        self.narrowed = nn.Linear(config.feed_forward, width)

    def forward(
        self, x: Tensor, tokens: Tensor, rng: torch.Generator | None, before: Tensor | None = None
    ) -> Tensor:
        """All places of (B, T) tokens, (N, W), at once.

        `before`: keys and values of what stands before a sentence, (B, t, 2W).
        """
        q, k, v = on_grid(self.qkv(self.attention_norm(x)), tokens).chunk(3, -1)  # (B, T, W)
        if before is not None:
            first_k, first_v = before.to(k.dtype).chunk(2, -1)
            k, v = torch.cat([first_k, k], 1), torch.cat([first_v, v], 1)
        mixed = at_places(self._attention(q, k, v), tokens)
        x = x + place_dropout(self.attended(mixed), self.dropout, tokens, rng)
        return x + place_dropout(self._fed(x), self.dropout, tokens, rng)

    def step(self, x: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        """One place, (N, W), and keys and values of those before it, (N, t, 2W): the same with its
        own, (N, t + 1, 2W)."""
        width = x.shape[1]
        q, own = self.qkv(self.attention_norm(x)).split([width, 2 * width], 1)
        cache = torch.cat([cache, own[:, None].to(cache.dtype)], 1)
        k, v = cache.chunk(2, -1)
        x = x + self.attended(self._attention(q[:, None], k, v)[:, 0])
        return x + self._fed(x), cache

    def _attention(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """softmax(q k^T / sqrt(D)) v of each head, (B, T, W). The last of the keys is that of the
        last query's own place, and none reads those behind its own; <pad>, which ends a row, is
        read by nothing but <pad>."""
        first, mask = k.shape[1] - q.shape[1], None
        if first and q.shape[1] > 1:
            mask = q.new_ones(q.shape[1], k.shape[1], dtype=torch.bool).tril(first)
        q, k, v = (part.view(*part.shape[:2], self.heads, -1).transpose(1, 2) for part in (q, k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=not first)
        return mixed.transpose(1, 2).flatten(2)

    def _fed(self, x: Tensor) -> Tensor:
        fed: Tensor = self.narrowed(F.gelu(self.widened(self.feed_norm(x))))
        return fed


class Transformer(TextGenerator):
    """p(x_t | x_<t) by attention; reads <bos> first, ends a sentence with <eos>.

    Its state is what the output layer reads, (N, W), and each layer's keys and values of all words
    that it has read, (N, t, 2W). There are `max_length` places; what is behind has the last one's.

    Args, beside those of `text_generator`:
        group: the keys of its sizes, for errors.

    Raises:
        UserError: the width is no multiple of the heads.
    """

    def __init__(
        self,
        vocab_size: int,
        max_length: int,
        config: TransformerConfig,
        tie_weights: bool,
        hidden_words: float,
        rng: torch.Generator,
        fixed_length: bool = False,
        group: str = "model.generator.transformer",
    ) -> None:
        super().__init__(vocab_size, fixed_length)
        width = config.width
        if width % config.heads:
            raise UserError(f"{group}.heads={config.heads}: width={width} is no multiple of it")
        self.config, self.hidden_words = config, hidden_words
        self.embedding = nn.Embedding(vocab_size, width)
        self.positions = nn.Embedding(max_length, width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, vocab_size)
        initialise(self, rng)
        if tie_weights:
            self.output.weight = self.embedding.weight

    # Teacher forcing

    def features(
        self, tokens: Tensor, rng: torch.Generator | None = None, added: Tensor | None = None
    ) -> Tensor:
        """What the output layer reads at each step, (B, T, W); with rng, dropout is on."""
        return on_grid(self.valid_features(tokens, rng, added), tokens)

    def valid_features(
        self, tokens: Tensor, rng: torch.Generator | None = None, added: Tensor | None = None
    ) -> Tensor:
        """`features` at the places of tokens, (N, W): nothing else is computed."""
        return self.attended(self.entered(bos_column(tokens), tokens, rng, added), tokens, rng)

    def entered(
        self,
        read: Tensor,
        tokens: Tensor,
        rng: torch.Generator | None = None,
        added: Tensor | None = None,
    ) -> Tensor:
        """(1) of the words `read` (B, T) at the places of tokens (B, T), and what is `added` to
        those of a sentence (B, W): (N, W)."""
        table = word_dropout(self.embedding.weight, self.hidden_words, rng)
        steps = torch.arange(tokens.shape[1], device=tokens.device).expand_as(tokens)
        words, places = (at_places(part, tokens) for part in (read, steps))
        x = F.embedding(words, table)
        x = x + self.positions(places.clamp_max(self.positions.num_embeddings - 1))
        if added is not None:
            x = x + at_places(added[:, None].expand(*tokens.shape, -1), tokens)
        return place_dropout(x, self.config.dropout, tokens, rng)

    def attended(
        self,
        x: Tensor,
        tokens: Tensor,
        rng: torch.Generator | None = None,
        before: Sequence[Tensor | None] = (),
    ) -> Tensor:
        """(2) to (4) of what `entered` gave, up to the output layer: (N, W).

        `before`: each layer's keys and values of what stands before a sentence, (B, t, 2W).
        """
        for block, first in zip(self.blocks, before or [None] * len(self.blocks), strict=True):
            x = block(x, tokens, rng, first)
        read: Tensor = self.norm(x)
        return read

    # Step by step (the Policy contract)

    def start(self, rows: int, added: Tensor | None = None) -> State:
        """The state that has read <bos>."""
        different = 1 if added is None else rows
        nothing = self.output.bias.new_zeros(different, 0, 2 * self.config.width)
        first = torch.full((different,), BOS, device=nothing.device)
        state = self.advance((nothing, *[nothing] * self.config.layers), first, added)
        return tuple(part.expand(rows, *part.shape[1:]) for part in state)

    def advance(self, state: State, tokens: Tensor, added: Tensor | None = None) -> State:
        """Read one token a row. The state stays fp32 under autocast, whatever the device."""
        _, *caches = state
        x = self.embedding(tokens) + self.position(caches[0].shape[1])
        return self.stepped(with_added(x, added), caches)

    def position(self, place: int) -> Tensor:
        """P of a place, (W,)."""
        position: Tensor = self.positions.weight[min(place, self.positions.num_embeddings - 1)]
        return position

    def stepped(self, x: Tensor, caches: Sequence[Tensor]) -> State:
        """The state after a place that entered as x, (N, W), by each layer's keys and values of
        those before it, (N, t, 2W)."""
        after = []
        for block, cache in zip(self.blocks, caches, strict=True):
            assert isinstance(block, Block)
            x, longer = block.step(x, cache)
            after.append(longer)
        return self.norm(x).to(caches[0].dtype), *after

    def logits(self, state: State) -> Tensor:
        """Scores of the next word, as `next_scores`."""
        return self.next_scores(state[0])

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Take weights; of those for sentences of another length the places that both have."""
        own, key = self.positions.weight.detach(), f"{prefix}positions.weight"
        given = state_dict.get(key)
        if isinstance(given, Tensor) and len(given) != len(own):
            state_dict[key] = torch.cat([given[: len(own)].to(own), own[len(given) :]])
        super()._load_from_state_dict(state_dict, prefix, *rest)


@torch.no_grad()
def initialise(model: Transformer, rng: torch.Generator) -> None:
    """Draw all weights, N(0, .02), as GPT-2: those that end in the sum x have .02 over the root of
    the terms of that sum; biases are 0, norms 1."""
    terms = 2 * model.config.layers
    for name, parameter in model.named_parameters():
        if "norm" in name:
            continue
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
            continue
        adds = name.endswith(("attended.weight", "narrowed.weight"))
        deviation = DEVIATION / math.sqrt(terms) if adds else DEVIATION
        nn.init.normal_(parameter, 0.0, deviation, generator=rng)
