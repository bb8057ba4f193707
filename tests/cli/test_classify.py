"""gantext classify and eval classified, of runs of image_gan with and without classes."""

import gzip
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gantext import api
from gantext.data.gallery import to_unit
from gantext.inference.classification import Accuracy
from tests.conftest import SMALL_IMAGE_GAN, Command, finished

pytest.importorskip("sklearn", reason="data=digits needs scikit-learn")
TOLD = ["model.discriminator.classes=true", "model.discriminator.labels=50", "model.steps=60"]


@pytest.fixture(scope="module", autouse=True)
def judges() -> Iterator[None]:
    """The scores of pictures, whose judges take a minute to train, are none here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gantext.evaluation.measures.pictures.scores_of", lambda *_, **__: [])
        yield


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(tmp_path_factory.mktemp("told"), [*SMALL_IMAGE_GAN, *TOLD])


@pytest.fixture(scope="module")
def untold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(tmp_path_factory.mktemp("untold"), SMALL_IMAGE_GAN)


def test_accuracy_by_hand() -> None:
    """Two of a, one right and one taken for c; three of b, two right and one taken for a."""
    found = Accuracy.of("abc", np.array([0, 0, 1, 1, 1]), np.array([0, 2, 1, 1, 0]))
    assert found.value == pytest.approx(0.6) and found.majority == pytest.approx(0.6)
    assert found.error == pytest.approx((0.24 * 5 / 4 / 5) ** 0.5) and found.largest == "b"
    rows = [(one.name, one.count, one.right, one.mistaken) for one in found.by_class]
    assert rows == [("a", 2, 1, "c"), ("b", 3, 2, "a"), ("c", 0, 0, "")]


def test_the_test_split(cli: Command, told: Path) -> None:
    """The score of the run's end, of `eval classified` and of `classify` is one."""
    document = json.loads(cli("classify", str(told), "--json").out)
    test, rows = document["test"], document["rows"]
    assert document["classes"] == list("0123456789") and len(rows) == 360
    right = np.mean([row["class"] == row["label"] for row in rows])
    assert test["value"] == pytest.approx(right) and 0 < right <= 1
    assert sum(one["count"] for one in test["by_class"]) == 360
    found = cli("classify", str(told))
    assert found.code == 0 and f"{right:.3f} ± " in found.out and max(map(len, found.out)) < 80
    stored = json.loads((told / "result.json").read_text())["scores"]
    (score,) = [one for one in stored if one["name"] == "classified"]
    assert score["value"] == pytest.approx(right) and score["signature"]["test"] == 360
    assert f"{right:.4f}" in cli("eval", "classified", str(told)).out


def idx(pictures: np.ndarray) -> bytes:
    return struct.pack(">HBBIII", 0, 8, 3, *pictures.shape) + pictures.tobytes()


def test_pictures_of_files_and_folders_are_the_same_pictures(
    cli: Command, told: Path, tmp_path: Path
) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8)).astype(np.uint8)
    (tmp_path / "pictures").mkdir()
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / "pictures" / f"{i}.png")
    (tmp_path / "all.gz").write_bytes(gzip.compress(idx(pictures)))
    run = api.load_run(told)
    rows = to_unit(torch.tensor(pictures)).unsqueeze(1)
    wanted = run.painter.algorithm.class_log_prob(rows)
    folder, packed, one = (
        json.loads(cli("classify", str(told), name, "--json").out)["rows"]
        for name in ("pictures", "all.gz", "pictures/1.png")
    )
    assert [row["file"] for row in folder] == ["0.png", "1.png", "2.png"]
    assert [row["picture"] for row in packed] == [1, 2, 3] and one[0]["file"] == "1.png"
    for rows in (folder, packed):
        for row, p in zip(rows, wanted.exp().tolist(), strict=True):
            assert list(row["probabilities"].values()) == pytest.approx(p, abs=1e-6)
            assert row["class"] == str(int(np.argmax(p)))
    assert one[0]["probability"] == pytest.approx(folder[1]["probability"], abs=1e-6)
    found = cli("classify", str(told), "pictures", "--out", "t.tsv")
    assert found.code == 0 and found.out == "" and "3 rows classified by run" in found.err
    assert (tmp_path / "t.tsv").read_text().splitlines()[0] == "file\tclass\tprobability"


def test_refusals(cli: Command, told: Path, untold: Path, tmp_path: Path) -> None:
    (tmp_path / "wide").write_bytes(idx(np.zeros((2, 8, 9), np.uint8)))
    (tmp_path / "a.txt").write_text("a sentence")
    (tmp_path / "empty").mkdir()
    without = "run tells no classes apart: it was trained without classes"
    for words, said in (
        (["classify", str(untold)], without),
        (
            ["eval", "classified", str(untold)],
            "only a model that was trained to tell classes apart",
        ),
        (["eval", "augmentation", str(untold)], "only a model that writes of a class, or tells"),
        (
            ["classify", str(told), "wide"],
            "grey pictures of 8 x 9, and the run takes grey ones of 8",
        ),
        (["classify", str(told), "a.txt"], "not an IDX file"),
        (["classify", str(told), "empty"], "no PNG or JPEG picture"),
    ):
        found = cli(*words)
        assert found.code == 2 and said in found.errors[-1], words
        assert [line.startswith("error") for line in found.errors].count(True) == 1


def test_a_run_without_classes_is_scored_as_before(untold: Path) -> None:
    assert "classified" not in (untold / "result.json").read_text()


def test_augmentation_of_pictures(
    cli: Command, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of few steps, so that what it is made of shows: 3 seeds, and each n beside itself."""
    monkeypatch.setattr("gantext.evaluation.judges.picture_classifier.STEPS", 20)
    found = cli("eval", "augmentation", str(told), "-n", "40", "--examples", "20", "--json")
    assert found.code == 0, found.err
    text = found.out
    assert all(name in text for name in ("accuracy-samples", "accuracy-both@20", "gain@20"))
    assert '"samples_of_class": "told by the model"' in text and '"seeds": 3' in text
