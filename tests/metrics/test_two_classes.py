"""What logits are worth on held-out sentences: values worked by hand."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from gantext.metrics import two_classes
from gantext.metrics.two_classes import (
    KNOWING_NOTHING,
    LEAST,
    Calibration,
    Held,
    auc,
    fit,
    held_out,
    losses,
)


def test_auc_by_hand() -> None:
    """Pairs of {3, 1, 1} and {2, 1}: 3 > 2, 3 > 1, 1 < 2, 1 = 1, 1 < 2, 1 = 1: (2 + 2 / 2) / 6."""
    assert auc(np.array([3.0, 1, 1]), np.array([2.0, 1])) == 0.5
    assert auc(np.array([5.0, 4]), np.array([-np.inf, 0])) == 1
    assert auc(np.array([-1.0]), np.array([1.0])) == 0


def test_losses_by_hand() -> None:
    """ln(1 + e^-z) of real sentences, ln(1 + e^z) of samples: at ln 3, ln(4/3) and ln 4."""
    real, samples = losses(np.array([math.log(3), 0]), np.array([math.log(3)]))
    assert real == pytest.approx([math.log(4 / 3), KNOWING_NOTHING])
    assert samples == pytest.approx([math.log(4)])


def test_the_fit_by_hand() -> None:
    """Of 4 real sentences 3 have logit 1, of 4 samples 1; the others -1. The targets are 5/6 and
    1/6, so that at 1 the likeliest probability is (3 * 5/6 + 1/6) / 4 = 2/3: slope ln 2, bias 0.
    With all 6 higher, the bias is 6 times the slope lower."""
    real, samples = np.array([1.0, 1, 1, -1]), np.array([1.0, -1, -1, -1])
    found = fit(real, samples)
    assert (found.slope, found.bias) == pytest.approx((math.log(2), 0), abs=1e-6)
    moved = fit(real + 6, samples + 6)
    assert (moved.slope, moved.bias) == pytest.approx((math.log(2), -6 * math.log(2)), abs=1e-5)


def plain_fit(real: np.ndarray, samples: np.ndarray) -> tuple[float, float]:
    """Slope and bias by scipy."""
    n, m = len(real), len(samples)
    x = np.concatenate([real, samples])
    targets = np.repeat([(n + 1) / (n + 2), 1 / (m + 2)], [n, m])
    weights = np.repeat([1 / n, 1 / m], [n, m])

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        odds = at[0] * x + at[1]
        slope = weights * (1 / (1 + np.exp(-odds)) - targets)
        value = (weights * (np.logaddexp(0, odds) - targets * odds)).sum()
        return float(value), np.array([(slope * x).sum(), slope.sum()])

    slope, bias = minimize(loss, [0.0, 0.0], jac=True, tol=1e-10).x
    return float(slope), float(bias)


@pytest.mark.parametrize("seed", range(3))
def test_the_fit_is_that_of_scipy_with_a_bias_of_either_sign(seed: int) -> None:
    """Also of few real sentences far away from many samples."""
    rng = np.random.default_rng(seed)
    near = rng.gamma(2.0, 2.0, 31), rng.normal(0, 1, 44)
    for real, samples in (near, (rng.normal(8, 1, 5), rng.normal(0, 1, 200))):
        for sides in ((real, samples), (-samples, -real)):
            found = fit(*sides)
            assert (found.slope, found.bias) == pytest.approx(plain_fit(*sides), abs=1e-4)


def test_each_half_is_judged_by_the_fit_of_the_other() -> None:
    """Loss and error by plain loops: the mean of the two classes' means, and its error."""
    rng = np.random.default_rng(3)
    sides = rng.normal(2, 1, 15), rng.normal(0, 1, 22)
    costs: list[list[float]] = [[], []]
    for half in (0, 1):
        slope, bias = plain_fit(*(one[1 - half :: 2] for one in sides))
        for one, sign, of_side in zip(sides, (-1, 1), costs, strict=True):
            of_side += [math.log1p(math.exp(sign * (slope * z + bias))) for z in one[half::2]]
    found, (real, samples) = held_out(*sides), map(np.array, costs)
    assert found.loss == pytest.approx((real.mean() + samples.mean()) / 2, abs=1e-5)
    variance = real.var(ddof=1) / 15 + samples.var(ddof=1) / 22
    assert found.error == pytest.approx(math.sqrt(variance) / 2, abs=1e-5)
    whole = found.calibration.slope, found.calibration.bias
    assert whole == pytest.approx(plain_fit(*sides), abs=1e-5)


