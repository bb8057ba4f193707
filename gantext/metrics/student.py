"""Student's t: how often chance alone makes a difference as large as one that was seen."""

import math

POINTS = 2000  # of the integral, which is then right to 1e-10


def two_sided(t: float, degrees: float) -> float:
    """P(|T| >= |t|) of Student's t with so many degrees of freedom; infinitely many: the normal.

    With T = sqrt(v) tan(a) the density is proportional to cos(a)^(v - 1), which Simpson's rule adds
    up from 0 to a; its whole is sqrt(pi) gamma(v / 2) / (2 gamma((v + 1) / 2)).
    """
    if math.isinf(t):
        return 0.0
    if math.isinf(degrees):
        return math.erfc(abs(t) / math.sqrt(2))
    end = math.atan(abs(t) / math.sqrt(degrees))
    heights = [math.pow(math.cos(end * i / POINTS), degrees - 1) for i in range(POINTS + 1)]
    inner = 4 * sum(heights[1::2]) + 2 * sum(heights[2:POINTS:2])
    inside = (heights[0] + inner + heights[-1]) * end / POINTS / 3
    gammas = math.lgamma(degrees / 2) - math.lgamma((degrees + 1) / 2)
    beyond = 1 - inside / (math.sqrt(math.pi) / 2 * math.exp(gammas))
    return max(0.0, beyond)


def quantile(share: float, degrees: float) -> float:
    """The t that T lies beyond, on either side, with this probability (.05: 1.96 of the normal)."""
    low, high = 0.0, 1e6
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if two_sided(middle, degrees) > share else (low, middle)
    return high


def welch_degrees(first: tuple[float, int], second: tuple[float, int]) -> float:
    """Degrees of freedom of a difference of two means, each (standard error, how many values).

    Welch 1947 (Satterthwaite 1946): (e1^2 + e2^2)^2 / (e1^4 / (n1 - 1) + e2^4 / (n2 - 1)).
    """
    squares = [error**2 for error, _ in (first, second)]
    parts = [error**4 / (n - 1) for error, n in (first, second)]
    return sum(squares) ** 2 / sum(parts) if sum(parts) else math.inf
