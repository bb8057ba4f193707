"""Drawing tokens: inverse CDF, filters, and the step-by-step decode of any policy.

Shapes: N rows, V vocabulary, T steps. A policy's state is a tuple of tensors with rows first, so
that rows can be selected, repeated and joined without knowing what the state means.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from gantext.data import ranges
from gantext.data.ranges import GreedyTemperature
from gantext.data.vocabulary import BOS, EOS, PAD
from gantext.errors import UserError


@dataclass(frozen=True)
class SamplingOptions:
    """How tokens are drawn: temperature 0 is greedy; top_k 0 and top_p 1 keep every word.

    Raises:
        UserError: a temperature out of its range.
    """

    temperature: GreedyTemperature = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        ranges.check(self)


class LogitsNotFinite(UserError):
    """A model whose logits leave no word to be drawn."""


State = tuple[Tensor, ...]
BLOCK = 64
# Logits of one chunk of rows: 4 MB stay in a CPU's caches; a GPU wants few, large kernels.
CHUNK_ELEMENTS = {"cpu": 2**20}
GPU_CHUNK_ELEMENTS = 2**26


@runtime_checkable
class Policy(Protocol):
    """A model that can be decoded step by step; `logits` leave out words that it never writes."""

    vocab_size: int

    def start(self, rows: int) -> State:
        """The state that has read <bos>."""
        ...

    def advance(self, state: State, tokens: Tensor) -> State:
        """Read one token a row, (N,)."""
        ...

    def logits(self, state: State) -> Tensor:
        """Unnormalised log-probabilities of the next word, (N, V), in fp32."""
        ...


def select(state: State, index: Tensor) -> State:
    """Rows of a state."""
    return tuple(part.index_select(0, index) for part in state)


def join(first: State, second: State) -> State:
    """Two states' rows one after the other."""
    return tuple(torch.cat(parts) for parts in zip(first, second, strict=True))


def draw(logits: Tensor, uniform: Tensor) -> Tensor:
    """Draw one token a row by inverse CDF: (N, V) logits, (N,) uniforms in [0, 1).

    The cumulative sum runs over sums of blocks of 64 words and then within one block only: V/64
    + 64 sequential additions a row rather than V, in the uniforms' type (float64 where there is
    one). A word of probability 0 is never drawn; the last word can be.
    """
    rows, words = logits.shape
    weights = logits.softmax(-1)
    whole = words // BLOCK * BLOCK
    sums = weights[:, :whole].view(rows, -1, BLOCK).sum(-1)  # (N, V // 64)
    sums = torch.cat([sums, weights[:, whole:].sum(-1, keepdim=True)], 1).to(uniform.dtype)
    totals = sums.cumsum(-1)
    target = uniform * totals[:, -1]
    block = _first_above(totals, target, sums)
    places = block[:, None] * BLOCK + torch.arange(BLOCK, device=logits.device)
    inside = weights.gather(1, places.clamp_max(words - 1)) * (places < words)  # (N, 64)
    before = (totals - sums).gather(1, block[:, None])[:, 0]
    inner = inside.to(uniform.dtype).cumsum(-1)
    return block * BLOCK + _first_above(inner, target - before, inside)


def _first_above(cumulative: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """First index whose cumulative weight is above the target, at most the last positive one."""
    index = torch.searchsorted(cumulative, target[:, None], right=True)[:, 0]
    places = torch.arange(weights.shape[1], device=weights.device)
    last = torch.where(weights > 0, places, 0).amax(-1)
    return torch.minimum(index, last)


def likeliest(logits: Tensor) -> Tensor:
    """The likeliest word of each row, (N, V) -> (N,); <pad> where NaN or infinity is the largest.

    So does `draw`, whose weights are then all NaN.
    """
    word = logits.argmax(-1)
    largest = logits.gather(-1, word[:, None])[:, 0]
    return torch.where(largest.isfinite(), word, PAD)


def check_drawn(tokens: Tensor) -> None:
    """Refuse sentences (N, T) with a <pad> before their <eos>: broken logits alone draw it.

    Looked at in the samples rather than in the logits, for which a GPU would be waited for at each
    word.

    Raises:
        LogitsNotFinite: naming the place of the first such <pad>.
    """
    early = (tokens == PAD) & ((tokens == EOS).cumsum(1) == 0)
    if bool(early.any()):
        place = int(early.any(0).nonzero()[0]) + 1
        raise LogitsNotFinite(f"the model's logits at word {place} are not finite")


def filtered(logits: Tensor, options: SamplingOptions) -> Tensor:
    """Apply temperature, then top-k, then top-p (nucleus; Holtzman et al. 2020) to (N, V) logits.

    Top-p keeps the smallest set of most likely words whose probability reaches top_p.
    """
    logits = logits / options.temperature
    if 0 < options.top_k < logits.shape[-1]:
        kept = logits.topk(options.top_k, dim=-1)
        logits = torch.full_like(logits, -torch.inf).scatter(-1, kept.indices, kept.values)
    if options.top_p < 1:
        ordered, order = logits.sort(dim=-1, descending=True)
        before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)
        ordered = ordered.masked_fill(before >= options.top_p, -torch.inf)
        logits = torch.empty_like(logits).scatter(-1, order, ordered)
    return logits


