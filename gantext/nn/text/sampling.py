"""Drawing sentences: filters, and the step-by-step decode of any policy.

Shapes: N rows, U different prefixes, V vocabulary, T steps. A policy's state is a tuple of tensors
with rows first, so that rows can be selected, repeated and joined without knowing what the state
means.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from gantext.data import ranges
from gantext.data.ranges import GreedyTemperature
from gantext.data.vocabulary import BOS, EOS, PAD
from gantext.errors import UserError
from gantext.nn import ranks
from gantext.nn.autocast import without_autocast
from gantext.nn.text.word_draw import draw, draw_by_noise, likeliest


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
ELSEWHERE = -1  # in place of the prefix of a row that another rank has
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
        """Unnormalised log-probabilities of the next word, (N, V), in fp32; there may be more
        columns, of words that there are not: -inf."""
        ...


def select(state: State, index: Tensor) -> State:
    """Rows of a state."""
    return tuple(part.index_select(0, index) for part in state)


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
    if options == SamplingOptions():
        return logits
    logits = logits / options.temperature
    if 0 < options.top_k < logits.shape[1]:
        kept = logits.topk(options.top_k)
        logits = torch.full_like(logits, -torch.inf).scatter(1, kept.indices, kept.values)
    if options.top_p < 1:
        ordered, order = logits.sort(descending=True)
        before = ordered.softmax(1).cumsum(1) - ordered.softmax(1)
        ordered = ordered.masked_fill(before >= options.top_p, -torch.inf)
        logits = torch.empty_like(logits).scatter(1, order, ordered)
    return logits


def next_tokens(
    policy: Policy,
    state: State,
    rng: torch.Generator,
    options: SamplingOptions,
    prefix: Tensor | None = None,
) -> Tensor:
    """Draw the next token of each row, (N,), a chunk of the state's U prefixes at a time.

    `prefix`, (N,), says which of them each row has read; None: each row one of its own.
    """
    if state[0].device.type != "cpu":  # nor may the host wait to learn which rows are a chunk's
        state = state if prefix is None else select(state, prefix)
        parts = [_noisy(policy.logits(p), rng, options) for _, p in _chunks(policy, state)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)
    rows = len(state[0]) if prefix is None else len(prefix)
    return _inverted(policy, state, _uniform(rows, rng), options, prefix)


def _uniform(rows: int, rng: torch.Generator) -> Tensor:
    return torch.rand(rows, generator=rng, dtype=torch.float64)


def _inverted(
    policy: Policy,
    state: State,
    uniform: Tensor,
    options: SamplingOptions,
    prefix: Tensor | None,
) -> Tensor:
    """`next_tokens` on a CPU by given uniforms, (N,)."""
    own = torch.arange(len(state[0])) if prefix is None else prefix
    drawn = torch.empty_like(own)
    for first, part in _chunks(policy, state):
        end = first + len(part[0])
        here: slice | Tensor = slice(first, end)
        if prefix is not None:
            here = ((prefix >= first) & (prefix < end)).nonzero()[:, 0]
        logits, place = policy.logits(part), own[here] - first
        if options.temperature == 0:
            drawn[here] = likeliest(logits)[place]
        else:
            drawn[here] = draw(filtered(logits, options), uniform[here], place)
    return drawn


def _noisy(logits: Tensor, rng: torch.Generator, options: SamplingOptions) -> Tensor:
    if options.temperature == 0:
        return likeliest(logits)
    return draw_by_noise(filtered(logits, options), rng)


def _chunks(policy: Policy, state: State) -> list[tuple[int, State]]:
    """Rows of a state that are scored together, behind the number of the first."""
    rows = len(state[0])
    kind = state[0].device.type
    size = max(1, CHUNK_ELEMENTS.get(kind, GPU_CHUNK_ELEMENTS) // policy.vocab_size)
    return [(i, tuple(p[i : i + size] for p in state)) for i in range(0, rows, size)]


class Prefixes:
    """The different prefixes that rows have read, U of them, each with its state once.

    A row is the number of its prefix: rows that have read the same words share what a policy makes
    of them. 64 captions have one start, a dozen first words and forty second ones; the rollouts of
    a position have one prefix. Only where rows may leave the batch (see `shrinks`): the host has to
    know how many there are.
    """

    def __init__(self, policy: Policy, state: State) -> None:
        self.policy, self.state = policy, state
        self.start = torch.arange(len(state[0]), device=state[0].device)
        # A VAE's rows start from latent vectors of their own.
        if all(bool((part == part[:1]).all()) for part in state):
            self.state = tuple(part[:1] for part in state)
            self.start = torch.zeros_like(self.start)

    def read(self, rows: Tensor, words: Tensor) -> Tensor:
        """Each of the rows, (N,), reads a word; prefixes that none has read are forgotten."""
        size = self.policy.vocab_size
        after: Tensor
        pairs, after = torch.unique(rows * size + words, return_inverse=True)
        self.state = self.policy.advance(self._of(pairs // size), pairs % size)
        return after

    def draw(self, rows: Tensor, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw the next word of each of the rows, (N,)."""
        asked, place = torch.unique(rows, return_inverse=True)
        return next_tokens(self.policy, self._of(asked), rng, options, place)

    def _of(self, prefixes: Tensor) -> State:
        everyone = torch.arange(len(self.state[0]), device=prefixes.device)
        return self.state if torch.equal(prefixes, everyone) else select(self.state, prefixes)


