"""A terminal that is not UTF-8 gets replaced characters; nothing ends for the want of a letter."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Command

LINES = [f"数据 café {a} {b} 好 ." for a in "abcd" for b in "efgh"]


@contextmanager
def ascii_streams() -> Iterator[None]:
    """stdout and stderr as Python opens them where PYTHONIOENCODING is ascii."""
    with pytest.MonkeyPatch.context() as patch:
        names = ((1, "stdout"), (2, "stderr"))
        streams = {name: open(os.dup(n), "w", encoding="ascii") for n, name in names}
        for name, stream in streams.items():
            patch.setattr(sys, name, stream)
        yield
        for stream in streams.values():
            stream.close()


def test_training_and_all_that_prints_goes_through(
    cli: Command, shell: Command, tmp_path: Path, small_mle: list[str]
) -> None:
    (tmp_path / "x.txt").write_text("\n".join(LINES) + "\n")
    words = [word for word in small_mle if not word.startswith("data")]
    words += ["data=text", "data.train=x.txt", "model.mle.epochs=4", "eval.samples=2"]
    with ascii_streams():
        found = cli("train", *words, "name='é数'")
        assert found.code == 0, found.err
        assert "?" in found.out
        for more in ("data show text data.train=x.txt", "runs show", "runs list"):
            found = cli(*more.split())
            assert found.code == 0 and "?" in found.out, found.err
        written = json.loads(cli("sample", "-n", "20", "--json").out)["samples"]
    found = shell("runs", "list", PYTHONIOENCODING="ascii")  # in a process of its own
    assert found.code == 0 and "?" in found.out, found.err
    assert written == cli("sample", "-n", "20").out.splitlines()  # JSON needs no such letters
    assert cli("sample", "-n", "20", "--out", "-").out.splitlines() == written


def test_words_in_another_encoding_are_refused(cli: Command) -> None:
    latin = os.fsdecode(b"data.train=caf\xe9.txt")
    found = cli("data", "show", "text", latin)
    assert found.code == 2 and "caf?.txt: not in the encoding of this terminal" in found.err
