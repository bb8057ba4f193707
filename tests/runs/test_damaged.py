"""A run with a damaged file: one line that names it, and never an obstacle to the other runs."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from gantext.errors import UserError
from gantext.evaluation import measures
from gantext.nn.state import restore
from gantext.runs.folder import RunDir
from gantext.runs.sweep import SweepDir
from gantext.runs.trained import rebuild
from tests.conftest import Command

OLD_RUNS = Path(__file__).parent.parent / "old_runs"
NEWEST = "checkpoints/000000017"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A copy of a small run that was stopped amid its last phase."""
    return copied(tmp_path, "bad")


def copied(folder: Path, name: str) -> Path:
    path = folder / "runs" / name
    shutil.copytree(OLD_RUNS / "gan", path)
    return path


def refused(cli: Command, *words: str) -> str:
    found = cli(*words)
    assert found.code == 2, found.out + found.err
    assert len(found.errors) == 1, found.err
    return found.err


@pytest.mark.parametrize(
    ("file", "text", "words", "fault"),
    [
        ("run.json", '{"format": "x"}', "sample bad", '"format": found "x", expected a whole numb'),
        ("run.json", "[]", "runs show bad", "found a list, expected a mapping"),
        ("run.json", '{"overrides": [1]}', "runs show bad", '"overrides.0": found 1, expected te'),
        ("run.json", '{"max_length": 9e9}', "sample bad", '"max_length": found 9000000000.0, exp'),
        ("run.json", '{"status": 3}', "train --resume bad", '"status": found 3, expected text'),
        ("vocabulary.json", '{"words": 1}', "sample bad", 'found a mapping, expected one with "to'),
        ("config.yaml", "a: *b", "sample bad", "line 1: an alias, *b"),
        (
            "config.yaml",
            "seed: ${oc.env:HOME}",
            "eval bleu bad",
            "line 1: an interpolation, ${...}",
        ),
        ("config.yaml", "seed: 1", "report bad", "it names no model: model.name is missing"),
        (
            "config.yaml",
            "model:\n  name: gan\n  _target_: os.system",
            "sample bad",
            "unknown key 'model._target_'",
        ),
        ("result.json", '{"warnings": "x"}', "runs show bad", '"warnings": found "x", expected a '),
        ("scores/phase-mle.json", '{"scores": 1}', "runs show bad", '"scores": found 1, expected'),
        ("scores/phase-mle.json", "{}", "runs show bad", 'found a mapping, expected one with "sco'),
    ],
)
def test_a_command_says_which_file_and_why(
    cli: Command, run: Path, file: str, text: str, words: str, fault: str
) -> None:
    (run / file).write_text(text)
    said = refused(cli, *words.split())
    assert said.startswith(f"error: cannot read {run / file}: ") and fault in said


def test_a_vocabulary_that_contradicts_itself(run: Path) -> None:
    record = json.loads((run / "vocabulary.json").read_text())
    (run / "vocabulary.json").write_text(json.dumps({**record, "counts": [1]}))
    with pytest.raises(UserError, match=r"vocabulary\.json: a vocabulary has one count for each"):
        assert RunDir(run).vocabulary


def test_a_list_within_a_list_in_the_config(run: Path) -> None:
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("    - 2\n    - 3\n", "    - [2]\n    - 3\n", 1))
    with pytest.raises(UserError, match=r"config\.yaml: .*discriminator\.widths"):
        assert RunDir(run).settings


def test_the_config_of_another_version_names_it(run: Path) -> None:
    RunDir(run).update(gantext="9.8.7")
    with open(run / "config.yaml", "a") as file:
        file.write("invented: 1\n")
    with pytest.raises(UserError, match=r"unknown key 'invented'.* made by gantext 9\.8\.7;"):
        assert RunDir(run).settings


# Checkpoints


def change_state(run: Path, change: Callable[[Any], object]) -> None:
    """Change the newest checkpoint, and its checksums so that nothing is noticed."""
    folder = run / NEWEST
    state = json.loads((folder / "state.json").read_text())
    change(state)
    (folder / "state.json").write_text(json.dumps(state))
    seal(folder)


def seal(folder: Path) -> None:
    files = [folder / "state.json", *folder.glob("*.safetensors")]
    sums = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in files}
    (folder / "manifest.json").write_text(json.dumps({"files": sums}))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda s: s.pop("algorithm"), 'expected one with "algorithm"'),
        (lambda s: s.update(total="17"), '"total": found "17", expected a whole number'),
        (lambda s: s.update(watch=[]), '"watch": found a list, expected a mapping'),
        (lambda s: s.update(noise=3), '"noise": found 3, expected a tensor'),
        (lambda s: s["batches"].update(epoch=-1), '"batches.epoch": found -1, expected a whole'),
        (lambda s: s["algorithm"].pop("generator"), "expected one with"),
        (lambda s: s["algorithm"].update(more=1), 'expected one without "more"'),
        (lambda s: s["algorithm"]["generator"].popitem(), '"algorithm.generator": found a mapping'),
        (lambda s: s["algorithm"].update(ema="x"), '"algorithm.ema": found "x", expected'),
        (lambda s: s["algorithm"]["counters"].update(adversarial_steps=None), "adversarial_steps"),
        (
            lambda s: s["algorithm"]["d_optimiser"]["param_groups"][0].pop("lr"),
            '"algorithm.d_optimiser.param_groups.0": found a mapping, expected one with "lr"',
        ),
        (
            lambda s: s["algorithm"]["d_optimiser"]["param_groups"][0].update(betas=[1]),
            '"algorithm.d_optimiser.param_groups.0.betas": found a list, expected a list of 2',
        ),
        (
            lambda s: s["algorithm"]["d_optimiser"]["state"]["__integer_keys__"].update({"0": 1}),
            '"algorithm.d_optimiser.state.0": found 1, expected a mapping',
        ),
        (
            lambda s: s["algorithm"]["d_optimiser"]["state"]["__integer_keys__"]["0"].popitem(),
            '"algorithm.d_optimiser": found a list, expected a mapping with exp_avg',
        ),
    ],
)
def test_a_state_that_is_none_of_the_models(
    run: Path, change: Callable[[Any], object], fault: str
) -> None:
    change_state(run, change)
    algorithm = rebuild(RunDir(run), phase="mle").algorithm
    with pytest.raises(UserError) as caught:
        found = RunDir(run).checkpoint()
        restore(algorithm, found.state["algorithm"], found.file, "algorithm")
    assert str(caught.value).startswith(f"cannot read {run / NEWEST / 'state.json'}: ")
    assert fault in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["shape", "dtype"])
