"""Runs of older formats are read as today's; those of newer ones are refused in one line."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import gantext
from gantext.runs import listing, migrations
from gantext.runs.changes import Change, Part
from gantext.runs.folder import RunDir
from gantext.runs.migrations import NewerFormat, format_of, migrated
from gantext.training import launch
from tests.conftest import Command

OLD = Path(__file__).parents[1] / "old_runs" / "mle"
NEXT = migrations.FORMAT + 1
# As if it had given a key its name and added one, of config.yaml and of run.json.
TOY = (
    Change(NEXT, Part.settings, "model.generator.hidden", was="model.generator.units"),
    Change(NEXT, Part.settings, "model.mle.clip", 5.0, model="mle"),
    Change(NEXT, Part.settings, "model.mle.patience", 3, model="gan"),
    Change(NEXT, Part.facts, "max_length", was="longest"),
    Change(NEXT, Part.facts, "config_dir", None),
)


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    """A run of today's format, in runs/ of the folder that `cli` works in."""
    shutil.copytree(OLD, tmp_path / "runs" / "old")
    return RunDir(tmp_path / "runs" / "old")


@pytest.fixture
def older(tmp_path: Path) -> RunDir:
    """The same run as the code before TOY would have made it."""
    shutil.copytree(OLD, tmp_path / "runs" / "older")
    run = RunDir(tmp_path / "runs" / "older")
    config = run.config.read_text().replace("hidden: 6", "units: 6").replace("    clip: 5.0\n", "")
    run.config.write_text(config)
    facts = json.loads((run.path / "run.json").read_text())
    facts["longest"] = facts.pop("max_length")
    del facts["config_dir"]
    (run.path / "run.json").write_text(json.dumps(facts))
    return run


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if today's format were the next."""
    monkeypatch.setattr(migrations, "CHANGES", (*migrations.CHANGES, *TOY))
    monkeypatch.setattr(migrations, "FORMAT", NEXT)


def newer(run: RunDir) -> None:
    """Let a run say that it is of the next format, made by gantext 9.8.7."""
    facts = json.loads((run.path / "run.json").read_text())
    facts |= {"format": NEXT, "gantext": "9.8.7"}
    (run.path / "run.json").write_text(json.dumps(facts))


def test_a_key_is_added_or_takes_the_old_ones_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each where its group is and its model's; what is there stays, and so do the old values."""
    changes = (
        Change(2, Part.settings, "a.new", 1),
        Change(2, Part.settings, "nowhere.new", 1),
        Change(2, Part.facts, "a.fact", 1),
        Change(3, Part.settings, "a.c", was="a.b"),
        Change(4, Part.settings, "a.d", was="a.c"),
    )
    monkeypatch.setattr(migrations, "CHANGES", changes)
    old: dict[str, Any] = {"a": {"b": 5}}
    kept = copy.deepcopy(old)
    assert migrated(old, 1, Part.settings) == {"a": {"new": 1, "d": 5}}
    assert migrated(old, 2, Part.settings) == {"a": {"d": 5}}
    assert migrated(old, 4, Part.settings) == old == kept
    today = {"a": {"new": 2, "d": 6}}
    assert migrated(today, 1, Part.settings) == today


def test_a_key_of_one_kind_of_data_is_added_to_no_other() -> None:
    """A run on a .csv file from before tables were read goes on with its lines."""
    text = migrated({"data": {"name": "text", "train": "a.csv"}}, 1, Part.settings)
    assert text["data"]["format"] == "lines" and text["data"]["column"] == ""
    assert text["data"]["max_bytes"] == 2**50
    on_gpus = {"tf32": "all", "deterministic": True, "cuda_graphs": True}
    other = {"data": {"name": "digits"}, "force": False, "memory": "keep", **on_gpus}
    other["early_stop"] = {}
    assert migrated(other, 1, Part.settings) == other


def test_rows_are_in_order_and_of_formats_that_there_are() -> None:
    formats = [change.format for change in migrations.CHANGES]
    assert formats == sorted(formats) and all(1 < one <= migrations.FORMAT for one in formats)


def test_formats(tmp_path: Path) -> None:
    assert format_of("a", {}) == 1
    run = RunDir.create(tmp_path / "a", "seed: 1\n", None, {"status": "new"})
    assert run.info["format"] == migrations.FORMAT
    with pytest.raises(NewerFormat) as caught:
        format_of("a", {"format": NEXT, "gantext": "9.8.7"})
    assert str(caught.value) == (
        f"a was made by gantext 9.8.7, format {NEXT}; this is gantext {gantext.__version__}, "
        f"which reads up to format {migrations.FORMAT}: upgrade"
    )


