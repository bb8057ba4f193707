"""How judges are fitted, against the same steps written out."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data import scenes
from gantext.data.batches import Batches
from gantext.data.corpus import Corpus, Sentences, build_corpus
from gantext.data.gallery import PictureSplit, to_unit
from gantext.data.labelled import with_labels
from gantext.errors import UserError
from gantext.evaluation.judges import attribute_classifier as attributes
from gantext.evaluation.judges import caption_judge as captions
from gantext.evaluation.judges import class_judge as classes
from gantext.evaluation.judges import picture_classifier as pictures
from gantext.evaluation.judges.redrawn import Redrawn


def rates(steps: int, peak: float, warmup: int, final: float) -> list[float]:
    """Linear warm-up, then a cosine from the peak to the last share of it."""
    fall = [0.5 * (1 + math.cos(math.pi * step / steps)) for step in range(steps)]
    rise = [min(1.0, (step + 1) / warmup) for step in range(steps)]
    return [peak * a * (final + (1 - final) * b) for a, b in zip(rise, fall, strict=True)]


def assert_same(found: dict[str, Tensor], network: nn.Module) -> None:
    for name, value in network.state_dict().items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-7)


@pytest.fixture
def corpus() -> Corpus:
    lines = [f"{word} {thing}" for word in ("nice", "ugly") for thing in ("cat", "dog", "sea")]
    labels = ["good"] * 3 + ["bad"] * 3
    train = Sentences.of(map(str.split, lines), lines, labels)
    none = Sentences.of((), (), ())
    return build_corpus("toy", train.vocabulary(tokenizer="whitespace"), train, none, train)


def test_the_judge_of_classes(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adam, of four of six sentences a step; its accuracy is on the test split."""
    monkeypatch.setattr(classes, "STEPS", 3)
    monkeypatch.setattr(classes, "BATCH_SIZE", 4)
    monkeypatch.setattr(classes, "WARMUP_STEPS", 2)
    found = classes._train(corpus, 5)
    rng = torch.Generator().manual_seed(5)
    network = classes._network(corpus, rng)
    batches = Batches(with_labels(corpus).train, 5)
    solver = torch.optim.Adam(network.parameters())
    for rate in rates(3, 2e-3, 2, 0.02):
        batch: Any = batches.next(4)
        solver.param_groups[0]["lr"] = rate
        solver.zero_grad()
        F.cross_entropy(network.class_logits(batch.tokens, rng), batch.labels).backward()
        solver.step()
    assert_same(found["weights"], network)
    told = network.all_logits(corpus.test.tokens.padded()).argmax(1)
    assert found["accuracy"] == float((told.numpy() == corpus.test.labels).mean())


def test_a_judge_of_classes_is_by_default_of_seed_0(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classes, "STEPS", 2)
    first = classes.load_class_judge(corpus, tmp_path)
    assert first.id == classes.load_class_judge(corpus, tmp_path, seed=0).id
    assert first.id != classes.load_class_judge(corpus, tmp_path, seed=1).id
    tokens = corpus.test.tokens.padded()
    assert torch.equal(first.classes(tokens), first.network.all_logits(tokens).argmax(1))
    unlabelled: Any = SimpleNamespace(classes=(), name="toy")
    with pytest.raises(UserError, match="have no classes"):
        classes.load_class_judge(unlabelled, tmp_path)


def split(n: int, seed: int) -> PictureSplit:
    rng = torch.Generator().manual_seed(seed)
    shown = torch.randint(0, 256, (n, 1, 28, 28), generator=rng).to(torch.uint8)
    labels = torch.randint(0, 3, (n,), generator=rng)
    return PictureSplit(shown, labels, torch.zeros(n, 0, dtype=torch.int64))


