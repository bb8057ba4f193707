"""What a model's samples are worth as training examples of its data's classes.

A classifier is trained on n real examples, on m samples, and on both, where half of each update (of
naive Bayes: of all counts) is of the samples, so that a few real examples are not drowned:

    accuracy@n       on n real examples alone
    accuracy-both@n  on these and the samples
    gain@n           the difference, of the same test rows and the same n examples
    accuracy-samples on the samples alone

All are shares of the whole test split. The n examples are evenly of all classes, those of a
smaller n among those of a larger one. A sample has the class that it was asked for, or the one that
the model itself tells.

Legend: N training rows, n of them, m samples, K classes, R test rows.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gantext.data.balanced import balanced
from gantext.data.corpus import Corpus
from gantext.data.gallery import Gallery, PictureSplit, to_unit
from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.evaluation.ground import Ground
from gantext.evaluation.judges import naive_bayes, picture_classifier
from gantext.evaluation.judges.naive_bayes import NaiveBayes, Taught
from gantext.evaluation.measure import Protocol
from gantext.evaluation.measures.pictures import drawn
from gantext.evaluation.subjects import Model, Subject
from gantext.inference.classification import class_log_prob, tells_classes
from gantext.metrics import standard_error
from gantext.metrics.score import Score, Setting, signed
from gantext.models.contract import Classifier, OfClass
from gantext.nn.rng import generator
from gantext.nn.text.sampling import SamplingOptions

ROWS = 500  # sentences sampled together
GAIN = "gain"
Right = NDArray[np.bool_]  # (R,) of test rows: whether it was told right


@dataclass(frozen=True)
class Lessons:
    """What classifiers are taught.

    Attributes:
        labels: (N,) of the training split.
        right: of places (n,) of real examples, None for none, and whether samples are taken: a
            classifier trained on them, tried on each test row.
        classifier: its name, for signatures.
        named: how the samples came by their classes: asked for, or told by the model.
    """

    labels: Tensor
    right: Callable[[Tensor | None, bool], Right]
    classifier: str
    named: str


def augmentation(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """Of a model of text that writes sentences of a class, or tells their classes.

    Raises:
        UserError: other data than the run's; more examples than there are.
    """
    model, corpus = subject.model, ground.corpus
    if model is None or corpus is None or corpus.train.labels is None:
        return []
    if not isinstance(model.trained.algorithm, (OfClass, Classifier)):
        return []
    _check_data(model, ground)
    lessons = of_sentences(model, corpus, subject.size, protocol.seed)
    return _scores(lessons, subject.size, ground, protocol)


def augmentation_pictures(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """Of a model of pictures that tells their classes. Raises UserError as `augmentation`."""
    model, gallery = subject.model, ground.gallery
    if model is None or gallery is None or not gallery.classes:
        return []
    if not tells_classes(model.trained, gallery.test.scaled(slice(1))):
        return []
    _check_data(model, ground)
    lessons = of_pictures(model, gallery, subject.size, protocol.seed)
    return _scores(lessons, subject.size, ground, protocol)


def _check_data(model: Model, ground: Ground) -> None:
    """The samples' classes are those of the run's own data."""
    if model.run.info.get("data") != ground.hash:
        raise UserError(f"{model.run.path.name} was trained on other data than is there now")


def of_pictures(model: Model, gallery: Gallery, m: int, seed: int) -> Lessons:
    """The lessons of a gallery and of m pictures, whose classes the model tells."""
    trained, classes = model.trained, len(gallery.classes)
    pictures = drawn(trained.algorithm, m, generator(seed, "augmentation", trained.device))
    labels = class_log_prob(trained, to_unit(pictures)).argmax(1)
    samples = PictureSplit(pictures, labels, gallery.train.tokens.new_empty(m, 0))

    def right(places: Tensor | None, with_samples: bool) -> Right:
        real = [] if places is None else [gallery.train.take(places)]
        parts = real + [samples] * with_samples
        network = picture_classifier.fitted(parts, classes, seed)
        told = picture_classifier.read_by(network, gallery.test.pictures).labels
        return np.asarray(told == gallery.test.labels.numpy())

    return Lessons(gallery.train.labels, right, picture_classifier.VERSION, "told by the model")


def of_sentences(model: Model, corpus: Corpus, m: int, seed: int) -> Lessons:
    """The lessons of a corpus and of m sentences, of classes in turn where the model is asked for
    them; else it tells them."""
    assert corpus.train.labels is not None and corpus.test.labels is not None
    trained, classes = model.trained, len(corpus.classes)
    algorithm, rng = trained.algorithm, generator(seed, "augmentation", trained.device)
    sizes = [min(ROWS, m - start) for start in range(0, m, ROWS)]
    asked_for = isinstance(algorithm, OfClass)
    if asked_for:
        labels = torch.arange(m) % classes
        wanted = torch.split(labels.to(trained.device), ROWS)
        parts = [algorithm.sample_of(part, rng, SamplingOptions()) for part in wanted]
        tokens = [part.cpu() for part in parts]
    else:
        tokens = [algorithm.sample(size, rng, SamplingOptions()).cpu() for size in sizes]
        labels = torch.cat([class_log_prob(trained, part).argmax(1) for part in tokens])
    written = [words_of(row) for part in tokens for row in part.tolist()]
    splits = corpus.train.tokens, corpus.test.tokens
    train, test = ([words_of(row) for row in one.padded().tolist()] for one in splits)
    own, tested = corpus.train.labels, corpus.test.labels

    def right(places: Tensor | None, with_samples: bool) -> Right:
        chosen = [] if places is None else places.tolist()
        real = [Taught([train[i] for i in chosen], [int(own[i]) for i in chosen])] if chosen else []
        weight = len(chosen) / m if chosen else 1.0
        made = [Taught(written, labels.tolist(), weight)] * with_samples
        return np.asarray(NaiveBayes([*real, *made], classes).told(test) == tested)

    named = "asked for" if asked_for else "told by the model"
    return Lessons(torch.from_numpy(own), right, naive_bayes.VERSION, named)


def words_of(row: Sequence[int]) -> list[int]:
    """The ids of a sentence's words, without its end and what fills it up."""
    return list(itertools.takewhile(lambda word: word not in (EOS, PAD), row))


