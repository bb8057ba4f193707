"""Scores of a model of pictures with classes, each beside its value for real test pictures.

    frechet             distance of Gaussians of the classifier's features; lower is better
    precision, recall   shares of samples that look real, and of real pictures that samples cover
    class-kl            KL of the samples' classes to evenly many, nats; class-min-share: the rarest
    memorised           share of samples nearer to a training picture than all but 5% of the test
                        pictures are: .05 for a perfect model, 1 for a copy machine
    nearest-train       median distance from a sample to the nearest training picture

A name with "-real" is the same of test pictures in the samples' place; "-features" means distances
of the classifier's features in place of pixels.

Legend: N samples, M training pictures, C channels, H pixels of a side, F features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gantext.data.gallery import Gallery, to_bytes, to_unit
from gantext.errors import UserError
from gantext.evaluation.ground import Ground
from gantext.evaluation.judges.picture_classifier import PictureClassifier, Reading, load_classifier
from gantext.evaluation.measure import Protocol
from gantext.evaluation.once import Once
from gantext.evaluation.subjects import Subject
from gantext.inference.drawing import illustrator_of
from gantext.inference.judges.cache import judges_folder
from gantext.metrics import standard_error
from gantext.metrics.pictures.class_balance import class_counts, kl_to_uniform, min_share
from gantext.metrics.pictures.feature_scores import feature_scores
from gantext.metrics.pictures.memorisation import PERCENTILE, Memorisation, memorisation
from gantext.metrics.pictures.precision_recall import NEIGHBOUR
from gantext.metrics.score import Score, Setting, signed
from gantext.models.contract import Painter
from gantext.nn.rng import generator

ROWS = 500  # pictures drawn at a time


@dataclass(frozen=True)
class PictureReview:
    """What there is to say of N samples.

    Attributes:
        scores: see the head of the module.
        classes: of each class its name, its share of the samples and of as many test pictures,
            by the classifier.
        pictures: the samples, (N, C, H, H) uint8.
        training: the training pictures, (M, C, H, H) uint8.
        near: the training picture that is nearest to each sample, in pixels scaled to [-1, 1].
    """

    scores: list[Score]
    classes: list[tuple[str, float, float]]
    pictures: Tensor
    training: Tensor
    near: Memorisation

    def pairs(self, n: int) -> tuple[Tensor, Tensor]:
        """The n samples nearest to a training picture, and those pictures: the worst cases."""
        rows = self.near.most_alike(n)
        return self.pictures[rows], self.training[self.near.samples.indices[rows]]


def review_painter(
    painter: Painter,
    gallery: Gallery,
    device: torch.device,
    *,
    samples: int,
    seed: int,
    cache: Path,
) -> PictureReview:
    """Draw `samples` pictures and review them.

    Args:
        painter: the model, on the device.
        gallery: its data, which has classes.
        device: where it draws and the classifier reads.
        samples: N.
        seed: of the noise, and of the choice of real pictures; the classifier's own is always 0.
        cache: the folder of trained judges.

    Raises:
        UserError: the gallery has no classes, or a set is too small (see `review`).
    """
    classifier = load_classifier(gallery, cache, device)
    pictures = drawn(painter, samples, generator(seed, "eval", device))
    return review(pictures, gallery, classifier, seed)


def drawn(painter: Painter, n: int, rng: torch.Generator) -> Tensor:
    """Draw n pictures as bytes, (n, C, H, W), as they would be written to files.

    A value that is not a number, as of a model that has diverged, is black.
    """
    sizes = [min(ROWS, n - start) for start in range(0, n, ROWS)]
    parts = [to_bytes(painter.draw(size, rng).nan_to_num(-1.0)).cpu() for size in sizes]
    if not parts:
        raise UserError(f"{n} samples cannot be scored")
    return torch.cat(parts)


def review(
    pictures: Tensor, gallery: Gallery, classifier: PictureClassifier, seed: int
) -> PictureReview:
    """Score N pictures (N, C, H, H), bytes, against a gallery.

    Frechet distance, precision and recall are of the first n samples, n training pictures and n
    test pictures, where n is the size of the smallest set; the real ones are a seeded choice. The
    nearest training picture is looked for among all.

    Raises:
        UserError: n is 3 or less.
    """
    train, test = gallery.train.pictures, gallery.test.pictures
    n = min(len(pictures), len(train), len(test))
    test = test[_chosen(len(test), n, seed, 1)]
    fake, real, unseen = (classifier.read(part) for part in (pictures, train, test))
    sign = signed(
        classifier=classifier.id,
        classifier_seed=classifier.seed,
        accuracy=round(classifier.accuracy, 4),
        sample_seed=seed,
        data=gallery.hash,
    )
    sets = (fake.features[:n], real.features[_chosen(len(train), n, seed, 2)], unseen.features)
    near = memorisation(*(_points(part) for part in (pictures, train, test)))
    alike = memorisation(fake.features, real.features, unseen.features)
    sizes: dict[str, Setting] = {"pictures": len(pictures), "train": len(train), "test": n}
    scores = [
        *feature_scores(*sets, {"pictures": n, **sign}),
        *_class_scores(fake, unseen, len(gallery.classes), sign),
        *_memory_scores("", near, {"space": "pixels", **sizes, **sign}),
        *_memory_scores("-features", alike, {"space": "features", **sizes, **sign}),
    ]
    return PictureReview(scores, _shares(fake, unseen, gallery.classes), pictures, train, near)


def _chosen(size: int, n: int, seed: int, stream: int) -> NDArray[np.int64]:
    """Places of n of so many pictures: all, or a seeded choice in their order."""
    return np.sort(np.random.default_rng([seed, stream]).permutation(size)[:n])


def _points(pictures: Tensor) -> NDArray[np.float32]:
    return to_unit(pictures).flatten(1).numpy()


def _class_scores(
    samples: Reading, test: Reading, classes: int, sign: dict[str, Setting]
) -> list[Score]:
    found = []
    for suffix, reading in (("", samples), ("-real", test)):
        counts = class_counts(reading.labels, classes)
        settings = {"pictures": len(reading.labels), "classes": classes, **sign}
        nats: dict[str, Setting] = {"unit": "nats", **settings}
        labels = np.asarray(reading.labels)
        for name, of, said in (("kl", kl_to_uniform, nats), ("min-share", min_share, settings)):
            error = standard_error.bootstrapped(labels, _of_labels(of, classes))
            found.append(Score(f"class-{name}{suffix}", of(counts), said, error))
    return found


def _of_labels(
    of_counts: Callable[[NDArray[np.int64]], float], classes: int
) -> Callable[[NDArray[np.int64]], float]:
    """A score of class counts as one of labels (N,)."""
    return lambda labels: of_counts(class_counts(labels, classes))


def _memory_scores(suffix: str, found: Memorisation, sign: dict[str, Setting]) -> list[Score]:
    name = f"nearest-train{suffix}"
    return [
        Score(
            f"memorised{suffix}",
            found.share(),
            {"percentile": PERCENTILE, **sign},
            standard_error.of_mean(found.is_near()),
        ),
        Score(name, found.median, sign, _of_median(found.samples.distances)),
        Score(f"{name}-real", found.test_median, sign, _of_median(found.test.distances)),
    ]


def _of_median(distances: NDArray[np.float64]) -> float | None:
    return standard_error.bootstrapped(distances, lambda drawn: float(np.median(drawn)))


def _shares(
    samples: Reading, test: Reading, names: tuple[str, ...]
) -> list[tuple[str, float, float]]:
    one, other = (class_counts(part.labels, len(names)) for part in (samples, test))
    return [
        (name, float(a), float(b))
        for name, a, b in zip(names, one / one.sum(), other / other.sum(), strict=True)
    ]


def pictures(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """The scores of a picture model; none of what is no model's."""
    model, gallery = subject.model, ground.gallery
    if model is None or gallery is None:
        return []
    painter = model.trained
    size, seed = subject.size, protocol.seed
    return scores_of(
        painter.algorithm, gallery, painter.device, samples=size, seed=seed, once=model.once
    )


