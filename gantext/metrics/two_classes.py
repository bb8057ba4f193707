"""How well logits tell real sentences from samples, on sentences that nothing was fitted to.

Both classes count alike, however many sentences each has: ln 2 is the loss of knowing nothing.

Legend: N real sentences, M samples; a logit is high where a sentence looks real.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
KNOWING_NOTHING = math.log(2)
STEPS, TINY = 100, 1e-9
SURE = 2.0  # standard errors
LEAST = 4  # real sentences: two for each half
LARGEST = 1e4  # of a logit, so that an infinite one can be computed with


@dataclass(frozen=True)
class Calibration:
    """What makes a logit a log-odds: slope * logit + bias; 1 / slope is its temperature."""

    slope: float
    bias: float

    def __call__(self, logits: Floats) -> Floats:
        """The log-odds of being real, of equally many real sentences and samples."""
        return self.slope * logits + self.bias


@dataclass(frozen=True)
class Held:
    """What logits are worth on held-out sentences.

    Attributes:
        loss: binary cross-entropy of the calibrated logits, nats: the mean of the two classes'.
            The calibration is fitted to one half of the sentences and the loss is the other half's,
            both ways round.
        error: its standard error over the sentences.
        auc: the share of pairs of a real sentence and a sample whose real one has the higher logit.
        calibration: fitted to all of them.
        real, samples: how many there were.
    """

    loss: float
    error: float
    auc: float
    calibration: Calibration
    real: int
    samples: int

    @property
    def knows(self) -> bool:
        """Whether the loss is under ln 2, by more than chance: by two standard errors."""
        return self.loss + SURE * self.error < KNOWING_NOTHING

    @property
    def words(self) -> str:
        """The loss and the AUC, as one says them."""
        return f"held-out loss {self.loss:.3f} ± {self.error:.3f}, AUC {self.auc:.3f}"


def held_out(real: Floats, samples: Floats) -> Held:
    """What logits (N,) of real sentences and (M,) of samples are worth; of each at least 2.

    The halves are every other sentence, so that theirs should be in no order.

    Raises:
        ValueError: a logit is no number.
    """
    if np.isnan(real).any() or np.isnan(samples).any():
        raise ValueError("a logit is no number")
    real, samples = (np.clip(one, -LARGEST, LARGEST) for one in (real, samples))
    own, others = np.empty_like(real), np.empty_like(samples)
    for half in (0, 1):
        fitted = fit(real[1 - half :: 2], samples[1 - half :: 2])
        own[half::2], others[half::2] = losses(fitted(real[half::2]), fitted(samples[half::2]))
    error = math.hypot(*(one.std(ddof=1) / math.sqrt(len(one)) for one in (own, others))) / 2
    loss = float(own.mean() + others.mean()) / 2
    return Held(loss, error, auc(real, samples), fit(real, samples), len(real), len(samples))


def losses(real: Floats, samples: Floats) -> tuple[Floats, Floats]:
    """-log p of what each is, (N,) and (M,) nats, by their log-odds of being real."""
    return np.logaddexp(0, -real), np.logaddexp(0, samples)


def auc(real: Floats, samples: Floats) -> float:
    """The area under the ROC curve: of all N M pairs those in order, a tie as half of one."""
    _, places, counts = np.unique(
        np.concatenate([real, samples]), return_inverse=True, return_counts=True
    )
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]  # from 1; equal ones share the mean
    n, m = len(real), len(samples)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def fit(real: Floats, samples: Floats) -> Calibration:
    """The likeliest slope, at least 0, and bias, both classes weighed alike, by Newton's method.

    The targets are (N + 1) / (N + 2) and 1 / (M + 2) in place of 1 and 0, as if each class had one
    more sentence of either kind (Platt 1999, section 2.2): of logits that make no mistake the
    likeliest slope would be infinite. A slope of 0 says that the logits order nothing as they say.
    """
    logits = np.concatenate([real, samples])
    centre, scale = logits.mean(), logits.std()
    if scale < TINY:
        return Calibration(0.0, 0.0)
    x = np.stack([(logits - centre) / scale, np.ones_like(logits)])  # (2, N + M)
    n, m = len(real), len(samples)
    targets = np.repeat([(n + 1) / (n + 2), 1 / (m + 2)], [n, m])
    slope, bias = _newton(x, targets, np.repeat([0.5 / n, 0.5 / m], [n, m]))
    if slope <= 0:
        return Calibration(0.0, 0.0)
    return Calibration(slope / scale, bias - slope * centre / scale)


def _newton(x: Floats, targets: Floats, weights: Floats) -> tuple[float, float]:
    """The weights (2,) of the rows of x, (2, K), whose weighed cross-entropy is the least."""
    found = np.zeros(2)

    def loss(at: Floats) -> float:
        odds = at @ x
        return float(weights @ (np.logaddexp(0, odds) - targets * odds))

    for _ in range(STEPS):
        with np.errstate(over="ignore"):
            p = 1 / (1 + np.exp(-(found @ x)))
        slope = x @ (weights * (p - targets))
        curve = (x * (weights * p * (1 - p))) @ x.T + TINY * np.eye(2)
        step = np.linalg.solve(curve, slope)
        while loss(found - step) > loss(found) and np.abs(step).max() > TINY:
            step /= 2
        found = found - step
        if np.abs(step).max() <= TINY:
            break
    return float(found[0]), float(found[1])
