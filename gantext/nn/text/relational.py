"""The relational memory as a language model: the generator that `arch: relational` chooses.

A memory of S rows is rewritten at each word by attention over itself and the word (Santoro et al.
2018, arXiv 1806.01822, section 3, as RelGAN's generator has it; Nie et al. 2019), with gates for
each of its numbers. With x the word's embedding and M = A D the width of a row:

    (1)  u = Wx x + bx
    (2)  q, k, v = norm(Wqkv m) of each row of the memory m, and k, v of u
    (3)  a = softmax(q k^T / sqrt(D)) v, in each of the A heads, over the memory's rows and u
    (4)  n = norm(m + a)
    (5)  n = norm(n + W2 relu(W1 n + b1) + b2)
    (6)  i, f = sigmoid(Gx u + Gm tanh(m) + (0, 1))
    (7)  m = f m + i tanh(n)

and the scores of the next word are Wo m + bo, of all rows side by side. Where this differs from
RelGAN's released code: a row is normalised by itself, there all rows together; q k^T is divided by
the root of D, as by Vaswani et al. 2017, there by that of 3 D; weights are drawn as those of the
other generators. What u gives to (2) and (6) does not depend on the memory, so that it is computed
for all words of a sentence at once.

Shapes: B batch, T steps, N rows of a state, V vocabulary, E embedding, S rows of the memory, A
heads, D their size, M = A D.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.ranges import Dropout, Heads, Size
from gantext.data.vocabulary import BOS
from gantext.nn.text.dropout import locked_dropout, word_dropout
from gantext.nn.text.lstm import TextGenerator, with_added
from gantext.nn.text.sampling import State, bos_column

FORGET_BIAS = 1.0  # a memory is kept at first


@dataclass(frozen=True)
class RelationalConfig:
    """Sizes and regularisation of the relational memory (explained in conf/model/*.yaml)."""

    embedding: Size
    slots: Size
    heads: Heads
    head_size: Size
    dropout: Dropout


class RelationalMemory(nn.Module):
    """Equations (1) to (7): a memory (B, S, M) that reads embeddings (B, E)."""

    def __init__(self, config: RelationalConfig) -> None:
        super().__init__()
        self.heads, width = config.heads, config.heads * config.head_size
        self.read = nn.Linear(config.embedding, width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.qkv_norm = nn.LayerNorm(3 * width)
        self.attended_norm, self.changed_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)
        self.word_gates = nn.Linear(width, 2 * width, bias=False)
        self.memory_gates = nn.Linear(width, 2 * width, bias=False)

    def told(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What embeddings (..., E) give to (2), keys and values, and to (6), (..., 2M) each."""
        u = self.read(x)  # (1)
        width = u.shape[-1]
        return self.qkv_norm(self.qkv(u))[..., width:], self.word_gates(u)

    def forward(self, memory: Tensor, told: tuple[Tensor, Tensor]) -> Tensor:
        """The memory (B, S, M) after a word, of which `told` says (B, 2M) each."""
        width = memory.shape[-1]
        word_kv, word_gates = (part[:, None] for part in told)  # (B, 1, 2M)
        q, kv = self.qkv_norm(self.qkv(memory)).split([width, 2 * width], -1)  # (2)
        k, v = torch.cat([kv, word_kv], 1).chunk(2, -1)  # (B, S + 1, M)
        parts = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (q, k, v))
        mixed = F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)  # (3)
        changed = self.attended_norm(memory + mixed)  # (4)
        changed = self.changed_norm(changed + self.outer(self.inner(changed).relu()))  # (5)
        enter, keep = (word_gates + self.memory_gates(memory.tanh())).chunk(2, -1)  # (6)
        after: Tensor = (keep + FORGET_BIAS).sigmoid() * memory + enter.sigmoid() * changed.tanh()
        return after  # (7)


class RelationalModel(TextGenerator):
    """p(x_t | x_<t) by a relational memory; reads <bos> first, ends a sentence with <eos>.

    Its state is the memory, (N, S, M), whose rows are at first those of the identity matrix, so
    that they differ.
    """

    def __init__(
        self,
        vocab_size: int,
        config: RelationalConfig,
        tie_weights: bool,
        hidden_words: float,
        rng: torch.Generator,
        fixed_length: bool = False,
    ) -> None:
        super().__init__(vocab_size, fixed_length)
        self.config, self.hidden_words = config, hidden_words
        width = config.heads * config.head_size
        self.embedding = nn.Embedding(vocab_size, config.embedding)
        self.memory = RelationalMemory(config)
        flat = config.slots * width
        self.projection = nn.Linear(flat, config.embedding) if tie_weights else nn.Identity()
        self.output = nn.Linear(config.embedding if tie_weights else flat, vocab_size)
        self.register_buffer("first", torch.eye(config.slots, width)[None], persistent=False)
        initialise(self, rng)
        if tie_weights:
            self.output.weight = self.embedding.weight

    # Teacher forcing

    def features(
        self, tokens: Tensor, rng: torch.Generator | None = None, added: Tensor | None = None
    ) -> Tensor:
        """What the output layer reads at each step, (B, T, S M or E); with rng, dropout is on."""
        table = word_dropout(self.embedding.weight, self.hidden_words, rng)
        x = with_added(F.embedding(bos_column(tokens), table), added)  # (B, T, E)
        return self.rolled(x, self.get_buffer("first").expand(len(tokens), -1, -1), rng)

    def rolled(self, x: Tensor, memory: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """`features` of the words whose embeddings x (B, T, E) are, from a memory (B, S, M) on."""
        keys, gates = self.memory.told(locked_dropout(x, self.config.dropout, rng))
        rows = []
        for told in zip(keys.unbind(1), gates.unbind(1), strict=True):
            memory = self.memory(memory, told)
            rows.append(memory.flatten(1))
        read = locked_dropout(torch.stack(rows, 1), self.config.dropout, rng)  # (B, T, S M)
        projected: Tensor = self.projection(read)
        return projected

    # Step by step (the Policy contract)

    def start(self, rows: int, added: Tensor | None = None) -> State:
        """The state that has read <bos>: the memory, (N, S, M)."""
        different = 1 if added is None else rows
        first = self.get_buffer("first").expand(different, -1, -1)
        read = torch.full((different,), BOS, device=first.device)
        return tuple(part.expand(rows, -1, -1) for part in self.advance((first,), read, added))

    def advance(self, state: State, tokens: Tensor, added: Tensor | None = None) -> State:
        """Read one token a row. The state stays fp32 under autocast, whatever the device."""
        return self.stepped(with_added(self.embedding(tokens), added), state[0])

    def stepped(self, x: Tensor, memory: Tensor) -> State:
        """The state after a word whose embedding x (N, E) is, by the memory before, (N, S, M)."""
        after: Tensor = self.memory(memory, self.memory.told(x))
        return (after.to(memory.dtype),)

    def logits(self, state: State) -> Tensor:
        """Scores of the next word, as `next_scores`."""
        return self.next_scores(self.projection(state[0].flatten(1)))


@torch.no_grad()
def initialise(model: RelationalModel, rng: torch.Generator) -> None:
    """Draw all weights: embeddings N(0, .1), the output layer so that scores have a deviation of
    about 1, other matrices Xavier; biases are 0, norms 1."""
    for name, parameter in model.named_parameters():
        if "norm" in name:
            continue
        if "embedding" in name:
            nn.init.normal_(parameter, 0.0, 0.1, generator=rng)
        elif name == "output.weight":
            nn.init.normal_(parameter, 0.0, parameter.shape[1] ** -0.5, generator=rng)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.xavier_uniform_(parameter, generator=rng)
