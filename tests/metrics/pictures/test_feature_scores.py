"""Scores by features: each is its metric's own value, beside test data's against the same set."""

import numpy as np
import pytest

from gantext.metrics.frechet import fit, frechet_distance
from gantext.metrics.pictures.feature_scores import feature_scores
from gantext.metrics.pictures.precision_recall import precision_recall
from gantext.metrics.score import Score, signature_line


def scores(shift: float = 0.0) -> tuple[dict[str, Score], list[np.ndarray]]:
    rng = np.random.default_rng(0)
    sets = [rng.normal(size=(80, 5)) for _ in range(3)]
    sets[0] += shift
    found = feature_scores(*sets, {"pictures": 80, "data": "abc"}, k=2)
    return {score.name: score for score in found}, sets


def test_values_are_the_metrics_own() -> None:
    found, (samples, training, test) = scores(0.4)
    for suffix, part in (("", samples), ("-real", test)):
        distance = frechet_distance(fit([part]), fit([training]))
        precision, recall = precision_recall(part, training, 2)
        assert found[f"frechet{suffix}"].value == pytest.approx(distance, rel=1e-12)
        assert found[f"precision{suffix}"].value == precision
        assert found[f"recall{suffix}"].value == recall
    assert len(found) == 6


def test_only_the_samples_change_with_the_samples() -> None:
    near, far = scores(0.0)[0], scores(5.0)[0]
    for name in ("frechet", "precision", "recall"):
        assert near[f"{name}-real"].value == far[f"{name}-real"].value
    assert far["frechet"].value > 5 * 25 * 0.8  # the shift alone is 5 features * 5^2
    assert far["precision"].value == 0 and near["precision"].value > 0.6


def test_signatures_say_what_stands_against_what() -> None:
    found, (_, training, _) = scores()
    spread = round(float(training.var(axis=0, ddof=1).sum()), 4)
    assert signature_line(found["frechet"]) == (
        f"against:train|floor:test|spread:{spread}|pictures:80|data:abc"
    )
    assert found["recall"].signature["k"] == 2
    assert found["frechet"].signature == found["frechet-real"].signature
