"""RUN@PHASE wherever a RUN goes, and what is printed to be pasted can be pasted."""

import json
import shlex
import shutil
from pathlib import Path

import pytest

from gantext.nn.text.fitting import MLETrainer
from gantext.runs.folder import RunDir
from tests.conftest import Command


def test_runs_show_a_run_as_it_was_at_the_end_of_a_phase(cli: Command, trained: Path) -> None:
    ends = RunDir(trained).phase_steps()
    assert list(ends) == ["mle", "discriminator", "adversarial"]
    whole = json.loads(cli("runs", "show", str(trained), "--json").out)
    for phase, scored in (("mle", ["mle"]), ("discriminator", ["mle"])):
        found = json.loads(cli("runs", "show", f"{trained}@{phase}", "--json").out)
        assert (found["phase"], found["total"]) == (phase, ends[phase])
        assert found["scores"] == whole["phases"][0]["scores"]
        assert [one["run"] for one in found["phases"]] == [
            f"{trained.name}@{name}" for name in scored
        ]
        assert found["config"] == whole["config"]
    shown = cli("runs", "show", f"{trained}@mle")
    assert f"next: gantext sample {trained}@mle -n" in shown.err
    found = cli("runs", "show", f"{trained}@nothing")
    assert found.code == 2 and "phases that ended: mle, discriminator, adversarial" in found.err


@pytest.mark.parametrize(
    "words",
    [
        "sample {} -n 2",
        "score {} s.txt",
        "impute {} '___ .' -n 1",
        "reconstruct {} s.txt",
        "interpolate {} 'a red circle .' 'a blue square .' --steps 2",
        "latent {} -n 5",
        "runs show {}",
        "eval latent {} -n 3 --k 2",
    ],
)
def test_each_command_takes_a_phase(
    cli: Command, trained_vae: Path, tmp_path: Path, words: str
) -> None:
    (tmp_path / "s.txt").write_text("a red circle .\n")
    found = cli(*shlex.split(words.format(f"{trained_vae}@autoencoder")))
    assert found.code == 0, found.err
    found = cli(*shlex.split(words.format(f"{trained_vae}@nothing")))
    assert found.code == 2 and "phases that ended: autoencoder, vae" in found.err


def test_hints_can_be_pasted(cli: Command, trained: Path, tmp_path: Path) -> None:
    """Each "next:" line is split as a shell splits it, and run."""
    place = tmp_path / "my [new]  runs" / "it's=1 (a)"
    shutil.copytree(trained, place)
    (tmp_path / "runs").mkdir()
    for words in (
        ["runs", "list", "--runs-dir", "my [new]  runs"],
        ["runs", "show", str(place)],
    ):
        said = cli(*words).err
        assert said.startswith("next: ")
        for command in said.removeprefix("next: ").strip().split("  |  "):
            found = cli(*shlex.split(command)[1:], *(["-n", "5"] if " eval " in command else []))
            assert found.code == 0, (command, found.err)
    found = cli("train", "name=r", "runs_dir='my [new]  runs'", 'name="it\'s=1 (a)"')
    resumed = shlex.split(found.err.partition("go on with it by ")[2])
    assert resumed[:3] == ["gantext", "train", "--resume"] and len(resumed) == 4
    assert resumed[3] in (str(place.relative_to(tmp_path)), str(place))
    RunDir(place).update(status="stopped")
    said = cli("runs", "show", str(place)).err
    found = cli(*shlex.split(said.removeprefix("next: "))[1:])
    assert found.code == 0, found.err


def test_runs_show_says_first_why_a_run_failed(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: MLETrainer, *given: object) -> None:
        raise RuntimeError("out of luck\nat last")

    with monkeypatch.context() as patch:
        patch.setattr(MLETrainer, "step", broken)
        assert cli("train", *small_mle, "name=f").code == 1
    lines = cli("runs", "show", "f").out.splitlines()
    assert lines[0] == "it failed: RuntimeError: out of luck"
    assert lines[1].startswith("log: ") and lines[1].endswith("/runs/f/train.log")
    assert lines[2].startswith("go on with: gantext train --resume ")
    assert json.loads(cli("runs", "show", "f", "--json").out)["error"] == lines[0][11:]
    assert cli(*shlex.split(lines[2].removeprefix("go on with: gantext "))).code == 0
    assert "failed" not in cli("runs", "show", "f").out
