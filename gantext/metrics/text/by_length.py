"""Scores by sentence length: whether quality falls as sentences grow."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gantext.metrics import standard_error
from gantext.metrics.score import Score, Setting
from gantext.metrics.text.bleu_scores import sentence_bleu
from gantext.metrics.text.ngrams import IntArray
from gantext.metrics.text.presets import DEFAULT, ORDERS, Preset

# The highest length of each bucket, in tokens. An empty sentence counts among the shortest.
BUCKETS = {"1-8": 8, "9-12": 12, "13-16": 16, "17+": np.iinfo(np.int64).max}


def by_length(
    name: str,
    values: NDArray[np.float64],
    lengths: IntArray,
    signature: Mapping[str, Setting],
) -> list[Score]:
    """Return the mean of a value of single sentences within each bucket of lengths.

    Args:
        name: of the score; that of a bucket becomes e.g. "bleu-4[9-12]".
        values: (H,) a value for each sentence.
        lengths: (H,) tokens of each sentence.
        signature: of the value over all sentences.

    Returns:
        One score a bucket, whose signature names the bucket and its number of sentences; NaN for
        a bucket without any.

    Raises:
        ValueError: there are not as many lengths as values.
    """
    if values.shape != lengths.shape:
        raise ValueError(f"{values.shape} values, but {lengths.shape} lengths")
    bucket = np.searchsorted(list(BUCKETS.values()), lengths)  # (H,)
    scores = []
    for place, label in enumerate(BUCKETS):
        inside = values[bucket == place]
        mean = float(inside.mean()) if inside.size else float("nan")
        sign = {**signature, "length": label, "sentences": inside.size}
        error = standard_error.of_mean(inside)
        scores.append(Score(f"{name}[{label}]", mean, sign, error))
    return scores


def bleu_by_length(
    lines: Sequence[str],
    references: Sequence[str],
    preset: str | Preset = DEFAULT,
    *,
    seed: int = 0,
    data_hash: str | None = None,
) -> list[Score]:
    """Return BLEU-2..5 of the sentences of each bucket; all references serve every bucket.

    Arguments and errors as in `bleu_scores`; lengths are in the preset's tokens. The mean over
    the buckets, weighted by their sentences, is the preset's BLEU.
    """
    scored = sentence_bleu(lines, references, preset, seed=seed, data_hash=data_hash)
    return [
        score
        for n in ORDERS
        for score in by_length(
            f"bleu-{n}", scored.values[n - 1], scored.lengths, {**scored.signature, "n": n}
        )
    ]
