"""The tutorials, done as they stand: files written, commands typed, in an empty folder."""

import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gantext import plugins
from gantext.config import keys
from tests.conftest import ROOT, Command

TUTORIALS = sorted((ROOT / "docs/tutorials").glob("*.md"))
# A fenced block, and the path that stands alone above it, where it is a file.
BLOCK = re.compile(r"(?:^`(\S+)`\n\n)?^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, from which an installed package can be imported; forgotten afterwards."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    loaded = {*sys.modules}
    yield tmp_path
    for name in {*sys.modules} - loaded:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    forget()


def forget() -> None:
    """What was looked up before a package was installed is looked up again."""
    for kept in (plugins.installed, plugins.config_folders, keys.experiments):
        kept.cache_clear()


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `pip install .` leaves of a package in a folder that is imported from."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = [
        line
        for group, named in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {where}" for name, where in named.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(points))
    monkeypatch.syspath_prepend(str(folder))
    forget()


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_can_be_followed(
    page: Path, cli: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = 0
    for path, language, text in BLOCK.findall(page.read_text()):
        if path:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        elif language == "python":
            exec(compile(text, str(page), "exec"), {})
        else:
            assert language == "console", (page, language)
            for line in text.splitlines():
                typed += 1
                assert line.startswith("$ "), line
                follow(line[2:], cli, folder, monkeypatch)
    assert typed >= 5


def follow(line: str, cli: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what a line says; it has to go well, and to print something."""
    name, *words = shlex.split(line)
    if (name, words) == ("pip", ["install", "."]):
        return install(folder, monkeypatch)
    assert name == "gantext", line
    found = cli(*words)
    assert found.code == 0, (line, found.err)
    assert found.out.strip() or found.err.strip(), line
