"""What single measures hand on, what they sign, and of whom they say nothing."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gantext.config.settings import Device
from gantext.data.gallery import PictureSplit, build_gallery
from gantext.errors import UserError
from gantext.evaluation.ground import Ground, Real
from gantext.evaluation.measure import Protocol
from gantext.evaluation.measures import (
    bleu,
    classified,
    diversity,
    imputation,
    interpolation,
    latent,
    lengths,
    likelihood,
    lm,
    mauve,
    pictures,
    truth,
)
from gantext.evaluation.once import Once
from gantext.evaluation.subjects import REAL, Subject
from gantext.metrics.score import Score
from gantext.metrics.text.mauve import clusters, k_means
from gantext.metrics.text.mauve import mauve as mauve_of
from gantext.metrics.text.preparation import Preparation
from gantext.metrics.text.texts import Texts
from tests.evaluation.measures.test_likelihood import Known, Some, corpus

PROTOCOL = Protocol(preset="texygen", seed=3, probes=7, sentences=8, draws=9, device=Device.cpu)
CHARACTERS = Preparation(characters=True)
REFERENCES = Texts(["a b", "b a b"])


def subject(*lines: str, name: str = "run", **more: Any) -> Subject:
    texts = Texts(lines)
    return Subject(name, {}, {}, lambda: (texts, None), len(lines), **more)


def test_characters_are_the_tokens_of_text_of_characters() -> None:
    for preparation, tokenizer in ((CHARACTERS, "char"), (Preparation(), "nltk")):
        ground = Ground("h", lambda: Real(REFERENCES, Texts(["a b"])), preparation=preparation)
        one = subject("a b", "a b", "a")
        found = {score.name: score for score in diversity.diversity(one, ground, PROTOCOL)}
        assert found["unique"].value == pytest.approx(2 / 3)
        assert found["ms-jaccard-4"].signature["tokenizer"] == tokenizer
        assert found["copied"].value == pytest.approx(2 / 3)
        assert found["ms-jaccard-4"].signature["data"] == "h"
        real = subject("a b", "a b", "a", name=REAL)
        assert "copied" not in {s.name for s in diversity.diversity(real, ground, PROTOCOL)}
        bleus = bleu.bleu(one, ground, PROTOCOL)
        assert {score.signature["data"] for score in bleus} == {"h"}
        assert {score.signature["tokenizer"] for score in bleus[:4]} == {tokenizer}
        assert ("tok:char" in str(bleus[-1].signature)) == (tokenizer == "char")
        (own, *_) = bleu.self_bleu(one, ground, PROTOCOL)
        assert own.signature["data"] == "h"


def test_the_share_of_different_sentences_is_signed_with_their_number() -> None:
    (score,) = diversity.unique(subject("a", "a", "b"), Ground(None), PROTOCOL)
    assert (score.name, score.value) == ("unique", pytest.approx(2 / 3))
    assert score.signature["sentences"] == 3


def test_lengths_have_the_grammatical_share_where_the_grammar_is_known() -> None:
    """Of three sentences one, of one word, cannot be."""
    lines, ground = ("a b", "b a b", "a"), Ground("h", lambda: Real(REFERENCES, REFERENCES))
    plain = lengths.lengths(subject(*lines), ground, PROTOCOL)
    assert {score.signature["data"] for score in plain} == {"h"}
    known = Ground("h", lambda: Real(REFERENCES, REFERENCES, corpus(Some())))
    found = lengths.lengths(subject(*lines), known, PROTOCOL)
    more = [score for score in found if score.name.startswith("grammatical[")]
    assert len(found) - len(more) == len(plain)
    first = next(score for score in more if not math.isnan(score.value))
    assert first.value == pytest.approx(2 / 3)
    assert (first.signature["data"], first.signature["sentences"]) == ("h", 3)
    bare = Ground("h", lambda: Real(REFERENCES, REFERENCES, corpus(None)))
    assert len(lengths.lengths(subject(*lines), bare, PROTOCOL)) == len(plain)


def test_truth_is_of_known_distributions_alone() -> None:
    one = subject("a b", "a")
    known = Ground("h", lambda: Real(corpus=corpus(Some())))
    share, _ = truth.truth(one, known, PROTOCOL)
    assert share.value == 0.5
    for real in (Real(), Real(corpus=corpus(None))):
        assert truth.truth(one, Ground("h", lambda real=real: real), PROTOCOL) == []


@pytest.mark.parametrize(
    ("found", "temperature", "why", "given"),
    [
        (True, None, "cold", True),
        (True, 0.5, "", True),
        (True, 0.5, "cold", False),
        (False, None, "", False),
    ],
)
def test_a_likelihood_is_of_models_that_have_one_at_the_temperature(
    found: bool, temperature: float | None, why: str, given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = SimpleNamespace(algorithm="algorithm", device="cpu")
    monkeypatch.setattr(likelihood, "_tested", lambda *_: (trained, "corpus") if found else None)
    monkeypatch.setattr(likelihood, "why_not", lambda model, heat: why)
    monkeypatch.setattr(likelihood, "likelihood_scores", lambda *words: list(words))
    protocol = Protocol(preset="x", seed=0, temperature=temperature)
    model: Any = "model"
    scores = likelihood.likelihood(subject("a", model=model), Ground("h"), protocol)
    assert scores == (["algorithm", "corpus", "cpu", temperature] if given else [])


def test_measures_of_a_models_own_data_are_asked_what_the_protocol_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Hidden(SimpleNamespace):
        latent_size = 1

        def encode(self) -> None: ...

    algorithm = Hidden()
    trained = SimpleNamespace(algorithm=algorithm, device="cpu")
    asked = {"latent_scores": latent, "imputation_scores": imputation}
    asked["midpoint_scores"] = interpolation
    for name, module in asked.items():
        monkeypatch.setattr(module, name, lambda *given, **more: [*given, more])
        monkeypatch.setattr(module, "_tested", lambda *_: (trained, "corpus"))
    monkeypatch.setattr(latent, "Latent", Hidden)
    own = subject("a")
    more = {"draws": 9, "sentences": 8, "seed": 3}
    assert latent.latent(own, Ground("h"), PROTOCOL) == [algorithm, "corpus", "cpu", more]
    for measure in (imputation.imputation, interpolation.interpolation):
        assert measure(own, Ground("h"), PROTOCOL) == [trained, "corpus", 7, 3, {}]
    for module in asked.values():
        monkeypatch.setattr(module, "_tested", lambda *_: None)
    for measure in (latent.latent, imputation.imputation, interpolation.interpolation):
        assert measure(own, Ground("h"), PROTOCOL) == []


def test_the_seed_of_the_protocol_shuffles(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (lengths, "bleu_by_length"),
        (bleu, "bleu_scores"),
        (bleu, "self_bleu_scores"),
    ):
        monkeypatch.setattr(module, name, lambda *given, **more: [more])
    ground, one = Ground("h", lambda: Real(REFERENCES, REFERENCES)), subject("a b")
    expected = {"seed": 3, "data_hash": "h"}
    for measure in (lengths.lengths, bleu.bleu, bleu.self_bleu):
        assert measure(one, ground, PROTOCOL)[0] == expected


def test_midpoints_are_signed_and_need_two_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("latent_of", "posterior_means"):
        monkeypatch.setattr(interpolation, name, lambda *given: torch.zeros(4, 2))
    monkeypatch.setattr(interpolation, "decode_latent", lambda trained, z, how: z)
    monkeypatch.setattr(interpolation, "_log_prob", lambda trained, truth, z: np.zeros(len(z)))
    trained: Any = SimpleNamespace(device="cpu")
    data = corpus(Known(), ["a b", "b"])
    found = interpolation.midpoint_scores(trained, data, 2, 5)
    assert (
        found[0].signature.items()
        >= {**{"path": "linear", "how": "greedy", "pairs": 2, "seed": 5, "data": data.hash}}.items()
    )
    with pytest.raises(UserError, match="two test sentences"):
        interpolation.midpoint_scores(trained, corpus(Known(), ["a"]), 2, 5)


class Letters:
    """Encodes a sentence by how often some letters stand in it."""

    id = "letters 1"

    def encode(self, lines: Any) -> Any:
        return np.array([[line.count(x) for x in "abc"] for line in lines], dtype=np.float32)


def test_mauve_is_of_a_seeded_choice_of_so_many_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    sets = [["".join(rng.choice(list("abc"), 5)) for _ in range(30)] for _ in range(3)]
    real = mauve.EmbeddedText(sets[1], sets[2], Letters(), seed=4, data_hash="h")
    monkeypatch.setattr(mauve, "MOST", 20)
    found = mauve.mauve_scores(sets[0], real)
    places = np.random.default_rng([4, 3]).permutation(30)[:20]
    samples, references, training = (Letters().encode(lines)[places] for lines in sets)
    group = k_means(4)
    expected = (mauve_of(side, references, group) for side in (samples, training))
    assert [score.value for score in found] == list(expected)
    assert (
        found[0].signature.items()
        >= {
            **{"features": "letters 1", "clusters": clusters(20), "sentences": 20, "seed": 4},
            "data": "h",
        }.items()
    )
    assert "encoder" not in found[0].signature


def test_real_text_has_no_distance_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mauve, "embedded_text", lambda *given: "real")
    monkeypatch.setattr(mauve, "mauve_scores", lambda lines, real: [real, *lines])
    assert mauve.mauve(subject("a"), Ground("h"), PROTOCOL) == ["real", "a"]
    assert mauve.mauve(subject("a", name=REAL), Ground("h"), PROTOCOL) == []


def test_language_models_are_of_text_prepared_as_samples_are() -> None:
    """Without `<unk>`, and without a sentence of which nothing is left."""
    hidden = Preparation(unknown=True)
    data = corpus(None)
    assert lm._prepared(data, Ground("h")) is data
    ground = Ground("h", lambda: Real(Texts(["a"]), Texts(["b c"])), preparation=hidden)
    found = lm._prepared(data, ground)
    assert (found.train.text, found.test.text) == (("b c",), ("a",))
    assert found.train.tokens.padded().tolist() == lm.encoded(["b c"], data).padded().tolist()
    assert list(found.validation.text) == list(hidden.sentences(data.validation.text))
    empty = lm._prepared(data, Ground("h", lambda: Real((), ("b",)), preparation=hidden))
    assert len(empty.test.tokens) == 0
    with pytest.raises(UserError, match="needs training text"):
        lm.lm(subject("a"), Ground("h"), PROTOCOL)


def test_each_side_is_asked_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lm, "best_device", lambda wanted: wanted.value)
    for name in ("lm_scores", "real_lm_scores"):
        monkeypatch.setattr(lm, name, lambda *given, **more: [*given, more])
    data = corpus(None)
    ground = Ground("h", lambda: Real(corpus=data))
    own = subject("a", "b")
    assert lm.lm(own, ground, PROTOCOL) == [own.lines, data, {"seed": 3, "device": "cpu"}]
    more = {"sentences": 2, "seed": 3, "device": "cpu"}
    assert lm.lm(subject("a", "b", name=REAL), ground, PROTOCOL) == [data, more]


def split(n: int) -> PictureSplit:
    shown = torch.zeros(n, 1, 4, 4, dtype=torch.uint8)
    return PictureSplit(shown, torch.arange(n) % 2, torch.zeros(n, 0, dtype=torch.int64))


def test_pictures_classes_told_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of classes 0 1 0 1 0 a model that says 0 always tells three of five."""
    gallery = build_gallery("toy", split(6), split(0), split(5), classes=("a", "b"))
    ground, seen, tells = Ground("h", lambda: Real(gallery=gallery)), list[int](), [True]
    says_0 = lambda trained, rows: torch.tensor([[1.0, 0.0]]).expand(len(rows), 2)  # noqa: E731
    monkeypatch.setattr(classified, "class_log_prob", says_0)
    monkeypatch.setattr(
        classified, "tells_classes", lambda trained, rows: seen.append(len(rows)) or tells[0]
    )
    model: Any = SimpleNamespace(trained="trained")
    own = subject("a", model=model)
    (score,) = classified.classified(own, ground, PROTOCOL)
    assert (score.name, score.value, seen) == ("classified", 0.6, [1])
    assert score.error == pytest.approx(math.sqrt(0.24 / 4))
    assert score.signature.items() >= {"test": 5, "classes": 2, "data": "h"}.items()
    bland = Ground("h", lambda: Real(gallery=build_gallery("b", split(6), split(0), split(5))))
    for other, real in ((subject("a"), ground), (own, bland), (own, Ground("h"))):
        assert classified.classified(other, real, PROTOCOL) == []
    tells[0] = False
    assert classified.classified(own, ground, PROTOCOL) == []


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
