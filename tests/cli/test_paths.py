"""Files and folders by the names that people give them, without a thought for Hydra's grammar."""

import shlex
from pathlib import Path

import pytest

from gantext.runs.folder import RunDir
from tests.conftest import Command

LINES = [f"a {colour} {thing} stands ." for colour in ("red", "blue") for thing in "abcdefgh"]
NAMES = [
    "数据/训练.txt",
    "café.txt",
    "captions (1).txt",
    "it's.txt",
    "epoch=3.txt",
    "n#1.txt",
    "a,b.txt",
    "[draft].txt",
    "{x}.txt",
    "实验",
]


def written(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(LINES) + "\n")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_any_name_is_read_as_it_is(cli: Command, tmp_path: Path, name: str) -> None:
    written(tmp_path / name)
    found = cli("data", "show", "text", f"data.train={name}")
    assert found.code == 0, found.err
    assert "14 sentences" in found.out  # of 16, one in ten held out
    assert cli("train", "--dry-run", "data=text", f"data.train={name}").code == 0


def test_the_tilde_is_the_home_folder(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "my home"
    monkeypatch.setenv("HOME", str(home))
    written(home / "x.txt")
    assert cli("data", "show", "text", "data.train=~/x.txt").code == 0
    found = cli("train", "--dry-run", "data=text", "data.train=~/x.txt", "runs_dir=~/runs")
    assert f"runs_dir: {home}/runs" in " ".join(found.out.split())


def test_a_path_that_is_not_there_is_named(cli: Command) -> None:
    found = cli("data", "show", "text", "data.train=数据/训练 (1).txt")
    assert (found.code, found.errors) == (2, ["error: 数据/训练 (1).txt: no such file"])


@pytest.mark.parametrize("word", ["name=it's", "name=(1", "data.train=[é]", "name=a,é (x"])
def test_a_word_that_hydra_cannot_read_is_said_with_its_quotes(cli: Command, word: str) -> None:
    """What the error says can be pasted: the shell's words of it are read as the text."""
    found = cli("train", "--dry-run", "data=text", "data.train=x.txt", word)
    assert found.code == 2 and len(found.errors) == 1
    assert found.err.startswith(f"error: cannot read the overrides: {word}: ")
    (pasted,) = shlex.split(found.err.partition("if that is one text, write ")[2])
    again = cli("train", "--dry-run", "data=text", "data.train=x.txt", pasted)
    assert again.code == 0 and word.partition("=")[2] in again.out.replace("''", "'")


def test_a_sweep_over_files_of_any_name(cli: Command, tmp_path: Path, small_mle: list[str]) -> None:
    for name in ("é.txt", "n#1.txt"):
        written(tmp_path / name)
    words = [word for word in small_mle if not word.startswith("data")]
    words += ["data=text", "data.train=é.txt,n#1.txt", "model.mle.epochs=1", "eval.samples=2"]
    found = cli("train", "-m", *words, "hydra.sweep.dir=über/s")
    assert found.code == 0, found.err
    trained = [RunDir(tmp_path / "über" / "s" / job).settings.data.train for job in "01"]
    assert trained == [str(tmp_path / name) for name in ("é.txt", "n#1.txt")]
