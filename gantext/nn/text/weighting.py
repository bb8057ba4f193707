"""Likelihoods in which a word counts by how probable the model finds it.

Maximum likelihood pays most for the words that a model finds least probable, whether they are rare
or wrong; it covers all of the data, and gives what is not in the data too much. Both weights here
take a part of that back, word by word, so that no sample and no second network is needed. They get
no gradient: each is a gradient's length, and its direction stays that of the likelihood.

Legend: p the model's probability of the word that is there; all (N,), of N words.
"""

import enum
from collections.abc import Callable

from torch import Tensor

Weigh = Callable[[Tensor], Tensor]  # of log p (N,), nats, the weight of each word (N,)


class Weighting(enum.Enum):
    """By what a word's negative log-likelihood is weighted."""

    none = "none"
    tailr = "tailr"
    mixce = "mixce"


def tailr_weights(log_prob: Tensor, gamma: float, least: float) -> Tensor:
    """p / (gamma + (1 - gamma) p), and at least `least` (TaiLr, Ji et al. 2023, sections 3.3, 3.4).

    The total variation distance of the model from the data, where gamma + (1 - gamma) p stands
    for the data's probability of a word that is there: 1 is that distance, and near 0 only words of
    p well below gamma count less than in maximum likelihood.
    """
    p = log_prob.exp()
    return (p / (gamma + (1 - gamma) * p)).clamp_min(least)


def mixce_weights(log_prob: Tensor, eta: float) -> Tensor:
    """eta + (1 - eta) p (MixCE, Zhang et al. 2023).

    eta times the cross-entropy of the model under the data, and 1 - eta times that of the data
    under the model, in which words of the data stand for the model's own.
    """
    return eta + (1 - eta) * log_prob.exp()
