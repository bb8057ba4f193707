"""A run whose discriminator is looked at on held-out sentences, as a user sees it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gantext.evaluation import comparison
from gantext.metrics.two_classes import Held
from gantext.models import gan
from gantext.plots.layouts import filled
from tests.conftest import Command

LOOKS = ["balance=held_out", "look_every=1", "patience=2", "learning_rate=0"]
NEVER = "not adversarial: 0% of its adversarial steps had a policy gradient"


def _trained(cli: Command, small_gan: list[str], tmp_path: Path) -> tuple[Any, Any, list[Any]]:
    """What a run said, its run.json, and its metrics of the phases after the first."""
    words = [*small_gan, *(f"model.d_training.{word}" for word in LOOKS)]
    found = cli("train", *words, "name=r")
    assert found.code == 0, found.err
    lines = (tmp_path / "runs/r/metrics.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row["phase"] != "mle"]
    return found, json.loads((tmp_path / "runs/r/run.json").read_text()), rows


def _said_once(found: Any, lines: list[str]) -> None:
    for line in lines:
        assert len([one for one in found.errors if one.startswith(line)]) == 1, line


def test_a_discriminator_that_knows_nothing_rewards_nothing(
    cli: Command, small_gan: list[str], tmp_path: Path
) -> None:
    """Ten sentences prove nothing; it learns to the end of its phase, since it may learn late."""
    found, info, rows = _trained(cli, small_gan, tmp_path)
    assert "early_ends" not in info and info["policy_on"] == 0
    off = "step 1: the policy gradient is off: the discriminator's held-out loss 0."
    _said_once(found, [off, f"warning: step 30: {NEVER}"])
    assert len(rows) == 6 + 8 and all("held_out_auc" in row for row in rows)
    assert {row.get("policy_on") for row in rows} == {None, 0} and "reward" not in rows[-1]
    drawn = {layout.title: list(keys) for layout, keys in filled(rows, gan.CURVES)}
    assert drawn["Discriminator loss"] == ["d_loss", "held_out_loss"]
    assert drawn["Held-out AUC"] == ["held_out_auc"] and drawn["Policy gradient"] == ["policy_on"]
    for asked in (["runs", "show", "r"], ["runs", "list"]):
        shown = cli(*asked)
        assert shown.code == 0 and NEVER in shown.out + shown.err, asked


def test_a_discriminator_that_knows_something_stops_when_it_learns_no_more(
    cli: Command, small_gan: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a learning rate it is never better than it was."""
    monkeypatch.setattr(Held, "knows", True)
    found, info, rows = _trained(cli, small_gan, tmp_path)
    end = info["early_ends"]["discriminator"]
    assert (end["metric"], end["step"], end["best_step"]) == ("held_out_loss", 2, 0)
    ends = "discriminator ends early, at step 2 of 6: held_out_loss was best at step 0, 0."
    stops = "step 2: the discriminator stops after 2 of its steps in discriminator: its held-out"
    _said_once(found, [ends, stops])
    assert info["policy_on"] == 1 and len(rows) == 2 + 8 and "reward" in rows[-1]


@pytest.mark.parametrize(
    ("facts", "phase", "said"),
    [
        ({"policy_on": 0.0}, None, f"r: {NEVER}"),
        ({"policy_on": 0.0}, "adversarial", f"r: {NEVER}"),
        ({"policy_on": 0.0}, "mle", None),  # compared as it was before that phase
        ({"policy_on": 0.5}, None, None),
        ({}, None, None),
    ],
)
def test_compare_says_so_of_what_came_after_the_phase(
    facts: dict[str, Any], phase: str | None, said: str | None
) -> None:
    run = SimpleNamespace(path=Path("runs/r"), info={**facts, "phase": "adversarial"})
    assert comparison._not_adversarial(SimpleNamespace(run=run, phase=phase)) == said
