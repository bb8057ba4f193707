"""Files that are not what they say: read rightly, or refused in a line that says what they are."""

import bz2
import codecs
import gzip
import lzma
import sys
import tracemalloc
from pathlib import Path

import pytest

from gantext.data.content import read_text
from gantext.data.lines import is_blank, read_lines
from gantext.errors import UserError
from tests.conftest import Command

TEXT = "ein Käse\n数据 一\nthe end\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.txt"


def refused(path: Path, content: bytes) -> str:
    """What is said of a file with this content, less its name, which comes first."""
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_text(path, [])
    message = str(caught.value)
    assert "\n" not in message and message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.gz", "a.bz2", "a.xz", "a"])
def test_packed_under_any_name(tmp_path: Path, pack, name: str) -> None:
    (tmp_path / name).write_bytes(pack(TEXT.encode()))
    assert read_text(tmp_path / name, []) == TEXT


def test_zstd(path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="zstd is unpacked by pyarrow")
    packed = pyarrow.compress(TEXT.encode(), codec="zstd", asbytes=True)
    path.write_bytes(packed)
    assert read_text(path, []) == TEXT
    assert refused(path, packed[:-5]).startswith("damaged zstd file (")


def test_zstd_without_pyarrow_names_the_extra(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = refused(path, b"\x28\xb5\x2f\xfd rest")
    assert said == "packed with zstd, which needs pyarrow: pip install 'gantext[parquet]'"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_file_that_is_cut(path: Path, pack) -> None:
    assert refused(path, pack(TEXT.encode() * 9)[:-6]).startswith("damaged ")


def test_a_text_may_begin_as_bz2_does(path: Path) -> None:
    path.write_text("BZh was here\n")
    assert read_text(path, []) == "BZh was here\n"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
        ("utf-32-be", codecs.BOM_UTF32_BE),
    ],
)
@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("text", [TEXT, "数据\n训练\n", "plain\nwords\n"])
def test_wide_encodings_with_a_mark_and_without(
    path: Path, encoding: str, mark: bytes, marked: bool, text: str
) -> None:
    path.write_bytes(mark * marked + text.encode(encoding))
    notes: list[str] = []
    assert read_text(path, notes) == text
    assert bool(notes) == (encoding != "utf-8")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 rest", "this is a zip archive, not lines of text"),
        (b"%PDF-1.7", "this is a PDF document, not lines of text"),
        (b"PAR1 rest", "this is a Parquet file, not lines of text"),
        (b"good\nbad\0bad\n!", "line 2 holds a zero byte: this is not text"),
        (
            "caf\xe9\n".encode("cp1252"),
            "line 1 is not UTF-8 text (byte e9): convert the file, e.g. iconv -f ENCODING -t UTF-8",
        ),
        (
            codecs.BOM_UTF16_LE + b"a\0\0\xd8",
            "line 1 is not UTF-16 text (byte 00): convert the "
            "file, e.g. iconv -f ENCODING -t UTF-8",
        ),
        (b"", "the file is empty"),
    ],
)
def test_refused(path: Path, content: bytes, said: str) -> None:
    assert refused(path, content) == said


@pytest.mark.parametrize("end", ["\r", "\r\n", "\r\r\n", "\n"])
def test_line_ends_of_all_times(path: Path, end: str) -> None:
    path.write_bytes(f"one{end}two words{end}three".encode())
    notes: list[str] = []
    assert read_lines(path, notes) == ["one", "two words", "three"]
    old = [f"{path}: 2 carriage returns alone were read as line ends"]
    assert notes == (old if end == "\r" else [])


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_many_line_ends_take_little_memory(path: Path, end: str) -> None:
    path.write_bytes(end.encode() * 200_000 + b"x")
    tracemalloc.start()
    assert read_lines(path, [])[-1] == "x"
    assert tracemalloc.get_traced_memory()[1] < 60e6
    tracemalloc.stop()


def test_lines_of_invisible_characters_are_blank(path: Path) -> None:
    unseen = ["\u200b", "\u200b \ufeff", "\u2800\u2800", "\u3164", "\x07", "\u00ad", "\u2028"]
    assert all(map(is_blank, ["", " \t", *unseen]))
    assert not any(map(is_blank, ["a", "\u200ba", "。", "́"]))
    path.write_text("\n".join(["a", *unseen, "", "b\u200bc"]))
    notes: list[str] = []
    assert [line for line in read_lines(path, notes) if line] == ["a", "b\u200bc"]
    assert notes == [f"{path}: 8 blank lines skipped (6 of them invisible characters)"]


# Through the command line


def facts(cli: Command, *words: str) -> str:
    shown = cli("data", "show", "text", "data.tokenizer=whitespace", *words)
    assert shown.code == 0, shown.err
    return shown.out


def test_sentences_in_train_and_test_are_counted(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a b\nb c\nc d\n")
    (tmp_path / "b.txt").write_text("b c\nd d\n")
    out = facts(cli, "data.train=a.txt", "data.test=b.txt")
    assert "test: 1 of 2 sentences also stand in train" in out and "warning" not in out
    out = facts(cli, "data.train=a.txt", "data.test=a.txt")
    assert "warning: a.txt is both train and test" in out
    assert "warning: test: 3 of 3 sentences also stand in train" in out


def test_a_link_to_the_training_text_is_the_same_file(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a b\nb c\nc d\n")
    (tmp_path / "b.txt").symlink_to("a.txt")
    assert "b.txt is both train and test" in facts(cli, "data.train=a.txt", "data.test=b.txt")


def test_all_lines_equal_are_refused(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a b\n" * 300)
    found = cli("data", "show", "text", "data.train=a.txt")
    assert (found.code, found.errors) == (2, ["error: a.txt: all 300 sentences are the same"])


def test_a_packed_utf16_file_gives_the_corpus_of_the_plain_one(
    cli: Command, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "b.txt").write_bytes(gzip.compress(TEXT.replace("\n", "\r\n").encode("utf-16-le")))
    hashes = []
    for name in ("a.txt", "b.txt"):
        lines = facts(cli, f"data.train={name}").splitlines()
        hashes += [line.split()[-1] for line in lines if line.split()[:1] == ["hash"]]
    assert len(hashes) == 2 and hashes[0] == hashes[1]
