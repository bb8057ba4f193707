"""The KL weight at the points that define each schedule."""

import dataclasses
import math

import pytest

from gantext.models.vae.annealing import AnnealConfig, Schedule, beta_at


def config(schedule: Schedule) -> AnnealConfig:
    return AnnealConfig(schedule, steps=200, rate=0.0025, midpoint=2500, cycles=4, ramp=0.5)


def test_none_is_always_whole() -> None:
    assert {beta_at(step, config(Schedule.none), 1000) for step in (0, 1, 999)} == {1.0}


def test_linear() -> None:
    chosen = config(Schedule.linear)
    found = [beta_at(step, chosen, 1000) for step in (0, 50, 199, 200, 999)]
    assert found == pytest.approx([0.0, 0.25, 0.995, 1.0, 1.0])


def test_logistic() -> None:
    """1/2 at the midpoint; 1 / (1 + e) a reach of 1 / rate = 400 steps before it."""
    chosen = config(Schedule.logistic)
    assert beta_at(2500, chosen, 5000) == 0.5
    assert beta_at(2100, chosen, 5000) == pytest.approx(1 / (1 + math.e))
    assert beta_at(0, chosen, 5000) == pytest.approx(1 / (1 + math.exp(6.25)))
    assert beta_at(10**7, chosen, 5000) == 1.0  # far away nothing overflows


def test_cyclical() -> None:
    """1,000 steps, 4 cycles of 250, the first half of each a rise: 125 steps."""
    chosen = config(Schedule.cyclical)
    found = [beta_at(step, chosen, 1000) for step in (0, 25, 124, 125, 249, 250, 275, 999)]
    assert found == pytest.approx([0.0, 0.2, 0.992, 1.0, 1.0, 0.0, 0.2, 1.0])


def test_a_cycle_that_is_no_whole_number_of_steps_is_rounded_up() -> None:
    """10 steps, 4 cycles: of 3 steps, at 0, 1/3 and 2/3 of which the weight is 0, 2/3 and 1."""
    found = [beta_at(step, config(Schedule.cyclical), 10) for step in range(10)]
    assert found == pytest.approx([0, 2 / 3, 1] * 3 + [0])


def test_a_rise_over_no_steps_is_over_at_the_first() -> None:
    chosen = dataclasses.replace(config(Schedule.linear), steps=0)
    assert [beta_at(step, chosen, 1000) for step in (0, 1, 2)] == [0, 1, 1]


@pytest.mark.parametrize("schedule", list(Schedule))
def test_the_weight_is_a_share(schedule: Schedule) -> None:
    assert all(0 <= beta_at(step, config(schedule), 997) <= 1 for step in range(997))


def test_only_cycles_depend_on_how_many_steps_there_are() -> None:
    tied = {schedule for schedule in Schedule if config(schedule).tied}
    assert tied == {Schedule.cyclical}
