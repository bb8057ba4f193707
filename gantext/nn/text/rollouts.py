"""Monte-Carlo rollouts of all positions in one batch (SeqGAN's equation 4).

Shapes: B sentences, T steps, R rollouts of a position, N rows = all (position, sentence, rollout).
T sequential steps serve all T positions rather than T^2 / 2: on a CPU a row for position t joins
the batch at step t + 1 with the state that has read x_0..x_t; on a GPU it reads these words itself,
so that shapes do not depend on how many join when.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.data.resident import in_steps, sent
from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.nn import ranks
from gantext.nn.autocast import without_autocast
from gantext.nn.text.sampling import (
    Policy,
    SamplingOptions,
    completed,
    prefixes_of,
    shrinks,
)

ROWS = 2**16
AUTO, PLACES = "auto", 40
Score = Callable[[Tensor], Tensor]
# Sentences by their first words, (N, T): how many each has at least, a generator, how to draw.
Complete = Callable[[Tensor, int, torch.Generator, SamplingOptions], Tensor]


@dataclass(frozen=True)
class Rollouts:
    """Completed sentences, (N, T), and the position, sentence and rollout number of each row."""

    tokens: Tensor
    position: Tensor
    sentence: Tensor
    number: Tensor


def valid_lengths(tokens: Tensor) -> Tensor:
    """Tokens of each sentence, <eos> counted, (B,)."""
    return (tokens != PAD).sum(1)


def trimmed(tokens: Tensor) -> Tensor:
    """Drop the columns that are <pad> in every row."""
    return tokens[:, : int(valid_lengths(tokens).max())]


def trimmed_on_cpu(tokens: Tensor) -> Tensor:
    """`trimmed`, but on a GPU the tokens as they are: it would be waited for to learn their length,
    longer than it takes for <pad>."""
    return trimmed(tokens) if tokens.device.type == "cpu" else tokens


def of_few_shapes(longest: int, *parts: Tensor) -> Sequence[Tensor]:
    """Tokens (B, T), and numbers of them that are 0 at <pad>, with a few columns of <pad> more on a
    GPU, where what is computed of them is captured for each shape; with `longest` at most."""
    if parts[0].device.type == "cpu":
        return parts
    length = parts[0].shape[1]
    more = in_steps(length, longest) - length
    return [F.pad(part, (0, more)) for part in parts]


def spacing(every: int | str, length: int, places: int = PLACES) -> int:
    """Every how many-th position is rolled out in sentences of up to `length` words, <eos> counted.

    `auto` leaves about `places` of them (of 40 30 to 59): each is completed to the sentence's end,
    so that the work would grow with the square of the length.

    Raises:
        UserError: another word than auto.
    """
    if isinstance(every, int):
        return every
    if every != AUTO:
        raise UserError(
            f"model.adversarial.rollout_every={every}: it must be a whole number or {AUTO}"
        )
    return max(1, (length + places // 2) // places)


def spaced(asked: int | str, every: int, length: int, most: int = PLACES) -> list[str]:
    """What the log says of positions that `auto` left out; nothing where it left out none."""
    places = len(rolled_positions(length, every))
    if asked != AUTO or spacing(asked, length, most) == 1:
        return []
    return [
        f"rollouts after every {every} words, at {places} places of sentences of up to {length} "
        "words (model.adversarial.rollout_every=auto)"
    ]


def rolled_positions(length: int, every: int) -> list[int]:
    """Positions after which rollouts are made: each `every`-th; the last needs none."""
    return [t for t in range(length - 1) if (t + 1) % every == 0]


@torch.no_grad()
def roll_out(
    policy: Policy,
    tokens: Tensor,
    count: int,
    every: int,
    rng: torch.Generator,
    options: SamplingOptions | None = None,
    compact: bool | None = None,
    lengths: Tensor | None = None,
    complete: Complete | None = None,
) -> Rollouts:
    """Complete every prefix x_0..x_t of (B, T) sentences `count` times with the policy.

    Sentences that have ended by t need no rollout and get none. `lengths` are theirs, (B,), on the
    host; without them a GPU is waited for, here alone. For `compact` see `sampling.shrinks`: where
    rows stay, each reads its own prefix, and `complete` writes the rest, as `sampling.completed`
    does, which None is. Without autocast, as `decode`.
    """
    device, length = tokens.device, tokens.shape[1]
    lengths = valid_lengths(tokens).cpu() if lengths is None else lengths
    places = _rows(lengths, length, count, every)
    position, sentence, number = sent(torch.stack(places), device)
    rows = torch.where(
        torch.arange(length, device=device) <= position[:, None], tokens[sentence], PAD
    )
    made = Rollouts(rows, position, sentence, number)
    with without_autocast(device):
        if shrinks(device, compact):
            _complete(policy, tokens, made, rng, options or SamplingOptions())
        elif len(rows):
            complete = complete or partial(completed, policy)
            rows.copy_(complete(rows, every, rng, options or SamplingOptions()))
    return made


def _complete(
    policy: Policy, tokens: Tensor, made: Rollouts, rng: torch.Generator, options: SamplingOptions
) -> None:
    """Write the rollouts' words after their prefixes; rows that have ended leave the batch.

    The sentences read their own words among the rollouts, each different prefix once.
    """
    rows, position, sentence = made.tokens, made.position, made.sentence
    batch, length = tokens.shape
    prefixes = prefixes_of(policy, policy.start(batch))
    read, active = prefixes.start, position.new_empty(0)  # first what the sentences have read
    words = tokens[:, 0]
    for step in range(1, length):
        read = prefixes.read(read, words)
        joining = (position == step - 1).nonzero()[:, 0]
        read = torch.cat([read, read[sentence[joining]]])
        active = torch.cat([active, joining])
        drawn = prefixes.draw(read[batch:], rng, options)
        rows[active, step] = drawn
        going = (drawn != EOS).nonzero()[:, 0]
        active = active[going]
        given = read[:batch] * (tokens[:, step] != PAD)  # sentences that have ended go on as one
        read = torch.cat([given, read[batch:][going]])
        words = torch.cat([tokens[:, step], drawn[going]])


def _rows(lengths: Tensor, length: int, count: int, every: int) -> tuple[Tensor, Tensor, Tensor]:
    """Position, sentence and rollout number of each row, in order of position; on the host.

    Args:
        lengths: of the sentences, (B,), on the host.
        length: T.
    """
    where = torch.tensor(rolled_positions(length, every), dtype=torch.long)
    unfinished = lengths[None] > where[:, None] + 1  # (positions, B)
    place, sentence = unfinished.nonzero(as_tuple=True)
    # A sentence cut at T without <eos> counts as finished there, one with <eos> at it.
    number = torch.arange(count)
    repeat = len(place)
    return (
        where[place].repeat_interleave(count),
        sentence.repeat_interleave(count),
        number.repeat(repeat),
    )


@torch.no_grad()
def rollout_rewards(
    policy: Policy,
    score: Score,
    tokens: Tensor,
    count: int,
    every: int,
    rng: torch.Generator,
    options: SamplingOptions | None = None,
    lengths: Tensor | None = None,
    complete: Complete | None = None,
) -> Tensor:
    """Q of each token from rollouts, (B, T, R): D's score of x_0..x_t completed by the policy.

    The last token's Q is the score of the sentence itself. A position without rollouts of its
    own (every > 1) takes those of the next one that has some: an unbiased estimate, since what
    comes between is drawn by the policy too. Zero at <pad>. For `lengths` and `complete` see
    `roll_out`.
    """
    lengths = valid_lengths(tokens).cpu() if lengths is None else lengths
    if shrinks(tokens.device, None):
        return _rewards(policy, score, tokens, lengths, count, every, rng, options, complete)
    # On GPUs no rank waits for the others' words: each completes its own sentences.
    own, noise = (ranks.mine(tokens), ranks.mine(lengths)), ranks.own_generator(rng)
    with ranks.apart():
        found = _rewards(policy, score, *own, count, every, noise, options, complete)
    return ranks.gathered(found, len(tokens))


def _rewards(
    policy: Policy,
    score: Score,
    tokens: Tensor,
    lengths: Tensor,
    count: int,
    every: int,
    rng: torch.Generator,
    options: SamplingOptions | None,
    complete: Complete | None,
) -> Tensor:
    """`rollout_rewards` of these sentences."""
    batch, length = tokens.shape
    rewards = score(tokens)[:, None, None].repeat(1, length, count)  # (B, T, R)
    per_pass = max(1, ROWS // (batch * length))
    for start in range(0, count, per_pass):
        given = tokens, min(per_pass, count - start), every, rng, options
        made = roll_out(policy, *given, lengths=lengths, complete=complete)
        if len(made.tokens):
            index = (made.sentence, made.position, made.number + start)
            rewards.index_put_(index, score(made.tokens))
    return _spread(rewards, tokens, every)


def _spread(rewards: Tensor, tokens: Tensor, every: int) -> Tensor:
    """Give each position the rewards of the next position that has some; zero at <pad>."""
    length = tokens.shape[1]
    steps = torch.arange(length, device=tokens.device)
    source = (steps // every * every + every - 1).clamp_max(length - 1)
    # Past a sentence's last token the reward is the sentence's own, which is the wanted one.
    return rewards[:, source] * (tokens != PAD)[:, :, None]