def test_tensors_of_another_form(cli: Command, run: Path, kind: str) -> None:
    tensors = load_file(run / NEWEST / "tensors.safetensors")
    tensors["0"] = tensors["0"][:-1].clone() if kind == "shape" else tensors["0"].double()
    save_file(tensors, run / NEWEST / "tensors.safetensors")
    seal(run / NEWEST)
    for words in (["sample", "bad"], ["train", "--resume", "bad"]):
        found = cli(*words)
        assert found.code == 2 and "Traceback" not in found.err
        assert ": found a tensor (" in found.errors[-1] and "expected a tensor" in found.errors[-1]


@pytest.mark.parametrize(
    "state", ["[]", '{"__tensor__": "999"}', '{"__integer_keys__": {"x": 1}}', "[" * 10**5, "{"]
)
def test_a_state_that_cannot_be_read_gives_way_to_the_one_before(run: Path, state: str) -> None:
    (run / NEWEST / "state.json").write_text(state)
    seal(run / NEWEST)
    found = RunDir(run).checkpoint()
    assert found.step == 8 and found.damaged[0].startswith("checkpoint 000000017 is damaged: ")


def test_folders_that_are_no_checkpoints(run: Path) -> None:
    for name in ("1x-mle", "9" * 30, "²"):
        (run / "checkpoints" / name).mkdir()
    assert RunDir(run).phase_steps() == {"mle": 8} and RunDir(run).checkpoint().step == 17


def test_rows_in_another_order_are_no_place_in_the_data() -> None:
    from gantext.data.batches import Batches
    from gantext.data.flat import Tokens

    split = Tokens.of([[1, 1]] * 4)
    state = Batches(split, 0).state_dict()
    for change in ({"order": torch.tensor([0, 0, 1, 2])}, {"generator": torch.zeros(3)}):
        with pytest.raises(UserError, match="damaged"):
            Batches(split, 0).load_state_dict({**state, **change})


# Beside other runs


def test_one_bad_run_blocks_no_list_and_no_comparison(cli: Command, tmp_path: Path) -> None:
    for name in ("a", "b", "bad"):
        copied(tmp_path, name)
    (tmp_path / "runs/bad/run.json").write_text('{"total": "x"}')
    found = cli("runs", "list", "--json")
    rows = {row["run"]: row["status"] for row in json.loads(found.out)}
    assert rows == {
        "a": "stopped",
        "b": "stopped",
        "bad": 'damaged: run.json: "total": found "x", expected a whole number of at least 0',
    }
    assert 'damaged: run.json: "total"' in " ".join(cli("runs", "list").out.split())
    found = cli("compare", "a", "bad", "b", "-n", "20")
    assert found.code == 0 and "note: bad: damaged: run.json" in found.err
    head, _, *rows = found.out.partition("settings")[0].splitlines()[2:]
    end = head.index(" bad ") + len(" bad")
    scored = [row for row in rows if row[1:].partition(" ")[0] in measures.columns()]
    values = [row[:end].split()[-1] for row in scored]
    assert len(values) > 5 and set(values) == {"-"}  # a column without a score
    said = refused(cli, "compare", "a", "bad")
    assert "needs two or more" in said and "bad is damaged: run.json" in said
    assert "run.json" in refused(cli, "compare", "bad", "bad")


def test_one_bad_job_blocks_no_sweeps_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from gantext.cli.sweeps import sweep_report

    for job, text in enumerate(['{"scores": 1}', "{", '{"status": "finished"}']):
        copied(tmp_path, str(job))
        (tmp_path / "runs" / str(job) / "result.json").write_text(text)
    assert sweep_report(SweepDir(tmp_path / "runs"), json=True) == 2
    rows = json.loads(capsys.readouterr().out)["jobs"]
    assert [row["status"] for row in rows] == ["damaged", "damaged", "finished"]
    assert '"scores": found 1, expected a list' in rows[0]["error"]


# Pictures


def test_captions_that_are_longer_than_the_model_and_no_text(tmp_path: Path) -> None:
    from gantext.runs.trained import _captions_of

    shutil.copytree(OLD_RUNS / "dpr_gan", tmp_path / "run")
    run = RunDir(tmp_path / "run")
    (run.path / "captions.txt").write_text("a red circle .\n" + "a " * 99 + "\n")
    with pytest.raises(UserError, match=r"line 2 has 99 words; the longest .* has 23"):
        _captions_of(run, run.vocabulary, 24)
    (run.path / "captions.txt").write_bytes(b"a\n\xff\n")
    with pytest.raises(UserError, match=r"captions\.txt: line 2 is not UTF-8"):
        assert run.pictures.captions
