"""Picture scores of painters whose pictures are known: real, copied, collapsed, noisy, broken."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import gantext
from gantext.data.gallery import Gallery, PictureSplit, build_gallery, to_unit
from gantext.errors import UserError
from gantext.evaluation.ground import Ground, Real
from gantext.evaluation.judges import picture_classifier
from gantext.evaluation.judges.picture_classifier import PictureClassifier, load_classifier
from gantext.evaluation.measures import pictures
from gantext.evaluation.measures.pictures import drawn, review, review_painter
from gantext.evaluation.once import Once
from gantext.evaluation.subjects import Subject
from gantext.evaluation.table import astray
from gantext.metrics import standard_error
from gantext.metrics.frechet import fit, frechet_distance
from gantext.metrics.score import Score
from tests.evaluation.measures.given import PROTOCOL, subject
from tests.evaluation.measures.test_classified import split

CPU = torch.device("cpu")
CLASSES = ("up", "middle", "down")
SIZE = 8


def toy(n: int, seed: int) -> PictureSplit:
    """Noise with one bright row in the upper, middle or lower third: the class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    pictures = rng.integers(0, 120, (n, 1, SIZE, SIZE)).astype(np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        picture[:, label * SIZE // 3 + 1] = rng.integers(180, 250)
    tokens = torch.zeros(n, 0, dtype=torch.int64)
    return PictureSplit(torch.from_numpy(pictures), torch.from_numpy(labels), tokens)


class Replay:
    """A painter that draws given pictures in their order, again and again."""

    def __init__(self, pictures: Tensor) -> None:
        self.pictures, self.place, self.asked = pictures, 0, []

    def draw(self, n: int, rng: torch.Generator) -> Tensor:
        rows = (torch.arange(n) + self.place) % len(self.pictures)
        self.place += n
        self.asked.append(n)
        return self.pictures[rows]


class Noise:
    """A painter of uniform noise from the generator it is given."""

    def draw(self, n: int, rng: torch.Generator) -> Tensor:
        return torch.rand(n, 1, SIZE, SIZE, generator=rng) * 2 - 1


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return build_gallery("toy", toy(400, 0), toy(0, 1), toy(150, 2), classes=CLASSES)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, gallery: Gallery) -> Path:
    """A cache with the classifier, trained in fewer steps than a user's."""
    folder = tmp_path_factory.mktemp("judges")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture_classifier, "STEPS", 80)
        load_classifier(gallery, folder)
    return folder


@pytest.fixture
def classifier(gallery: Gallery, cache: Path) -> PictureClassifier:
    return load_classifier(gallery, cache)


def values(scores: list[Score]) -> dict[str, float]:
    return {score.name: score.value for score in scores}


def of(pictures: Tensor, gallery: Gallery, classifier: PictureClassifier) -> dict[str, float]:
    return values(review(pictures, gallery, classifier, 0).scores)


def test_new_real_pictures_score_as_the_floor_does(gallery: Gallery, classifier) -> None:
    found = of(toy(150, 7).pictures, gallery, classifier)
    assert found["frechet"] < 2 * found["frechet-real"]
    assert abs(found["precision"] - found["precision-real"]) < 0.1
    assert abs(found["recall"] - found["recall-real"]) < 0.1
    assert found["class-kl"] < 0.03 and found["class-min-share"] > 0.2
    assert found["memorised"] < 0.15 and found["memorised-features"] < 0.15
    assert found["nearest-train"] == pytest.approx(found["nearest-train-real"], rel=0.05)


def test_worse_pictures_score_worse(gallery: Gallery, classifier: PictureClassifier) -> None:
    real = toy(150, 7).pictures
    grain = torch.randint(-60, 61, real.shape, generator=torch.Generator().manual_seed(0))
    noisy = (real + grain).clamp(0, 255).to(torch.uint8)
    noise = drawn(Noise(), 150, torch.Generator().manual_seed(0))
    found = [of(pictures, gallery, classifier) for pictures in (real, noisy, noise)]
    assert found[0]["frechet"] * 1.2 < found[1]["frechet"] < found[2]["frechet"] / 3
    assert found[0]["precision"] > found[2]["precision"] + 0.3
    assert found[0]["recall"] > found[2]["recall"] + 0.3
    assert found[0]["nearest-train"] < found[1]["nearest-train"] < found[2]["nearest-train"]


def test_copies_are_seen(gallery: Gallery, classifier: PictureClassifier) -> None:
    found = review(gallery.train.pictures[:100], gallery, classifier, 0)
    scores = values(found.scores)
    assert scores["memorised"] == scores["memorised-features"] == 1
    assert scores["nearest-train"] == scores["nearest-train-features"] == 0
    assert scores["nearest-train-real"] > 1
    assert found.near.samples.indices.tolist() == list(range(100))
    left, right = found.pairs(10)
    assert len(left) == 10 and torch.equal(left, right)


