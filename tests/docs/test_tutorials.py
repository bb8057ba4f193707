"""The tutorials, done as they stand: files written, commands typed, in an empty folder."""

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import ROOT, Command
from tests.plugins.installation import add_metadata, importable

TUTORIALS = sorted((ROOT / "docs/tutorials").glob("*.md"))
# A fenced block, and the path that stands alone above it, where it is a file.
BLOCK = re.compile(r"(?:^`(\S+)`\n\n)?^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture
def installs() -> Iterator[ExitStack]:
    """Where a page installs a package; forgotten afterwards."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr(sys, "dont_write_bytecode", True)  # the page writes its files anew
        yield stack


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_can_be_followed(
    page: Path, cli: Command, tmp_path: Path, installs: ExitStack
) -> None:
    typed = 0
    for path, language, text in BLOCK.findall(page.read_text()):
        if path:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        elif language == "python":
            exec(compile(text, str(page), "exec"), {})
        else:
            assert language == "console", (page, language)
            for line in text.splitlines():
                typed += 1
                assert line.startswith("$ "), line
                follow(line[2:], cli, tmp_path, installs)
    assert typed >= 5


def follow(line: str, cli: Command, folder: Path, installs: ExitStack) -> None:
    """Do what a line says; it has to go well, and to print something."""
    name, *words = shlex.split(line)
    if (name, words) == ("pip", ["install", "."]):
        add_metadata(folder, (folder / "pyproject.toml").read_text())
        installs.enter_context(importable(folder))
        return
    assert name == "gantext", line
    found = cli(*words)
    assert found.code == 0, (line, found.err)
    assert found.out.strip() or found.err.strip(), line
