"""Kept networks: trained once, again when damaged, by one process of several; done without."""

import multiprocessing
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from gantext.inference.judges.cache import cache_name, cached_weights
from gantext.nn.state import weights_hash


class Training:
    """Counts how often it is called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, Any]:
        self.calls += 1
        return {"weights": {"a": torch.arange(3.0)}, "accuracy": 1 / 3}


def test_trained_once_and_read_back_exactly(tmp_path: Path) -> None:
    train = Training()
    first = cached_weights(tmp_path / "new" / "one", train)
    second = cached_weights(tmp_path / "new" / "one", train)
    assert train.calls == 1
    assert torch.equal(first["weights"]["a"], second["weights"]["a"])
    assert first["accuracy"] == second["accuracy"] == 1 / 3
    cached_weights(tmp_path / "new" / "deeper" / "other", train)
    assert train.calls == 2


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_damaged_files_are_trained_again(tmp_path: Path, name: str, damage: str) -> None:
    train = Training()
    cached_weights(tmp_path / "one", train)
    file = tmp_path / "one" / name
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(content[:-3] if damage == "cut" else content[:-3] + b"\0\0\0")
    again = cached_weights(tmp_path / "one", train)
    assert train.calls == 2 and again["accuracy"] == 1 / 3
    assert cached_weights(tmp_path / "one", train) and train.calls == 2
    assert file.read_bytes() == content


def test_a_training_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail() -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_weights(tmp_path / "one", fail)
    assert not (tmp_path / "one").exists()
    assert cached_weights(tmp_path / "one", Training())["accuracy"] == 1 / 3


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    train = Training()
    for _ in range(2):
        assert cached_weights(tmp_path / "file" / "judges" / "one", train)["accuracy"] == 1 / 3
    assert train.calls == 2


def slowly(folder: Path, log: Path) -> None:
    def train() -> dict[str, Any]:
        with log.open("a") as file:
            file.write("trained\n")
        time.sleep(0.5)
        return {"accuracy": 1.0}

    assert cached_weights(folder, train) == {"accuracy": 1.0}


def test_of_several_processes_one_trains(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    arguments = (tmp_path / "one", tmp_path / "log")
    jobs = [fork.Process(target=slowly, args=arguments) for _ in range(3)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(30)
    assert [job.exitcode for job in jobs] == [0, 0, 0]
    assert (tmp_path / "log").read_text() == "trained\n"


def test_names_and_hashes_tell_apart() -> None:
    assert cache_name("cnn-1", "abc", 0) == cache_name("cnn-1", "abc", 0)
    assert len({cache_name("cnn-1", "abc", 0), cache_name("cnn-1", "abc", 1)}) == 2
    assert len(cache_name("cnn-1", "abc", 0)) == 16
    one, other = (
        {"a": torch.zeros(2), "b": torch.ones(1)},
        {"b": torch.ones(1), "a": torch.zeros(2)},
    )
    assert weights_hash(one) == weights_hash(other) and len(weights_hash(one)) == 8
    assert weights_hash({"a": torch.zeros(2), "b": torch.ones(1) * 1.0000001}) != weights_hash(one)
