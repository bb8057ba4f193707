"""Measures of a model with a latent variable on test sentences, each with its signature.

Shapes: N sentences, Z latent dimensions, k draws a sentence.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gantext.data.batches import of_like_length
from gantext.data.corpus import Corpus
from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Subject, _tested
from gantext.inference.latent import chosen
from gantext.metrics import standard_error
from gantext.metrics.score import Score, Setting, signed
from gantext.models.contract import Latent
from gantext.nn.latent import (
    active_units,
    gaussian_kl,
    importance_estimates,
    mutual_information,
    sentence_noise,
)

ROWS = 500  # sentences of like length whose draws are weighed together
ACTIVE = 0.01


@dataclass(frozen=True)
class Posteriors:
    """What N sentences' posteriors say, on the CPU.

    Attributes:
        mu: their means, (N, Z).
        log_var: the logarithms of their variances, (N, Z).
        nll: the importance-weighted negative log-likelihoods, (N,), nats.
        reconstruction: -E_q[log p(x|z)], (N,), nats.
    """

    mu: Tensor
    log_var: Tensor
    nll: Tensor
    reconstruction: Tensor


def posteriors(
    algorithm: Latent, tokens: Tensor, device: torch.device, draws: int, seed: int
) -> Posteriors:
    """Encode and weigh sentences, (N, T), k = `draws` each; rows of like length together."""
    parts = []
    for places, rows in of_like_length(tokens, ROWS):
        batch = rows.to(device)
        mu, log_var = algorithm.encode(batch)
        found = importance_estimates(batch, mu, log_var, algorithm.log_prob_given, draws, seed)
        parts.append((places, mu.cpu(), log_var.cpu(), *found))
    order, *columns = (torch.cat(column) for column in zip(*parts, strict=True))
    return Posteriors(*(column[order.argsort()] for column in columns))


def latent_scores(
    algorithm: Latent,
    corpus: Corpus,
    device: torch.device,
    *,
    draws: int,
    sentences: int,
    seed: int,
) -> list[Score]:
    """ELBO and its parts, importance-weighted NLL, mutual information, active units.

    elbo = -(reconstruction + kl); iw-nll is an upper bound of the NLL on average, tighter the more
    draws; mutual-information is at most the logarithm of its mixture's size, and of no more
    dimensions than active-units.
    """
    tokens = chosen(corpus.test, sentences, seed)
    found = posteriors(algorithm, tokens, device, draws, seed)
    noise = sentence_noise(tokens, 1, algorithm.latent_size, seed).squeeze(1)
    z = found.mu + (0.5 * found.log_var).exp() * noise
    kls = gaussian_kl(found.mu, found.log_var).sum(1).double()
    kl, reconstruction = float(kls.mean()), float(found.reconstruction.mean())
    whole, of_kl, of_reconstruction, of_nll = (
        standard_error.of_mean(each.numpy())
        for each in (found.reconstruction + kls, kls, found.reconstruction, found.nll)
    )
    common = signed(sentences=len(tokens), seed=seed, data=corpus.hash)
    nats: dict[str, Setting] = {"unit": "nats/sentence", "eos": bool(corpus.vocabulary.end)}
    drawn: dict[str, Setting] = {**nats, "k": draws, **common}
    size = algorithm.latent_size
    information: dict[str, Setting] = {
        "unit": "nats/sentence",
        "mixture": len(tokens),
        "cap": round(math.log(len(tokens)), 2),
        **common,
    }
    return [
        Score("elbo", -(reconstruction + kl), drawn, whole),
        Score("reconstruction", reconstruction, drawn, of_reconstruction),
        Score("kl", kl, {"unit": "nats/sentence", **common}, of_kl),
        Score("iw-nll", float(found.nll.mean()), {"estimator": "iw", **drawn}, of_nll),
        Score("mutual-information", mutual_information(found.mu, found.log_var, z), information),
        Score(
            "active-units", active_units(found.mu, ACTIVE), {"of": size, "over": ACTIVE, **common}
        ),
    ]


def latent(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """ELBO and its parts, importance-weighted NLL, mutual information, active units."""
    found = _tested(subject, ground)
    if found is None:
        return []
    trained, corpus = found
    assert isinstance(trained.algorithm, Latent)
    return latent_scores(
        trained.algorithm,
        corpus,
        trained.device,
        draws=protocol.draws,
        sentences=protocol.sentences,
        seed=protocol.seed,
    )
