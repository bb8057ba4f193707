"""Samples that are written some at a time."""

from pathlib import Path
from typing import Any

import pytest

from gantext.inference import sampling
from tests.conftest import Command


def test_what_is_written_in_parts_is_what_is_drawn_at_once(
    cli: Command, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "ROWS", 3)
    at_once = cli("sample", str(trained), "-n", "7", "--json", "--out", "once.txt")
    shown = cli("sample", str(trained), "-n", "7").out
    written = cli("sample", str(trained), "-n", "7", "--out", "parts.txt")
    assert (at_once.code, written.code) == (0, 0) and shown.count("\n") == 7
    assert Path("once.txt").read_text() == Path("parts.txt").read_text() == shown
    assert written.err.startswith("7 sentences of ")


def test_a_sample_that_fails_on_its_way_leaves_the_file_that_was_there(
    cli: Command, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "ROWS", 3)
    checked: list[Any] = []

    def broken(tokens: Any) -> None:
        checked.append(tokens)
        if len(checked) == 2:
            raise sampling.LogitsNotFinite("its logits are not finite")

    monkeypatch.setattr(sampling, "check_drawn", broken)
    Path("s.txt").write_text("old\n")
    found = cli("sample", str(trained), "-n", "7", "--out", "s.txt")
    assert found.code == 2 and found.errors[-1].endswith("its logits are not finite")
    assert [path.name for path in Path().iterdir() if path.is_file()] == ["s.txt"]
    assert Path("s.txt").read_text() == "old\n"
