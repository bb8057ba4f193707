"""A run that goes on with more steps than it had, and what it cannot go on with."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gantext.errors import UserError
from gantext.models.contract import Phase
from gantext.runs.folder import RunDir
from gantext.training import launch
from gantext.training.extension import Change, check_steps
from tests.conftest import Command
from tests.torture import end_of


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    """The finished tiny GAN, whose 30 steps end with 8 adversarial ones, to be changed."""
    return Path(shutil.copytree(trained, tmp_path / "runs" / "r", symlinks=True))


def test_in_two_goes_it_ends_as_in_one(
    cli: Command, copied: Path, small_gan: list[str], tmp_path: Path
) -> None:
    key = "model.adversarial.steps"
    assert cli("train", *small_gan, f"{key}=12", "name=once").code == 0
    for steps in (10, 12):
        found = cli("train", "--resume", "r", f"{key}={steps}", "log.sample_every_steps=4")
        assert found.code == 0, found.err
    own, whole = end_of(copied)[1], end_of(tmp_path / "runs" / "once")[1]
    assert own.keys() == whole.keys()
    assert all(torch.equal(own[name], whole[name]) for name in whole)
    run = RunDir(copied)
    assert run.settings.model.adversarial.steps == 12 and run.status == "finished"
    first, second = run.info["extensions"]
    assert first["was"] == {key: 8, "log.sample_every_steps": 5} and first["total"] == 30
    assert first["now"] == {key: 10, "log.sample_every_steps": 4}
    assert (second["was"], second["now"], second["total"]) == ({key: 10}, {key: 12}, 32)
    assert f"{key}=8" in run.info["overrides"]
    begun = [word for word in launch.kept(run, []) if word.startswith("model.adversarial.steps")]
    assert begun == [f"{key}=12"]  # as a run from this one has it
    # The end of a phase is there once: a longer one takes its place.
    assert run.phase_steps() == {"mle": 16, "discriminator": 22, "adversarial": 34}
    assert len(list(copied.glob("checkpoints/*-adversarial"))) == 1
    shown = cli("runs", "show", "r").out
    assert f"at step 30 {key} 8 -> 10, log.sample_every_steps 5 -> 4; at step 32" in shown


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("model.mle.epochs=3", "r cannot go on with model.mle.epochs=3: adversarial has begun"),
        ("model.adversarial.steps=4", "8 steps of adversarial are done"),
        ("model.generator.hidden=9", "its steps were taken with another; --from begins"),
        ("seed=4", "its random numbers have begun with another"),
        ("data.train_size=99", "gantext pretrain --from takes its weights to other data"),
        ("data=coco", "a run cannot go on with data=coco: it has begun on its own"),
        ("model.adversarial.stpes=4", "did you mean model.adversarial.steps?"),
        ("model.adversarial.steps=1,2", "one value each"),
        ("model.adversarial.steps=x", "model.adversarial.steps=x: a whole number is needed"),
    ],
)
def test_what_it_cannot_go_on_with_is_one_line_and_changes_nothing(
    cli: Command, copied: Path, word: str, said: str
) -> None:
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    found = cli("train", "--resume", "r", word)
    assert found.code == 2 and said in found.errors[-1], found.err
    after = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    del before[copied / ".lock"], after[copied / ".lock"]
    assert after == before


def test_a_rate_that_falls_over_all_steps_is_named(cli: Command, small_mle: list[str]) -> None:
    stopped = [*small_mle, "model.mle.epochs=1", "data.train_size=16"]
    assert cli("train", *stopped, "name=falls").code == 0
    found = cli("train", "--resume", "falls", "model.mle.epochs=2")
    assert found.code == 2
    assert found.errors[-1].endswith("and its learning rate falls over all of its steps")
    assert cli("train", *stopped, "model.mle.final_rate=1", "name=steady").code == 0
    assert cli("train", "--resume", "steady", "model.mle.epochs=2").code == 0
    assert RunDir(Path("runs/steady")).info["total"] == 4
    unchanged = cli("train", "--resume", "steady", "log.every_steps=7")
    assert unchanged.code == 0 and "steady has finished already" in unchanged.err
    assert json.loads(Path("runs/steady/run.json").read_text())["extensions"][-1]["total"] == 2


FIRST, SECOND, THIRD = (
    Phase(name, 8, 1, lambda batch, rng: {}, key=f"{name}.steps", tied=tied)
    for name, tied in (("first", "its rate falls"), ("second", ""), ("third", ""))
)
LAST = Phase("last", 8, 1, lambda batch, rng: {}).by("last.steps", "its rate falls", since="second")


@pytest.mark.parametrize(
    ("key", "before", "after", "place", "said"),
    [
        # (the number of the phase that the run is in, steps of it that are done)
        ("second", [FIRST, SECOND], [FIRST, SECOND], (1, 8), None),
        ("second", [FIRST, SECOND], [FIRST, SECOND], (0, 3), None),  # it has not begun
        ("third", [FIRST, SECOND], [FIRST, SECOND, THIRD], (1, 8), None),  # it had no step
        ("third", [FIRST, SECOND, THIRD], [FIRST, SECOND], (1, 4), None),  # and has none now
        ("first", [FIRST, SECOND], [FIRST, SECOND], (0, 0), None),
        ("first", [FIRST, SECOND], [FIRST, SECOND], (0, 3), "first has begun, and its rate falls"),
        ("first", [SECOND], [FIRST, SECOND], (0, 3), "second has begun without these steps of fi"),
        ("second", [SECOND, THIRD], [SECOND, THIRD], (1, 3), "third has begun without these steps"),
        ("second", [SECOND], [SECOND], (0, 9), "9 steps of second are done"),
        ("second", [SECOND, THIRD], [THIRD], (0, 3), "3 steps of second are done"),
        ("last", [FIRST, SECOND, LAST], [FIRST, SECOND, LAST], (0, 3), None),
        ("last", [FIRST, SECOND], [FIRST, SECOND, LAST], (1, 0), None),
        ("last", [FIRST, SECOND], [FIRST, SECOND, LAST], (1, 3), "second has begun, and its rate"),
        ("last", [SECOND, THIRD, LAST], [SECOND, THIRD], (1, 0), "second has begun, and its rate"),
    ],
)
def test_which_phases_may_become_longer(
    tmp_path: Path,
    key: str,
    before: list[Phase],
    after: list[Phase],
    place: tuple[int, int],
    said: str | None,
) -> None:
    early = SimpleNamespace(early_stop=SimpleNamespace(patience=0, phases=[]))
    change = Change(RunDir(tmp_path / "r"), early, {}, {f"model.{key}.steps": 12})
    state = {"phase": place[0], "step": place[1], "ended": False}
    if said is None:
        check_steps(change, before, after, state)
        return
    with pytest.raises(UserError) as refused:
        check_steps(change, before, after, state)
    assert f"r cannot go on with model.{key}.steps=12: {said}" in str(refused.value)
