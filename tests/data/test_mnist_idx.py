"""IDX files: what they hold, and every way in which they are refused."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gantext.data.mnist import read, read_labelled
from gantext.errors import UserError

# 2 pictures of 2 rows and 3 columns; written by hand, byte by byte.
HEADER = bytes.fromhex("00000803 00000002 00000002 00000003")
PICTURES = HEADER + bytes(range(100, 112))
LABELS = bytes.fromhex("00000801 00000002 07 01")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def refused(path: Path, content: bytes, dimensions: int = 3) -> str:
    """What is said of a file with this content, less its name, which comes first."""
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read(path, dimensions)
    message = str(caught.value)
    assert "\n" not in message and message.startswith(f"{path} ")
    return message.removeprefix(f"{path} ")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_plain_or_packed_whatever_its_name(path: Path, pack) -> None:
    """The last number runs fastest: row by row, and left to right within a row."""
    path.write_bytes(pack(PICTURES))
    pictures = read(path, 3)
    assert pictures.dtype == np.uint8
    assert pictures.tolist() == [
        [[100, 101, 102], [103, 104, 105]],
        [[106, 107, 108], [109, 110, 111]],
    ]
    path.write_bytes(pack(LABELS))
    assert read(path, 1).tolist() == [7, 1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not an IDX file: it begins with nothing, not with 00 00"),
        (b"\0\0\x08", "is not an IDX file: it begins with 00 00 08, not with 00 00"),
        (b"<!DOCTYPE html>", "is not an IDX file: it begins with 3c 21 44 4f, not with 00 00"),
        (b"\0\0\x0d" + PICTURES[3:], "holds numbers of type 0x0d, not unsigned bytes (0x08)"),
        (LABELS, "holds labels where pictures are needed"),
        (b"\0\0\x08\x04" + PICTURES[4:], "holds 4 dimensions where pictures are needed"),
        (PICTURES[:10], "is truncated: 10 bytes, fewer than its header's 16"),
        (
            PICTURES[:-1],
            "is truncated: 27 of 28 bytes (2 x 2 x 3 numbers and a header of 16 bytes)",
        ),
        (
            PICTURES + b"\0\0",
            "has 2 bytes too many for 2 x 2 x 3 numbers and a header of 16 bytes",
        ),
        (
            HEADER[:4] + bytes(4) + HEADER[8:],
            "is empty: 0 x 2 x 3 numbers and a header of 16 bytes",
        ),
        (
            HEADER[:4] + b"\xff" * 12,
            "is truncated: 16 of 79228162458924105385300197391 bytes "
            "(4294967295 x 4294967295 x 4294967295 numbers and a header of 16 bytes)",
        ),
        (
            gzip.compress(PICTURES, mtime=0)[:-9],
            "is a truncated or damaged gzip file: Compressed file ended before the "
            "end-of-stream marker was reached",
        ),
    ],
)
def test_refused(path: Path, content: bytes, said: str) -> None:
    """Pictures of 2^32 - 1 each way: (2^32 - 1)^3 + 16 bytes, which 64 bits could not hold."""
    assert refused(path, content) == said


def test_pictures_in_place_of_labels(path: Path) -> None:
    assert refused(path, PICTURES, 1) == "holds pictures where labels are needed"


def test_a_damaged_gzip_file(path: Path) -> None:
    packed = bytearray(gzip.compress(PICTURES, mtime=0))
    packed[-8] ^= 1  # the checksum
    assert refused(path, bytes(packed)).startswith("is a truncated or damaged gzip file: CRC")
    junk = gzip.compress(PICTURES, mtime=0) + b"junk"
    assert refused(path, junk).startswith("is a truncated or damaged gzip file: Not a gzipped")


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"cannot read {tmp_path}: Is a directory"):
        read(tmp_path, 3)


def test_one_label_for_each_picture(tmp_path: Path) -> None:
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.write_bytes(PICTURES)
    labels.write_bytes(LABELS)
    pictures, classes = read_labelled(images, labels)
    assert (pictures.shape, classes.tolist()) == ((2, 2, 3), [7, 1])
    labels.write_bytes(struct.pack(">HBBI3B", 0, 8, 1, 3, 7, 1, 0))
    with pytest.raises(UserError) as caught:
        read_labelled(images, labels)
    assert str(caught.value) == f"{labels} has 3 labels for the 2 pictures of {images}"


@given(data=st.data(), packed=st.booleans())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_cut_is_refused(path: Path, data: st.DataObject, packed: bool) -> None:
    whole = gzip.compress(PICTURES, mtime=0) if packed else PICTURES
    assert refused(path, whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.binary(max_size=40))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_other_content_is_one_line(path: Path, content: bytes) -> None:
    assert refused(path, b"\x1f\x8b" + content)
    assert refused(path, b"\0\0\x08\x03" + content[:11])
