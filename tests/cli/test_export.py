"""gantext export: a folder in the hub's layout, which every command takes as a run."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

import gantext
from gantext.errors import UserError
from gantext.runs.folder import RunDir
from gantext.runs.state_tree import flatten
from tests.conftest import Command, scores_in


@pytest.fixture
def exported(cli: Command, trained: Path) -> Path:
    """An export of the finished tiny GAN."""
    found = cli("export", str(trained), "shared")
    assert found.code == 0, found.err
    return Path("shared")


def test_it_writes_and_scores_as_the_run_does(
    cli: Command, trained: Path, exported: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("there is a red circle .\n")
    for words in (
        ["sample", "{}", "-n", "4", "--prompt", "a", "--json"],
        ["score", "{}", "a.txt", "--json"],
        ["eval", "diversity", "{}", "-n", "30", "--json"],
    ):
        said = [cli(*(word.format(run) for word in words)).out for run in (trained, exported)]
        own, shared = map(json.loads, said)
        if words[0] != "eval":
            assert own.pop("signature") != shared.pop("signature")  # by the run and the weights
            assert own == shared
        else:
            of_own, of_shared = (
                [(one["name"], one["value"], one.get("error")) for one in scores_in(text)]
                for text in said
            )
            assert of_own == of_shared and of_own
    run = gantext.load_run(exported)
    assert run.status == "exported" and run.phases == ["mle", "discriminator", "adversarial"]
    own, shared = (one.scores.of("adversarial") for one in (gantext.load_run(trained), run))
    assert str(own) == str(shared)  # some are no numbers
    assert cli("runs", "show", "shared").code == 0
    begun = ["adversarial-train", "--from", "shared", "model.adversarial.steps=1", "name=b"]
    assert cli(*begun, "eval.samples=10").code == 0
    assert RunDir(Path("runs/b")).info["origin"]["run"] == "shared"


def test_its_files_are_weights_by_name_and_nothing_of_the_machine(
    trained: Path, exported: Path
) -> None:
    files = {str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file()}
    top = {"model.safetensors", "state.json", "manifest.json", "config.yaml", "run.json"}
    words = {"vocabulary.json", "vocabulary.txt", "README.md"}
    assert files == top | words | {f"scores/phase-{p}.json" for p in ("mle", "adversarial")}
    weights = load_file(exported / "model.safetensors")
    generator = gantext.load_run(trained).model["generator"].state_dict()
    name = "generator.lstms.0.weight_hh_l0"
    assert torch.equal(weights[name], generator["lstms.0.weight_hh_l0"])
    assert not [key for key in weights if "exp_avg" in key or "order" in key]
    whole = sum(tensor.numel() for tensor in weights.values())
    state = RunDir(trained).checkpoint(moments=False).tree
    flat: dict[str, torch.Tensor] = {}
    flatten(state["algorithm"], flat)
    assert whole < sum(tensor.numel() for tensor in flat.values())  # what is tied stands there once
    assert (
        not {"host", "command", "config_dir", "device"}
        & json.loads((exported / "run.json").read_text()).keys()
    )
    assert str(trained) not in (exported / "config.yaml").read_text()
    lines = (exported / "vocabulary.txt").read_text().splitlines()
    assert tuple(lines) == (RunDir(trained).vocabulary or ()).words


def test_the_card_has_a_head_for_the_hub_and_scores_with_their_signatures(
    trained: Path, exported: Path
) -> None:
    _, head, body = (exported / "README.md").read_text().split("---\n", 2)
    card = yaml.safe_load(head)
    assert card["license"] == "unknown" and card["pipeline_tag"] == "text-generation"
    assert {"gantext", "gan"} <= set(card["tags"])
    (result,) = card["model-index"][0]["results"]
    metrics = {metric["name"]: metric["value"] for metric in result["metrics"]}
    scores = gantext.load_run(trained).scores.of("adversarial")
    assert metrics["bleu-4"] == scores["bleu-4"] and result["dataset"]["name"] == "scenes"
    for said in ('gantext.load_run("', "| seed | 1 |", "preset:texygen", "mle (to step 16)"):
        assert said in body, said


def test_a_phase_is_exported_as_it_was(cli: Command, trained: Path) -> None:
    found = json.loads(cli("export", f"{trained}@mle", "out", "--json").out)
    assert found["step"] == 16 and "model.safetensors" in found["files"]
    own = gantext.load_run(trained, phase="mle").sample(3, seed=1)
    assert own == gantext.load_run("out").sample(3, seed=1)
    with pytest.raises(UserError, match="which has one state: leave @mle out"):
        gantext.load_run("out@mle").sample(1)


def test_a_folder_that_is_not_empty_is_refused_or_kept(
    cli: Command, trained: Path, exported: Path, tmp_path: Path
) -> None:
    (exported / ".git").mkdir()
    (exported / ".git" / "HEAD").write_text("ref")
    (exported / "scores" / "old.json").write_text("{}")
    refused = cli("export", str(trained), "shared")
    assert refused.code == 2 and "is not empty: --force replaces" in refused.errors[-1]
    assert cli("export", f"{trained}@mle", "shared", "--force").code == 0
    assert (exported / ".git" / "HEAD").read_text() == "ref"
    assert not (exported / "scores" / "old.json").exists()
    assert gantext.load_run("shared").folder.info["total"] == 16
    run = shutil.copytree(trained, tmp_path / "copy", symlinks=True)
    refused = cli("export", str(trained), str(run), "--force")
    assert refused.code == 2 and "holds a run" in refused.errors[-1]
    left = {path.name for path in tmp_path.iterdir() if path.name.startswith(".")}
    assert not left


def test_one_that_fails_on_its_way_leaves_nothing(
    cli: Command, trained: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gantext.runs.export._save_weights", full)
    found = cli("export", str(trained), "shared")
    assert found.code == 2 and "No space left on device" in found.errors[-1]
    assert not list(tmp_path.iterdir())


def test_what_was_changed_or_lies_behind_a_link_is_refused(
    cli: Command, exported: Path, tmp_path: Path
) -> None:
    weights = exported / "model.safetensors"
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    found = cli("sample", "shared")
    assert found.code == 2 and "shared has no whole checkpoint" in found.errors[-1]
    (tmp_path / "elsewhere").write_bytes(data)
    weights.unlink()
    weights.symlink_to(tmp_path / "elsewhere")
    found = cli("sample", "shared")
    assert found.code == 2 and "is a symbolic link" in found.errors[-1]


def test_it_cannot_be_resumed_and_says_what_can_be_done(cli: Command, exported: Path) -> None:
    found = cli("train", "--resume", "shared")
    assert found.code == 2
    assert found.errors[-1].endswith("weights alone: a new run begins with them by --from")
