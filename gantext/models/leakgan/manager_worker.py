"""LeakGAN's manager and worker, and the goals between them (Guo et al. 2018, section 3).

Shapes: B batch, T steps, V vocabulary, E embedding, H hidden, F leaked features, k goal size,
c goal steps, N rows.
"""

import enum
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.ranges import Dropout, Size, Words
from gantext.nn.text.dropout import locked_dropout, word_dropout
from gantext.nn.text.lstm import Init, lstm_pass
from gantext.nn.text.sampling import bos_column

# Of the length of features: a smaller move is none but for rounding, whatever the sizes are.
ROUNDING = 1e-5


class GoalSchedule(enum.Enum):
    """Which goals the worker follows."""

    sliding = "sliding"
    block = "block"


class GoalCosine(enum.Enum):
    """What the manager's goals, and the worker's way, are held against."""

    step = "step"
    block = "block"


@dataclass(frozen=True)
class LeakGeneratorConfig:
    """Sizes and regularisation of manager and worker (explained in conf/model/leakgan.yaml)."""

    embedding: Size
    hidden: Size
    manager_hidden: Size
    tie_weights: bool
    dropout: Dropout
    word_dropout: Dropout
    goal_size: Size
    goal_steps: Words
    goal_schedule: GoalSchedule
    goal_cosine: GoalCosine
    clip_apart: bool
    init: Init


