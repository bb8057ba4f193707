"""The classifier: learns small galleries, is the same each time, is kept, says who it is."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gantext.config.compose import compose_data
from gantext.data import load_pictures
from gantext.data.gallery import Gallery, PictureSplit, build_gallery
from gantext.errors import UserError
from gantext.evaluation.judges import picture_classifier
from gantext.evaluation.judges.picture_classifier import PictureCNN, load_classifier

LINES = 3  # classes of the toy gallery


def toy(n: int, size: int, seed: int, channels: int = 1) -> PictureSplit:
    """Noise with one bright row in the upper, middle or lower third: the class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, LINES, n)
    pictures = rng.integers(0, 100, (n, channels, size, size)).astype(np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        picture[:, label * size // LINES + size // 6] = 250
    tokens = torch.zeros(n, 0, dtype=torch.int64)
    return PictureSplit(torch.from_numpy(pictures), torch.from_numpy(labels), tokens)


def toy_gallery(size: int = 8, channels: int = 1) -> Gallery:
    parts = [toy(n, size, seed, channels) for seed, n in enumerate((120, 0, 60))]
    return build_gallery("toy", *parts, classes=("up", "middle", "down"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_classifier, "STEPS", 60)


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (28, 1), (13, 3)])
def test_it_learns_the_classes(tmp_path: Path, size: int, channels: int) -> None:
    gallery = toy_gallery(size, channels)
    found = load_classifier(gallery, tmp_path)
    reading = found.read(gallery.test.pictures)
    assert found.accuracy > 0.95
    assert found.accuracy == np.mean(reading.labels == gallery.test.labels.numpy())
    assert reading.features.shape == (60, 64) and (reading.features >= 0).all()


def test_features_are_what_the_output_layer_reads(tmp_path: Path) -> None:
    gallery = toy_gallery()
    found = load_classifier(gallery, tmp_path)
    reading = found.read(gallery.test.pictures)
    pictures = gallery.test.scaled(slice(None))
    logits = found.network(pictures)
    torch.testing.assert_close(found.network.output(torch.from_numpy(reading.features)), logits)
    assert (logits.argmax(1).numpy() == reading.labels).all()


def test_the_network_by_its_parts() -> None:
    """A 3 x 3 kernel with only a middle tap of 1 and a ReLU keep a positive picture as it is, and
    pooling takes the largest of 2 x 2: of 4 x 4 pixels 1 ... 16 first 6, 8, 14, 16, then 16. The
    hidden layer doubles it: 32; the output layer's weight 1 / 2 gives the logit 16.
    """
    network = PictureCNN(1, 4, 1, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.first.weight[0, 0, 1, 1] = network.second.weight[0, 0, 1, 1] = 1
        network.hidden.weight[0, 0], network.output.weight[0, 0] = 2, 0.5
    picture = torch.arange(1.0, 17).view(1, 1, 4, 4)
    assert network.features(picture)[0, :2].tolist() == [32, 0]
    assert network(picture).tolist() == [[16]]


def test_the_same_seed_gives_the_same_weights_whatever_the_global_one(tmp_path: Path) -> None:
    gallery = toy_gallery()
    first = load_classifier(gallery, tmp_path / "a", seed=1)
    torch.rand(7)
    again = load_classifier(gallery, tmp_path / "b", seed=1)
    other = load_classifier(gallery, tmp_path / "a", seed=2)
    assert first.id == again.id != other.id
    for one, two in zip(first.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, two)


def test_it_is_trained_once_for_a_gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = toy_gallery()
    first = load_classifier(gallery, tmp_path)
    monkeypatch.setattr(picture_classifier, "_train", None)
    kept = load_classifier(toy_gallery(), tmp_path)
    assert (kept.id, kept.accuracy, kept.seed) == (first.id, first.accuracy, 0)
    with pytest.raises(TypeError):
        load_classifier(toy_gallery(size=9), tmp_path)


def test_a_damaged_file_is_trained_again(tmp_path: Path) -> None:
    first = load_classifier(toy_gallery(), tmp_path)
    [file] = tmp_path.glob("*/tensors.safetensors")
    file.write_bytes(file.read_bytes()[:-40])
    assert load_classifier(toy_gallery(), tmp_path).id == first.id


def test_shifts_move_all_pictures_alike_and_by_few_pixels() -> None:
    """28 // 14 = 2 pixels: 5 * 5 = 25 shifts, all of which come; 8 // 14 = 0: none."""
    picture = F.one_hot(torch.tensor(14 * 28 + 14), 28 * 28).view(1, 1, 28, 28).repeat(2, 1, 1, 1)
    rng = torch.Generator().manual_seed(0)
    seen = set()
    for _ in range(400):
        one, other = picture_classifier._shifted(picture, rng)
        assert torch.equal(one, other)
        seen.add(int(one.flatten().argmax()))
    assert seen == {28 * y + x for y in range(12, 17) for x in range(12, 17)}
    small = torch.rand(2, 1, 8, 8, generator=rng)
    assert torch.equal(picture_classifier._shifted(small, rng), small)


def test_the_chance_level_is_what_unlearnable_labels_give(tmp_path: Path) -> None:
    """Labels without any relation to the pictures: accuracy is measured on pictures not trained on.

    60 test pictures of 3 classes by chance: 1/3 +- 0.06.
    """
    parts = [toy(n, 8, seed) for seed, n in enumerate((120, 0, 60))]
    rng = torch.Generator().manual_seed(0)
    mixed = [
        PictureSplit(
            part.pictures, torch.randint(0, LINES, (len(part),), generator=rng), part.tokens
        )
        for part in parts
    ]
    gallery = build_gallery("mixed", *mixed, classes=("a", "b", "c"))
    assert abs(load_classifier(gallery, tmp_path).accuracy - 1 / 3) < 4 * math.sqrt(2 / 9 / 60)


def test_pictures_without_classes_are_refused(tmp_path: Path) -> None:
    split = toy(2, 8, 0)
    with pytest.raises(UserError, match="data=bare have no classes"):
        load_classifier(build_gallery("bare", split, split, split), tmp_path)
    with pytest.raises(UserError, match="too small"):
        load_classifier(toy_gallery(size=3), tmp_path)


def test_pictures_of_4_x_4_are_large_enough(tmp_path: Path) -> None:
    assert 0 <= load_classifier(toy_gallery(size=4), tmp_path).accuracy <= 1


def test_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    monkeypatch.setattr(picture_classifier, "STEPS", 300)
    gallery = load_pictures(compose_data(["data=digits"]))
    assert load_classifier(gallery, tmp_path).accuracy > 0.96


@pytest.mark.slow
def test_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_classifier, "STEPS", 1000)
    try:
        gallery = load_pictures(compose_data(["data=mnist", "data.split=t10k", "data.url=''"]))
    except UserError as error:
        pytest.skip(f"needs MNIST in $GANTEXT_DATA: {error}")
    assert load_classifier(gallery, tmp_path).accuracy >= 0.975
