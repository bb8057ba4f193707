"""A terminal that is not UTF-8 gets replaced characters; nothing ends for the want of a letter."""

import json
import os
from pathlib import Path

from tests.conftest import Command

LINES = [f"数据 café {a} {b} 好 ." for a in "abcd" for b in "efgh"]


def test_training_and_all_that_prints_goes_through(
    shell: Command, tmp_path: Path, small_mle: list[str]
) -> None:
    (tmp_path / "x.txt").write_text("\n".join(LINES) + "\n")
    words = [word for word in small_mle if not word.startswith("data")]
    words += ["data=text", "data.train=x.txt", "model.mle.epochs=4", "eval.samples=2"]
    change = {"PYTHONIOENCODING": "ascii"}
    found = shell("train", *words, "name='é数'", **change)
    assert found.code == 0, found.err
    assert "?" in found.out
    for more in (["data", "show", "text", "data.train=x.txt"], ["runs", "show"], ["runs", "list"]):
        found = shell(*more, **change)
        assert found.code == 0 and "?" in found.out, found.err
    written = json.loads(shell("sample", "-n", "20", "--json", **change).out)["samples"]
    assert written == shell("sample", "-n", "20").out.splitlines()  # JSON needs no such letters
    assert shell("sample", "-n", "20", "--out", "-").out.splitlines() == written


def test_words_in_another_encoding_are_refused(cli: Command) -> None:
    latin = os.fsdecode(b"data.train=caf\xe9.txt")
    found = cli("data", "show", "text", latin)
    assert found.code == 2 and "caf?.txt: not in the encoding of this terminal" in found.err
