"""A user's own pictures: what a folder may hold, and how a file becomes a square."""

import io
import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gantext import data
from gantext.data.pictures import Config, absolute, load_pictures
from gantext.data.pictures.colour import Colour
from gantext.data.pictures.squares import MOST_PIXELS, check_memory, read_picture, read_squares
from gantext.errors import UserError

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (90, 90, 90)


def config(folder: Path, **values: object) -> Config:
    plain = Config("pictures", str(folder), 4, Colour.auto, 0, 0, 0, "nltk", True, 1, 50)
    return replace(plain, **values)


def save(path: Path, colour: tuple[int, ...] = RED, size: tuple[int, int] = (6, 4)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def colour_of(path: Path) -> tuple[int, ...]:
    """The one colour of a picture's square, (R, G, B)."""
    pixels = np.asarray(read_picture(path, "RGB")).reshape(-1, 3)
    assert (pixels == pixels[0]).all()
    return tuple(int(value) for value in pixels[0])


# The folder


def test_names_are_read_whatever_they_are_and_in_their_order(tmp_path: Path) -> None:
    """10 pictures, number i of the grey 10 * i: 9 to train on and a tenth to test."""
    names = [f"{i} é ({i}).{end}" for i, end in enumerate(("PNG", "png", "JPG", "jpeg", "Jpg") * 2)]
    for i, name in reversed(list(enumerate(names))):
        save(tmp_path / name, (10 * i,) * 3)
    found = load_pictures(config(tmp_path))
    assert (found.channels, found.size, found.classes) == (1, 4, ())
    values = [part.pictures[:, 0, 0, 0].tolist() for part in (found.train, found.test)]
    assert sorted(values[0] + values[1]) == [10 * i for i in range(10)]
    assert values[0] == sorted(values[0]) and len(values[1]) == 1
    assert found.notes == ("1 of 10 pictures held out for test",)
    assert load_pictures(config(tmp_path)).hash == found.hash
    save(tmp_path / names[3], (31,) * 3)
    assert load_pictures(config(tmp_path)).hash != found.hash


def test_sub_folders_are_classes(tmp_path: Path) -> None:
    for i in range(4):
        save(tmp_path / "red" / f"{i}.png", RED)
        save(tmp_path / "blue" / "deeper" / f"{i}.png", BLUE)
    found = load_pictures(config(tmp_path, test_size=2, validation_size=2))
    assert found.classes == ("blue", "red") and found.channels == 3
    for part in (found.train, found.validation, found.test):
        assert [0 if p[2, 0, 0] == 255 else 1 for p in part.pictures] == part.labels.tolist()
    save(tmp_path / "x.png")
    with pytest.raises(UserError, match=r"1 pictures, as x.png, lie beside .* blue, red"):
        load_pictures(config(tmp_path))


def test_one_sub_folder_is_no_class(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path / "all" / f"{i}.png")
    found = load_pictures(config(tmp_path))
    assert found.classes == () and found.notes[0] == "one sub-folder only, all: no classes"


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    save(outside)
    folder = tmp_path / "folder"
    for i in range(3):
        save(folder / f"{i}.png")
    save(folder / ".hidden.png")
    save(folder / ".git" / "x.png")
    (folder / "notes.txt").write_text("a")
    (folder / "link.png").symlink_to(outside)
    (folder / "up").symlink_to(tmp_path)
    (folder / "inside.png").symlink_to("0.png")
    os.mkfifo(folder / "pipe.png")
    found = load_pictures(config(folder))
    assert len(found.train) + len(found.test) == 4
    assert found.notes[0] == "files left out: 2 hidden, 2 links out of the folder, 2 no PNG or JPEG"


def test_folders_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("x")
    for folder, said in (
        (tmp_path / "nowhere", "no such folder"),
        (tmp_path / "a.zip", "a file, not a folder"),
        (tmp_path, r"no PNG or JPEG picture; files: 1 no PNG or JPEG"),
    ):
        with pytest.raises(UserError, match=said):
            load_pictures(config(folder))
    save(tmp_path / "b.png")
    with pytest.raises(UserError, match=r"b.png: one picture only; at least 2 are needed"):
        load_pictures(config(tmp_path))
    with pytest.raises(UserError, match=r"1 pictures are too few for data.validation_size=0"):
        load_pictures(config(tmp_path, test_size=1))
    assert Path(absolute(config(Path("x"))).folder) == Path.cwd() / "x"


# A picture


def test_the_middle_is_scaled(tmp_path: Path) -> None:
    """Of 6 x 2 the columns 2 and 3 are left: black and white, so half of each at one pixel."""
    pixels = np.zeros((2, 6), np.uint8)
    pixels[:, 3], pixels[:, [0, 5]] = 255, 7
    Image.fromarray(pixels).save(tmp_path / "a.png")
    notes: list[str] = []
    one = read_squares([tmp_path / "a.png"], 1, Colour.auto, notes)
    assert one.shape == (1, 1, 1, 1) and one.item() in (127, 128) and not notes
    four = read_squares([tmp_path / "a.png"], 4, Colour.rgb, notes)
    assert four.shape == (1, 3, 4, 4) and notes == [
        "1 of 1 pictures are under 4 pixels, made larger"
    ]
    same = read_squares([tmp_path / "a.png"], 2, Colour.grey, notes)
    assert same[0, 0].tolist() == [[0, 255], [0, 255]]


def test_pictures_are_turned_as_their_exif_says(tmp_path: Path) -> None:
    """Orientation 3 is upside down: red above blue is shown as blue above red."""
    picture = Image.new("RGB", (4, 4), RED)
    picture.paste(BLUE, (0, 2, 4, 4))
    exif = Image.Exif()
    exif[0x0112] = 3
    picture.save(tmp_path / "a.png", exif=exif)
    found = np.asarray(read_picture(tmp_path / "a.png", "RGB"))
    assert tuple(found[0, 0]) == BLUE and tuple(found[3, 3]) == RED


def test_transparent_is_white(tmp_path: Path) -> None:
    """Half of red on white is (255, 127, 127); a palette and LA have alpha too."""
    path = tmp_path / "a.png"
    Image.new("RGBA", (4, 4), (*RED, 128)).save(path)
    assert colour_of(path) == (255, 127, 127)
    Image.new("LA", (4, 4), (0, 0)).save(path)
    assert colour_of(path) == (255, 255, 255)
    palette = Image.new("P", (6, 4), 1)
    palette.putpalette([*BLUE, *RED])
    palette.save(path)
    assert colour_of(path) == RED
    palette.save(path, transparency=1)
    assert colour_of(path) == (255, 255, 255)


def test_16_bits_bilevel_cmyk_and_animated(tmp_path: Path) -> None:
    """0x8000 of 0xffff is 127.5 of 255; Pillow's own conversion would make it 255."""
    path = tmp_path / "a.png"
    Image.fromarray(np.full((4, 4), 0x8000, np.uint16)).save(path)
    assert colour_of(path)[0] in (127, 128)
    Image.new("1", (4, 4), 1).save(path)
    assert colour_of(path) == (255, 255, 255)
    Image.new("CMYK", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.jpg")
    assert min(colour_of(tmp_path / "a.jpg")) > 250
    frames = [Image.new("RGB", (4, 4), one) for one in (RED, BLUE)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert colour_of(path) == RED


def test_a_name_does_not_decide_the_format(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), GREY).save(tmp_path / "a.png", format="JPEG")
    assert colour_of(tmp_path / "a.png") == GREY
    Image.new("RGB", (4, 4)).save(tmp_path / "b.png", format="GIF")
    with pytest.raises(UserError, match=r"b.png: no PNG or JPEG picture: it begins with 47 49"):
        read_picture(tmp_path / "b.png", "RGB")
    (tmp_path / "c.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"c.png: no PNG or JPEG picture: it begins with nothing"):
        read_picture(tmp_path / "c.png", "RGB")


def test_damaged_pictures_are_refused_by_name(tmp_path: Path) -> None:
    """However one is cut or changed: it is read, or refused in one line."""
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
    for name in ("a.png", "a.jpg"):
        noise.save(tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        with pytest.raises(UserError, match=rf"{name}: damaged picture"):
            (tmp_path / name).write_bytes(whole[: len(whole) - 60])
            read_picture(tmp_path / name, "RGB")
        for _ in range(40):
            changed = np.frombuffer(whole, np.uint8).copy()
            changed[rng.integers(0, len(whole), 3)] = rng.integers(0, 256, 3)
            (tmp_path / name).write_bytes(changed.tobytes())
            try:
                read_picture(tmp_path / name, "RGB")
            except UserError as error:
                assert f"{tmp_path / name}: " in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("side", [9000, 60_000])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, side: int) -> None:
    """A PNG whose header says side x side, and that has no such pixels: Pillow warns or refuses."""
    assert side**2 > MOST_PIXELS
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = io.BytesIO()
    parts.write(b"\x89PNG\r\n\x1a\n")
    for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")):
        check = struct.pack(">I", zlib.crc32(kind + content))
        parts.write(struct.pack(">I", len(content)) + kind + content + check)
    (tmp_path / "a.png").write_bytes(parts.getvalue())
    with pytest.raises(UserError, match=r"a.png: a picture of more than 64 million pixels"):
        read_squares([tmp_path / "a.png"], 4, Colour.auto, [])


def test_memory_is_bounded() -> None:
    """2 copies of 1e9 pictures of 3 x 64 x 64 bytes: 22,888.2 GiB."""
    check_memory(1000, 3, 64)
    with pytest.raises(UserError, match=r"1,000,000,000 pictures of 64 x 64 need 22,888.2 GiB"):
        check_memory(10**9, 3, 64)


# Captions


@pytest.fixture
def captioned(tmp_path: Path) -> Path:
    for i in range(5):
        save(tmp_path / f"{i} é.png", (20 * i,) * 3)
    return tmp_path


def write(folder: Path, *rows: str, header: str = "file,caption") -> None:
    (folder / "captions.csv").write_text("\n".join((header, *rows)) + "\n")


def test_each_picture_has_its_caption(captioned: Path) -> None:
    """Whatever the order of the rows; names may have their accents apart, as a Mac writes them."""
    rows = [f'./{i} e\u0301.png,"Grey, {i} times 20"' for i in reversed(range(5))]
    write(captioned, *rows)
    found = load_pictures(config(captioned, test_size=2))
    assert found.vocabulary is not None and "grey" in found.vocabulary
    for part in (found.train, found.test):
        values = part.pictures[:, 0, 0, 0].tolist()
        assert [f"Grey, {value // 20} times 20" for value in values] == list(part.captions)
    assert found.max_length == 6 and not any("left out" in note for note in found.notes)


def test_pictures_without_captions_are_left_out_and_long_ones_cut(captioned: Path) -> None:
    write(captioned, "0 é.png,one two three four", "1 é.png,one", "2 é.png, ", "3 é.png,two.")
    found = load_pictures(config(captioned, test_size=1, max_length=3))
    texts = {*found.train.captions, *found.test.captions}
    assert texts == {"one two three", "one", "two."}
    said = " | ".join(found.notes)
    assert "1 captions longer than max_length=3 were cut" in said
    assert "2 pictures without a caption left out, as 2 é.png" in said


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        (["0.png,a"], "file,caption", "there is no picture 0.png"),
        (["../x.png,a"], "file,caption", "there is no picture ../x.png"),
        (["0 é.png,a", "0 é.png,b"], "file,caption", "a second caption of 0 é.png"),
        (
            ["0 é.png,a"],
            "name,text",
            "columns file and caption are needed; its columns are name, t",
        ),
        (["0 é.png,"], "file,caption", "no row has a caption"),
        ([], "file,caption", "the table has no row"),
    ],
)
def test_captions_that_do_not_fit(captioned: Path, rows: list[str], header: str, said: str) -> None:
    write(captioned, *rows, header=header)
    with pytest.raises(UserError, match=said) as found:
        load_pictures(config(captioned))
    assert "captions.csv" in str(found.value)


def test_models_of_captions_say_what_they_need(captioned: Path) -> None:
    assert data.offers("pictures") == (data.Reads.pictures, data.Reads.captioned)
    with pytest.raises(UserError, match=r"no captions: put them into captions.csv in data.folder"):
        data.load_for(config(captioned), data.Reads.captioned)
