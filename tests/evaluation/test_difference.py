"""Differences of runs: what their interval is made of in each case, by hand and against scipy."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from gantext.evaluation.difference import Difference, difference_rows, differences, made_of
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


def test_two_runs_are_a_group_and_one_that_never_varies_has_no_chance() -> None:
    """1 and 3 beside 2 and 6, by Welch; 5 and 5 beside 1 and 3: three times the error of these
    alone, 1, with their one degree of freedom; 5 and 5 beside 4 and 4 have none."""
    groups = {"R": ["r1", "r2"], "S": ["s1", "s2"]}

    def apart(own: tuple[float, float], beside: tuple[float, float]) -> Difference:
        values = dict(zip(("r1", "r2", "s1", "s2"), (*beside, *own), strict=True))
        table = {run: [score(value, 0.1)] for run, value in values.items()}
        (found,) = differences(table, groups, ["a"], "r2")
        return found

    welch = stats.ttest_ind([2.0, 6.0], [1.0, 3.0], equal_var=False)
    assert apart((2.0, 6.0), (1.0, 3.0)).p == pytest.approx(welch.pvalue)
    assert apart((5.0, 5.0), (1.0, 3.0)).p == pytest.approx(2 * stats.t.sf(3, 1))
    never = apart((5.0, 5.0), (4.0, 4.0))
    assert (never.value, never.p, never.low) == (1.0, None, None)


def test_a_mean_over_draws_beside_a_single_one_has_the_errors_of_both() -> None:
    table = {"r": [score(1.0, 0.3)], "s": [Score("a", 2.0, {"preset": "x"}, 0.4, 0.7)]}
    for beside in "rs":
        (found,) = differences(table, {}, ["a"], beside)
        assert (found.by, found.p) == ("samples", pytest.approx(0.0455, abs=1e-4))


@pytest.mark.parametrize("seeds", [{}, {"seeds": 1}, {"seeds": "x"}, {"seeds": None}])
def test_a_deviation_of_no_several_seeds_is_left_alone(seeds: dict[str, int | str | None]) -> None:
    """As in a file from elsewhere: the errors are what is known, or nothing."""
    both = [Score("a", value, {"preset": "x", **seeds}, 0.5, 0.7) for value in (1.0, 2.0)]
    (found,) = differences({"r": [both[0]], "s": [both[1]]}, {}, ["a"], "r")
    assert found.by == "samples"
    unknown = [dataclasses.replace(one, error=None) for one in both]
    (found,) = differences({"r": [unknown[0]], "s": [unknown[1]]}, {}, ["a"], "r")
    assert (found.by, found.low) == (None, None)


def test_an_infinite_difference_has_no_interval() -> None:
    table = {"r": [score(1.0, 0.1)], "s": [score(math.inf, 0.1)]}
    (found,) = differences(table, {}, ["a"], "r")
    assert (found.value, found.low, found.by) == (math.inf, None, None)


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0.0009, "<.001"),
        (0.001, ".001"),
        (0.0015, ".002"),
        (0.0499, ".050"),
        (0.05, ".050, none shown"),
    ],
)
def test_from_a_twentieth_on_chance_may_have_done_it(p: float, said: str) -> None:
    """A difference of nothing has no sign."""
    (row,) = difference_rows([Difference("a", "s", "r", 0.0, -0.5, 0.25, p, "samples")])[1]
    assert row == ["a", "s", "0.0000", "-0.5000 to +0.2500", said]


def test_what_intervals_are_made_of_is_said_once_for_all_scores() -> None:
    made = [("a", "samples"), ("b", "seeds"), ("a", "samples"), ("c", None), ("d", "samples")]
    assert made_of([Difference(name, "s", "r", 1.0, by=by) for name, by in made]) == [
        "by the errors of both runs' samples: a, d",
        "Welch's test over the seeds of runs: b",
    ]


def test_one_run_of_a_group_under_another_protocol_is_enough() -> None:
    table = {run: [score(1.0 + n)] for n, run in enumerate(("r1", "r2", "s1"))}
    table["s2"] = [Score("a", 2.0, {"preset": "y"})]
    assert differences(table, {"R": ["r1", "r2"], "S": ["s1", "s2"]}, ["a"], "r1") == []
