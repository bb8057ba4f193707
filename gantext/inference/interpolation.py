"""The way from one sentence to another through a VAE's latent space (Bowman et al. 2016, 5.4).

Shapes: N pairs, S steps, Z latent.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gantext.errors import UserError
from gantext.inference.latent import Decoding, decode_latent, latent_of, posterior_means
from gantext.inference.likelihood import estimate_signature
from gantext.inference.sentences import batch_of, given_sentences, grammar_of
from gantext.metrics.score import Setting, signed
from gantext.nn.latent import slerp
from gantext.runs.trained import TrainedText


@dataclass(frozen=True)
class Step:
    """A sentence on the way.

    Attributes:
        t: its place, 0 to 1; None for the two sentences that were given.
        text: the sentence.
        log_prob_given: log p(x|z) in nats at its own z (of a given sentence: its posterior's mean).
        log_prob: the importance-weighted estimate of log p(x) in nats.
        grammatical: whether the known grammar has it; None where none is known.
    """

    t: float | None
    text: str
    log_prob_given: float
    log_prob: float
    grammatical: bool | None


@dataclass(frozen=True)
class Path:
    """The first sentence, the steps from its z to the other's, the other sentence."""

    steps: list[Step]
    notes: list[str]
    signature: dict[str, Setting]

    def to_json(self) -> dict[str, Any]:
        """{"steps": [...], "signature": {...}}; the given sentences have no t."""
        return {"steps": [asdict(step) for step in self.steps], "signature": self.signature}


def interpolate(
    trained: TrainedText,
    texts: Sequence[str],
    steps: int,
    spherical: bool,
    decoding: Decoding,
    phase: str | None = None,
) -> Path:
    """Decode `steps` points evenly between the posterior means of two sentences.

    Raises:
        UserError: the model has no latent variable; a sentence is empty or too long; steps < 2.
    """
    if steps < 2:
        raise UserError(f"--steps {steps}: at least 2 are needed, the two ends")
    algorithm, notes = latent_of(trained, "interpolate"), list[str]()
    given = given_sentences(trained, texts, notes)
    ends = batch_of([ids for _, ids in given], trained.device)
    mu = posterior_means(algorithm, ends, trained.device)  # (2, Z)
    places = torch.linspace(0, 1, steps, device=trained.device)[:, None]
    z = between(mu[:1], mu[1:], places, spherical)  # (S, Z)
    written = decode_latent(trained, z, decoding)
    rows = [given[0][1], *map(_unpadded, written.tolist()), given[1][1]]
    tokens = batch_of(rows, trained.device)
    at = torch.cat([mu[:1], z, mu[1:]])
    conditional = algorithm.log_prob_given(tokens, at).tolist()
    marginal = trained.algorithm.log_prob(tokens).tolist()
    shown = [None, *places[:, 0].tolist(), None]
    lines = [given[0][0], *map(trained.vocabulary.text, written.tolist()), given[1][0]]
    found = zip(shown, lines, conditional, marginal, _grammatical(trained, rows), strict=True)
    sign = _signature(trained, spherical, decoding, phase)
    return Path([Step(*one) for one in found], notes, sign)


def between(first: Tensor, second: Tensor, t: Tensor | float, spherical: bool) -> Tensor:
    """(1 - t) first + t second, or along the arc between them, (N, Z)."""
    if spherical:
        return slerp(first, second, t)
    return (1 - t) * first + t * second


def _unpadded(row: list[int]) -> list[int]:
    return [number for number in row if number]


def _grammatical(trained: TrainedText, rows: Sequence[Sequence[int]]) -> Sequence[bool | None]:
    truth = grammar_of(trained)
    if truth is None:
        return [None] * len(rows)
    words = [trained.vocabulary.decode(row) for row in rows]
    return [bool(possible) for possible in np.isfinite(truth.log_prob(words))]


def _signature(
    trained: TrainedText, spherical: bool, decoding: Decoding, phase: str | None
) -> dict[str, Setting]:
    return signed(
        **trained.origin(phase),
        path="spherical" if spherical else "linear",
        **decoding.signature(),
        **estimate_signature(trained.algorithm),
        data=trained.run.info.get("data"),
    )
