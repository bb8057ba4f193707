"""A run whose discriminator is looked at on held-out sentences, as a user sees it."""

import json
from pathlib import Path

from gantext.models import gan
from gantext.plots.layouts import filled
from tests.conftest import Command

LOOKS = ["balance=held_out", "look_every=1", "patience=1"]
NEVER = "not adversarial: 0% of its adversarial steps had a policy gradient"


def test_a_discriminator_that_knows_nothing_stops_and_rewards_nothing(
    cli: Command, small_gan: list[str], tmp_path: Path
) -> None:
    """Ten held-out sentences and six steps teach nobody anything: two standard errors are .15."""
    words = [*small_gan, *(f"model.d_training.{word}" for word in LOOKS)]
    found = cli("train", *words, "name=r")
    assert found.code == 0, found.err
    info = json.loads((tmp_path / "runs/r/run.json").read_text())
    end = info["early_ends"]["discriminator"]
    assert end["metric"] == "held_out_loss" and info["policy_on"] == 0
    said = [
        f"discriminator ends early, at step {end['step']} of 6: held_out_loss was best at step",
        f"step {end['step']}: the discriminator stops after {end['step']} of its steps in disc",
        "step 1: the policy gradient is off: the discriminator's held-out loss 0.",
        f"warning: step {16 + end['step'] + 8}: {NEVER}",
    ]
    for line in said:
        assert len([one for one in found.errors if one.startswith(line)]) == 1, line
    lines = (tmp_path / "runs/r/metrics.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row["phase"] != "mle"]
    assert len(rows) == end["step"] + 8 and all("held_out_auc" in row for row in rows)
    assert {row.get("policy_on") for row in rows} == {None, 0} and "reward" not in rows[-1]
    drawn = {layout.title: list(keys) for layout, keys in filled(rows, gan.CURVES)}
    assert drawn["Discriminator loss"] == ["d_loss", "held_out_loss"]
    assert drawn["Held-out AUC"] == ["held_out_auc"] and drawn["Policy gradient"] == ["policy_on"]
    for asked in (["runs", "show", "r"], ["runs", "list"]):
        shown = cli(*asked)
        assert shown.code == 0 and NEVER in shown.out + shown.err, asked
    shown = cli("compare", "r", "r@mle")  # the one that is of a phase before is none of it
    assert shown.code == 0 and (shown.out + shown.err).count(NEVER) == 1
