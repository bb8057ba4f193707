"""Beam search with any policy, over whole sentences or over the blanks of given ones.

Shapes: N inputs, K hypotheses of each, V vocabulary, T steps, C words that may extend a hypothesis.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gantext.data.vocabulary import EOS, PAD
from gantext.nn.text.sampling import Policy, select

FREE = -1  # in a template: a word that is searched for
# Logits of one step's rows; the caches of a CPU hold them, and a GPU wants few, large kernels.
BEAM_ELEMENTS = {"cpu": 2**21}
GPU_BEAM_ELEMENTS = 2**27


@dataclass(frozen=True)
class Hypotheses:
    """The best sentences of each input, the best first.

    Attributes:
        tokens: (N, K, T) int64, <eos> then <pad>; without <eos> where T cut a sentence off.
        log_prob: (N, K), nats, by the policy's own probabilities, in which <unk> is never written;
            -inf where there are fewer than K sentences.
    """

    tokens: Tensor
    log_prob: Tensor


def beam_rows(policy_words: int, width: int, device: torch.device) -> int:
    """How many inputs are searched together."""
    return max(1, BEAM_ELEMENTS.get(device.type, GPU_BEAM_ELEMENTS) // (policy_words * width))


@torch.no_grad()
def beam_search(
    policy: Policy,
    rows: int,
    length: int,
    width: int,
    *,
    template: Tensor | None = None,
    normalise: bool = False,
) -> Hypotheses:
    """Search the likeliest sentences of each row of a policy's start, all rows in one batch.

    Hypotheses are ranked by log-likelihood; one that has ended stays in the beam until better ones
    push it out. Width 1 is greedy decoding.

    Args:
        policy: its `start` is given `rows`.
        rows: N.
        length: T, <eos> counted.
        width: K.
        template: (N, T) word numbers, <eos> then <pad>, with FREE where a word (not <eos>) is
            searched for; the given words are forced, and count in the ranking. None: all is free.
            A given word that the policy never writes (<unk>) counts nothing.
        normalise: rank by log-likelihood per token, <eos> counted.
    """
    state = policy.start(rows)
    device = state[0].device
    tokens = torch.full((rows, 1, length), PAD, device=device)
    log_prob = torch.zeros(rows, 1, device=device)
    sizes = torch.zeros(rows, 1, device=device)
    for t in range(length):
        wanted = _wanted(tokens, t, template)  # (N, K)
        scores, words = _extensions(
            policy.logits(state)[:, : policy.vocab_size],
            wanted.flatten(),
            width,
            may_end=template is None,
        )
        kept = scores.shape[1]
        totals = log_prob[..., None] + scores.view(rows, -1, kept)  # (N, K, C)
        spans = (sizes + (wanted != PAD))[..., None].expand_as(totals)
        ranks = (totals / spans if normalise else totals).flatten(1)
        best = ranks.topk(min(width, ranks.shape[1])).indices  # (N, K)
        parent = best // kept
        log_prob, sizes = totals.flatten(1).gather(1, best), spans.flatten(1).gather(1, best)
        tokens = tokens.gather(1, parent[..., None].expand(-1, -1, length))
        tokens[..., t] = words.view(rows, -1).gather(1, best)
        if t == length - 1 or ended(tokens[..., t]):
            break
        places = parent + torch.arange(rows, device=device)[:, None] * wanted.shape[1]
        state = policy.advance(select(state, places.flatten()), tokens[..., t].flatten())
    return Hypotheses(tokens, log_prob)


def ended(last: Tensor) -> bool:
    """Whether all rows whose last words these are have ended."""
    return bool(((last == EOS) | (last == PAD)).all())


def _wanted(tokens: Tensor, t: int, template: Tensor | None) -> Tensor:
    """The word that each hypothesis has to go on with, (N, K), or FREE."""
    rows, width, _ = tokens.shape
    if template is not None:
        return template[:, t, None].expand(rows, width)
    if t == 0:
        return torch.full((rows, width), FREE, device=tokens.device)
    last = tokens[..., t - 1]
    return torch.where((last == EOS) | (last == PAD), PAD, FREE)


def _extensions(logits: Tensor, wanted: Tensor, width: int, may_end: bool) -> tuple[Tensor, Tensor]:
    """The log-probabilities and numbers of the words to go on with, (N K, C) each.

    A row's `width` likeliest ones, or the one that is wanted and no other (-inf).
    """
    total = logits.logsumexp(1, keepdim=True)
    forced = (wanted != FREE)[:, None]
    own = wanted.clamp_min(0)[:, None]
    given = logits.gather(1, own) - total
    given = given.where(given.isfinite(), 0)  # <pad>, and <unk> in a template
    if not may_end:
        logits = logits.index_fill(1, torch.tensor([EOS], device=logits.device), -torch.inf)
    found, words = logits.topk(min(width, logits.shape[1]))
    scores, only = found - total, torch.full_like(found, -torch.inf)
    only[:, :1] = given
    return scores.where(~forced, only), words.where(~forced, own)