def test_a_collapsed_painter_is_seen(gallery: Gallery, classifier: PictureClassifier) -> None:
    """One picture: its class has all, KL log 3; it covers no other picture."""
    found = review(toy(1, 7).pictures.repeat(100, 1, 1, 1), gallery, classifier, 0)
    scores = values(found.scores)
    assert scores["class-kl"] == pytest.approx(math.log(3))
    assert scores["class-min-share"] == 0 and scores["recall"] == 0
    assert sorted(share for _, share, _ in found.classes) == [0, 0, 1]
    assert [name for name, _, _ in found.classes] == list(CLASSES)
    assert sum(real for _, _, real in found.classes) == pytest.approx(1)


def test_fewer_samples_are_held_against_as_many_test_pictures(
    gallery: Gallery, classifier: PictureClassifier
) -> None:
    """100 of 150, which the seed chooses, in their order."""
    samples = toy(100, 7).pictures
    found = values(review(samples, gallery, classifier, 3).scores)
    places = [
        np.sort(np.random.default_rng([3, stream]).permutation(size)[:100])
        for stream, size in ((1, 150), (2, 400))
    ]
    test, real = gallery.test.pictures[places[0]], gallery.train.pictures[places[1]]
    own, beside = (fit([classifier.read(part).features]) for part in (test, real))
    assert found["frechet-real"] == pytest.approx(frechet_distance(own, beside), rel=1e-9)
    training = to_unit(gallery.train.pictures).flatten(1)
    near = torch.cdist(to_unit(test).flatten(1), training).min(1).values
    assert found["nearest-train-real"] == pytest.approx(float(np.median(near)), rel=1e-4)


def test_values_and_sizes_by_definition(gallery: Gallery, classifier: PictureClassifier) -> None:
    """200 samples, 400 training and 150 test pictures: sets of 150, all test pictures, the first
    samples, and a choice of training pictures; the samples' classes are counted over all 200.
    """
    samples = toy(200, 7).pictures
    found = {score.name: score for score in review(samples, gallery, classifier, 3).scores}
    chosen = np.sort(np.random.default_rng([3, 2]).permutation(400)[:150])
    sets = (samples[:150], gallery.train.pictures[chosen], gallery.test.pictures)
    fake, real, test = (fit([classifier.read(part).features]) for part in sets)
    assert found["frechet"].value == pytest.approx(frechet_distance(fake, real), rel=1e-9)
    assert found["frechet-real"].value == pytest.approx(frechet_distance(test, real), rel=1e-9)
    labels = classifier.read(samples).labels
    share = min(np.bincount(labels, minlength=3)) / 200
    assert found["class-min-share"].value == pytest.approx(share)
    sizes = {name: score.signature["pictures"] for name, score in found.items()}
    assert sizes["frechet"] == sizes["recall-real"] == sizes["class-kl-real"] == 150
    assert sizes["class-kl"] == sizes["memorised"] == 200
    assert found["memorised"].signature["train"] == 400
    assert found["memorised"].signature["test"] == 150
    shares = (("precision", 150), ("recall", 150), ("precision-real", 150), ("memorised", 200))
    for name, size in shares:
        p = found[name].value
        assert found[name].error == pytest.approx(math.sqrt(p * (1 - p) / (size - 1))), name
    drawn = standard_error.bootstrapped(
        labels, lambda rows: np.bincount(rows, minlength=3).min() / len(rows)
    )
    assert found["class-min-share"].error == pytest.approx(drawn)


def test_the_nearest_picture_is_the_plain_loop_s(
    gallery: Gallery, classifier: PictureClassifier
) -> None:
    samples = toy(5, 7).pictures
    near = review(samples, gallery, classifier, 0).near.samples
    training = to_unit(gallery.train.pictures).double()
    for place, sample in enumerate(to_unit(samples).double()):
        apart = [float((sample - other).square().sum().sqrt()) for other in training]
        assert near.indices[place] == int(np.argmin(apart))
        assert near.distances[place] == pytest.approx(min(apart), rel=1e-6)


def test_signatures_say_everything(gallery: Gallery, classifier: PictureClassifier) -> None:
    scores = review(toy(60, 7).pictures, gallery, classifier, 5).scores
    for score in scores:
        assert score.signature["classifier"] == classifier.id
        assert score.signature["accuracy"] == round(classifier.accuracy, 4)
        assert score.signature["classifier_seed"] == 0
        assert score.signature["sample_seed"] == 5
        assert score.signature["data"] == gallery.hash
        assert score.signature["version"] == gantext.__version__
    by_name = {score.name: score.signature for score in scores}
    assert len(by_name) == len(scores) == 16
    assert by_name["frechet"]["against"] == "train" and by_name["frechet"]["floor"] == "test"
    assert by_name["precision"]["k"] == 3 and by_name["memorised"]["percentile"] == 5
    assert by_name["nearest-train"]["space"] == "pixels"
    assert by_name["nearest-train-features"]["space"] == "features"
    assert by_name["class-kl"]["unit"] == "nats" and by_name["class-kl"]["classes"] == 3


