"""The Frechet distance between samples and real text, on sentence embeddings.

An encoder sees topic and meaning before word order: shuffled words cost little. The floor is that
of two sets of real text, and not 0: it holds what test and training text differ in themselves.

Legend: N sentences of each set.
"""

from collections.abc import Sequence

import numpy as np

from gantext.errors import UserError
from gantext.evaluation.ground import Ground
from gantext.evaluation.judges.encoders import Encoder, load_encoder
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import REAL, Subject
from gantext.metrics.frechet import Gaussian, fit, frechet_distance
from gantext.metrics.score import Score, signed
from gantext.metrics.text.preparation import Preparation
from gantext.runs.device import best_device


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
        self._real: dict[int, tuple[Gaussian, float]] = {}

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
        value = frechet_distance(self._gaussian(lines, n, 0), references)
        return [Score("frechet", value, sign), Score("frechet-real", floor, sign)]

    def _at(self, n: int) -> tuple[Gaussian, float]:
        """The references' Gaussian, and the training text's distance to it."""
        if n not in self._real:
            references = self._gaussian(self.references, n, 1)
            training = self._gaussian(self.training, n, 2)
            self._real[n] = references, frechet_distance(training, references)
        return self._real[n]

    def _gaussian(self, lines: Sequence[str], n: int, stream: int) -> Gaussian:
        if len(lines) > n:
            chosen = np.random.default_rng([self.seed, stream]).permutation(len(lines))[:n]
            lines = [lines[place] for place in chosen]
        return fit([self.encoder.encode(lines)])


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
