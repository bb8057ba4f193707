"""Differences of runs: what their interval is made of in each case, by hand and against scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from gantext.evaluation.difference import difference_rows, differences, made_of
from gantext.evaluation.table import over_seeds
from gantext.metrics.score import Score


def score(value: float, error: float | None = None, **more: object) -> Score:
    return Score("a", value, {"preset": "x"}, error, **more)


def test_independent_samples_have_both_errors() -> None:
    """2 - 1 with errors .3 and .4: the difference's is .5, and 1 / .5 = 2 errors: p = .0455."""
    table = {"r": [score(1.0, 0.3)], "s": [score(2.0, 0.4)]}
    [found] = differences(table, {}, ["a"], "r")
    assert (found.run, found.beside, found.value, found.by) == ("s", "r", 1.0, "samples")
    assert (found.low, found.high) == pytest.approx((1 - 0.98, 1 + 0.98), abs=1e-4)
    assert found.p == pytest.approx(0.0455, abs=1e-4)
    assert [one.value for one in differences(table, {}, ["a"], "s")] == [-1.0]


def test_the_same_sentences_are_paired() -> None:
    """What makes a sentence hard for both is no noise: the error is that of the differences."""
    rng = np.random.default_rng(0)
    hard = rng.normal(size=200)
    each = [hard + 0.1 * rng.normal(size=200) for _ in range(2)]
    each[1] += 0.05
    table = {
        name: [score(float(one.mean()), float(one.std(ddof=1) / 200**0.5), each=one.tolist())]
        for name, one in zip("rs", each, strict=True)
    }
    [found] = differences(table, {}, ["a"], "r")
    expected = stats.norm.sf(stats.ttest_rel(each[1], each[0]).statistic) * 2
    assert found.by == "paired" and found.p == pytest.approx(expected) and found.p < 0.01
    assert made_of([found]) == ["paired, sentence by sentence: a"]


def test_groups_of_seeds_by_welch() -> None:
    """Three runs beside three; the run that is none of a group stands beside the first alone."""
    values = {"r1": 1.0, "r2": 2.0, "r3": 3.0, "s1": 4.0, "s2": 4.5, "s3": 6.0, "t": 1.5}
    table = {run: [score(value, 0.1)] for run, value in values.items()}
    groups = {"R": ["r1", "r2", "r3"], "S": ["s1", "s2", "s3"]}
    of_seeds, alone = differences(table, groups, ["a"], "r1")
    welch = stats.ttest_ind([4.0, 4.5, 6.0], [1.0, 2.0, 3.0], equal_var=False)
    low, high = welch.confidence_interval(0.95)
    assert (of_seeds.run, of_seeds.beside, of_seeds.by) == ("S", "R", "seeds")
    assert of_seeds.p == pytest.approx(welch.pvalue)
    assert (of_seeds.low, of_seeds.high) == pytest.approx((low, high))
    assert (alone.run, alone.beside, alone.value) == ("t", "r1", 0.5)


def test_seeds_of_samples_are_means_with_their_deviation() -> None:
    """1, 2, 3 with the seeds 4, 5, 6: mean 2, sd 1, error 1 / sqrt 3; what has no seed stays."""
    drawn = [
        {"r": [Score("a", x, {"sample_seed": s, "blank": s}, 0.1), Score("b", 9.0, {})]}
        for x, s in ((1.0, 4), (2.0, 5), (3.0, 6))
    ]
    mean, same = over_seeds(drawn)["r"]
    assert (mean.value, mean.sd, mean.error) == pytest.approx((2, 1, 1 / math.sqrt(3)))
    assert mean.signature == {"sample_seed": "4..6", "seeds": 3}
    assert same == Score("b", 9.0, {})
    other = Score("a", 5.0, mean.signature, mean.error, mean.sd)
    [found] = differences({"r": [mean], "s": [other]}, {}, ["a"], "r")
    expected = stats.ttest_ind([4.0, 5.0, 6.0], [1.0, 2.0, 3.0], equal_var=False)
    assert found.by == "draws" and found.p == pytest.approx(expected.pvalue)


def test_none_where_nothing_is_known() -> None:
    """No error; an error of 0 (shares of none); another protocol; a score that one lacks."""
    table = {"r": [score(1.0)], "s": [score(2.0, 0.4)]}
    [found] = differences(table, {}, ["a"], "r")
    assert (found.value, found.low, found.p) == (1.0, None, None)
    assert (found.run, found.beside) == ("s", "r")
    assert difference_rows([found])[1] == [["a", "s", "+1.0000", "-", "-"]]
    nothing = {"r": [score(0.0, 0.0)], "s": [score(0.0, 0.0)]}
    assert differences(nothing, {}, ["a"], "r")[0].p is None
    other = {"r": [score(1.0, 0.1)], "s": [Score("a", 2.0, {"preset": "y"}, 0.1)], "t": []}
    assert differences(other, {}, ["a"], "r") == []


def test_what_chance_may_do_is_said() -> None:
    table = {"r": [score(1.0, 0.3)], "s": [score(1.1, 0.4)], "t": [score(9.0, 0.1)]}
    columns, rows = difference_rows(differences(table, {}, ["a"], "r"))
    assert columns[-1] == "p"
    assert [row[-1] for row in rows] == [".841, none shown", "<.001"]
    assert rows[0][2:4] == ["+0.1000", "-0.8800 to +1.0800"]
