"""Real text and samples as a sentence encoder sees them, as many of each.

Legend: N sentences of each set, D the size of an embedding.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gantext.errors import UserError
from gantext.evaluation.ground import Ground
from gantext.evaluation.judges.encoders import Encoder, load_encoder
from gantext.evaluation.measure import Protocol
from gantext.metrics.score import Setting, signed
from gantext.metrics.text.preparation import Preparation
from gantext.metrics.text.texts import once
from gantext.runs.device import best_device


class EmbeddedText:
    """The real text, encoded once for each N and shared by sets of samples.

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
        self.encoder, self.seed, self.data_hash = encoder, seed, data_hash
        self._real = references, training
        self._embedded: dict[tuple[int, int], ArrayLike] = {}

    def size(self, lines: Sequence[str]) -> int:
        """N: the smallest of the three sizes.

        Raises:
            UserError: that is fewer than two.
        """
        n = min(len(lines), *map(len, self._real))
        if n < 2:
            raise UserError(f"a distance of embeddings needs at least 2 sentences a set, not {n}")
        return n

    def signature(self, lines: Sequence[str], n: int) -> dict[str, Setting]:
        """Which encoder, how many sentences, and by which seed they were chosen, if any were."""
        chosen = max(len(lines), *map(len, self._real)) > n
        seed = self.seed if chosen else None
        return signed(encoder=self.encoder.id, sentences=n, seed=seed, data=self.data_hash)

    def samples(self, lines: Sequence[str], n: int) -> ArrayLike:
        """(n, D) of them; of more a seeded choice."""
        key = ("embedded", self.encoder.id, n, self.seed)
        return once(lines, key, lambda: self._encoded(lines, n, 0))

    def references(self, n: int) -> ArrayLike:
        """(n, D) of the test text."""
        return self._of_real(n, 1)

    def training(self, n: int) -> ArrayLike:
        """(n, D) of the training text."""
        return self._of_real(n, 2)

    def _of_real(self, n: int, stream: int) -> ArrayLike:
        if (n, stream) not in self._embedded:
            self._embedded[n, stream] = self._encoded(self._real[stream - 1], n, stream)
        return self._embedded[n, stream]

    def _encoded(self, lines: Sequence[str], n: int, stream: int) -> ArrayLike:
        if len(lines) > n:
            chosen = np.random.default_rng([self.seed, stream]).permutation(len(lines))[:n]
            lines = [lines[place] for place in chosen]
        return self.encoder.encode(lines)


# The real text last used: encoding it takes longer than all else.
_last: dict[tuple[str | None, Preparation, str | None, int], EmbeddedText] = {}


def embedded_text(ground: Ground, protocol: Protocol) -> EmbeddedText:
    """That of the data that is scored against.

    Raises:
        UserError: there is no training text, or no encoder.
    """
    if not ground.training:
        raise UserError("the measure needs training text: give data=NAME instead of --references")
    key = (ground.hash, ground.preparation, protocol.encoder, protocol.seed)
    if key not in _last:
        _last.clear()
        encoder = load_encoder(protocol.encoder, str(best_device(protocol.device)))
        _last[key] = EmbeddedText(
            ground.references, ground.training, encoder, seed=protocol.seed, data_hash=ground.hash
        )
    return _last[key]
