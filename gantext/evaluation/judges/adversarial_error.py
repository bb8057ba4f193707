"""How well a classifier tells filled-in sentences from real ones (Bowman et al. 2016, 4.1)."""

import math
import zlib
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.metrics import standard_error

Words = Sequence[str]
Features = tuple[Tensor, Tensor, Tensor]
BUCKETS = 2**14
ORDERS = (1, 2, 3)
STEPS, RATE = 200, 0.1


def adversarial_error(
    imputed: Sequence[Words], real: Sequence[Words], seed: int
) -> tuple[float, float | None]:
    """Accuracy of a bag-of-n-grams classifier minus 1/2: 0 if no difference is seen, at most 1/2.

    Logistic regression on hashed 1- to 3-grams (the sentence's ends count as words), fitted to one
    half of each kind and tested on the other. The two lists should have no sentence's pair in
    common: a filled-in sentence and its own original would be told apart by design.

    Args:
        imputed: sentences cut into words, at least 2.
        real: as many.
        seed: of the halves.

    Returns:
        It, and its standard error over the tested half; the classifier is taken as it is.
    """
    rng = np.random.default_rng(seed)
    halves = [_halves(lines, rng) for lines in (imputed, real)]
    fitted, tested = ([one[half] for one in halves] for half in (0, 1))
    weights = _fit(_features(fitted), _labels(fitted))
    right = (_scores(_features(tested), *weights) > 0) == (_labels(tested) > 0)
    by_kind = torch.split(right.double(), [len(lines) for lines in tested])
    errors = [standard_error.of_mean(part.numpy()) for part in by_kind]
    known = [error for error in errors if error is not None]
    error = math.hypot(*known) / 2 if len(known) == len(errors) else None
    return float(sum(part.mean() for part in by_kind)) / 2 - 0.5, error


def _halves(lines: Sequence[Words], rng: np.random.Generator) -> tuple[list[Words], list[Words]]:
    mixed = [lines[place] for place in rng.permutation(len(lines))]
    return mixed[::2], mixed[1::2]


def _labels(kinds: Sequence[Sequence[Words]]) -> Tensor:
    imputed, real = map(len, kinds)
    return torch.cat([torch.ones(imputed), torch.zeros(real)])


def buckets(words: Words) -> list[int]:
    """The hashed n-grams of a sentence, each once."""
    framed = ["<s>", *words, "</s>"]
    grams = {
        " ".join(framed[i : i + order]) for order in ORDERS for i in range(len(framed) - order + 1)
    }
    return sorted({zlib.crc32(gram.encode()) % BUCKETS for gram in grams})


def _features(kinds: Sequence[Sequence[Words]]) -> Features:
    """(the buckets of all sentences one after the other, where each begins, their values)."""
    found = [buckets(line) for lines in kinds for line in lines]
    sizes = torch.tensor([len(one) for one in found])
    ids = torch.tensor([bucket for one in found for bucket in one])
    values = sizes.float().rsqrt().repeat_interleave(sizes)  # each sentence has length 1
    return ids, sizes.cumsum(0) - sizes, values


def _scores(features: Features, weights: Tensor, bias: Tensor) -> Tensor:
    """(N,) log-odds by the weights of the buckets, (BUCKETS, 1), and the bias, (1,)."""
    ids, starts, values = features
    sums = F.embedding_bag(ids, weights, starts, mode="sum", per_sample_weights=values)
    return sums.flatten() + bias


def _fit(features: Features, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Weights and bias of a logistic regression with an L2 penalty of 1/2 on the summed loss."""
    weights = torch.zeros(BUCKETS, 1, requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    solver = torch.optim.Adam([weights, bias], lr=RATE)
    for _ in range(STEPS):
        loss = F.binary_cross_entropy_with_logits(_scores(features, weights, bias), labels)
        penalty = weights.square().sum() / (2 * len(labels))
        torch.autograd.backward(loss + penalty)
        solver.step()
        solver.zero_grad()
    return weights.detach(), bias.detach()
