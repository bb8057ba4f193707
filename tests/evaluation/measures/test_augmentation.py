"""What classifiers are taught of real examples and of samples, and what their scores say."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gantext.data.balanced import balanced
from gantext.data.corpus import Corpus, Sentences, build_corpus
from gantext.data.gallery import PictureSplit, build_gallery
from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.evaluation.ground import Ground, Real
from gantext.evaluation.judges.naive_bayes import NaiveBayes, Taught
from gantext.evaluation.measure import Protocol
from gantext.evaluation.measures import augmentation as module
from gantext.evaluation.measures.augmentation import Lessons, sizes_of, words_of
from gantext.nn.rng import generator

CPU = torch.device("cpu")


def test_words_end_before_the_end() -> None:
    assert words_of([4, 5, EOS, PAD, PAD]) == [4, 5] == words_of([4, 5, PAD])
    assert words_of([4, 5]) == [4, 5] and words_of([EOS, 4]) == []


@pytest.mark.parametrize(
    ("text", "rows", "sizes"),
    [
        ("50,200,1000", 1000, [50, 200, 1000]),
        ("50,200,1000", 999, [50, 200]),
        ("50,200,1000", 20, [20]),
        (" 7, 3,,7 ", 7, [3, 7]),
    ],
)
def test_the_numbers_of_examples(text: str, rows: int, sizes: list[int]) -> None:
    assert sizes_of(text, rows) == sizes


@pytest.mark.parametrize(
    ("text", "said"), [("", "whole numbers"), ("0", "whole"), ("a,2", "whole"), ("8", "has 7")]
)
def test_what_are_no_numbers_of_examples_is_refused(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        sizes_of(text, 7)


def test_scores_are_of_examples_alone_of_samples_and_of_both() -> None:
    """The examples are a balanced choice, the smaller one the first of the larger."""
    labels, asked = torch.tensor([0, 1] * 5), list[Any]()
    told = {
        (0, True): [True, False, False, False],
        (2, False): [True, True, False, False],
        (2, True): [True, True, True, False],
        (4, False): [True, True, True, True],
        (4, True): [False, True, True, True],
    }

    def right(places: Tensor | None, samples: bool) -> Any:
        asked.append(None if places is None else places.tolist())
        return np.array(told[0 if places is None else len(places), samples])

    lessons = Lessons(labels, right, "judge", "asked for")
    protocol = Protocol(preset="x", seed=3, examples="2,4")
    scores = module._scores(lessons, 6, Ground("h"), protocol)
    assert [(one.name, one.value) for one in scores] == [
        ("accuracy-samples", 0.25),
        ("accuracy@2", 0.5),
        ("accuracy-both@2", 0.75),
        ("gain@2", 0.25),
        ("accuracy@4", 1.0),
        ("accuracy-both@4", 0.75),
        ("gain@4", -0.25),
    ]
    chosen = balanced(labels, 4, torch.Generator().manual_seed(3)).tolist()
    assert asked == [None, *[chosen[:2]] * 2, *[chosen] * 2]
    assert scores[1].error == pytest.approx(math.sqrt(1 / 12))  # 4 of .25 / 3, over sqrt 4
    assert scores[3].error == scores[6].error == 0.25
    common = {"classifier": "judge", "samples_of_class": "asked for", "samples_taught": 6}
    common |= {"model_trained_on": 10, "seed": 3, "data": "h", "test": 4}
    for score in scores:
        assert score.signature.items() >= common.items()
    assert [one.signature.get("examples") for one in scores] == [None, *[2] * 3, *[4] * 3]


@pytest.fixture
def corpus() -> Corpus:
    lines = ["nice cat", "nice dog", "ugly cat", "ugly dog", "nice sea"]
    train = Sentences.of(map(str.split, lines), lines, ["good", "good", "bad", "bad", "good"])
    tested = ["nice cat sea", "ugly sea"]
    test = Sentences.of(map(str.split, tested), tested, ["good", "bad"])
    none = Sentences.of((), (), ())
    return build_corpus("toy", train.vocabulary(tokenizer="whitespace"), train, none, test)


class Writer:
    """Writes one word, which is 4 and the row's place, and the end."""

    def __init__(self) -> None:
        self.asked, self.seeds, self.place = list[Any](), set[int](), 0

    def sample(self, n: int, rng: torch.Generator, options: Any) -> Tensor:
        self.asked.append(n)
        self.seeds.add(rng.initial_seed())
        rows = [[4 + (self.place + row) % 3, EOS] for row in range(n)]
        self.place += n
        return torch.tensor(rows)


