"""Likelihoods of the sentences of a split under a trained model."""

import numpy as np
import torch

from gantext.data.batches import of_like_length
from gantext.data.corpus import Split
from gantext.data.vocabulary import PAD, UNK
from gantext.inference.request import SamplingRequest
from gantext.inference.written import written_log_prob
from gantext.metrics.score import Setting
from gantext.metrics.text.likelihood import nll_per_token
from gantext.models.contract import Algorithm, Estimator, Writer

ROWS = 500  # sentences of like length that are scored together


def split_log_prob(algorithm: Algorithm, split: Split, device: torch.device) -> np.ndarray:
    """log p(sentence) of a split, (N,), nats; rows of like length are scored together."""
    result = torch.zeros(len(split), dtype=torch.float64)
    for places, rows in of_like_length(split.tokens, ROWS):
        result[places] = algorithm.log_prob(rows.to(device)).cpu().double()
    return result.numpy()


def split_written_log_prob(
    writer: Writer, split: Split, temperature: float, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """log p of the sentences of a split as they are written at a temperature, and their words.

    <unk> is never written: where it stands in a sentence it is read, and left out of both.

    Args:
        writer: whose likelihood is exact, so that nothing is drawn before the first word.
        split: N sentences.
        temperature: above 0.
        device: of the model.

    Returns:
        (N,) nats, and the (N,) words of each that count.
    """
    log_prob, words = torch.zeros(2, len(split), dtype=torch.float64)
    rng = torch.Generator(device)
    for places, rows in of_like_length(split.tokens, ROWS):
        policy = writer.writer(len(rows), rng)
        found = written_log_prob(policy, rows.to(device), temperature).cpu().double()
        log_prob[places] = found.masked_fill(rows == UNK, 0).sum(1)
        words[places] = ((rows != PAD) & (rows != UNK)).sum(1).double()
    return log_prob.numpy(), words.numpy()


def likelihood_of(algorithm: Algorithm, split: Split, device: torch.device) -> float:
    """Mean negative log-likelihood of a split, nats per token, <eos> counted."""
    log_prob = split_log_prob(algorithm, split, device)
    return nll_per_token(log_prob, split.tokens.lengths.astype(np.float64))


def own_signature(algorithm: Algorithm, request: SamplingRequest) -> dict[str, Setting]:
    """What the log-likelihoods are of sentences that the model has written itself: at temperature
    1, whatever they were drawn at, and of all words."""
    prompted: dict[str, Setting] = {} if request.prompt is None else {"prompt_counted": True}
    return {"unit": "nats", "eos": True, **prompted, **estimate_signature(algorithm)}


def estimate_signature(algorithm: Algorithm) -> dict[str, Setting]:
    """How its likelihoods are estimated; nothing where they are exact."""
    return dict(algorithm.estimator()) if isinstance(algorithm, Estimator) else {}
