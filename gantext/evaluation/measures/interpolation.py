"""eval interpolation: whether a decoder writes sentences between those of the test split."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gantext.data.corpus import Corpus, Truth
from gantext.errors import UserError
from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Subject, _tested
from gantext.inference.interpolation import between
from gantext.inference.latent import Decoding, decode_latent, latent_of, posterior_means
from gantext.metrics import standard_error
from gantext.metrics.score import Score, signed
from gantext.metrics.text.likelihood import grammatical_share
from gantext.runs.trained import TrainedText


def interpolation(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """Share of grammatical midpoints between pairs of test sentences."""
    found = _tested(subject, ground)
    return midpoint_scores(*found, protocol.probes, protocol.seed) if found else []


def midpoint_scores(trained: TrainedText, corpus: Corpus, pairs: int, seed: int) -> list[Score]:
    """Share of grammatical sentences halfway between random pairs of test sentences, greedily.

    Beside it the share of grammatical reconstructions of the pairs' own sentences: what the
    decoder writes at the ends of the way.

    Raises:
        UserError: the grammar of the data is not known; fewer than two test sentences.
    """
    if corpus.truth is None:
        raise UserError(f"eval interpolation: the grammar of data {corpus.name} is not known")
    if len(corpus.test) < 2:
        raise UserError("eval interpolation: two test sentences are needed")
    algorithm, decoding = latent_of(trained, "eval interpolation"), Decoding()
    rng = np.random.default_rng(seed)
    chosen = [rng.choice(len(corpus.test), 2, replace=False) for _ in range(pairs)]
    ends = corpus.test.tokens.take(np.concatenate(chosen))  # 2 N
    mu = posterior_means(algorithm, ends, trained.device)
    middle = between(mu[::2], mu[1::2], 0.5, spherical=False)  # (N, Z)
    sign = signed(
        path="linear",
        **decoding.signature(),
        pairs=pairs,
        seed=seed,
        data=corpus.hash,
    )
    found = {
        name: _log_prob(trained, corpus.truth, decode_latent(trained, z, decoding))
        for name, z in (("grammatical-midpoints", middle), ("grammatical-ends", mu))
    }
    return [
        Score(name, grammatical_share(each), sign, standard_error.of_mean(np.isfinite(each)))
        for name, each in found.items()
    ]


def _log_prob(trained: TrainedText, truth: Truth, tokens: Tensor) -> NDArray[np.float64]:
    words = [trained.vocabulary.decode(row) for row in tokens.tolist()]
    return truth.log_prob(words)
