"""Samples that are written some at a time."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD
from gantext.inference import sampling, token_parts
from gantext.inference.request import SamplingRequest
from gantext.nn.text.sampling import SamplingOptions
from tests.conftest import Command


@pytest.fixture
def in_threes(trained: Path, tmp_path: Path) -> Path:
    """A run of which three sentences are drawn at a time."""
    run = tmp_path / "runs" / "threes"
    shutil.copytree(trained, run)
    written = (run / "config.yaml").read_text()
    head, scored = re.split(r"(?m)^(?=eval:)", written)
    scored, times = re.subn(r"(?m)^  batch_size: \d+$", "  batch_size: 3", scored)
    assert times == 1
    (run / "config.yaml").write_text(head + scored)
    return run


def test_by_default_all_words_are_drawn_at_temperature_1() -> None:
    assert SamplingRequest(3).options == SamplingOptions() and SamplingRequest(3).seed == 0


def test_what_is_written_in_parts_is_what_is_drawn_at_once(cli: Command, in_threes: Path) -> None:
    at_once = cli("sample", str(in_threes), "-n", "7", "--json", "--out", "once.txt")
    shown = cli("sample", str(in_threes), "-n", "7").out
    written = cli("sample", str(in_threes), "-n", "7", "--out", "parts.txt")
    assert (at_once.code, written.code) == (0, 0) and shown.count("\n") == 7
    assert Path("once.txt").read_text() == Path("parts.txt").read_text() == shown
    assert written.err.startswith("7 sentences of ")


def test_a_sample_that_fails_on_its_way_leaves_the_file_that_was_there(
    cli: Command, in_threes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[Any] = []

    def broken(tokens: Any) -> None:
        checked.append(tokens)
        if len(checked) == 2:
            raise sampling.LogitsNotFinite("its logits are not finite")

    monkeypatch.setattr(token_parts, "check_drawn", broken)
    Path("s.txt").write_text("old\n")
    found = cli("sample", str(in_threes), "-n", "7", "--out", "s.txt")
    assert found.code == 2 and found.errors[-1].endswith("its logits are not finite")
    assert [path.name for path in Path().iterdir() if path.is_file()] == ["s.txt"]
    assert Path("s.txt").read_text() == "old\n"


def test_candidates_that_could_not_be_drawn_are_looked_at_before_one_is_kept() -> None:
    """Also those that would not be."""
    asked: list[int] = []

    def drawn(n: int) -> torch.Tensor:
        asked.append(n)
        return torch.tensor([[5, EOS, PAD]] * (n - 1) + [broken])

    keeping: Any = SimpleNamespace(count=3, keep=lambda tokens, rng: tokens[::3])
    sample, broken = sampling._chosen(keeping, drawn, 1), [5, PAD, 6]
    with pytest.raises(sampling.LogitsNotFinite, match="at word 2"):
        sample(2)
    broken = [5, 6, EOS]
    assert sample(2).tolist() == [[5, EOS, PAD]] * 2 and asked == [6, 6]