def test_scores_are_the_same_for_the_same_seed(gallery: Gallery, cache: Path) -> None:
    settings = {"samples": 40, "cache": cache}
    first, again, other = (
        review_painter(Noise(), gallery, CPU, seed=seed, **settings).scores for seed in (1, 1, 2)
    )
    assert first == again
    assert values(first) != values(other)


def test_samples_are_drawn_in_parts_and_scored_as_bytes(gallery: Gallery, cache: Path) -> None:
    """Values between bytes and outside the range are what a file would hold; none is left out."""
    painter = Replay(to_unit(toy(30, 7).pictures) * 1.5 + 0.001)
    found = review_painter(painter, gallery, CPU, samples=1100, seed=0, cache=cache)
    assert painter.asked == [500, 500, 100]
    assert found.pictures.shape == (1100, 1, SIZE, SIZE)
    assert found.pictures.dtype == torch.uint8
    assert torch.equal(found.pictures[:30], found.pictures[30:60])


def test_a_model_that_has_diverged_gets_scores(gallery: Gallery, cache: Path) -> None:
    painter = Replay(torch.full((3, 1, SIZE, SIZE), float("nan")))
    found = review_painter(painter, gallery, CPU, samples=20, seed=0, cache=cache)
    assert (found.pictures == 0).all()
    assert all(math.isfinite(score.value) for score in found.scores)
    assert values(found.scores)["recall"] == 0


def test_what_cannot_be_scored_is_refused(gallery: Gallery, cache: Path) -> None:
    settings = {"seed": 0, "cache": cache}
    with pytest.raises(UserError, match="0 samples"):
        review_painter(Noise(), gallery, CPU, samples=0, **settings)
    with pytest.raises(UserError, match="3 pictures have no neighbour number 3"):
        review_painter(Noise(), gallery, CPU, samples=3, **settings)
    bare = build_gallery("bare", toy(9, 0), toy(0, 1), toy(9, 2))
    with pytest.raises(UserError, match="data=bare have no classes"):
        review_painter(Noise(), bare, CPU, samples=9, **settings)


def test_precision_that_means_little_is_said() -> None:
    """Over half of the variance of real features, 8, is over 4; old scores say nothing."""
    sign = {"spread": 8.0}
    near, far = ([Score("frechet", x, sign), Score("precision", 1.0, sign)] for x in (3.9, 4.1))
    (found,) = astray({"near": near, "far": far, "old": [Score("frechet", 9.0), near[1]]})
    assert found.startswith("far: precision and recall mean little: the Frechet distance, 4.1000,")


def test_pictures_are_reviewed_once_or_scored_by_their_captions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four of a split are enough; without classes there is nothing to tell apart."""
    made = list[Any]()
    review = SimpleNamespace(scores=[Score("frechet", 1.0)])
    monkeypatch.setattr(pictures, "judges_folder", lambda: Path("judges"))
    monkeypatch.setattr(
        pictures, "review_painter", lambda *given, **more: made.append((given, more)) or review
    )
    monkeypatch.setattr(pictures, "illustrator_of", lambda algorithm: None)
    gallery = build_gallery("toy", split(6), split(0), split(4), classes=("a", "b"))
    once = Once()
    model: Any = SimpleNamespace(trained=SimpleNamespace(algorithm="a", device="cpu"), once=once)
    own = Subject("run", {}, {}, lambda: ((), None), 30, model=model)
    ground = Ground("h", lambda: Real(gallery=gallery))
    for _ in range(2):
        assert pictures.pictures(own, ground, PROTOCOL) == review.scores
    more = {"samples": 30, "seed": 3, "cache": Path("judges")}
    assert made == [(("a", gallery, "cpu"), more)]
    assert once(("review", gallery.hash, 30, 3), lambda: None) is review
    few = build_gallery("toy", split(6), split(0), split(3), classes=("a", "b"))
    assert pictures.unscored(gallery) is None
    assert pictures.unscored(few) == "3 pictures of a split are fewer than scores need, 4"
    assert "no classes" in str(pictures.unscored(build_gallery("b", split(6), split(0), split(4))))
    assert pictures.pictures(own, Ground("h", lambda: Real(gallery=few)), PROTOCOL) == []
    assert pictures.pictures(subject("a"), ground, PROTOCOL) == []
    assert pictures.pictures(own, Ground("h"), PROTOCOL) == []
    from gantext.evaluation.measures import captions

    monkeypatch.setattr(pictures, "illustrator_of", lambda algorithm: "hand")
    monkeypatch.setattr(captions, "caption_scores", lambda *given, **words: [*given, words])
    assert pictures.pictures(own, ground, PROTOCOL) == ["hand", gallery, "cpu", more]