def scores_of(
    algorithm: Painter,
    gallery: Gallery,
    device: torch.device,
    *,
    samples: int,
    seed: int,
    once: Once,
) -> list[Score]:
    """The scores of a picture model; its judges are trained once and kept in the user's cache.

    None for pictures without captions that are `unscored`.
    """
    illustrator = illustrator_of(algorithm)
    if illustrator is not None:
        from gantext.evaluation.measures.captions import caption_scores

        kept = judges_folder()
        return caption_scores(illustrator, gallery, device, samples=samples, seed=seed, cache=kept)
    if unscored(gallery):
        return []
    return reviewed(algorithm, gallery, device, samples=samples, seed=seed, once=once).scores


def unscored(gallery: Gallery) -> str | None:
    """Why a model that draws without captions gets no scores by a gallery; None where it does."""
    if not gallery.classes:
        return "its pictures have no classes to be told apart, so there will be no scores"
    fewest = min(len(gallery.train), len(gallery.test))
    if fewest <= NEIGHBOUR:
        return f"{fewest} pictures of a split are fewer than scores need, {NEIGHBOUR + 1}"
    return None


def reviewed(
    algorithm: Painter,
    gallery: Gallery,
    device: torch.device,
    *,
    samples: int,
    seed: int,
    once: Once,
) -> PictureReview:
    """The review of a model's samples; `once` keeps it, and the drawn pictures, for a report."""

    def review_now() -> PictureReview:
        cache = judges_folder()
        return review_painter(algorithm, gallery, device, samples=samples, seed=seed, cache=cache)

    return once(("review", gallery.hash, samples, seed), review_now)
