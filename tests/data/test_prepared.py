"""Corpora that are kept: the same as prepared anew, and never believed when they are damaged."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gantext.data import prepared, text
from gantext.data.batches import Batches
from gantext.data.corpus import Corpus
from gantext.data.text import Config
from tests.conftest import environment
from tests.data.test_text import config

LINES = "".join(
    f"{word} {'x ' * (row % 4)}wheel.\n" for row, word in enumerate(["a", "b", "ç"] * 9)
)


@pytest.fixture
def cfg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """The settings of a file that is kept, small as it is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(prepared, "LEAST", 1)
    (tmp_path / "a.txt").write_text(LINES)
    return dataclasses.replace(config(str(tmp_path / "a.txt")), validation=2)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """The settings for which a corpus was prepared, one after the other."""
    asked: list[Config] = []
    prepare = text._prepare
    monkeypatch.setattr(text, "_prepare", lambda cfg: asked.append(cfg) or prepare(cfg))
    return asked


def kept(cfg: Config) -> list[Path]:
    return sorted((Path(os.environ["XDG_CACHE_HOME"]) / "gantext" / "corpora").glob("*"))


def assert_same(one: Corpus, other: Corpus) -> None:
    assert dataclasses.replace(one, train=None, validation=None, test=None) == dataclasses.replace(
        other, train=None, validation=None, test=None
    )
    for name in ("train", "validation", "test"):
        ours, theirs = getattr(one, name), getattr(other, name)
        assert list(ours.text) == list(theirs.text)
        assert torch.equal(ours.tokens.padded(), theirs.tokens.padded())
        assert (ours.labels is None) == (theirs.labels is None)
        assert ours.labels is None or (ours.labels == theirs.labels).all()


def test_a_corpus_is_prepared_once(cfg: Config, made: list[Config]) -> None:
    first, again = text.load(cfg), text.load(cfg)
    assert made == [cfg] and len(kept(cfg)) == 1
    assert_same(first, again)
    batches = [Batches(corpus.train, 3) for corpus in (first, again)]
    for _ in range(9):
        one, other = (each.next(4) for each in batches)
        assert torch.equal(one, other) and one.dtype == torch.int64


def test_what_is_kept_is_never_changed(cfg: Config) -> None:
    text.load(cfg)
    corpus = text.load(cfg)
    corpus.train.batch(torch.arange(3)).zero_()
    assert corpus.train.tokens.values.min() > 0
    with pytest.raises(ValueError, match="read-only"):
        corpus.train.tokens.values[0] = 1


def test_classes_and_odd_letters_are_kept(cfg: Config, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"t": "a \\ud800 b", "l": 2}\n{"t": "b", "l": 1}\n{"t": "c", "l": 2}\n' * 4)
    table = dataclasses.replace(cfg, train=str(path), column="t", label_column="l", validation=0)
    assert_same(text.load(table), text.load(table))
    assert len(text.load(table).validation) == 0


def test_files_and_settings_decide(cfg: Config, made: list[Config], tmp_path: Path) -> None:
    text.load(cfg)
    text.load(dataclasses.replace(cfg, max_length=3))
    (tmp_path / "a.txt").write_text(LINES.replace("b", "d"))
    found = text.load(cfg)
    assert len(made) == len(kept(cfg)) == 3
    assert "d" in found.vocabulary and "b" not in found.vocabulary


@pytest.mark.parametrize("damage", ["cut", "changed", "foreign", "empty", "folder", "other"])
def test_what_is_damaged_is_prepared_anew(cfg: Config, made: list[Config], damage: str) -> None:
    """A byte less, a byte that differs, another file, nothing, a folder; and one of other facts."""
    first = text.load(cfg)
    (path,) = kept(cfg)
    whole = path.read_bytes()
    if damage == "folder":
        path.unlink()
        path.mkdir()
    elif damage == "other":
        prepared.FILE.write(path, prepared.Facts(name="x"), {})
    else:
        changed = {
            "cut": whole[:-1],
            "changed": whole[:900] + bytes([whole[900] ^ 1]) + whole[901:],
            "foreign": b"sentences\n" * 99,
            "empty": b"",
        }
        path.write_bytes(changed[damage])
    again = text.load(cfg)
    assert len(made) == 2
    assert_same(first, dataclasses.replace(again, notes=first.notes))
    if damage == "folder":
        assert "is not kept in" in again.notes[-1]
    else:
        assert path.read_bytes() == whole


def test_a_folder_that_cannot_be_written(cfg: Config, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder would be")
    found = text.load(cfg)
    assert "is not kept in" in found.notes[-1] and "prepared anew" in found.notes[-1]


def test_small_files_are_not_kept(
    cfg: Config, made: list[Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "LEAST", len(LINES.encode()) + 1)
    assert_same(text.load(cfg), text.load(cfg))
    assert len(made) == 2 and not kept(cfg)


def test_those_used_longest_ago_make_room(cfg: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room for two of the three: the first was used again, so the second goes."""
    one, two, three = (dataclasses.replace(cfg, split_seed=seed) for seed in (1, 2, 3))
    for place, each in enumerate((one, two)):
        text.load(each)
        for path in kept(cfg):
            os.utime(path, (place, place)) if path.stat().st_mtime > 9 else None
    size = kept(cfg)[0].stat().st_size
    monkeypatch.setattr(prepared, "ROOM", 2 * size + size // 2)
    text.load(one)
    text.load(three)
    names = {path.name for path in kept(cfg)}
    assert len(names) == 2
    for each in (one, three):
        assert f"{prepared._key(each, [Path(each.train)])}.arrays" in names


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        ("show text data.train=a.txt", {"torch", "nltk", "scipy"}),
        ("list", {"torch", "hydra", "PIL"}),
    ],
)
def test_data_is_shown_without_torch(words: str, absent: set[str], tmp_path: Path) -> None:
    """Not even before the corpus is kept: a corpus is numpy alone until a batch is made of it."""
    (tmp_path / "a.txt").write_text("isn't it (a) wheel?\nA wheel, it is.\n")
    command = (
        "import atexit, sys\natexit.register(lambda: print(*sys.modules))\n"
        "from gantext.cli import main\nmain()"
    )
    found = subprocess.run(
        [sys.executable, "-c", command, "data", *words.split()],
        capture_output=True,
        text=True,
        env=environment(XDG_CACHE_HOME=str(tmp_path)),
        cwd=tmp_path,
        check=False,
    )
    loaded = found.stdout.split()
    assert "gantext.data.catalogue" in loaded, found.stderr
    assert not absent & set(loaded)
