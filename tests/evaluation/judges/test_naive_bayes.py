"""Naive Bayes of words and pairs, by hand."""

import math

import pytest

from gantext.evaluation.judges.naive_bayes import NaiveBayes, Taught


def test_probabilities_by_hand() -> None:
    """Class 0: "5 6", class 1: "5" and "7". Features 5, 6, (5, 6), 7: F = 4.

    Class 0 has 3 of them, so p(5 | 0) = 2 / 7 and p(7 | 0) = 1 / 7; class 1 has 2, so that
    p(5 | 1) = 2 / 6. p(0) = (1 + 1) / (3 + 2).
    """
    found = NaiveBayes([Taught([[5, 6], [5], [7]], [0, 1, 1])], 2)
    assert found.prior.tolist() == pytest.approx([math.log(2 / 5), math.log(3 / 5)])
    assert found.log_prob[(5,)].tolist() == pytest.approx([math.log(2 / 7), math.log(2 / 6)])
    assert found.log_prob[(7,)].tolist() == pytest.approx([math.log(1 / 7), math.log(2 / 6)])
    assert found.log_prob[(5, 6)].tolist() == pytest.approx([math.log(2 / 7), math.log(1 / 6)])
    # "5 6": .4 (2/7)^3 = .00933 above .6 (1/3) (1/6)^2 = .00556; "9", unknown: the prior.
    assert found.told([[5, 6], [5], [9]]).tolist() == [0, 1, 1]


def test_a_weight_counts_sentences_several_times() -> None:
    twice = NaiveBayes([Taught([[5], [5], [7, 5]], [0, 0, 1])], 2)
    weighed = NaiveBayes([Taught([[5]], [0], 2.0), Taught([[7, 5]], [1])], 2)
    assert weighed.log_prob.keys() == twice.log_prob.keys()
    for feature, row in twice.log_prob.items():
        assert weighed.log_prob[feature].tolist() == pytest.approx(row.tolist())
    assert weighed.prior.tolist() == pytest.approx(twice.prior.tolist())
