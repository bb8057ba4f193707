"""The kinds of files of data, each with a whole one and what a user's commands do with it."""

import bz2
import gzip
import importlib
import importlib.util
import io
import json
import lzma
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from gantext.data import coco_full, pictures, tables
from gantext.data.lines import read_lines
from gantext.data.mnist import read as read_idx
from gantext.data.mnist import read_labelled
from gantext.data.oracle.lstm import draw_parameters, parameter_shapes, read_parameters
from gantext.data.pictures.colour import Colour
from gantext.data.tables import Format
from gantext.evaluation.subjects import of_file
from tests.fuzz import mutation
from tests.fuzz.loader import Loader

PARQUET = importlib.util.find_spec("pyarrow") is not None
SHAPES = parameter_shapes(7, 3, 4)
TEXT = "a small red circle .\nzwei grüne Sterne <unk>\n\n" * 20
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
}
ROWS = {"text": ['a, "b"', "c d", "e"] * 9, "label": ["x", "y", "z"] * 9}


def place(folder: Path) -> None:
    """Put whole files of all kinds into a folder."""
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    (folder / "wide.txt").write_text(TEXT, encoding="utf-16")
    for name, packed in PACKED.items():
        (folder / f"text.{name}").write_bytes(packed(TEXT.encode()))
    arrays = draw_parameters(SHAPES, torch.Generator().manual_seed(0))
    np.savez(folder / "p.npz", **{name: array.numpy() for name, array in arrays.items()})
    idx = struct.pack(">HBBIII", 0, 8, 3, 2, 4, 4) + bytes(range(32))
    (folder / "idx.gz").write_bytes(gzip.compress(idx, mtime=0))
    (folder / "idx").write_bytes(idx)
    (folder / "idx-labels").write_bytes(struct.pack(">HBBI", 0, 8, 1, 2) + b"\3\4")
    _place_tables(folder)
    _place_pictures(folder / "own")


def _place_tables(folder: Path) -> None:
    (folder / "t.csv").write_text('text,label\n"a, b",x\n"c ""d""",y\n' * 9)
    (folder / "t.tsv").write_text("text\tlabel\na b\tx\nc d\ty\n" * 9)
    row = '{"text": "a b", "label": "x"}\n{"text": "c", "label": 2}\n'
    (folder / "t.jsonl").write_text(row * 9)
    captions = [{"image_id": n, "id": n, "caption": f"a dog\n runs {n}"} for n in range(9)]
    coco = {"info": {"year": 2014}, "images": [{"id": 9}], "annotations": captions}
    (folder / "coco.json").write_text(json.dumps(coco))
    if PARQUET:
        pyarrow = importlib.import_module("pyarrow")
        writer = importlib.import_module("pyarrow.parquet")
        writer.write_table(pyarrow.table(ROWS), folder / "t.parquet")


def _place_pictures(folder: Path) -> None:
    folder.mkdir()
    pixels = np.arange(3 * 144, dtype=np.uint8).reshape(12, 12, 3)
    for number, ending in enumerate(("png", "jpg", "png", "jpg")):
        picture = io.BytesIO()
        kind = "PNG" if ending == "png" else "JPEG"
        Image.fromarray(pixels + np.uint8(number)).save(picture, kind)
        (folder / f"{number}.{ending}").write_bytes(picture.getvalue())
    captions = "".join(f'{n}.{e},"a bird, {n}"\n' for n, e in enumerate(("png", "jpg") * 2))
    (folder / "captions.csv").write_text("file,caption\n" + captions)


def _lines(path: Path) -> None:
    read_lines(path, [])


def _table(kind: Format) -> Callable[[Path], object]:
    return lambda path: tables.select(tables.read_table(path, kind, []), "text", "label", [])


def _published(path: Path) -> None:
    """As `gantext eval --samples FILE` takes what others have published."""
    subject = of_file(path)
    sentences, _ = subject.source()
    assert len(sentences) == subject.size


def _labelled(path: Path) -> None:
    read_labelled(path.with_name("idx"), path.with_name("idx-labels"))


def _pictures(path: Path) -> None:
    cfg = pictures.Config(
        name="pictures",
        folder=str(path.parent),
        size=8,
        colour=Colour.auto,
        validation_size=0,
        test_size=1,
        seed=0,
        tokenizer="nltk",
        lowercase=True,
        min_count=1,
        max_length=50,
    )
    gallery = pictures.load_pictures(cfg)
    assert len(gallery.train) and gallery.hash


FILES = [
    Loader("text", "text.txt", _lines),
    Loader("text of UTF-16", "wide.txt", _lines),
    *(Loader(f"text packed as {name}", f"text.{name}", _lines) for name in PACKED),
    Loader("published samples", "text.txt", _published),
    Loader("csv", "t.csv", _table(Format.csv)),
    Loader("tsv", "t.tsv", _table(Format.tsv)),
    Loader("jsonl", "t.jsonl", _table(Format.jsonl), mutation.of_rows),
    *([Loader("parquet", "t.parquet", _table(Format.parquet))] if PARQUET else []),
    Loader(
        "captions of MS-COCO",
        "coco.json",
        lambda path: coco_full.read_captions(path, [], 2**20),
        mutation.of_json,
    ),
    Loader("npz", "p.npz", lambda path: read_parameters(path, SHAPES)),
    Loader("IDX, packed", "idx.gz", lambda path: read_idx(path, 3)),
    Loader("IDX", "idx", _labelled),
    Loader("IDX of labels", "idx-labels", _labelled),
    Loader("own PNG", "own/0.png", _pictures),
    Loader("own JPEG", "own/1.jpg", _pictures),
    Loader("captions of own", "own/captions.csv", _pictures),
]
