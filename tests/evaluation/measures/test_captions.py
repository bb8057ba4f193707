"""Scores of pictures of captions, drawn by illustrators that are right, wrong or collapsed."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gantext.data import scenes
from gantext.data.gallery import Gallery, to_unit
from gantext.data.scenes.drawing import PAINT
from gantext.data.scenes.scene import parse
from gantext.errors import UserError
from gantext.evaluation.judges import attribute_classifier, caption_judge
from gantext.evaluation.judges.attribute_classifier import (
    COLOURS,
    FORMS,
    AttributeClassifier,
    AttributeNetwork,
    Attributes,
    attribute_loss,
    load_attributes,
    said,
)
from gantext.evaluation.judges.caption_judge import load_judge
from gantext.evaluation.measures import captions as retrieval_scores
from gantext.evaluation.measures.captions import (
    caption_scores,
    diversity_scores,
    held_out,
    likeness,
    pixel_deviations,
    scenes_of,
    seen,
    unscored_captions,
)
from gantext.metrics.pictures.feature_scores import feature_scores
from gantext.nn.captions.dual_encoder import DualEncoderConfig
from gantext.nn.captions.fitting import FittingConfig

CPU = torch.device("cpu")
SMALL = DualEncoderConfig(16, 16, (16, 16, 16), 32, 0.1)
SHORT = FittingConfig(200, 32, 5e-3, 5, 0.01, 0, 0.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weak judges in a second: what they compute is tested, not how good they are."""
    monkeypatch.setattr(caption_judge, "SIZES", SMALL)
    monkeypatch.setattr(caption_judge, "FITTING", SHORT)
    monkeypatch.setattr(attribute_classifier, "WIDTHS", (16, 16, 16, 16))
    monkeypatch.setattr(attribute_classifier, "STEPS", 150)
    for module in (caption_judge, attribute_classifier):
        monkeypatch.setattr(module, "EPOCHS", 100)
    monkeypatch.setattr(retrieval_scores, "CANDIDATES", 20)
    monkeypatch.setattr(retrieval_scores, "POOLS", 3)
    monkeypatch.setattr(retrieval_scores, "VARIED", 10)


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return scenes.load_pictures(scenes.Config("scenes", 1500, 0, 150, 0, None))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("judges")


class Painted:
    """An illustrator that draws the caption's scene by hand; without jitter, always the same."""

    def __init__(self, gallery: Gallery, jitter: float = 1.0, shift: int = 0) -> None:
        assert gallery.vocabulary is not None
        self.words, self.jitter, self.shift = gallery.vocabulary.words, jitter, shift

    def draw_for(self, tokens: Tensor, rng: torch.Generator) -> Tensor:
        from gantext.data.scenes.drawing import render

        hand = np.random.default_rng(int(torch.randint(2**31, (1,), generator=rng)))
        found = []
        for row in tokens.roll(self.shift, 0).tolist():
            scene = parse([self.words[i] for i in row if i > 2])
            hand = np.random.default_rng(0) if not self.jitter else hand
            found.append(render(scene, hand, self.jitter).transpose(2, 0, 1))
        return to_unit(torch.tensor(np.stack(found)))


class Blank:
    """An illustrator of empty paper."""

    def draw_for(self, tokens: Tensor, rng: torch.Generator) -> Tensor:
        return torch.ones(len(tokens), 3, 32, 32)


def scored(illustrator, gallery: Gallery, cache: Path, seed: int = 0) -> dict[str, float]:
    found = caption_scores(illustrator, gallery, CPU, samples=60, seed=seed, cache=cache)
    assert len({score.name for score in found}) == len(found)
    return {score.name: score.value for score in found}


def test_a_perfect_illustrator_has_the_scores_of_real_pictures(gallery, cache) -> None:
    found = scored(Painted(gallery), gallery, cache)
    for name in ("colour", "shape", "count", "retrieval-1", "retrieval-5", "retrieval-mrr"):
        for where in ("", "-seen"):
            real = found[f"{name}{where}-real"]
            assert found[name + where] == pytest.approx(real, abs=0.2), name
    assert found["diversity"] == pytest.approx(found["diversity-real"], rel=0.1)
    assert 0.05 < found["diversity"] < 0.4
    assert found["frechet"] < 3 * found["frechet-real"]
    assert found["retrieval-1"] <= found["retrieval-mrr"] <= found["retrieval-5"]