@pytest.mark.usefixtures("toy")
def test_an_older_run_is_read_as_todays(run: RunDir, older: RunDir, cli: Command) -> None:
    assert older.settings == run.settings and older.settings.model.generator.hidden == 6
    assert older.info == run.info
    drawn = [cli("sample", name, "-n", "5") for name in ("old", "older")]
    assert drawn[0].code == 0 and drawn[0].out and drawn[0] == drawn[1]
    shown = json.loads(cli("runs", "show", "older", "--json").out)
    assert shown["max_length"] == run.info["max_length"] and "longest" not in shown


@pytest.mark.usefixtures("toy")
def test_an_older_run_goes_on_as_one_of_today(run: RunDir, older: RunDir, cli: Command) -> None:
    for one in (run, older):
        found = cli("train", "--resume", str(one.path))
        assert found.code == 0, found.err
        facts = json.loads((one.path / "run.json").read_text())
        assert facts["status"] == "finished" and facts["format"] == NEXT and "longest" not in facts
    assert older.config.read_text() == run.config.read_text()
    rows = [[{**row, "seconds": 0} for row in one.metrics()] for one in (run, older)]
    assert rows[0] == rows[1]


def test_a_checkpoint_is_read_as_todays(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by what it holds: those of a run that went on are of several formats."""
    run.save_checkpoint({"algorithm": {"net": torch.ones(2)}}, 20, "older", 3)
    run.save_checkpoint({"algorithm": {"generator": torch.ones(3)}}, 21, "todays", 3)
    change = Change(NEXT, Part.state, "algorithm.generator", was="algorithm.net")
    monkeypatch.setattr(migrations, "CHANGES", (change,))
    for phase, size in (("older", 2), ("todays", 3)):
        tree = run.checkpoint(phase).tree
        assert tree.keys() == {"algorithm"} and tree["algorithm"].keys() == {"generator"}
        assert torch.equal(tree["algorithm"]["generator"], torch.ones(size))


@pytest.mark.parametrize(
    "command",
    [
        "sample old",
        "sample",
        "score old s.txt",
        "impute old ___",
        "latent old",
        "eval bleu old",
        "eval frontier old",
        "compare old old",
        "report old",
        "runs show old",
        "train --resume runs/old",
        "adversarial-train --from old",
        "train model=gan phases=adversarial from_run=old",
    ],
)
def test_a_run_of_a_newer_format_is_refused(command: str, run: RunDir, cli: Command) -> None:
    listing.mark_latest(run, run.path.parent)
    newer(run)
    Path("s.txt").write_text("a red circle .\n")
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    found = cli(*command.split())
    assert found.code == 2 and len(found.errors) == 1, found.err
    assert f"old was made by gantext 9.8.7, format {NEXT}; this is gantext" in found.err
    assert found.err.endswith(f"which reads up to format {migrations.FORMAT}: upgrade\n")
    assert before == {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def test_a_run_of_a_newer_format_is_listed_among_the_others(run: RunDir, cli: Command) -> None:
    shutil.copytree(run.path, run.path.with_name("other"))
    newer(run)
    rows = {row["run"]: row for row in json.loads(cli("runs", "list", "--json").out)}
    status = f"newer format {NEXT}"
    assert rows["old"]["status"] == status and rows["other"]["status"] == "stopped"
    assert status in cli("runs", "list").out


def test_tensorboard_is_one_of_several_trackers_now(run: RunDir) -> None:
    """Its switch of before, in a config and in overrides that `adversarial-train --from` keeps."""
    for before, today in ((True, ["tensorboard"]), (False, []), ("what", "what"), ([1], [1])):
        found = migrated({"log": {"tensorboard": before}}, 4, Part.settings)
        assert found["log"].pop("curve")["every_steps"] == 0  # of format 7
        assert found["log"] == {"trackers": today}
    run.update(overrides=["model=mle", "log.tensorboard=false", "seed=3"])
    assert launch.kept(run, []) == ["model=mle", "log.trackers=[]", "seed=3"]
    assert launch.kept(run, ["log.trackers=[wandb]"]) == ["model=mle", "seed=3"]