def test_classes_count_alike_however_large_they_are() -> None:
    """Twenty times the samples: the targets of these move to 0, the balance stays."""
    rng = np.random.default_rng(0)
    real, samples = rng.normal(1, 1, 400), rng.normal(0, 1, 400)
    once, often = fit(real, samples), fit(real, np.tile(samples, 20))
    assert (often.slope, often.bias) == pytest.approx((once.slope, once.bias), abs=0.02)
    assert (once.slope, once.bias) == pytest.approx((1, -0.5), abs=0.2)  # ln N(x; 1) / N(x; 0)


def test_no_other_slope_and_bias_is_likelier() -> None:
    rng = np.random.default_rng(1)
    real, samples = rng.normal(3, 2, 3000), rng.normal(0, 2, 3000)
    best = fit(real, samples)

    def loss(calibration: Calibration) -> float:
        return float(sum(one.mean() for one in losses(calibration(real), calibration(samples))))

    for slope, bias in ((0.02, 0), (-0.02, 0), (0, 0.04), (0, -0.04)):
        assert loss(Calibration(best.slope + slope, best.bias + bias)) > loss(best)


def test_logits_that_know_nothing_are_seen() -> None:
    """Constant ones, those the wrong way round, and, nearly always, those of shuffled labels."""
    for real, samples in ((np.ones(10), np.ones(20)), (np.arange(9.0), np.arange(9.0, 18))):
        found = held_out(real, samples)
        assert found.loss == KNOWING_NOTHING and found.calibration.slope == 0 and not found.knows
    shuffled = [
        held_out(*np.split(np.random.default_rng(seed).normal(size=900), [300]))
        for seed in range(40)
    ]
    assert sum(one.knows for one in shuffled) <= 1
    assert all(abs(one.loss - KNOWING_NOTHING) < 4 * one.error + 1e-3 for one in shuffled)


def test_to_know_is_to_be_two_standard_errors_under_ln_2() -> None:
    found = [
        Held(math.log(2) - 0.1, error, 0.8, Calibration(1, 0), 9, 9).knows
        for error in (0.0499, 0.0501)
    ]
    assert found == [True, False]


def test_logits_that_know_are_worth_what_they_would_be_on_more() -> None:
    """Normal logits one apart: the loss of the true odds, by 200,000 draws, is .583, AUC .760."""
    rng = np.random.default_rng(2)
    found = held_out(rng.normal(1, 1, 1000), rng.normal(0, 1, 2000))
    assert found.knows and found.loss == pytest.approx(0.583, abs=3 * found.error)
    assert found.auc == pytest.approx(0.760, abs=0.03)
    assert (found.real, found.samples) == (1000, 2000)
    perfect = held_out(np.full(50, np.inf), np.full(50, -np.inf))
    assert perfect.knows and perfect.auc == 1 and 0 < perfect.loss < 0.1
    with pytest.raises(ValueError, match="no number"):
        held_out(np.array([np.nan, 1]), np.ones(2))
    with pytest.raises(ValueError, match="no number"):
        held_out(np.ones(2), np.array([1, np.nan]))


def test_logits_far_from_zero_and_ones_that_hardly_differ_are_fitted_as_well() -> None:
    """As by hand above, about ten million, and in billionths: slope ln 2 of what they differ by."""
    real, samples = np.array([1.0, 1, 1, -1]), np.array([1.0, -1, -1, -1])
    assert fit(real + 1e7, samples + 1e7).slope == pytest.approx(math.log(2), rel=1e-6)
    small = fit(real * 1.2e-9, samples * 1.2e-9)
    assert small.slope * 1.2e-9 == pytest.approx(math.log(2), rel=1e-6)


def test_logits_that_differ_by_just_enough_are_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 1 and -1 the deviation is 1."""
    real, samples = np.array([1.0, 1, -1]), np.array([1.0, -1, -1])
    for least, fitted in ((1.0, True), (1.0 + 1e-12, False)):
        monkeypatch.setattr(two_classes, "TINY", least)
        assert bool(fit(real, samples).slope > 0) is fitted


def test_logits_that_order_nothing_have_neither_slope_nor_bias() -> None:
    real, samples = np.array([1.0, -1]), np.array([1.0, 1, -1, -1])
    assert fit(real, samples) == Calibration(0.0, 0.0)


def test_infinite_logits_are_taken_as_ten_thousand() -> None:
    """Of 50 without a mistake the odds are 51 to 1."""
    perfect = held_out(np.full(50, np.inf), np.full(50, -np.inf)).calibration
    assert perfect(np.array([1e4, -1e4])) == pytest.approx([math.log(51), -math.log(51)], rel=1e-6)


def test_of_the_fewest_real_sentences_each_half_has_two() -> None:
    fewest = np.arange(LEAST)
    assert len(fewest[::2]) == len(fewest[1::2]) == 2
