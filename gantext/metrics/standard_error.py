"""How much a score would vary if other sentences or pictures had been drawn: its standard error.

A score that is a mean has it from its values one by one. Where it is not, the delta method gives
each sentence's influence (by how much the score moves as the sentence gains weight, times N), whose
mean has the same error; or the sentences are drawn again from themselves (bootstrap), or left out
one by one (jackknife). What is held against the sentences, as references, is taken as it is.

Legend: N sentences or pictures.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
# Draws of the bootstrap: its error is then known to 5 % of itself, as 1 / sqrt(2 * 200) is .05.
DRAWS = 200


def of_mean(values: ArrayLike) -> float | None:
    """The standard error of the mean of N values, sd / sqrt(N); of a single one none is known."""
    given = np.asarray(values, np.float64)
    if given.size < 2 or not np.isfinite(given).all():
        return None
    return float(given.std(ddof=1) / math.sqrt(given.size))


def of_ratio(above: ArrayLike, below: ArrayLike) -> float | None:
    """That of sum(above) / sum(below), N each, such as nats over tokens, by the delta method.

    A sentence's influence is (above - ratio * below) / mean(below).
    """
    return of_mean(influences(above, below))


def influences(above: ArrayLike, below: ArrayLike) -> Floats:
    """Those of the sentences on sum(above) / sum(below), (N,), which are 0 in the mean."""
    a, b = np.asarray(above, np.float64), np.asarray(below, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # no number where there is no ratio
        return np.asarray((a - a.sum() / b.sum() * b) / b.mean() if a.size else a)


def of_deviation(values: ArrayLike) -> float | None:
    """That of the standard deviation (N in the denominator) of N values, by the delta method.

    A value's influence is ((value - mean)^2 - sd^2) / (2 sd).
    """
    given = np.asarray(values, np.float64)
    if not given.size or not given.std():
        return None
    return of_mean(deviation_influences(given))


def deviation_influences(values: ArrayLike) -> Floats:
    """Those of N values on their standard deviation, (N,), which are 0 in the mean."""
    given = np.asarray(values, np.float64)
    deviation = given.std()
    return np.asarray(((given - given.mean()) ** 2 - deviation**2) / (2 * deviation))


def jackknifed(left_out: ArrayLike) -> float | None:
    """That of a score whose N values without each of the sentences are known.

    On average it is never too small (Efron and Stein 1981). Unlike the bootstrap, which draws
    sentences twice, it may be asked of what counts different things.
    """
    given = np.asarray(left_out, np.float64)
    error = of_mean(given)  # sqrt((N - 1) / N * sum of squares), in terms of a mean's error
    return None if error is None else error * (given.size - 1)


def bootstrapped(
    rows: NDArray[Any], score: Callable[[NDArray[Any]], float], seed: int = 0
) -> float | None:
    """That of `score` of N rows: its deviation over DRAWS draws of N of them, with replacement."""
    if len(rows) < 2:
        return None
    rng = np.random.default_rng(seed)
    drawn = [score(rows[rng.integers(len(rows), size=len(rows))]) for _ in range(DRAWS)]
    deviation = float(np.std(drawn, ddof=1)) if np.isfinite(drawn).all() else math.nan
    return deviation if math.isfinite(deviation) else None
