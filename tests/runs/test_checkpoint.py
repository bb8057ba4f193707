"""Checkpoints: the round trip of trees, and damage that is noticed."""

import hashlib
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from gantext.runs import checkpoint, slimming, state_tree
from gantext.runs.folder import RunDir

DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool)


def tensors() -> st.SearchStrategy[Tensor]:
    shapes = st.lists(st.integers(0, 3), max_size=3)
    numbers = st.lists(st.floats(width=32), min_size=27, max_size=27)
    return st.builds(
        lambda shape, values, kind: (
            torch.tensor(values)
            .nan_to_num(1.0, 2.0, 3.0)
            .clamp(0, 200)[: int(torch.tensor(shape).prod())]
            .reshape(shape)
            .to(kind)
        ),
        shapes,
        numbers,
        st.sampled_from(DTYPES),
    )


NAMES = st.text(max_size=5).filter(lambda name: name not in state_tree.RESERVED)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
TREES = st.recursive(
    PLAIN | tensors(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES, inner, max_size=3)
        | st.dictionaries(st.integers(), inner, max_size=3)
    ),
    max_leaves=12,
)


def same(a: Any, b: Any) -> bool:
    """Equal trees, NaN like NaN, -0.0 unlike 0.0, types and dtypes included."""
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return repr(a) == repr(b)


@given(TREES)
@settings(max_examples=150, deadline=None)
def test_a_tree_comes_back_as_it_was(tree: Any) -> None:
    found: dict[str, Tensor] = {}
    text = json.dumps(state_tree.flatten(tree, found))
    assert same(state_tree.unflatten(json.loads(text), found), tree)


def test_files_round_trip_with_tied_weights_and_an_optimiser(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5, bias=False))
    model[1].weight = model[0].weight
    optimiser = torch.optim.AdamW(model.parameters(), 0.1, (0.9, 0.99))
    model(torch.arange(5)).sum().backward()
    optimiser.step()
    tree = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": 7}
    checkpoint.write(tmp_path / "000000007", tree)
    back = checkpoint.read(tmp_path / "000000007")
    assert list(back["optimiser"]["state"]) == [0]  # an integer key
    assert torch.equal(back["model"]["0.weight"], back["model"]["1.weight"])
    other = torch.optim.AdamW(model.parameters(), 0.5)
    other.load_state_dict(back["optimiser"])
    assert other.param_groups[0]["lr"] == 0.1 and list(other.param_groups[0]["betas"]) == [
        0.9,
        0.99,
    ]


@pytest.mark.parametrize("tree", [{1: 2, "a": 3}, {True: 1}, {None: 1}, {"__tensor__": "0"}])
def test_a_dict_that_could_not_come_back_is_refused(tree: Any) -> None:
    with pytest.raises(TypeError, match="cannot hold a dict"):
        state_tree.flatten(tree, {})


def state(number: float) -> dict[str, Any]:
    rng = torch.Generator().manual_seed(int(number))
    return {"w": torch.randn(20, 3, generator=rng), "number": number, "text": ["a", None, True]}


def damage(path: Path, rng: random.Random) -> str:
    """Cut a file short or flip some bits of one byte; returns what was done."""
    data = bytearray(path.read_bytes())
    place = rng.randrange(len(data))
    if rng.random() < 0.5:
        path.write_bytes(data[:place])
        return f"cut at {place}"
    data[place] ^= rng.randrange(1, 256)
    path.write_bytes(data)
    return f"byte {place} changed"


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json", "manifest.json"])
def test_damage_anywhere_in_any_file_is_noticed(tmp_path: Path, name: str) -> None:
    """60 random cuts and flips a file; at most white space of the manifest may pass, unharmed."""
    rng, tree = random.Random(name), state(3)
    checkpoint.write(tmp_path / "whole", tree)
    passed = 0
    for _ in range(60):
        shutil.copytree(tmp_path / "whole", tmp_path / "copy")
        what = damage(tmp_path / "copy" / name, rng)
        try:
            assert same(checkpoint.read(tmp_path / "copy"), tree), what
            passed += 1
        except checkpoint.CheckpointDamaged as error:
            assert "\n" not in str(error)
        shutil.rmtree(tmp_path / "copy")
    assert passed <= (3 if name == "manifest.json" else 0)


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json", "manifest.json"])
def test_a_missing_or_empty_file_is_noticed(tmp_path: Path, name: str) -> None:
    checkpoint.write(tmp_path / "c", state(3))
    (tmp_path / "c" / name).write_bytes(b"")
    with pytest.raises(checkpoint.CheckpointDamaged):
        checkpoint.read(tmp_path / "c")
    (tmp_path / "c" / name).unlink()
    with pytest.raises(checkpoint.CheckpointDamaged, match=f"{name} is missing"):
        checkpoint.read(tmp_path / "c")


