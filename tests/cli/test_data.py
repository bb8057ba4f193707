"""Bad data through the real command: one clear line, exit code 2, nothing half-written."""

import gzip
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import Command

LINES = [f"the {a} {b} sits on the {c} ." for a in "abc" for b in "def" for c in "gh"]


@pytest.fixture
def words(small_mle: list[str]) -> list[str]:
    """A tiny run on a text of the user's."""
    return [*(w for w in small_mle if not w.startswith("data")), "data=text"]


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        (None, [], "no such file"),
        (b"", [], "the file is empty"),
        (b"good line\nbad \xff line\n", [], "line 2 is not UTF-8 text"),
        (b"\n \n\t\n", [], "no line is left after filtering (3 blank, 0 longer"),
        (
            b"one two three\nfour five six\n",
            ["data.max_length=2", "data.long=drop"],
            "no line is left after filtering (0 blank, 2 longer than max_length=2)",
        ),
        (b"only one sentence\n", [], "one sentence only; at least 2 are needed"),
        (b"a b\nc d\n", ["data.tokenizer=nonsense"], "nonsense"),
        (b"a b\nc d\n", ["data.min_count=9"], "leaves no word in the vocabulary"),
        (b"a b\nc d\n", ["data.test_share=1.5"], "data.test_share=1.5"),
        (b"a b\nc d\n", ["data.validation=9"], "data.validation=9"),
        (b"a b\nc d\n", ["data.max_length=-1"], "data.max_length=-1"),
        (b"a b\nc d\n", ["data.test=nowhere.txt"], "nowhere.txt: no such file"),
        (b"a b\nc d\n", ["data.train=parts/*.txt"], "no file fits"),
    ],
)
def test_bad_text(
    cli: Command,
    words: list[str],
    tmp_path: Path,
    content: bytes | None,
    more: list[str],
    said: str,
) -> None:
    if content is not None:
        (tmp_path / "x.txt").write_bytes(content)
    found = cli("train", *words, "data.train=x.txt", *more)
    assert found.code == 2, found.err
    assert said in found.errors[-1] and found.errors[-1].startswith("error: ")
    assert len(found.errors) == 1 and found.out == ""
    assert not list((tmp_path / "runs").glob("*"))
    shown = cli("data", "show", "text", "data.train=x.txt", *more)
    assert shown.code == 2 and len(shown.errors) == 1


def test_a_damaged_gzip_file(cli: Command, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "x.txt.gz").write_bytes(gzip.compress(b"a b c\n" * 100)[:30])
    found = cli("train", *words, "data.train=x.txt.gz")
    assert found.code == 2 and len(found.errors) == 1 and "damaged gzip file" in found.err


def test_what_was_cut_dropped_or_unknown_is_said(
    cli: Command, words: list[str], tmp_path: Path
) -> None:
    (tmp_path / "train.txt").write_text("\n".join([*LINES, "a " * 60, "", "b " * 70]))
    (tmp_path / "test.txt").write_text("quite other words\nnothing shared here\n")
    found = cli("train", *words, "data.train=train.txt", "data.test=test.txt", "name=r")
    assert found.code == 0, found.err
    assert "train: 2 lines longer than max_length=50 were cut" in found.err
    assert "1 blank lines skipped" in found.err
    assert "warning: the train and test sentences share no word" in found.err
    found = cli("train", *words, "data.train=train.txt", "data.long=drop", "name=s")
    assert "train: 2 lines longer than max_length=50 were dropped" in found.err


def test_the_runs_config_names_its_files_from_anywhere(
    cli: Command, words: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("\n".join(LINES))
    (tmp_path / "b.txt").write_text("\n".join(LINES))
    assert cli("train", *words, "data.train='a.txt:b.txt'", "name=r").code == 0
    text = (tmp_path / "runs/r/config.yaml").read_text()
    assert f"train: {tmp_path}/a.txt:{tmp_path}/b.txt\n" in text and "test: ''" in text


class Site(ThreadingHTTPServer):
    """A local web site with one file; `cut` announces more bytes than it sends."""

    def __init__(self, content: bytes, cut: bool = False) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                here = self.path == "/data.txt"
                self.send_response(200 if here else 404)
                self.send_header("Content-Length", str(len(content) + 100 * cut if here else 0))
                self.end_headers()
                self.wfile.write(content if here else b"")

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/data.txt"
        threading.Thread(target=self.serve_forever, daemon=True).start()


CONTENT = "\n".join(LINES).encode()


@pytest.fixture
def site() -> Iterator[Site]:
    found = Site(CONTENT)
    yield found
    found.shutdown()


def coco(url: str, digest: str) -> list[str]:
    files = [
        f"data.{part}_{key}={value}"
        for part in ("train", "test")
        for key, value in (("url", url), ("sha256", digest))
    ]
    return ["data=coco", *files, "data.validation=0"]


def test_a_download_is_kept_and_used_again(
    cli: Command, small_mle: list[str], site: Site, tmp_path: Path
) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    words = [w for w in small_mle if not w.startswith("data")] + coco(site.url, digest)
    found = cli("train", *words, "name=r")
    assert found.code == 0, found.err
    assert "downloading coco/image_coco.txt" in found.err
    kept = tmp_path / "cache" / "gantext" / "coco"
    assert (kept / "image_coco.txt").read_bytes() == CONTENT
    found = cli("data", "get", "coco", *coco("http://127.0.0.1:9/none", digest)[1:])
    assert found.code == 0 and found.out.splitlines()[0] == str(kept / "image_coco.txt")
    (kept / "image_coco.txt").write_bytes(CONTENT + b"x")
    found = cli("train", *words)
    assert found.code == 2 and "is not the expected file" in found.errors[-1]


@pytest.mark.parametrize("trouble", ["hash", "missing", "refused", "cut", "no url"])
def test_a_download_that_fails_leaves_nothing(
    cli: Command, small_mle: list[str], site: Site, tmp_path: Path, trouble: str
) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    url = {
        "hash": site.url,
        "missing": site.url + "x",
        "refused": "http://127.0.0.1:9/data.txt",
        "cut": Site(CONTENT, cut=True).url,
        "no url": "nonsense",
    }[trouble]
    words = [w for w in small_mle if not w.startswith("data")]
    words += coco(url, "0" * 64 if trouble == "hash" else digest)
    found = cli("train", *words)
    assert found.code == 2 and found.out == ""
    errors = [line for line in found.errors if not line.startswith("downloading")]
    assert len(errors) == 1, found.err
    assert errors[0].startswith(f"error: download of {url} failed (")
    target = tmp_path / "cache/gantext/coco/image_coco.txt"
    assert f"put the file by hand at {target} (sha256 " in errors[0]
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert not list((tmp_path / "runs").iterdir())