class OfClass(Writer):
    """Writes of classes."""

    def sample_of(self, labels: Tensor, rng: torch.Generator, options: Any) -> Tensor:
        rows = self.sample(len(labels), rng, options)
        self.asked[-1] = labels.tolist()
        return rows


@pytest.mark.parametrize(
    ("writer", "asked", "labels", "named"),
    [
        (OfClass, [[0, 1], [0, 1], [0]], [0, 1, 0, 1, 0], "asked for"),
        (Writer, [2, 2, 1], [0, 1, 1, 0, 1], "told by the model"),
    ],
)
def test_lessons_of_sentences_are_of_classes_in_turn_or_as_the_model_tells(
    writer: type[Writer],
    asked: list[Any],
    labels: list[int],
    named: str,
    corpus: Corpus,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All samples count as much as all examples together."""
    monkeypatch.setattr(module, "ROWS", 2)
    first_is_4 = lambda trained, rows: torch.stack([rows[:, 0] == 4, rows[:, 0] != 4], 1).float()  # noqa: E731
    monkeypatch.setattr(module, "class_log_prob", first_is_4)
    algorithm = writer()
    model: Any = SimpleNamespace(trained=SimpleNamespace(algorithm=algorithm, device=CPU))
    lessons = module.of_sentences(model, corpus, 5, 3)
    assert algorithm.asked == asked and lessons.named == named
    assert algorithm.seeds == {generator(3, "augmentation", CPU).initial_seed()}
    assert corpus.train.labels is not None and corpus.test.labels is not None
    assert lessons.labels.tolist() == corpus.train.labels.tolist()
    made = [[4], [5], [6], [4], [5]]
    real = [[i for i in row if i > 3] for row in corpus.train.tokens.padded().tolist()]
    test = [[i for i in row if i > 3] for row in corpus.test.tokens.padded().tolist()]
    own = corpus.train.labels.tolist()
    for places, samples in ((None, True), ([0, 2], False), ([0, 2], True), ([4, 3, 1], True)):
        chosen = places or []
        parts = [Taught([real[i] for i in chosen], [own[i] for i in chosen])] if chosen else []
        parts += [Taught(made, labels, len(chosen) / 5 if chosen else 1.0)] if samples else []
        taught = list[Any]()

        def bayes(given: Any, classes: int, taught: list[Any] = taught) -> NaiveBayes:
            taught.append((list(given), classes))
            return NaiveBayes(given, classes)

        monkeypatch.setattr(module, "NaiveBayes", bayes)
        found = lessons.right(None if places is None else torch.tensor(places), samples)
        assert taught == [(parts, 2)]
        expected = NaiveBayes(parts, 2).told(test) == corpus.test.labels
        assert found.tolist() == expected.tolist()


def split(n: int) -> PictureSplit:
    shown = torch.arange(n, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 4, 4).contiguous()
    return PictureSplit(shown, torch.arange(n) % 2, torch.zeros(n, 0, dtype=torch.int64))


def test_lessons_of_pictures_have_the_classes_that_the_model_tells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gallery = build_gallery("toy", split(6), split(0), split(4), classes=("a", "b"))
    shown, taught = split(3).pictures, list[Any]()
    monkeypatch.setattr(module, "drawn", lambda algorithm, m, rng: shown[:m])
    told = lambda trained, rows: torch.tensor([[0.0, 1.0]]).expand(len(rows), 2)  # noqa: E731
    monkeypatch.setattr(module, "class_log_prob", told)

    def fitted(parts: Any, classes: int, seed: int) -> str:
        taught.append(([(len(one), one.labels.tolist()) for one in parts], classes, seed))
        return "network"

    reading = SimpleNamespace(labels=np.array([0, 1, 1, 1]))
    monkeypatch.setattr(module.picture_classifier, "fitted", fitted)
    monkeypatch.setattr(module.picture_classifier, "read_by", lambda network, shown: reading)
    model: Any = SimpleNamespace(trained=SimpleNamespace(algorithm=None, device=CPU))
    lessons = module.of_pictures(model, gallery, 3, 7)
    places = torch.tensor([1, 2])
    assert lessons.right(places, True).tolist() == [True, True, False, True]
    assert lessons.right(places, False).tolist() == [True, True, False, True]
    lessons.right(None, True)
    real, made = (2, [1, 0]), (3, [1, 1, 1])
    assert taught == [([real, made], 2, 7), ([real], 2, 7), ([made], 2, 7)]
    assert torch.equal(lessons.labels, gallery.train.labels)
    assert lessons.named == "told by the model"


def subject(algorithm: Any, data: str = "h") -> Any:
    run = SimpleNamespace(info={"data": data}, path=SimpleNamespace(name="r"))
    trained = SimpleNamespace(algorithm=algorithm)
    return SimpleNamespace(model=SimpleNamespace(run=run, trained=trained), size=6)


def test_who_has_the_scores(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of classes, of its own data, with classes."""
    protocol = Protocol(preset="x", seed=3)
    monkeypatch.setattr(module, "of_sentences", lambda *given: ("text", *given[2:]))
    monkeypatch.setattr(module, "of_pictures", lambda *given: ("pictures", *given[2:]))
    monkeypatch.setattr(module, "_scores", lambda lessons, *more: [lessons])
    gallery = build_gallery("toy", split(6), split(0), split(4), classes=("a", "b"))
    seen = list[int]()
    tells = [True]
    monkeypatch.setattr(module, "tells_classes", lambda t, rows: seen.append(len(rows)) or tells[0])
    text = Ground("h", lambda: Real(corpus=corpus))
    shown = Ground("h", lambda: Real(gallery=gallery))
    none = SimpleNamespace(model=None, size=6)
    teller = SimpleNamespace(class_log_prob=print)
    for algorithm in (OfClass(), teller):
        assert module.augmentation(subject(algorithm), text, protocol) == [("text", 6, 3)]
    assert module.augmentation_pictures(subject(teller), shown, protocol) == [("pictures", 6, 3)]
    assert seen == [1]
    for measure, ground in ((module.augmentation, text), (module.augmentation_pictures, shown)):
        other: Any = measure
        assert other(none, ground, protocol) == [] == other(subject(teller), Ground("h"), protocol)
        with pytest.raises(UserError, match="r was trained on other data"):
            other(subject(teller, "g"), ground, protocol)
    tells[0] = False
    assert module.augmentation_pictures(subject(teller), shown, protocol) == []
    assert module.augmentation(subject(Writer()), text, protocol) == []
    lines = Sentences.of([["a"]], ["a"])
    bare = build_corpus("toy", corpus.vocabulary, lines, lines, lines)
    untold = Ground("h", lambda: Real(corpus=bare))
    assert module.augmentation(subject(teller), untold, protocol) == []
    bland = Ground("h", lambda: Real(gallery=build_gallery("b", split(6), split(0), split(4))))
    tells[0] = True
    assert module.augmentation_pictures(subject(teller), bland, protocol) == []


def test_of_three_numbers_the_largest_is_chosen_first() -> None:
    sizes = list[int]()

    def right(places: Tensor | None, samples: bool) -> Any:
        sizes.append(0 if places is None else len(places))
        return np.array([True, False])

    lessons = Lessons(torch.tensor([0, 1] * 5), right, "judge", "asked for")
    module._scores(lessons, 6, Ground("h"), Protocol(preset="x", seed=3, examples="1,2,5"))
    assert sizes == [0, 1, 1, 2, 2, 5, 5]