def test_pictures_of_other_captions_are_not_found(gallery, cache) -> None:
    """Each caption gets its neighbour's picture: good pictures, and R@1 as by chance (1/20)."""
    right = scored(Painted(gallery), gallery, cache)
    wrong = scored(Painted(gallery, shift=1), gallery, cache)
    assert right["retrieval-1"] > 0.3 > 0.15 > wrong["retrieval-1"]
    assert wrong["frechet"] == pytest.approx(right["frechet"], rel=1)


def test_one_picture_for_all_is_never_found(gallery, cache) -> None:
    """All similarities of a row tie, and ties are misses: R@5 = 0, MRR = 1/20; no diversity."""
    found = scored(Blank(), gallery, cache)
    assert found["retrieval-1"] == found["retrieval-5"] == 0
    assert found["retrieval-mrr"] == pytest.approx(0.05)
    assert found["diversity"] == 0 < found["diversity-real"]


def test_the_same_seed_gives_the_same_scores(gallery, cache) -> None:
    one, two = (scored(Painted(gallery), gallery, cache, seed=4) for _ in range(2))
    assert one == two


def test_diversity_is_over_noise_and_not_over_captions(gallery, cache) -> None:
    assert scored(Painted(gallery, jitter=0), gallery, cache)["diversity"] == 0


