"""A run's folder from a stranger: no command reads, writes, removes or fetches through it."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from tests.conftest import ROOT, Command

# What a resumed run writes or removes, and what commands read.
WRITTEN = (
    ".lock",
    "train.log",
    "metrics.jsonl",
    "run.json",
    "checkpoints",
    "samples",
    "scores",
    "result.json",
)
SECRET = "a private sentence"


def contents(folder: Path) -> dict[str, bytes | None]:
    """All that is in a folder, with what the files hold."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of the user's own, to which links lead."""
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.fixture
def stopped(trained: Path, tmp_path: Path) -> Path:
    """A run, in the words of its run.json stopped before its last phase ended."""
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    info = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**info, "status": "stopped"}))
    for folder in sorted((run / "checkpoints").iterdir())[-1:]:
        shutil.rmtree(folder)
    (run / "scores" / "phase-adversarial.json").unlink()
    return run


def lead_away(run: Path, name: str, own: Path) -> None:
    """Move a part of the run into the user's folder and put a link in its place."""
    place = own / name.replace("/", "-")
    shutil.move(run / name, place)
    (run / name).symlink_to(place)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_resume_writes_through_no_link(cli: Command, stopped: Path, own: Path, name: str) -> None:
    lead_away(stopped, name, own)
    before = contents(own)
    found = cli("train", "--resume", "run")
    assert found.code == 2 and len(found.errors) == 1, found.err
    assert f"{name} is a symbolic link" in found.err
    assert contents(own) == before and (stopped / name).is_symlink()


def test_events_and_looks_are_written_through_no_link(
    cli: Command, stopped: Path, own: Path
) -> None:
    text = (stopped / "config.yaml").read_text()
    assert "trackers: []" in text
    (stopped / "config.yaml").write_text(text.replace("trackers: []", "trackers: [tensorboard]"))
    (stopped / "tensorboard").symlink_to(own)
    found = cli("train", "--resume", "run")
    assert (found.code, contents(own)) == (2, {}) and "tensorboard is a symbolic link" in found.err


def test_an_old_checkpoint_that_is_a_link_is_not_removed(
    cli: Command, stopped: Path, own: Path
) -> None:
    (own / "photo.txt").write_text("mine")
    (stopped / "checkpoints" / "000000001").symlink_to(own)
    found = cli("train", "--resume", "run")
    assert found.code == 2 and "000000001 is a symbolic link" in found.err
    assert contents(own) == {"photo.txt": b"mine"}


def test_only_what_a_checkpoint_holds_is_removed(cli: Command, stopped: Path) -> None:
    """An old checkpoint's files go; what somebody put beside them stays, and so do its folder
    and folders that only look like leftovers.
    """
    old = stopped / "checkpoints" / "000000001"
    old.mkdir()
    (old / "state.json").write_text("{}")
    (old / "notes.txt").write_text("mine")
    odd = stopped / "checkpoints" / ".holiday.old"
    odd.mkdir()
    (odd / "photo.txt").write_text("mine")
    (stopped / ".notes.partial").mkdir()
    assert cli("train", "--resume", "run").code == 0
    assert contents(old) == {"notes.txt": b"mine"} and contents(odd) == {"photo.txt": b"mine"}
    assert (stopped / ".notes.partial").is_dir()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("config.yaml", ("runs", "show", "run")),
        ("run.json", ("sample", "run")),
        ("vocabulary.json", ("sample", "run")),
        ("checkpoints", ("sample", "run")),
        ("scores/phase-mle.json", ("runs", "show", "run")),
        ("metrics.jsonl", ("report", "run", "--temperatures", "none")),
        ("samples/adversarial.txt", ("train", "--resume", "run")),
        ("result.json", ("runs", "show", "run")),
    ],
)
def test_no_command_reads_through_a_link(
    cli: Command, stopped: Path, own: Path, tmp_path: Path, name: str, words: tuple[str, ...]
) -> None:
    (own / "letter.txt").write_text(f"{SECRET}\n")
    (stopped / name).unlink() if (stopped / name).is_file() else shutil.rmtree(stopped / name)
    (stopped / name).symlink_to(own / "letter.txt")
    found = cli(*words)
    assert found.code == 2 and SECRET not in found.out + found.err
    assert f"{name} is a symbolic link" in found.err
    assert not (tmp_path / "report.html").exists()