def test_the_classifier_of_pictures_of_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has half of a batch, as far as it has rows, and half of the weight."""
    monkeypatch.setattr(pictures, "STEPS", 3)
    monkeypatch.setattr(pictures, "BATCH_SIZE", 8)
    parts = [split(9, 0), split(3, 1)]
    found = pictures.fitted(parts, 3, 5)
    network = pictures.PictureCNN(1, 28, 3, torch.Generator().manual_seed(5))
    rng = torch.Generator().manual_seed(5)
    batches = [Batches(part, 5) for part in parts]
    solver = torch.optim.Adam(network.parameters())
    for rate in rates(3, 3e-3, 1, 0.0):
        solver.param_groups[0]["lr"] = rate
        solver.zero_grad()
        drawn = [one.next(rows) for one, rows in zip(batches, (4, 3), strict=True)]
        for batch in drawn:
            logits = network(pictures._shifted(batch.pictures, rng))
            (F.cross_entropy(logits, batch.labels) / 2).backward()
        solver.step()
    assert_same(found.state_dict(), network)


def test_weights_of_the_classifier_of_pictures_begin_as_relus_ask_for() -> None:
    """Deviations of sqrt(2 / 9), and sqrt(2 / (32 * 49)) of 64 * 32 * 49 weights; no biases."""
    network = pictures.PictureCNN(1, 28, 3, torch.Generator().manual_seed(0))
    assert float(network.hidden.weight.std()) == pytest.approx(math.sqrt(2 / 1568), rel=0.02)
    assert float(network.first.weight.std()) == pytest.approx(math.sqrt(2 / 9), rel=0.15)
    assert not network.first.bias.any() and not network.hidden.bias.any()


def test_the_classifier_of_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    """AdamW, of a new real picture of each caption, three of five a step."""
    monkeypatch.setattr(attributes, "STEPS", 3)
    monkeypatch.setattr(attributes, "BATCH_SIZE", 3)
    monkeypatch.setattr(attributes, "WARMUP_STEPS", 2)
    monkeypatch.setattr(attributes, "WIDTHS", (8, 8, 8, 8))
    gallery = scenes.load_pictures(scenes.Config("scenes", 5, 0, 2, 0, None))
    found = attributes._fit(gallery)["weights"]
    network = attributes._network(gallery)
    wanted = attributes.said(gallery.train.captions)
    batches = Batches(Redrawn(gallery.train, 78), 78)
    solver = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    for rate in rates(3, 3e-3, 2, 0.02):
        solver.param_groups[0]["lr"] = rate
        solver.zero_grad()
        places, batch = batches.next(3)
        logits = network.logits(network.features(batch.pictures))
        attributes.attribute_loss(logits, wanted.take(places)).backward()
        solver.step()
    assert_same(found, network)


def test_a_network_of_attributes_begins_by_its_generator_alone() -> None:
    built = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        built.append(attributes.AttributeNetwork(3, torch.Generator().manual_seed(0)))
    assert_same(built[0].state_dict(), built[1])


def test_features_of_attributes_are_the_largest_and_the_mean_of_each_map() -> None:
    network = attributes.AttributeNetwork(3, torch.Generator().manual_seed(0))
    shown = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    fine = network.fine(shown)
    pooled = [
        pool
        for maps in (fine, network.coarse(fine))
        for pool in (maps.amax((2, 3)), maps.mean((2, 3)))
    ]
    hidden = F.relu(F.linear(torch.cat(pooled, 1), network.hidden.weight, network.hidden.bias))
    found = network.features(shown)
    torch.testing.assert_close(found, hidden)
    colours, shapes, counts = network.logits(found)
    torch.testing.assert_close(torch.cat([colours, shapes, counts], 1), network.output(found))
    assert (colours.shape[1], shapes.shape[1], counts.shape[1]) == (10, 10, 12)


def test_what_is_seen_has_a_logit_above_0_and_the_likeliest_count() -> None:
    """Of logits of 0 nothing is seen, and the first count is 1."""
    network = attributes.AttributeNetwork(3, torch.Generator().manual_seed(0))
    nn.init.zeros_(network.output.weight)
    nn.init.zeros_(network.output.bias)
    classifier = attributes.AttributeClassifier(network, "")
    shown = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    found, features = classifier.read(shown)
    assert not found.colours.any() and not found.shapes.any() and found.counts.tolist() == [1, 1]
    np.testing.assert_allclose(features, network.features(to_unit(shown)).detach().numpy())
    with torch.no_grad():
        network.output.bias[[3, 12, 24]] = 1.0
    found, _ = classifier.read(shown)
    assert found.colours[0].nonzero().flatten().tolist() == [3]
    assert found.shapes[0].nonzero().flatten().tolist() == [2] and found.counts.tolist() == [5, 5]


def test_captions_of_many_shapes_have_the_last_count() -> None:
    """Twelve and more are one count."""
    scene = SimpleNamespace(groups=[SimpleNamespace(count=7, colour="red", shape="star")] * 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attributes, "parse", lambda words: scene)
        assert attributes.said(["many"]).counts.tolist() == [12]


def test_the_judge_of_captions_takes_its_steps_as_it_was_tuned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 5 captions all are in each batch; its rates fall over the steps that it takes."""
    made, batches = list[Any](), list[Any]()

    class Fitter:
        def __init__(self, encoder: nn.Module, config: Any, descent: Any) -> None:
            made.append((config, descent))

        def step(self, batch: Any, rng: torch.Generator) -> None:
            batches.append((len(batch.pictures), rng.initial_seed()))

    monkeypatch.setattr(captions, "EncoderFitter", Fitter)
    gallery = scenes.load_pictures(scenes.Config("scenes", 5, 0, 2, 0, None))
    assert captions._fit(gallery)["weights"]
    ((config, descent),) = made
    assert config.steps == len(batches) == 1 and descent is captions.DESCENT
    assert config.batch_size == 96 and set(batches) == {(5, 77)}


def test_similarities_are_rounded_cosines() -> None:
    """Captions in rows, pictures in columns."""

    class Encoder:
        def text(self, tokens: Tensor) -> Tensor:
            return tokens.float() / 3

        def image(self, shown: Tensor) -> Tensor:
            return shown.flatten(1)[:, :2]

    shown = torch.tensor([[255, 0], [0, 255]], dtype=torch.uint8)[:, :, None, None]
    judge = captions.CaptionJudge(Encoder(), "")  # type: ignore[arg-type]
    found = judge.similarities(torch.tensor([[1, 0], [2, 1]]), shown)
    assert found.tolist() == [[0.33333, -0.33333], [0.33333, -0.33333]]
    assert found.dtype == np.float64


def test_pictures_without_captions_have_no_judge(tmp_path: Path) -> None:
    gallery: Any = SimpleNamespace(vocabulary=None, name="toy")
    with pytest.raises(UserError, match="data=toy have no captions"):
        captions.load_judge(gallery, tmp_path)