def next_tokens(
    policy: Policy, state: State, rng: torch.Generator, options: SamplingOptions
) -> Tensor:
    """Draw the next token of each row, (N,), a chunk of rows at a time."""
    rows = state[0].shape[0]
    if options.temperature == 0:
        return torch.cat([likeliest(policy.logits(p)) for p, _ in _chunks(policy, state, None)])
    device = state[0].device
    # Apple's GPUs have no float64.
    wide = torch.float32 if device.type == "mps" else torch.float64
    uniform = torch.rand(rows, generator=rng, device=device, dtype=wide)
    plain = options == SamplingOptions()
    drawn = []
    for part, u in _chunks(policy, state, uniform):
        logits = policy.logits(part)
        drawn.append(draw(logits if plain else filtered(logits, options), u))
    return torch.cat(drawn)


def _chunks(policy: Policy, state: State, uniform: Tensor | None) -> list[tuple[State, Tensor]]:
    rows = state[0].shape[0]
    elements = CHUNK_ELEMENTS.get(state[0].device.type, GPU_CHUNK_ELEMENTS)
    size = max(1, elements // policy.vocab_size)
    values = state[0].new_zeros(rows) if uniform is None else uniform
    return [
        (tuple(p[i : i + size] for p in state), values[i : i + size]) for i in range(0, rows, size)
    ]


def shrinks(device: torch.device, compact: bool | None) -> bool:
    """Whether rows that have ended leave the batch: on a CPU, unless `compact` says otherwise.

    A GPU waits for the host to learn how many rows are left, longer than it computes for them.
    """
    return device.type == "cpu" if compact is None else compact


def after_end(previous: Tensor, drawn: Tensor) -> Tensor:
    """<pad> for the rows that ended at the step before or earlier, the drawn word for others."""
    return torch.where((previous == EOS) | (previous == PAD), PAD, drawn)


@torch.no_grad()
def decode(
    policy: Policy,
    rows: int,
    length: int,
    rng: torch.Generator,
    options: SamplingOptions,
    compact: bool | None = None,
) -> Tensor:
    """Sample sentences step by step: (rows, length) int64, <eos> then <pad>.

    A row that reaches `length` without <eos> is cut there. For `compact` see `shrinks`: it
    changes which uniform a row draws with, not the distribution.
    """
    state = policy.start(rows)
    device = state[0].device
    tokens = torch.full((rows, length), PAD, dtype=torch.long, device=device)
    if not shrinks(device, compact):
        return _decode_all_rows(policy, state, tokens, rng, options)
    alive = torch.arange(rows, device=device)
    for t in range(length):
        drawn = next_tokens(policy, state, rng, options)
        tokens[alive, t] = drawn
        going = (drawn != EOS).nonzero()[:, 0]
        if len(going) == 0 or t == length - 1:
            break
        if len(going) < len(alive):
            alive, state, drawn = alive[going], select(state, going), drawn[going]
        state = policy.advance(state, drawn)
    return tokens


def _decode_all_rows(
    policy: Policy, state: State, tokens: Tensor, rng: torch.Generator, options: SamplingOptions
) -> Tensor:
    """`decode` with every row to the last step; the host waits for nothing."""
    length = tokens.shape[1]
    for t in range(length):
        drawn = next_tokens(policy, state, rng, options)
        drawn = after_end(tokens[:, t - 1], drawn) if t else drawn
        tokens[:, t] = drawn
        if t < length - 1:
            state = policy.advance(state, drawn)
    return tokens


def bos_column(tokens: Tensor) -> Tensor:
    """The inputs of teacher forcing: <bos>, then all tokens but the last; (B, T)."""
    return torch.cat([torch.full_like(tokens[:, :1], BOS), tokens[:, :-1]], 1)
