"""gantext score: the numbers are the restored model's own, in the order of the file."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from gantext.config.settings import Device
from gantext.data.vocabulary import EOS
from gantext.runs.folder import RunDir
from gantext.runs.trained import restore
from tests.conftest import Command


@pytest.fixture(scope="module")
def sentences(trained: Path) -> list[str]:
    """Real sentences and samples of the tiny run that ended, of many lengths; no two are equal."""
    run = RunDir(trained)
    longest = run.info["max_length"] - 3
    samples = [x for x in run.samples("adversarial") if 0 < len(x.split()) < longest]
    return list(dict.fromkeys(["a red wheel.", "there is a blue tree.", *samples]))[:40]


def table(text: str) -> list[dict[str, str]]:
    head, *rows = [line.split("\t") for line in text.splitlines()]
    return [dict(zip(head, row, strict=True)) for row in rows]


def records(cli: Command, run: Path, file: Path, *words: str) -> list[dict[str, Any]]:
    found = cli("score", str(run), str(file), "--json", *words)
    assert found.code == 0, found.err
    rows: list[dict[str, Any]] = json.loads(found.out)["sentences"]
    return rows


def test_scores_equal_the_restored_model_s(
    cli: Command, trained: Path, sentences: list[str], tmp_path: Path
) -> None:
    """Each sentence alone through the restored generator and discriminator."""
    file = tmp_path / "s.txt"
    file.write_text("\n".join(sentences))
    rows = table(cli("score", str(trained), "s.txt").out)
    assert [row["text"] for row in rows] == sentences
    assert [row["line"] for row in rows] == [str(i) for i in range(1, len(rows) + 1)]
    back = restore(RunDir(trained), Device.cpu)
    for row, sentence in zip(rows, sentences, strict=True):
        ids = back.vocabulary.encode(back.vocabulary.tokenize(sentence))
        tokens = torch.tensor([ids])
        with torch.no_grad():
            log_prob = back.algorithm.generator.token_log_prob(tokens).sum().item()
            real = back.algorithm.discriminator.logits(tokens).sigmoid().item()
        assert ids[-1] == EOS and row["tokens"] == str(len(ids))
        assert float(row["log_prob"]) == pytest.approx(log_prob, rel=1e-4)
        assert float(row["log_prob_per_token"]) == pytest.approx(log_prob / len(ids), rel=1e-4)
        assert float(row["real"]) == pytest.approx(real, rel=1e-4)
    assert len(rows) > 10 and len({row["real"] for row in rows}) > 10
    sign = json.loads(cli("score", str(trained), "s.txt", "--json").out)["signature"]
    assert (sign["file"], sign["unit"], sign["eos"]) == ("s.txt", "nats", True)
    assert sign["weights"] == back.digest[:8] and sign["data"] == back.run.info["data"]


def test_the_order_of_lines_is_kept_and_does_not_matter(
    cli: Command, trained: Path, sentences: list[str], tmp_path: Path
) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt.gz"
    one.write_text("\n".join(sentences))
    two.write_bytes(gzip.compress("\n".join([*reversed(sentences), "", ""]).encode()))
    forward, backward = records(cli, trained, one), records(cli, trained, two)
    assert [row["text"] for row in backward] == sentences[::-1]
    for a, b in zip(forward, reversed(backward), strict=True):
        for name in ("log_prob", "log_prob_per_token", "real"):
            assert a[name] == pytest.approx(b[name], rel=1e-5)


def test_odd_lines(cli: Command, trained: Path, tmp_path: Path) -> None:
    """Blank: left out, but counted; unknown words: read as <unk>; too long: no scores."""
    width = RunDir(trained).info["max_length"]
    lines = ["a xylophone\tQUUX .\r", "   ", "a " * width, "a " * (width - 1)]
    (tmp_path / "odd.txt").write_text("\n".join(lines) + "\n")
    found = cli("score", str(trained), "odd.txt", "--out", "scores.tsv")
    assert found.code == 0 and found.out == ""
    rows = table((tmp_path / "scores.tsv").read_text())
    assert [row["line"] for row in rows] == ["1", "3", "4"]
    assert rows[0]["text"] == "a xylophone QUUX ." and rows[0]["unknown"] == "2"
    assert rows[1]["tokens"] == str(width + 1)
    assert rows[1]["log_prob"] == rows[1]["log_prob_per_token"] == rows[1]["real"] == ""
    assert float(rows[2]["log_prob"]) < 0 < float(rows[2]["real"]) < 1
    words = 4 + width + width - 1
    assert f"2 of {words} tokens" in found.err and "1 blank lines skipped" in found.err
    assert f"1 of 3 sentences are not scored: the run takes at most the {width} tokens" in found.err
    assert "3 sentences scored by run in scores.tsv" in found.err
    null = records(cli, trained, tmp_path / "odd.txt")[1]
    assert null["log_prob"] is None and null["real"] is None


def test_only_long_sentences(cli: Command, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("a " * 99)
    (row,) = records(cli, trained, tmp_path / "long.txt")
    assert row["log_prob"] is None and row["tokens"] == 100


def test_an_untrained_or_missing_discriminator_says_nothing(
    cli: Command, trained: Path, small_mle: list[str], tmp_path: Path
) -> None:
    (tmp_path / "s.txt").write_text("a red wheel .\n")
    found = cli("score", str(trained), "s.txt", "--phase", "mle")
    assert "real" not in table(found.out)[0]
    assert "the discriminator is not trained yet" in found.err
    (row,) = records(cli, trained, tmp_path / "s.txt", "--phase", "discriminator")
    assert 0 < row["real"] < 1
    assert cli("train", *small_mle, "name=lm").code == 0
    found = cli("score", "lm", "s.txt")
    (only,) = table(found.out)
    assert list(only) == ["line", "tokens", "unknown", "log_prob", "log_prob_per_token", "text"]
    assert "discriminator" not in found.err


@pytest.mark.parametrize(
    ("content", "words", "said"),
    [
        (b"", ["s.txt"], "the file is empty"),
        (b" \n\n", ["s.txt"], "every line is blank"),
        (b"fine\n\xff\n", ["s.txt"], "line 2 is not UTF-8"),
        (b"fine\n", ["other.txt"], "other.txt: no such file"),
        (b"fine\n", ["s.txt", "--phase", "nope"], "no whole checkpoint of phase nope"),
        (b"fine\n", ["s.txt", "--out", "s.txt/x.tsv"], "cannot write"),
        (b"fine\n", ["."], "cannot read ."),
        (b"fine\n", [], "Missing argument 'file'"),
    ],
)
def test_bad_input_is_one_line(
    cli: Command, trained: Path, tmp_path: Path, content: bytes, words: list[str], said: str
) -> None:
    (tmp_path / "s.txt").write_bytes(content)
    found = cli("score", str(trained), *words)
    assert found.code == 2 and found.out == ""
    errors = [line for line in found.errors if line.startswith("error: ")]
    assert len(errors) == 1 and said in errors[0], found.err
    assert "Traceback" not in found.err


def test_a_run_that_is_not_there(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("fine\n")
    found = cli("score", "nowhere", "s.txt")
    assert found.code == 2 and found.err.startswith("error: no run at 'nowhere'")


def test_sentences_come_from_stdin(cli: Command, trained: Path, tmp_path: Path) -> None:
    text = "there is a red circle .\na green ring .\n"
    Path("a.txt").write_text(text)
    from_file = records(cli, trained, Path("a.txt"))
    ends, kept = os.pipe(), os.dup(0)
    os.write(ends[1], text.encode())
    os.close(ends[1])
    os.dup2(ends[0], 0)
    try:
        assert records(cli, trained, Path("-")) == from_file
    finally:
        os.dup2(kept, 0)