def test_a_pipe_in_a_run_does_not_hang(cli: Command, stopped: Path) -> None:
    (stopped / "metrics.jsonl").unlink()
    os.mkfifo(stopped / "metrics.jsonl")
    found = cli("train", "--resume", "run")
    assert found.code == 2 and "metrics.jsonl is neither a file nor a folder" in found.err


def test_the_run_itself_may_be_a_link(cli: Command, stopped: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.move(stopped, tmp_path / "elsewhere" / "run")
    stopped.symlink_to(tmp_path / "elsewhere" / "run")
    assert cli("train", "--resume", "run").code == 0
    assert cli("runs", "show", "run").code == 0


# What a config may fetch.
@pytest.fixture
def site() -> Iterator[tuple[str, list[str]]]:
    """The address of a server on this machine, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"fetched\n")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/x", asked
    server.shutdown()
    server.server_close()


def on_coco(run: Path, url: str, place: str, digest: str) -> None:
    """Let the run say that its data is COCO from this address, to be kept at this place."""
    settings = yaml.safe_load((run / "config.yaml").read_text())
    coco = yaml.safe_load((ROOT / "conf" / "data" / "coco.yaml").read_text())
    files = {"train": place, "train_url": url, "train_sha256": digest}
    settings["data"] = {**coco, **files, "test_url": url, "test_sha256": digest}
    (run / "config.yaml").write_text(yaml.safe_dump(settings))


@pytest.mark.parametrize(
    "words",
    [
        ("eval", "bleu", "run", "-n", "20"),
        ("eval", "likelihood", "run"),
        ("report", "run", "--temperatures", "none"),
        ("compare", "run", "run@mle"),
        ("data", "show", "coco", "data.test=a/b.txt"),
    ],
)
def test_no_reading_command_fetches(
    cli: Command,
    stopped: Path,
    tmp_path: Path,
    site: tuple[str, list[str]],
    words: tuple[str, ...],
) -> None:
    url, asked = site
    on_coco(stopped, url, "coco/image_coco.txt", hashlib.sha256(b"fetched\n").hexdigest())
    found = cli(*words)
    if words[0] == "compare":  # scores that need no data
        assert found.code == 0 and "unique" in found.out
    else:
        assert found.code == 2, found.out
        assert "gantext data get coco downloads it, or put the file by hand at" in found.err
    assert asked == [] and not (tmp_path / "cache" / "gantext" / "coco").exists()


@pytest.mark.parametrize("words", [("eval", "bleu", "run"), ("train", "--resume", "run")])
def test_no_config_chooses_where_a_file_is_kept(
    cli: Command,
    stopped: Path,
    own: Path,
    site: tuple[str, list[str]],
    words: tuple[str, ...],
) -> None:
    url, asked = site
    for place in (str(own / "x.txt"), "../own/x.txt"):
        on_coco(stopped, url, place, hashlib.sha256(b"fetched\n").hexdigest())
        found = cli(*words)
        assert found.code == 2 and "is no plain name of a file below" in found.err
    assert asked == [] and contents(own) == {}


# What reading commands write.
@pytest.mark.parametrize(
    "words",
    [
        ("runs", "list"),
        ("runs", "show", "run"),
        ("sample", "run", "-n", "2"),
        ("score", "run", "own/x.txt"),
        ("impute", "run", "a ___ ."),
        ("data", "list"),
        ("data", "show", "text", "data.train=own/x.txt"),
    ],
)
def test_reading_commands_write_nothing(
    cli: Command, stopped: Path, own: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (own / "x.txt").write_text("a red circle .\na blue square .\n")
    before = contents(tmp_path)
    found = cli(*words)
    assert found.code == 0, found.err
    assert contents(tmp_path) == before


def test_a_run_with_a_formulas_name(cli: Command, trained: Path, tmp_path: Path) -> None:
    """It can be named, by its path or by its name, and is text in a spreadsheet."""
    shutil.copytree(trained, tmp_path / "runs" / "=x")
    found = cli("compare", "runs/=x", "./=x@mle", "-n", "20", "--format", "csv")
    assert found.code == 0, found.err
    rows = [line.split(",") for line in found.out.splitlines()]
    assert {row[1] for row in rows[1:]} == {"'=x", "'=x@mle", "real"}
    assert cli("train", "--resume", "=x").code == 0