def test_the_diversity_of_real_pictures_is_of_the_same_captions(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the first few where there are more."""
    monkeypatch.setattr(retrieval_scores, "VARIED", 3)
    asked: list[int] = []

    def drawn(tokens: Tensor) -> Tensor:
        asked.append(len(tokens))
        return torch.zeros(len(tokens), 2, 2, 3, dtype=torch.uint8)

    fake, real = diversity_scores(drawn, gallery.test, 1, {})
    rng = np.random.default_rng([1, 2])
    pictures = [scenes.draw(gallery.test.captions[:3], rng) for _ in asked]
    wanted = pixel_deviations(torch.tensor(np.stack(pictures))).mean()
    assert len(asked) > 1 and set(asked) == {3} and len(gallery.test) > 3
    assert fake.value == 0 and real.value == pytest.approx(float(wanted))
    assert fake.signature["captions"] == real.signature["captions"] == 3


def test_pixel_deviation_by_hand() -> None:
    """Two drawings of one caption, of two pixels: 0 and 255 are -1 and 1, with the unbiased
    deviation sqrt 2; 51 twice has 0. Mean: 1/sqrt 2."""
    pictures = torch.tensor([[[0, 51]], [[255, 51]]], dtype=torch.uint8)
    assert float(pixel_deviations(pictures).mean()) == pytest.approx(math.sqrt(0.5))


def test_held_out_scenes_are_new_and_all_different(gallery) -> None:
    """Also "little" for "small" is no new scene. 3 pools of 20 at most."""
    known = set(scenes_of(gallery.train.captions))
    new, old = scenes_of(held_out(gallery).captions), scenes_of(seen(gallery, 0).captions)
    assert len(set(new)) == len(new) == 60 and not known & set(new)
    assert len(set(old)) == len(old) == 60 and known >= set(old)


def test_a_scene_that_stands_twice_is_shown_once(gallery) -> None:
    twice = dataclasses.replace(
        gallery, test=gallery.test.take(torch.arange(len(gallery.test)).repeat_interleave(2))
    )
    assert held_out(twice).captions == held_out(gallery).captions


def test_seen_captions_have_new_real_pictures(gallery) -> None:
    """The judges know the training pictures: a real picture's score would be flattered."""
    part = seen(gallery, 0)
    rows = [gallery.train.captions.index(caption) for caption in part.captions]
    equal = (part.pictures == gallery.train.pictures[rows]).flatten(1).all(1)
    assert equal.float().mean() < 0.1
    drawn = scenes.draw(part.captions, np.random.default_rng([0, 1]))  # whatever else is drawn
    assert torch.equal(part.pictures, torch.tensor(drawn).permute(0, 3, 1, 2))


def test_a_split_with_one_scene_is_refused(gallery) -> None:
    few = scenes.load_pictures(scenes.Config("scenes", 200, 0, 1, 0, None))
    with pytest.raises(UserError, match="too few captions of different scenes"):
        held_out(few)


def test_two_scenes_are_enough_to_find_one() -> None:
    different = retrieval_scores._different
    one, other, same = "a red circle .", "two blue stars .", "there is a red circle ."
    assert different([one, same, other], frozenset()).tolist() == [0, 2]
    with pytest.raises(UserError, match="needs 2 at least"):
        different([one, same, other], frozenset(scenes_of([other])))


def test_signatures_name_the_judges(gallery, cache) -> None:
    found = caption_scores(Blank(), gallery, CPU, samples=60, seed=0, cache=cache)
    signed = {score.name: score.signature for score in found}
    assert signed["retrieval-1"]["candidates"] == 20 and signed["retrieval-1"]["pools"] == 3
    assert signed["retrieval-1"]["judge"] == load_judge(gallery, cache).id
    assert signed["colour"]["classifier"] == load_attributes(gallery, cache).id
    assert signed["frechet"]["pictures"] == 60 and signed["diversity"]["captions"] == 10
    assert {sign["data"] for sign in signed.values()} == {gallery.hash}


def test_likeness_is_of_the_classifiers_features(gallery, cache) -> None:
    """Test pictures in the place of generated ones: the value is its own floor."""
    classifier: AttributeClassifier = load_attributes(gallery, cache)
    scores = likeness(gallery.test.pictures[:50], gallery, classifier, {})
    found = {score.name: score.value for score in scores}
    assert found["frechet"] == found["frechet-real"]
    assert found["precision"] == found["precision-real"]
    sets = (gallery.test, gallery.train, gallery.test)
    features = (classifier.read(part.pictures[:50])[1] for part in sets)
    sign = {"features": classifier.id, "pictures": 50}
    assert scores == feature_scores(*features, sign)


def test_what_captions_say() -> None:
    """Colours and shapes of all groups, and all shapes together: 2 + 1 = 3."""
    found = said(["two red circles are above a blue square ."])
    colours = [c for c, there in zip(COLOURS, found.colours[0], strict=True) if there]
    shapes = [s for s, there in zip(FORMS, found.shapes[0], strict=True) if there]
    assert (set(colours), set(shapes)) == ({"red", "blue"}, {"circle", "square"})
    assert found.counts.tolist() == [3]


def test_agreement_is_of_whole_sets() -> None:
    """Of two pictures the second lacks a colour: colour 1/2, shape 1, and no count: 0."""
    one = said(["a red circle .", "a red circle and a blue square ."])
    two = said(["two red circles .", "a red circle and three red squares ."])
    shares = {name: float(same.mean()) for name, same in one.agreement(two).items()}
    assert shares == {"colour": 0.5, "shape": 1.0, "count": 0.0}


def recall(seen: Attributes, wanted: Attributes) -> dict[str, float]:
    shares = seen.recalled(wanted).items()
    return {name: float(found.sum() / named.sum()) for name, (found, named) in shares}


def test_recall_is_of_all_that_is_said() -> None:
    """Said: red circle; red star and blue circle. Seen: red circle; red circle alone.

    Colours: 2 of 3 are seen, shapes 2 of 3. What is seen and not said does not count.
    """
    words = ["a red circle .", "a red star and a blue circle ."]
    wanted = said(words)
    seen = said(["a red circle .", "a red circle ."])
    assert recall(seen, wanted) == pytest.approx({"colour-recall": 2 / 3, "shape-recall": 2 / 3})
    assert recall(wanted, seen) == pytest.approx({"colour-recall": 1, "shape-recall": 1})


def test_of_few_pictures_judges_take_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """40 pictures, twice over: 1 + 80 // 32 batches of captions, 1 + 80 // 64 of attributes."""
    few, taken = scenes.load_pictures(scenes.Config("scenes", 40, 0, 2, 0, None)), list[str]()

    def counted(name: str, made: Any) -> Any:
        return lambda *given: taken.append(name) or made(*given)

    for module in (caption_judge, attribute_classifier):
        monkeypatch.setattr(module, "EPOCHS", 2)
    step, loss = caption_judge.EncoderFitter.step, attribute_classifier.attribute_loss
    monkeypatch.setattr(caption_judge.EncoderFitter, "step", counted("captions", step))
    monkeypatch.setattr(attribute_classifier, "attribute_loss", counted("attributes", loss))
    for module in (caption_judge, attribute_classifier):
        module._fit(few)
    assert taken == ["captions"] * 3 + ["attributes"] * 2


def test_two_captions_that_are_new_can_be_told_apart(gallery: Gallery) -> None:
    """Of captions that are no scenes; one has nothing to be told from."""
    few = scenes.load_pictures(scenes.Config("scenes", 40, 0, 2, 0, None))
    two = dataclasses.replace(few, scenes=False)
    assert len(set(two.test.captions)) == 2 and not {*two.test.captions} & {*two.train.captions}
    assert unscored_captions(two).endswith("scores of retrieval and diversity alone")
    one = dataclasses.replace(two, test=two.test.take(torch.tensor([0, 0])))
    assert "fewer than 2 different test captions" in unscored_captions(one)
    assert unscored_captions(few) is None


def test_judges_are_fitted_once(gallery, cache, monkeypatch) -> None:
    first = load_judge(gallery, cache), load_attributes(gallery, cache)
    for module in (caption_judge, attribute_classifier):
        monkeypatch.setattr(module, "_fit", lambda gallery: pytest.fail("fitted again"))
    again = load_judge(gallery, cache), load_attributes(gallery, cache)
    assert [judge.id for judge in first] == [judge.id for judge in again]


def test_the_attribute_loss_by_hand() -> None:
    """All logits 0: ln 2 for each of 10 colours and of 10 shapes, ln 12 for the count.

    A certain and right colour costs nothing: one ln 2 less.
    """
    wanted = said(["a red circle ."])
    logits = torch.zeros(1, 10), torch.zeros(1, 10), torch.zeros(1, 12)
    flat = 20 * math.log(2) + math.log(12)
    assert attribute_loss(logits, wanted).item() == pytest.approx(flat)
    logits[0][0, COLOURS.index("red")] = 50
    assert attribute_loss(logits, wanted).item() == pytest.approx(flat - math.log(2))


def test_the_classifier_learns_colours() -> None:
    """Flat pictures of one colour each, as if they were scenes: all told apart after 60 steps."""
    captions = [f"a {colour} circle ." for colour in COLOURS if colour != "orange"]
    wanted = said(captions)
    paint = torch.tensor([PAINT[caption.split()[1]] for caption in captions], dtype=torch.uint8)
    pictures = paint[:, :, None, None].expand(-1, -1, 32, 32)
    network = AttributeNetwork(3, torch.Generator().manual_seed(0))
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(60):
        loss = attribute_loss(network.logits(network.features(to_unit(pictures))), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    found, features = AttributeClassifier(network, "").read(pictures)
    assert all(same.all() for same in found.agreement(wanted).values())
    assert features.shape == (9, attribute_classifier.SIZE)


def test_the_error_of_diversity_is_over_captions() -> None:
    """Two drawings of two captions, whose pixels differ by 2 of 2 and of 0: deviations of sqrt 2
    and 0 in each of 12 pixels, whose means are half of sqrt 2 apart from their own."""
    split = retrieval_scores.PictureSplit(
        torch.zeros(2, 3, 2, 2, dtype=torch.uint8), torch.zeros(2), torch.ones(2, 1), ("a", "b")
    )
    turns = iter([0, 255])

    def drawn(tokens: Tensor) -> Tensor:
        shown = torch.zeros(2, 3, 2, 2, dtype=torch.uint8)
        shown[0] = next(turns)
        return shown

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retrieval_scores, "DRAWINGS", 2)
        (score,) = retrieval_scores.diversity_scores(drawn, split, 0, {"seed": 0}, redrawn=False)
    assert (score.name, score.value) == ("diversity", pytest.approx(math.sqrt(0.5)))
    assert score.error == pytest.approx(math.sqrt(0.5))
    assert score.signature == {"captions": 2, "drawings": 2, "seed": 0}


def test_real_pictures_are_drawn_anew_of_the_captions(gallery: Gallery) -> None:
    """As many as of the run, by a stream of the seed's own."""
    few = gallery.test.take(torch.arange(3))

    def drawn(tokens: Tensor) -> Tensor:
        return torch.zeros(len(tokens), 3, 32, 32, dtype=torch.uint8)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retrieval_scores, "DRAWINGS", 2)
        scores = retrieval_scores.diversity_scores(drawn, few, 5, {})
    rng = np.random.default_rng([5, 2])
    real = torch.tensor(np.stack([scenes.draw(few.captions, rng) for _ in range(2)]))
    wanted = pixel_deviations(real).mean().item()
    assert [score.name for score in scores] == ["diversity", "diversity-real"]
    assert [score.value for score in scores] == [0, pytest.approx(wanted)]
