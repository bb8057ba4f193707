"""How far words can be drawn from a model's own distribution, and from none that is finite."""

import json
import math
import shutil
from pathlib import Path

import pytest

from gantext.runs import checkpoint
from gantext.runs.folder import RunDir
from tests.conftest import Command


@pytest.mark.parametrize("temperature", ["inf", "nan", "1e-45", "1e-300", "1001", "-1"])
@pytest.mark.parametrize("words", [["sample"], ["eval", "bleu"]])
def test_a_temperature_that_nothing_can_be_drawn_at_is_refused(
    cli: Command, trained: Path, words: list[str], temperature: str
) -> None:
    before = sorted((trained / "scores").iterdir())
    found = cli(*words, str(trained), "-n", "5", "--temperature", temperature)
    assert found.code == 2 and not found.out and len(found.errors) == 1
    assert "temperature" in found.err
    assert sorted((trained / "scores").iterdir()) == before


def test_a_temperature_of_0_is_greedy_and_its_signature_says_so(
    cli: Command, trained: Path
) -> None:
    words = ["sample", str(trained), "-n", "4", "--json"]
    found = [json.loads(cli(*words, *more).out) for more in (["--temperature", "0"], ["--greedy"])]
    assert found[0] == found[1] and found[0]["signature"]["temperature"] == "greedy"
    assert len(set(found[0]["samples"])) == 1
    assert json.loads(cli(*words).out)["signature"]["temperature"] == 1.0


@pytest.mark.parametrize("words", [["sample"], ["sample", "--greedy"], ["eval", "bleu"]])
def test_a_model_whose_logits_are_not_finite_writes_no_blank_lines(
    cli: Command, trained: Path, tmp_path: Path, words: list[str]
) -> None:
    """As a run that trained on after it had diverged left it."""
    run = RunDir(shutil.copytree(trained, tmp_path / "r"))
    state, _ = run.load_checkpoint()
    last = run.last_checkpoint()
    assert state is not None and last is not None
    for network in ("generator", "rollout_policy"):  # which is the generator itself
        state["algorithm"][network]["output.bias"].fill_(math.nan)
    checkpoint.write(last, state)
    found = cli(*words, str(run.path), "-n", "5")
    assert (found.code, found.out) == (2, "")
    assert found.errors == [
        "error: r cannot be sampled: the model's logits at word 1 are not finite"
    ]
