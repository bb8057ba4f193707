"""The Frechet distance between samples and real text, on sentence embeddings.

An encoder sees topic and meaning before word order: shuffled words cost little. The floor is that
of two sets of real text, and not 0: it holds what test and training text differ in themselves.

Legend: N sentences of each set.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gantext.errors import UserError
from gantext.evaluation.ground import Ground
from gantext.evaluation.judges.encoders import Encoder, load_encoder
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import REAL, Subject
from gantext.metrics.frechet import Gaussian, error, fit, frechet_distance
from gantext.metrics.score import Score, signed
from gantext.metrics.text.preparation import Preparation
from gantext.runs.device import best_device

Distance = tuple[float, float | None]  # and its standard error


class FrechetReference:
    """The real side of the distance, computed once for each N and shared by sample sets.

    Args:
        references: real sentences (the test split).
        training: the real sentences that models are trained on.
        encoder: from `load_encoder`.
        seed: of the choice where there are more than N sentences.
        data_hash: the hash of the corpus, for the signature.
    """

    def __init__(
        self,
        references: Sequence[str],
        training: Sequence[str],
        encoder: Encoder,
        *,
        seed: int = 0,
        data_hash: str | None = None,
    ) -> None:
        self.references, self.training, self.encoder = references, training, encoder
        self.seed, self.data_hash = seed, data_hash
        self._real: dict[int, tuple[Gaussian, Distance]] = {}

    def scores(self, lines: Sequence[str]) -> list[Score]:
        """`frechet`, samples against references, and `frechet-real`, its floor at the same N.

        N is the smallest of the three sizes; of the others a seeded choice is taken.

        Raises:
            UserError: one of the three has fewer than two sentences.
        """
        sizes = [len(lines), len(self.references), len(self.training)]
        n = min(sizes)
        if n < 2:
            raise UserError(f"the Frechet distance needs at least 2 sentences a set, not {n}")
        references, floor = self._at(n)
        sign = signed(
            encoder=self.encoder.id,
            sentences=n,
            seed=self.seed if max(sizes) > n else None,
            data=self.data_hash,
        )
        value, spread = _distance(self._embedded(lines, n, 0), references)
        real, real_spread = floor
        return [
            Score("frechet", value, sign, spread),
            Score("frechet-real", real, sign, real_spread),
        ]

    def _at(self, n: int) -> tuple[Gaussian, Distance]:
        """The references' Gaussian, and the training text's distance to it."""
        if n not in self._real:
            references = fit([self._embedded(self.references, n, 1)])
            training = self._embedded(self.training, n, 2)
            self._real[n] = references, _distance(training, references)
        return self._real[n]

    def _embedded(self, lines: Sequence[str], n: int, stream: int) -> ArrayLike:
        if len(lines) > n:
            chosen = np.random.default_rng([self.seed, stream]).permutation(len(lines))[:n]
            lines = [lines[place] for place in chosen]
        return self.encoder.encode(lines)


def _distance(embeddings: ArrayLike, references: Gaussian) -> Distance:
    samples = fit([embeddings])
    return frechet_distance(samples, references), error(embeddings, samples, references)


def frechet(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """The distance of the sentences, and its floor."""
    if subject.name == REAL:  # its floor stands with the samples' distance
        return []
    if not ground.training:
        raise UserError("eval frechet needs training text: give data=NAME instead of --references")
    return _frechet_reference(ground, protocol).scores(subject.lines)


# The embeddings of the real text last used: encoding it takes longer than all else.
_references: dict[tuple[str | None, Preparation, str | None, int], FrechetReference] = {}


def _frechet_reference(ground: Ground, protocol: Protocol) -> FrechetReference:
    key = (ground.hash, ground.preparation, protocol.encoder, protocol.seed)
    if key not in _references:
        _references.clear()
        encoder = load_encoder(protocol.encoder, str(best_device(protocol.device)))
        _references[key] = FrechetReference(
            ground.references, ground.training, encoder, seed=protocol.seed, data_hash=ground.hash
        )
    return _references[key]