class Manager(nn.Module):
    """Reads the leaked features of each prefix and sets a goal, a direction in their space."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, batch_first=True)
        self.output = nn.Linear(hidden, features)

    def goals(self, features: Tensor) -> Tensor:
        """g_t of each prefix: (B, T, F) -> (B, T, F), of length 1."""
        return self.goal(lstm_pass(self.lstm, features)[0])

    def goal(self, hidden: Tensor) -> Tensor:
        """(..., H) -> (..., F), of length 1."""
        return F.normalize(self.output(hidden).float(), dim=-1)


class Worker(nn.Module):
    """Writes words: an LSTM's output O_t (V, k) times the goals' embedding w_t (k).

    With O_t = reshape(W h_t) + B the scores O_t w_t are one product of the outer product of w_t
    and h_t, (kH), with W seen as (V, kH), plus B w_t: O_t itself, B * T * V * k numbers, is never
    made. With `tie_weights` O_t = X reshape(A h_t) + B, where X is the embedding table (V, E): W
    of rank E, with V * k * H / (V * E + E * k * H) times fewer weights.
    """

    def __init__(self, vocab_size: int, features: int, config: LeakGeneratorConfig) -> None:
        super().__init__()
        self.config = config
        size, hidden = config.goal_size, config.hidden
        self.embedding = nn.Embedding(vocab_size, config.embedding)
        self.lstm = nn.LSTM(config.embedding, hidden, batch_first=True)
        self.initial_goal = nn.Parameter(torch.empty(1, features))
        self.goal_embedding = nn.Linear(features, size, bias=False)  # W_psi
        rows = config.embedding if config.tie_weights else vocab_size
        self.bilinear = nn.Linear(size * hidden, rows, bias=False)
        self.goal_scores = nn.Linear(size, vocab_size, bias=False)  # B

    def initialise_goals(self, rng: torch.Generator) -> None:
        """An initial goal, and a W_psi that turns c equal goals into numbers of size 1."""
        nn.init.normal_(self.initial_goal, generator=rng)
        nn.init.normal_(self.goal_embedding.weight, 0, 1 / self.config.goal_steps, generator=rng)

    def hidden(self, tokens: Tensor, rng: torch.Generator | None) -> Tensor:
        """What the output layer reads at each step of (B, T) sentences, (B, T, H)."""
        p = self.config.dropout
        table = word_dropout(self.embedding.weight, self.config.word_dropout, rng)
        x = F.embedding(bos_column(tokens), table)  # (B, T, E)
        return locked_dropout(lstm_pass(self.lstm, locked_dropout(x, p, rng))[0], p, rng)

    def output_features(self, hidden: Tensor, followed: Tensor) -> Tensor:
        """What `output_weight` reads, of h_t (N, H) and w_t (N, k): (N, E + k), or (N, kH + k).

        With `tie_weights` reshape(A h_t) w_t, (N, E), is made by A h_t, (N, Ek), and not by the
        outer product, which is as large again where H > E.
        """
        if self.config.tie_weights:
            made = F.linear(hidden, self.bilinear.weight.view(-1, self.config.hidden))  # (N, Ek)
            made = made.view(len(hidden), -1, self.config.goal_size)
            read = (made * followed[:, None]).sum(-1)  # half the time of as many small products
        else:
            read = _outer(hidden, followed)
        return torch.cat([read, followed.to(read.dtype)], 1)

    def next_features(self, hidden: Tensor, followed: Tensor) -> Tensor:
        """`output_features` of the rows of a step.

        With `tie_weights` by the outer product: few rows of it stay in a CPU's caches, and the
        whole takes .87 of the time (64 and 225 rows).
        """
        read = _outer(hidden, followed)
        if self.config.tie_weights:
            read = self.bilinear(read)
        return torch.cat([read, followed.to(read.dtype)], 1)

    def output_weight(self) -> Tensor:
        """The weights of all words, (V, E + k), or (V, kH + k)."""
        words = self.embedding if self.config.tie_weights else self.bilinear
        return torch.cat([words.weight, self.goal_scores.weight], 1)

    def embed(self, goals: Tensor) -> Tensor:
        """W_psi g, (..., F) -> (..., k), fp32."""
        embedded: Tensor = self.goal_embedding(goals)
        return embedded.float()

    def first_goals(self, rows: int) -> Tensor:
        """Embeddings of the c goals before the first, all the initial one: (N, c, k)."""
        first = self.embed(F.normalize(self.initial_goal))  # (1, k)
        return first.expand(rows, self.config.goal_steps, -1)

    def followed(self, recent: Tensor) -> Tensor:
        """w_t of the last c goals' embeddings g_{t-c}..g_{t-1}: (N, c, k) -> (N, k)."""
        return self._scaled(recent.sum(1))

    def followed_goals(self, goals: Tensor) -> Tensor:
        """w_t at each step of (B, T, F) goals, (B, T, k): `followed` in one pass."""
        steps, every = goals.shape[1], self.config.goal_steps
        embedded = torch.cat([self.first_goals(len(goals)), self.embed(goals)], 1)
        sums = sum((embedded[:, i : i + steps] for i in range(1, every)), embedded[:, :steps])
        if self.config.goal_schedule is GoalSchedule.block:
            sums = sums[:, torch.arange(steps, device=goals.device) // every * every]
        return self._scaled(sums)

    def _scaled(self, sums: Tensor) -> Tensor:
        block = self.config.goal_schedule is GoalSchedule.block
        return F.normalize(sums, dim=-1) if block else sums


def _outer(hidden: Tensor, followed: Tensor) -> Tensor:
    """The outer products of (N, H) and (N, k), (N, kH)."""
    return (followed[:, :, None] * hidden[:, None, :]).flatten(1)


def goal_cosines(features: Tensor, goals: Tensor, every: int) -> Tensor:
    """cos(f_{s+c} - f_s, g_s) of each step and row, (B, T), of (B, T + 1, F) and (B, T, F).

    Goals have length 1. Past the last step f_{s+c} is the last; where f does not move the cosine is
    0, see `_along`.
    """
    steps = goals.shape[1]
    ahead = (torch.arange(steps, device=goals.device) + every).clamp_max(steps)
    return _along(features[:, :-1], features[:, ahead], goals)


def _along(before: Tensor, after: Tensor, goals: Tensor) -> Tensor:
    """The cosines of after - before, (..., F) each, and goals of length 1.

    They are 0 where nothing has moved, as where a word is in no window that wins: features are
    equal there but for rounding, which has a direction too, but a random one.
    """
    moved = after - before
    least = ROUNDING * before.norm(dim=-1, keepdim=True)
    length = moved.norm(dim=-1, keepdim=True)
    return (torch.where(length > least, moved / length, 0.0) * goals).sum(-1)


def block_goals(goals: Tensor, first: Tensor, every: int) -> Tensor:
    """What each block of c words follows: the sum of the block before's goals, of length 1.

    (B, T, F) goals -> (B, T, F), the same at each word of a block; the first block follows the
    initial goal, (1, F).
    """
    steps = goals.shape[1]
    before = torch.cat([first.expand(len(goals), every, -1), goals], 1)  # (B, c + T, F)
    starts = torch.arange(0, steps, every, device=goals.device)
    sums = before[:, starts[:, None] + torch.arange(every, device=goals.device)].sum(2)
    return F.normalize(sums, dim=-1)[:, torch.arange(steps, device=goals.device) // every]


def block_cosines(features: Tensor, followed: Tensor, every: int) -> Tensor:
    """cos(f_{(b+1)c} - f_{bc}, the goal that block b follows) at each word of block b, (B, T), of
    (B, T + 1, F) features and (B, T, F) `block_goals`."""
    steps = followed.shape[1]
    begins = torch.arange(steps, device=followed.device) // every * every
    return _along(features[:, begins], features[:, (begins + every).clamp_max(steps)], followed)


def block_intrinsic_rewards(features: Tensor, followed: Tensor, every: int) -> Tensor:
    """cos(f_{s+1} - f_{bc}, the goal that block b follows) of each word s of block b, (B, T): how
    far the words of the block have gone along it."""
    begins = torch.arange(followed.shape[1], device=followed.device) // every * every
    return _along(features[:, begins], features[:, 1:], followed)


def intrinsic_rewards(features: Tensor, goals: Tensor, every: int) -> Tensor:
    """r_s = mean over i = 1..c of cos(f_{s+1} - f_{s+1-i}, g_{s+1-i}), (B, T): how far word s went
    along the last goals. The mean is over the goals that there are (fewer than c at first)."""
    steps = goals.shape[1]
    total = torch.zeros(goals.shape[:2], device=goals.device)
    for i in range(1, min(every, steps) + 1):
        # f_{s+1} - f_{s+1-i} for s = i-1..T-1
        total[:, i - 1 :] += _along(features[:, :-i], features[:, i:], goals[:, : steps + 1 - i])
    return total / (torch.arange(steps, device=goals.device) + 1).clamp_max(every)
