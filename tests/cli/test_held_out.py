"""A run whose discriminator is looked at on held-out sentences, as a user sees it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gantext.evaluation import comparison
from gantext.models import gan
from gantext.plots.layouts import filled
from tests.conftest import Command

LOOKS = ["balance=held_out", "look_every=1", "patience=2", "learning_rate=0"]
NEVER = "not adversarial: 0% of its adversarial steps had a policy gradient"


def test_a_discriminator_that_knows_nothing_stops_and_rewards_nothing(
    cli: Command, small_gan: list[str], tmp_path: Path
) -> None:
    """Without a learning rate it is never better than it was, and ten sentences prove nothing."""
    words = [*small_gan, *(f"model.d_training.{word}" for word in LOOKS)]
    found = cli("train", *words, "name=r")
    assert found.code == 0, found.err
    info = json.loads((tmp_path / "runs/r/run.json").read_text())
    end = info["early_ends"]["discriminator"]
    assert (end["metric"], end["step"], end["best_step"]) == ("held_out_loss", 2, 0)
    assert info["policy_on"] == 0
    said = [
        "discriminator ends early, at step 2 of 6: held_out_loss was best at step 0, 0.",
        "step 2: the discriminator stops after 2 of its steps in discriminator: its held-out loss",
        "step 1: the policy gradient is off: the discriminator's held-out loss 0.",
        f"warning: step 26: {NEVER}",
    ]
    for line in said:
        assert len([one for one in found.errors if one.startswith(line)]) == 1, line
    lines = (tmp_path / "runs/r/metrics.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row["phase"] != "mle"]
    assert len(rows) == 2 + 8 and all("held_out_auc" in row for row in rows)
    assert {row.get("policy_on") for row in rows} == {None, 0} and "reward" not in rows[-1]
    drawn = {layout.title: list(keys) for layout, keys in filled(rows, gan.CURVES)}
    assert drawn["Discriminator loss"] == ["d_loss", "held_out_loss"]
    assert drawn["Held-out AUC"] == ["held_out_auc"] and drawn["Policy gradient"] == ["policy_on"]
    for asked in (["runs", "show", "r"], ["runs", "list"]):
        shown = cli(*asked)
        assert shown.code == 0 and NEVER in shown.out + shown.err, asked


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
