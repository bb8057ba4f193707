"""Posterior means of test sentences in a plane, with a property of each sentence.

Shapes: N sentences, Z latent.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gantext import data
from gantext.data.corpus import Corpus
from gantext.data.scenes import Config as Scenes
from gantext.data.scenes.english import PLURALS, SHAPES, colours
from gantext.errors import UserError
from gantext.inference.latent import chosen, latent_of, posterior_means
from gantext.inference.projection import principal_directions
from gantext.metrics.score import Setting, signed
from gantext.plots.latent import LatentPlot
from gantext.runs.trained import TrainedText

Array = NDArray[np.float64]
NAMED = {
    "shape": {**{one: one for one in SHAPES}, **{many: one for one, many in PLURALS.items()}},
    "colour": {colour: colour for weights in colours().values() for colour in weights},
}


@dataclass(frozen=True)
class LatentPlane:
    """What is drawn, the sentences, and the settings that it can be drawn again with."""

    plot: LatentPlot
    texts: list[str]
    signature: dict[str, Setting]

    def to_json(self) -> dict[str, Any]:
        """{"points": [{"text", "x", "y", by}, ...], "axes": [2], "signature": {...}}."""
        rows = zip(self.texts, self.plot.points.tolist(), self.plot.values, strict=True)
        by = str(self.signature["by"])
        points = [{"text": text, "x": x, "y": y, by: value} for text, (x, y), value in rows]
        return {"points": points, "axes": list(self.plot.axes), "signature": self.signature}


def plane_of(trained: TrainedText, **choices: Any) -> LatentPlane:
    """`latent_plane` of the run's own data, read where it has a latent variable."""
    latent_of(trained, "latent")  # before the data is read
    return latent_plane(trained, data.load(trained.settings.data), **choices)


def latent_plane(
    trained: TrainedText,
    corpus: Corpus,
    *,
    by: str = "length",
    method: str = "pca",
    n: int = 1000,
    seed: int = 0,
    phase: str | None = None,
) -> LatentPlane:
    """The posterior means of n test sentences (all, if there are fewer), projected to a plane.

    Args:
        trained: a run of a model with a latent variable.
        corpus: its data.
        by: "length" in words or, on data=scenes, the first "shape" or "colour" that is named.
        method: "pca" or "tsne", which needs scikit-learn.
        n: how many, at least 3.
        seed: of the choice and of t-SNE.
        phase: the run's phase, for the signature.

    Raises:
        UserError: no latent variable; other data than the run's; a property that the data has not;
            no scikit-learn; fewer than 3 sentences.
    """
    algorithm = latent_of(trained, "latent")
    if trained.run.info.get("data") != corpus.hash:
        raise UserError(f"{trained.run.path.name} was trained on other data than is there now")
    tokens = chosen(corpus.test, n, seed)
    if len(tokens) < 3:
        raise UserError(f"latent: {len(tokens)} sentences; at least 3 are needed")
    words = [trained.vocabulary.decode(row) for row in tokens.tolist()]
    values = values_of(words, by, trained)
    means = posterior_means(algorithm, tokens, trained.device).cpu().double().numpy()
    points, axes = _projected(means, method, seed)
    sign = signed(
        **trained.origin(phase),
        by=by,
        method=method,
        sentences=len(tokens),
        seed=seed,
        data=corpus.hash,
    )
    texts = [trained.vocabulary.text(row) for row in tokens.tolist()]
    name = {"length": "words in the sentence"}.get(by, f"first {by} named")
    return LatentPlane(LatentPlot(points, values, name, axes), texts, sign)


def values_of(
    words: Sequence[Sequence[str]], by: str, trained: TrainedText
) -> Sequence[int] | Sequence[str]:
    """The property of each sentence. Raises UserError when the data has not got it."""
    if by == "length":
        return [len(sentence) for sentence in words]
    if not isinstance(trained.settings.data, Scenes):
        raise UserError(f"--by {by} needs a run on data=scenes; --by length goes with any data")
    known = NAMED[by]
    return [next((known[w] for w in sentence if w in known), "none") for sentence in words]


def _projected(means: Array, method: str, seed: int) -> tuple[Array, tuple[str, str]]:
    """(N, 2) points and the names of the axes."""
    if method == "tsne":
        return tsne(means, seed), ("t-SNE 1", "t-SNE 2")
    centred = means - means.mean(0)
    plane, shares = principal_directions(centred)
    first, second = (f"PC {i} ({share:.0%} of the variance)" for i, share in enumerate(shares, 1))
    return centred @ plane.T, (f"posterior means: {first}", second)


def tsne(means: Array, seed: int) -> Array:
    """t-SNE (van der Maaten & Hinton 2008) in two dimensions, (N, 2), by scikit-learn.

    Raises:
        UserError: it is not installed.
    """
    try:
        manifold: Any = importlib.import_module("sklearn.manifold")
        limits: Any = importlib.import_module("threadpoolctl")  # scikit-learn's own dependency
    except ImportError as error:
        raise UserError("--method tsne needs scikit-learn: pip install scikit-learn") from error
    perplexity = min(30.0, (len(means) - 1) / 3)
    fitted = manifold.TSNE(perplexity=perplexity, init="pca", random_state=seed)
    # More threads than idle cores wait for each other, a hundred times longer than one computes.
    with limits.threadpool_limits(1):
        return np.asarray(fitted.fit_transform(means), dtype=np.float64)
