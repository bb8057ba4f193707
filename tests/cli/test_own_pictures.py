"""Both models of pictures on a user's own folder: trained, drawn, scored, reported."""

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from gantext.evaluation.judges import caption_judge, picture_classifier
from gantext.nn.captions.dual_encoder import DualEncoderConfig
from tests.conftest import SMALL_DPR_GAN, SMALL_IMAGE_GAN, Command, scores_in

FOLDER = "my pictures"
OWN = ["data=pictures", f"data.folder={FOLDER}", "eval.samples=8", "name=run"]
SMALL = DualEncoderConfig(8, 8, (8, 8, 8), 8, 0.07)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges that learn nothing, in no time."""
    monkeypatch.setattr(picture_classifier, "STEPS", 2)
    monkeypatch.setattr(caption_judge, "SIZES", SMALL)


def circles_and_squares(folder: Path, *, classes: bool, grey: bool) -> None:
    """40 pictures, of which 4 are for test, and a caption of each that no other has."""
    rows = ["file,caption"]
    for i in range(40):
        picture = Image.new("RGB", (20, 16), "white")
        pen, corners = ImageDraw.Draw(picture), (i % 5, i % 7, i % 5 + 8, i % 7 + 8)
        shape = ("circle", "square")[i % 2]
        draw = pen.ellipse if shape == "circle" else pen.rectangle
        draw(corners, fill="gray" if grey else "red")
        name = f"{shape}/{i}.png" if classes else f"{shape} {i}.png"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(folder / name)
        rows.append(f"{name},A {shape} number {i}.")
    (folder / "captions.csv").write_text("\n".join(rows) + "\n")


def test_pictures_with_classes(cli: Command, tmp_path: Path) -> None:
    """image_gan, grey, of 8 x 8 pixels; captions are there and are not needed."""
    circles_and_squares(tmp_path / FOLDER, classes=True, grey=True)
    words = [word for word in SMALL_IMAGE_GAN if not word.startswith(("data", "eval.samples"))]
    found = cli("train", *words, *OWN, "data.size=8", "model.steps=2")
    assert found.code == 0 and "no scores" not in found.err
    assert cli("sample", "run", "-n", "4", "--out", "grid.png").code == 0
    scores = scores_in(cli("eval", "pictures", "run", "--json").out)
    assert {"frechet", "class-kl", "memorised"} <= {one["name"] for one in scores}
    found = cli("compare", "run", "run@adversarial")
    assert found.code == 0 and "class-kl" in found.out
    assert cli("report", "run", "--out", "report.html").code == 0
    shown = json.loads(cli("data", "show", "pictures", f"data.folder={FOLDER}", "--json").out)
    assert ["pictures", "32 x 32 pixels, grey"] in shown["facts"]
    assert "A circle number" in " ".join(shown["examples"]["train"])
    Image.new("L", (9, 9)).save(tmp_path / FOLDER / "circle" / "0.png")
    again = scores_in(cli("eval", "pictures", "run", "--json").out)
    signs = [one[0]["signature"] for one in (scores, again)]
    assert signs[0]["data"] == signs[1]["run_data"] != signs[1]["data"]


def test_captions(cli: Command, tmp_path: Path) -> None:
    """dpr_gan, in colours, of 16 x 16 pixels: what needs scenes does not apply, and is said so."""
    circles_and_squares(tmp_path / FOLDER, classes=False, grey=False)
    words = [word for word in SMALL_DPR_GAN if not word.startswith(("data", "eval.samples"))]
    found = cli("train", *words, *OWN, "data.size=16", "model.adversarial.steps=2")
    assert found.code == 0, found.err
    assert "its captions are no scenes, so there will be scores of retrieval and div" in found.err
    drawn = cli("sample", "run", "--caption", "a square number 3.", "-n", "2", "--out", "grid.png")
    assert drawn.code == 0 and "warning" not in drawn.err
    scores = scores_in(cli("eval", "pictures", "run", "--json").out)
    values = {one["name"]: one["value"] for one in scores}
    assert {"retrieval-1", "retrieval-1-real", "diversity"} <= values.keys()
    assert values["retrieval-5"] == values["retrieval-5-real"] == 1  # of 4 pictures
    assert not {"colour", "frechet", "diversity-real", "retrieval-1-seen"} & values.keys()
    assert cli("compare", "run", "run@composer").code == 0
    assert cli("report", "run", "--out", "report.html").code == 0
    (tmp_path / FOLDER / "captions.csv").unlink()
    found = cli("train", *words, *OWN, "data.size=16", "name=other")
    assert found.code == 2 and "put them into captions.csv in data.folder" in found.errors[-1]
    assert not (tmp_path / "runs" / "other").exists()


def test_pictures_without_classes_have_no_scores(cli: Command, tmp_path: Path) -> None:
    circles_and_squares(tmp_path / FOLDER, classes=False, grey=True)
    words = [word for word in SMALL_IMAGE_GAN if not word.startswith(("data", "eval.samples"))]
    found = cli("train", *words, *OWN, "data.size=8", "model.steps=1")
    assert found.code == 0 and "no classes to be told apart, so there will be no" in found.err
    found = cli("eval", "pictures", "run")
    assert found.code == 2 and "a model of pictures with classes" in found.err
    assert cli("report", "run", "--out", "report.html").code == 0
    found = cli("compare", "run", "run@adversarial")
    assert found.code == 0 and "no measure applies to these runs" in found.out