def sizes_of(text: str, rows: int) -> list[int]:
    """The n's that were asked for, the smallest first; of the default ones those that there are.

    Raises:
        UserError: no whole numbers, or more than the N training rows.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isdecimal() and int(word) for word in words):
        raise UserError(f"--examples {text}: whole numbers with commas between, e.g. 50,200")
    sizes = sorted({int(word) for word in words})
    if text == Protocol.examples:
        return [size for size in sizes if size <= rows] or [rows]
    if sizes[-1] > rows:
        raise UserError(f"--examples {sizes[-1]}: the training split has {rows:,}")
    return sizes


def _scores(lessons: Lessons, m: int, ground: Ground, protocol: Protocol) -> list[Score]:
    """See the head of the module."""
    seed, total = protocol.seed, len(lessons.labels)
    sizes = sizes_of(protocol.examples, total)
    rng = torch.Generator().manual_seed(seed)
    places = balanced(lessons.labels, sizes[-1], rng)
    sign = signed(
        classifier=lessons.classifier,
        samples_of_class=lessons.named,
        samples_taught=m,
        model_trained_on=total,
        seed=seed,
        data=ground.hash,
    )

    def score(name: str, values: NDArray[Any], **more: Setting) -> Score:
        error = standard_error.of_mean(values)
        return Score(name, float(values.mean()), {"test": len(values), **more, **sign}, error)

    found = [score("accuracy-samples", lessons.right(None, True))]
    for n in sizes:
        alone, both = (lessons.right(places[:n], samples) for samples in (False, True))
        found.append(score(f"accuracy@{n}", alone, examples=n))
        found.append(score(f"accuracy-both@{n}", both, examples=n))
        found.append(score(f"{GAIN}@{n}", both.astype(float) - alone, examples=n))
    return found
