"""MNIST from small hand-made files, from a server on this machine, and from the real ones."""

import gzip
import hashlib
import itertools
import os
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import yaml

from gantext import data
from gantext.config.compose import compose
from gantext.data.mnist import Config, Part, files, load_pictures
from gantext.errors import UserError

CONF = Path(__file__).parents[2] / "conf" / "data" / "mnist.yaml"
CONFIG = Config(
    name="mnist",
    split=Part.t10k,
    folder="mnist",
    url="http://127.0.0.1:1/",
    train_images_sha256="",
    train_labels_sha256="",
    t10k_images_sha256="",
    t10k_labels_sha256="",
    validation_size=3,
    test_size=5,
    seed=0,
)
SIZES = {"train": 30, "t10k": 20}


def write(folder: Path, part: str, count: int, *, side: int = 28, labels: bytes = b"") -> None:
    """Picture number i of a part: every pixel is i, more by 100 in t10k; its label is i mod 10."""
    first = 100 * (part == "t10k")
    pixels = np.repeat(np.arange(first, first + count, dtype=np.uint8), side * side).tobytes()
    images = struct.pack(">HBBIII", 0, 8, 3, count, side, side) + pixels
    classes = labels or bytes(i % 10 for i in range(count))
    header = struct.pack(">HBBI", 0, 8, 1, len(classes))
    (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(header + classes))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with small files, under $GANTEXT_DATA; an empty cache."""
    monkeypatch.setenv("GANTEXT_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    place = tmp_path / "mnist"
    place.mkdir()
    for part, count in SIZES.items():
        write(place, part, count)
    return place


def refused(cfg: Config) -> str:
    with pytest.raises(UserError) as caught:
        load_pictures(cfg)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_train_is_trained_on_and_t10k_is_the_test(folder: Path) -> None:
    """All of t10k, whatever test_size says; validation is held out of train."""
    found = load_pictures(replace(CONFIG, split=Part.train))
    assert [len(s) for s in (found.train, found.validation, found.test)] == [27, 3, 20]
    assert (found.channels, found.size, found.notes) == (1, 28, ())
    assert found.classes == tuple("0123456789")
    assert found.test.pictures[:, 0, 0, 0].tolist() == list(range(100, 120))
    assert sorted(np.r_[found.train.labels, found.validation.labels].tolist()) == sorted(
        i % 10 for i in range(30)
    )
    assert (found.train.pictures[:, 0, 27, 27] % 10 == found.train.labels).all()


def test_t10k_alone_never_trains_on_its_test_pictures(folder: Path) -> None:
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"):
        (folder / name).unlink()  # not asked for
    found = load_pictures(CONFIG)
    numbers = [s.pictures[:, 0, 0, 0].tolist() for s in (found.train, found.validation, found.test)]
    assert [len(n) for n in numbers] == [12, 3, 5]
    assert sorted(itertools.chain(*numbers)) == list(range(100, 120))
    assert (found.test.pictures[:, 0, 0, 0] % 10 == found.test.labels).all()
    assert found.notes == ("split=t10k: 5 of 20 pictures held out for test",)
    assert load_pictures(CONFIG).hash == found.hash != load_pictures(replace(CONFIG, seed=1)).hash


def test_sizes_that_leave_nothing(folder: Path) -> None:
    assert refused(replace(CONFIG, test_size=0)) == "data mnist: no test picture is left"
    assert "20 pictures are too few" in refused(replace(CONFIG, test_size=17))
    assert "30 pictures are too few" in refused(
        replace(CONFIG, split=Part.train, validation_size=30)
    )


def test_a_truncated_file(folder: Path) -> None:
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:50])
    assert refused(CONFIG).startswith(f"{path} is a truncated or damaged gzip file")


def test_images_and_labels_exchanged(folder: Path) -> None:
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes((folder / "t10k-labels-idx1-ubyte.gz").read_bytes())
    assert refused(CONFIG) == f"{path} holds labels where pictures are needed"


def test_labels_of_other_pictures(folder: Path) -> None:
    images = folder / "t10k-images-idx3-ubyte.gz"
    labels = folder / "t10k-labels-idx1-ubyte.gz"
    labels.write_bytes((folder / "train-labels-idx1-ubyte.gz").read_bytes())
    assert refused(CONFIG) == f"{labels} has 30 labels for the 20 pictures of {images}"


def test_pictures_of_another_size(folder: Path) -> None:
    write(folder, "t10k", 20, side=8)
    path = folder / "t10k-images-idx3-ubyte.gz"
    assert refused(CONFIG) == f"{path} has pictures of 8 x 8 pixels, not 28 x 28"


def test_a_label_that_is_no_digit(folder: Path) -> None:
    write(folder, "t10k", 20, labels=bytes([3, 9, 10, *range(10), *range(7)]))
    path = folder / "t10k-labels-idx1-ubyte.gz"
    assert refused(CONFIG) == f"{path}: label 3 of 20 is 10, not 0 to 9"


@pytest.mark.parametrize(
    "place",
    [
        "{part}-{kind}-idx{d}-ubyte",
        "{part}-{kind}.idx{d}-ubyte",
        "{part}-{kind}-idx{d}-ubyte/{part}-{kind}-idx{d}-ubyte",
        "{part}-{kind}-idx{d}-ubyte/{part}-{kind}.idx{d}-ubyte",
        "MNIST/raw/{part}-{kind}-idx{d}-ubyte",
        "MNIST/raw/{part}-{kind}-idx{d}-ubyte.gz",
    ],
)
def test_unpacked_as_others_leave_it(folder: Path, place: str) -> None:
    """The sha256 is of the packed files, so those under other names are not held to it."""
    config = replace(CONFIG, split=Part.train)
    packed = load_pictures(config)
    wrong = "0" * 64 if not place.endswith(".gz") else ""
    for part, (kind, d) in itertools.product(SIZES, (("images", 3), ("labels", 1))):
        path = folder / f"{part}-{kind}-idx{d}-ubyte.gz"
        content = path.read_bytes() if place.endswith(".gz") else gzip.decompress(path.read_bytes())
        path.unlink()
        (folder / place.format(part=part, kind=kind, d=d)).parent.mkdir(parents=True, exist_ok=True)
        (folder / place.format(part=part, kind=kind, d=d)).write_bytes(content)
    sums = replace(config, train_images_sha256=wrong, t10k_labels_sha256=wrong)
    assert load_pictures(sums).hash == packed.hash


def test_with_only_the_test_files_the_error_names_the_split(folder: Path) -> None:
    for kind in ("images-idx3", "labels-idx1"):
        (folder / f"train-{kind}-ubyte.gz").unlink()
    for url in ("", CONFIG.url):
        said = refused(replace(CONFIG, split=Part.train, url=url))
        assert said.endswith("; data.split=t10k trains on the test files, which are there")
    for path in folder.iterdir():
        path.unlink()
    assert "data.split=t10k" not in refused(replace(CONFIG, split=Part.train))


def test_another_file_in_its_place(folder: Path) -> None:
    path = folder / "t10k-labels-idx1-ubyte.gz"
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    known = replace(CONFIG, t10k_labels_sha256=right)
    assert len(load_pictures(known).test) == 5
    path.write_bytes(path.read_bytes()[:-1])
    assert refused(known).startswith(f"{path} is not the expected file: its sha256 is ")


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.mark.parametrize("slash", ["", "/"])
def test_downloaded_once(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slash: str
) -> None:
    monkeypatch.delenv("GANTEXT_DATA")
    place = tmp_path / "mnist"
    sums = {
        f"{part}_{kind}_sha256": hashlib.sha256(
            (place / f"{part}-{kind}-idx{d}-ubyte.gz").read_bytes()
        ).hexdigest()
        for part, (kind, d) in itertools.product(SIZES, (("images", 3), ("labels", 1)))
    }
    cfg = replace(CONFIG, split=Part.train, url=server + slash, **sums)
    data.fetch(cfg)
    found = load_pictures(cfg)
    cached = tmp_path / "cache" / "gantext" / "mnist"
    assert sorted(p.name for p in cached.iterdir()) == sorted(
        file.path.removeprefix("mnist/") for file in files(cfg)
    )
    assert load_pictures(replace(cfg, url="http://127.0.0.1:1")).hash == found.hash


def test_a_server_with_other_files(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real digests: the message says where to put the real file; nothing stays."""
    monkeypatch.delenv("GANTEXT_DATA")
    with pytest.raises(UserError) as caught:
        data.fetch(replace(shipped(), url=server))
    message = str(caught.value)
    cached = tmp_path / "cache" / "gantext" / "mnist"
    assert f"put the file by hand at {cached / 't10k-images-idx3-ubyte.gz'}" in message
    assert list(cached.iterdir()) == []


