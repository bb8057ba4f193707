"""What a command line names for reading may be a pipe: `<(cmd)`, /dev/stdin."""

import gzip
import os
from pathlib import Path

import pytest

from gantext.data import content
from tests.conftest import Command

SENTENCES = b"a red circle .\ntwo blue squares .\na red circle is above a square .\n"


def piped(data: bytes) -> str:
    """What a shell makes of `<(cmd)` where cmd writes this."""
    end, begin = os.pipe()
    os.write(begin, data)
    os.close(begin)
    return f"/dev/fd/{end}"


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_sentences_are_scored(cli: Command, trained: Path, tmp_path: Path, packed) -> None:
    (tmp_path / "a.txt").write_bytes(SENTENCES)
    plain = cli("score", str(trained), "a.txt")
    found = cli("score", str(trained), piped(packed(SENTENCES)))
    assert (found.code, found.out) == (0, plain.out) and "red circle" in found.out


def test_sentences_are_encoded_and_decoded(cli: Command, trained_vae: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(SENTENCES)
    plain = cli("reconstruct", str(trained_vae), "a.txt")
    found = cli("reconstruct", str(trained_vae), piped(SENTENCES))
    assert (found.code, found.out) == (0, plain.out) and "red circle" in found.out


def test_samples_and_references(cli: Command, tmp_path: Path) -> None:
    """Both are pipes, and each is read once for all scores."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes(SENTENCES)
    plain = cli("eval", "bleu", "--samples", "a.txt", "--references", "b.txt")
    pipes = "--samples", piped(SENTENCES), "--references", piped(SENTENCES)
    found = cli("eval", "bleu", *pipes)
    assert found.code == 0, found.err
    values = [line.split() for line in plain.out.splitlines() if "bleu-" in line]
    assert values == [line.split() for line in found.out.splitlines() if "bleu-" in line]


def test_no_more_of_a_pipe_is_read_than_of_a_file(
    cli: Command, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "SHARE", 1 << 60)
    found = cli("score", str(trained), piped(SENTENCES))
    assert found.code == 2 and len(found.errors) == 1 and "it holds more than 0 B" in found.err


def test_what_is_no_text(cli: Command, trained: Path) -> None:
    for path, why in {
        piped(b""): "the file is empty",
        "/dev/zero": "not a file or a pipe, but a device",
        piped(gzip.compress(SENTENCES)[:-9]): "damaged gzip file",
        piped(b"a\0" * 9 + bytes(9)): "a zero byte",
    }.items():
        found = cli("score", str(trained), path)
        assert (found.code, len(found.errors)) == (2, 1) and f"{path}: " in found.err
        assert why in found.err


def test_data_is_read_again_and_no_pipe(cli: Command, tmp_path: Path) -> None:
    found = cli("train", "data=text", f"data.train={piped(SENTENCES)}")
    assert found.code == 2 and found.errors[-1].endswith(
        "not a regular file, but a pipe or a device"
    )
    assert not list((tmp_path / "runs").iterdir())
