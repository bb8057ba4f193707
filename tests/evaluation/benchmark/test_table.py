"""The rows of the benchmark, by hand."""

import math

from gantext.evaluation.benchmark import table
from gantext.metrics.score import Score
from tests.evaluation.benchmark.records import record, score


def test_a_row_a_method_run_or_not_and_others_settings_below() -> None:
    made = [record("gan", 1, 0.5), record("gan", 2, 0.7), record("gan", 1, 0.1, steps=3)]
    found = table.rows([*made, record("older", 1, 0.2)], ["gan", "mle"])
    assert [row.name for row in found] == ["gan", "gan steps=3", "mle", "older"]
    assert [table.seeds(row) for row in found] == ["2", "1", "not run", "1"]


def test_means_and_deviations_over_seeds_by_hand() -> None:
    """.5 and .7: mean .6, deviation .1414 (n - 1)."""
    (row,) = table.rows([record("gan", 1, 0.5), record("gan", 2, 0.7)], ["gan"])
    assert table.over_seeds(table.scores_of(row, "grammatical")) == "0.6000 ± 0.1414"
    assert table.over_seeds(table.scores_of(row, "unique")) == "-"
    assert table.over_seeds([Score("nll", 12.0)]) == "12.00"
    assert table.over_seeds([Score("nll", 12.0), Score("nll", math.nan)]) == "-"
    assert math.isclose(0.1414, math.sqrt(0.02), abs_tol=1e-4)


def test_minutes_are_those_of_the_quickest_seed() -> None:
    """180 and 540 s: 3 minutes."""
    (row,) = table.rows([record("gan", 6, 0.7), record("gan", 2, 0.5)], ["gan"])
    assert table.minutes(row) == "3"


def test_who_ends_below_its_own_start_has_that_in_its_row() -> None:
    """Lower is better; only what the bootstrap shows counts."""

    def said(*differences: tuple[float, float]) -> str:
        made = [record("gan", n, 0.5, d, p) for n, (d, p) in enumerate(differences, 1)]
        return table.beside_start(table.rows(made, ["gan"])[0])

    assert said((0.02, 0.01)) == "+0.0200, **below its start**"
    assert said((-0.02, 0.01)) == "-0.0200, above its start"
    for p in (0.2, 0.07, 0.05):
        assert said((0.02, p)) == "+0.0200, no difference shown"
        assert said((-0.02, p)) == "-0.0200, no difference shown"
    assert said((0.0, 0.01)) == "+0.0000, no difference shown"
    assert said((0.02, 0.01), (0.0, 0.9)) == "+0.0100, **below its start** in 1 of 2 seeds"
    assert table.beside_start(table.rows([record("mle", 1, 0.5)], ["mle"])[0]) == "-"
    made = record("gan", 1, 0.5, 0.02)
    start = made["start"]
    assert start is not None
    start["scores"] = [score("reverse-lm-held-out", 1.5)]
    made["run"]["scores"] = [score("reverse-lm-held-out", 1.25)]
    row = table.rows([made], ["gan"])[0]
    assert table.beside_start(row) == "+0.0200, **below its start**; held out -0.2500"


def test_scores_of_other_protocols_are_told_apart() -> None:
    other = record("mle", 1, 0.5)
    other["run"]["scores"] = [score("grammatical", 0.5, n=4)]
    found = table.rows([record("gan", 1, 0.5), other], ["gan", "mle"])
    assert table.protocols(found, "grammatical") == {
        "sentences:10": ["gan"],
        "sentences:10|n:4": ["mle"],
    }