def shipped() -> Config:
    """The values of conf/data/mnist.yaml with split=t10k."""
    values = yaml.safe_load(CONF.read_text("utf-8"))
    return Config(**{**values, "split": Part.t10k})


def test_the_four_files() -> None:
    cfg = shipped()
    assert [file.path for file in files(cfg)] == [
        "mnist/t10k-images-idx3-ubyte.gz",
        "mnist/t10k-labels-idx1-ubyte.gz",
    ]
    assert [file.url.rsplit("/", 1)[1] for file in files(replace(cfg, split=Part.train))] == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ]
    digests = {file.sha256 for file in files(replace(cfg, split=Part.train))}
    assert [len(digest) for digest in digests] == [64] * 4
    assert {file.url for file in files(replace(cfg, url=""))} == {""}


def test_the_split_on_the_command_line() -> None:
    assert compose(["data=mnist"]).data.split is Part.train
    assert compose(["data=mnist", "data.split=t10k"]).data.split is Part.t10k
    with pytest.raises(UserError, match=r"data\.split: .*expected one of \[train, t10k\]"):
        compose(["data=mnist", "data.split=test"])


def test_real_pictures() -> None:
    """Known counts of the classes of t10k: 980 zeros, 1,135 ones, ... 1,009 nines."""
    if not os.environ.get("GANTEXT_DATA"):
        pytest.skip("GANTEXT_DATA is not set: no MNIST here")
    found = load_pictures(shipped())
    assert [len(s) for s in (found.train, found.validation, found.test)] == [8000, 0, 2000]
    counts = found.train.labels.bincount() + found.test.labels.bincount()
    assert counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    pixels = np.concatenate([found.train.pictures.numpy(), found.test.pictures.numpy()])
    assert pixels.mean() / 255 == pytest.approx(0.1325, abs=5e-4)