class SharedPrefixes(Prefixes):
    """Prefixes of rows that ranks draw words for together: each rank has those of its own rows.

    Rows are those of all ranks, as in `Prefixes`; where a row is another's, ELSEWHERE stands for
    its prefix. Every rank is told all words that were drawn.
    """

    def __init__(self, policy: Policy, state: State) -> None:
        super().__init__(policy, state)
        prefix = torch.full_like(self.start, ELSEWHERE)
        ranks.mine(prefix).copy_(ranks.mine(self.start))
        self.start = prefix

    def read(self, rows: Tensor, words: Tensor) -> Tensor:
        """See `Prefixes.read`."""
        own, after = rows != ELSEWHERE, torch.full_like(rows, ELSEWHERE)
        if bool(own.any()):
            after[own] = super().read(rows[own], words[own])
        return after

    def draw(self, rows: Tensor, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """See `Prefixes.draw`; the uniforms are those of one process."""
        own, uniform = rows != ELSEWHERE, _uniform(len(rows), rng)[rows != ELSEWHERE]
        asked, place = torch.unique(rows[own], return_inverse=True)
        drawn = torch.zeros_like(rows)
        drawn[own] = _inverted(self.policy, self._of(asked), uniform, options, place)
        return ranks.total(drawn)


def prefixes_of(policy: Policy, state: State) -> Prefixes:
    """The prefixes that the rows of a first state have read."""
    return (SharedPrefixes if ranks.shared() else Prefixes)(policy, state)


def shrinks(device: torch.device, compact: bool | None) -> bool:
    """Whether rows that have ended leave the batch: on a CPU, unless `compact` says otherwise.

    A GPU waits for the host to learn how many rows are left, longer than it computes for them.
    """
    return device.type == "cpu" if compact is None else compact


def after_end(previous: Tensor, drawn: Tensor) -> Tensor:
    """<pad> for the rows that ended at the step before or earlier, the drawn word for others."""
    return drawn * (previous > EOS)  # <pad> is 0, and before <eos> comes <bos>, never written


@torch.no_grad()
def decode(
    policy: Policy,
    rows: int,
    length: int,
    rng: torch.Generator,
    options: SamplingOptions,
    compact: bool | None = None,
) -> Tensor:
    """Sample sentences step by step: (rows, length) int64, <eos> then <pad>; without autocast.

    A row that reaches `length` without <eos> is cut there. For `compact` see `shrinks`: it
    changes which uniform a row draws with, not the distribution.
    """
    with without_autocast(rng.device):
        state = policy.start(rows)
        tokens = torch.full((rows, length), PAD, device=state[0].device)
        if shrinks(tokens.device, compact):
            return _decode_fewer_rows(policy, state, tokens, rng, options)
        own, noise = tuple(map(ranks.mine, state)), ranks.own_generator(rng)
        written = _decode_all_rows(policy, own, ranks.mine(tokens), noise, options)
        return ranks.gathered(written, rows)


def _decode_fewer_rows(
    policy: Policy, state: State, tokens: Tensor, rng: torch.Generator, options: SamplingOptions
) -> Tensor:
    """`decode` with the rows alone that have not ended."""
    rows, length = tokens.shape
    prefixes = prefixes_of(policy, state)
    alive, read = torch.arange(rows, device=tokens.device), prefixes.start
    for t in range(length):
        drawn = prefixes.draw(read, rng, options)
        tokens[alive, t] = drawn
        going = (drawn != EOS).nonzero()[:, 0]
        if len(going) == 0 or t == length - 1:
            break
        alive, read = alive[going], prefixes.read(read[going], drawn[going])
    return tokens


@torch.no_grad()
def completed(
    policy: Policy, given: Tensor, first: int, rng: torch.Generator, options: SamplingOptions
) -> Tensor:
    """Sentences by their first words, (rows, length), `first` of them or more and then <pad>; a row
    without any stays so. The rest is sampled as by `decode`, every row to the last step."""
    with without_autocast(rng.device):
        given = given.clone()
        return _decode_all_rows(policy, policy.start(len(given)), given, rng, options, first)


def _decode_all_rows(
    policy: Policy,
    state: State,
    tokens: Tensor,
    rng: torch.Generator,
    options: SamplingOptions,
    given: int = 0,
) -> Tensor:
    """`decode` with every row to the last step; the host waits for nothing. Words that stand in
    `tokens` are kept, `given` of them at least; with 0 none are."""
    length = tokens.shape[1]
    for t in range(length):
        words = tokens[:, t]
        if t >= given:
            drawn = next_tokens(policy, state, rng, options)
            drawn = after_end(tokens[:, t - 1], drawn) if t else drawn
            words = torch.where(words == PAD, drawn, words) if given else drawn
            tokens[:, t] = words
        if t < length - 1:
            state = policy.advance(state, words)
    return tokens


def bos_column(tokens: Tensor) -> Tensor:
    """The inputs of teacher forcing: <bos>, then all tokens but the last; (B, T)."""
    return torch.cat([torch.full_like(tokens[:, :1], BOS), tokens[:, :-1]], 1)