def test_the_one_before_a_damaged_one_is_used_and_the_damage_is_named(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for step in (3, 6, 9):
        run.save_checkpoint(state(step), step, None, keep=3)
    (tmp_path / "checkpoints" / "000000009" / "state.json").write_text("{}")
    (tmp_path / "checkpoints" / "000000006" / "tensors.safetensors").unlink()
    found, damaged = run.load_checkpoint()
    assert found is not None and found["number"] == 3
    assert [line.split()[1] for line in damaged] == ["000000009", "000000006"]


def test_pruning_keeps_the_newest_and_every_end_of_a_phase(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for step in range(1, 8):
        run.save_checkpoint(state(step), step, "mle" if step == 3 else None, keep=2)
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["000000003-mle", "000000006", "000000007"]
    assert run.phase_ends() == ["mle"]
    found, _ = run.load_checkpoint("mle")
    assert found is not None and found["number"] == 3
    assert run.load_checkpoint("adversarial") == (None, [])


def test_the_end_of_a_phase_is_newer_than_a_checkpoint_of_the_same_step(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.save_checkpoint({"end": True}, 5, "mle", keep=2)
    run.save_checkpoint({"end": False}, 5, None, keep=2)
    assert run.load_checkpoint()[0] == {"end": True}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_state_that_is_not_finite_takes_no_place_of_one_that_is(
    tmp_path: Path, value: float
) -> None:
    """An optimiser's too; a plain number may be infinite, as the best score so far can be."""
    run = RunDir(tmp_path)
    whole = {"optimiser": {"state": {0: {"exp_avg": torch.zeros(3)}}}, "best": float("-inf")}
    run.save_checkpoint(whole, 3, None, keep=1)
    broken = {"optimiser": {"state": {0: {"exp_avg": torch.tensor([0.0, value])}}}}
    for step, phase in ((3, None), (6, None), (9, "mle")):
        with pytest.raises(checkpoint.NotFinite, match=r"optimiser\.state\.0\.exp_avg of"):
            run.save_checkpoint(broken, step, phase, keep=1)
    found, damaged = run.load_checkpoint()
    assert found is not None and same(found, whole) and not damaged
    assert [path.name for path in checkpoint.folders(run.checkpoints)] == ["000000003"]


def test_what_a_kill_left_is_ignored_and_cleaned_up(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.save_checkpoint(state(3), 3, None, keep=2)
    folder = tmp_path / "checkpoints"
    shutil.copytree(folder / "000000003", folder / ".000000006.partial")
    (folder / ".000000006.partial" / "manifest.json").unlink()
    # Killed between the two renames of a step that is written again: put back.
    shutil.copytree(folder / "000000003", folder / ".000000004-mle.old")
    (tmp_path / ".run.json.99.partial").write_text("{")
    found, damaged = run.load_checkpoint()
    assert found is not None and found["number"] == 3 and not damaged
    run.remove_leftovers()
    assert sorted(path.name for path in folder.iterdir()) == ["000000003", "000000004-mle"]
    assert not list(tmp_path.glob(".*.partial"))


def test_a_failed_write_leaves_the_old_checkpoint_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.write(tmp_path / "c", state(3))

    def full(place: int, name: str, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_synced", full)
    with pytest.raises(OSError):
        checkpoint.write(tmp_path / "c", state(4))
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
    assert checkpoint.read(tmp_path / "c")["number"] == 3


def trainable(weight: float, moment: float) -> dict[str, Any]:
    """A state with two large parts, one of which is trained, and a small one."""
    moments = {"step": torch.tensor(3.0), "exp_avg": torch.full((600, 600), moment)}
    return {
        "algorithm": {
            "frozen": {"w": torch.ones(600, 600)},
            "trained": {"w": torch.full((600, 600), weight)},
            "small": {"w": torch.ones(2)},
            "optimiser": {"state": {0: moments}, "param_groups": [{"lr": 0.1, "params": [0]}]},
        },
        "batches": {"order": torch.arange(5)},
        "noise": torch.zeros(4, dtype=torch.uint8),
        "total": 3,
    }


def test_what_has_not_changed_is_on_the_disk_once(tmp_path: Path) -> None:
    """Parts of 1 MiB and more have files of their own, which the next checkpoint shares."""
    run = RunDir(tmp_path)
    run.save_checkpoint(trainable(1, 1), 3, "mle", keep=1)
    run.save_checkpoint(trainable(2, 1), 6, "adversarial", keep=1)
    first, second = checkpoint.folders(run.checkpoints)
    links = {file.name: file.stat().st_nlink for file in second.iterdir()}
    shared = {"tensors-00.safetensors", "tensors.safetensors", "training.safetensors"}
    assert {name for name, count in links.items() if count == 2} == {
        *shared,
        "training-03.safetensors",
    }
    assert "tensors-01.safetensors" in links
    for weight, folder in ((1, first), (2, second)):
        assert same(checkpoint.read(folder), trainable(weight, 1))
    # A damaged one is not shared on.
    (second / "tensors-00.safetensors").write_bytes(b"nonsense")
    run.save_checkpoint(trainable(2, 1), 9, None, keep=1)
    assert same(checkpoint.read(checkpoint.folders(run.checkpoints)[-1]), trainable(2, 1))


def test_a_slimmed_one_has_its_weights_and_digests_and_no_run_goes_on_from_it(
    tmp_path: Path,
) -> None:
    run = RunDir(tmp_path)
    run.save_checkpoint(trainable(1, 5), 3, "mle", keep=1)
    run.save_checkpoint(trainable(2, 6), 6, "adversarial", keep=1)
    [end] = slimming.old_ends(run.checkpoints)
    before, frees = run.stored_checkpoint("mle"), slimming.freed(run.checkpoints, end)
    slimming.slim(run.checkpoints, end)
    slimming.slim(run.checkpoints, end)  # again: nothing more
    after = run.stored_checkpoint("mle")
    assert frees > 600 * 600 * 4 and slimming.freed(run.checkpoints, end) == 0
    assert (after.digest, after.whole) == (before.digest, before.whole)
    assert not list(end.glob("training*"))
    model = run.checkpoint("mle", moments=False).model
    assert torch.equal(model["algorithm"]["trained"]["w"], torch.ones(600, 600))
    found, damaged = run.load_checkpoint("mle")
    assert found is None and "slimmed to its weights" in damaged[0]
    assert run.load_checkpoint()[1] == []


def test_one_of_an_older_format_is_slimmed_and_known_by_its_old_digests(tmp_path: Path) -> None:
    """Which had weights and moments in one file, and whose manifest had the files' names alone."""
    run, tensors = RunDir(tmp_path), dict[str, Tensor]()
    tree = state_tree.flatten(trainable(1, 5), tensors)
    for step in ("000000003-mle", "000000006-adversarial"):
        folder = run.checkpoints / step
        folder.mkdir(parents=True)
        save_file(tensors, folder / "tensors.safetensors")
        (folder / "state.json").write_text(json.dumps(tree))
        names = ("tensors.safetensors", "state.json")
        sums = {one: hashlib.sha256((folder / one).read_bytes()).hexdigest() for one in names}
        (folder / "manifest.json").write_text(json.dumps(sums))
    assert same(checkpoint.read(folder), trainable(1, 5))
    before = run.stored_checkpoint("mle")
    assert before.digest == sums["tensors.safetensors"]
    slimming.slim(run.checkpoints, run.checkpoints / "000000003-mle")
    after = run.stored_checkpoint("mle")
    assert (after.digest, after.whole) == (before.digest, before.whole)
    assert len(after.files["tensors.safetensors"]) < len(before.files["tensors.safetensors"])
    model = run.checkpoint("mle", moments=False).model
    assert torch.equal(model["algorithm"]["frozen"]["w"], torch.ones(600, 600))
