"""The scene grammar and the corpus drawn from it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gantext.data.scenes import Config, Label, draw, load, load_pictures
from gantext.data.scenes.drawing import render
from gantext.data.scenes.english import SHAPES, colours, grammar
from gantext.data.scenes.scene import label, parse
from gantext.errors import UserError

SMALL = Config(name="scenes", train_size=300, validation_size=40, test_size=60, seed=1, label=None)


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(7)
    return [grammar().sample(rng) for _ in range(4000)]


def possible(*captions):
    return np.isfinite(grammar().log_prob([caption.split() for caption in captions]))


def test_size_of_the_grammar():
    assert 90 <= len(grammar().words) <= 120
    assert grammar().derivations() > 10**9
    assert grammar().lengths() == (4, 25)


def test_no_sentence_is_ambiguous(samples):
    """As many different sentences as derivations, all of them; and each sample has one."""
    assert grammar().sentences() == grammar().derivations()
    assert all(grammar().derivations_of(tokens) == 1 for tokens in samples[:300])


def test_entropy_is_the_mean_of_minus_log_prob(samples):
    nats = -grammar().log_prob(samples)
    error = nats.std() / math.sqrt(len(nats))
    assert abs(nats.mean() - grammar().entropy()) < 4 * error
    lengths = np.array([len(tokens) for tokens in samples])
    error = lengths.std() / math.sqrt(len(lengths))
    assert abs(lengths.mean() - grammar().mean_length()) < 4 * error
    assert lengths.min() >= 4
    assert lengths.max() <= 25


@pytest.mark.parametrize("symbol", ["GROUP", "SOLO[sg]", "ACT[pl]", "TOUCHING[pl]", "INNER"])
def test_parts_of_the_grammar_sum_to_one(symbol):
    part = grammar().at(symbol)
    listed = dict(part.enumerate())
    assert len(listed) == part.derivations()
    assert sum(listed.values()) == pytest.approx(1, abs=1e-12)
    assert -sum(p * math.log(p) for p in listed.values()) == pytest.approx(part.entropy())


def test_probability_worked_out_by_hand():
    """The symbols of "two red circles ." one after the other.

    SENTENCE[pl] 45/100; SOLO ALONE has weight 14 of 14 + 18 + 4 + 4 + 6 + 4 + 26 + 8 + 4 + 4 + 3
    + 4 + 3 + 8 + 10 + 5 + 8 + 10 = 143; ALONE "." 3/11; circle 20/100; SOLO -> GROUP 8/10;
    GROUP without size 6/10; two 6/12; red 20 of the 98 in the row of circle.
    """
    expected = 0.45 * 14 / 143 * 3 / 11 * 0.2 * 0.8 * 0.6 * 0.5 * 20 / 98
    assert grammar().log_prob([["two", "red", "circles", "."]])[0] == pytest.approx(
        math.log(expected), abs=1e-12
    )


def test_grammatical():
    assert possible(
        "two small red circles are above a blue square .",
        "a red circle that is left of two green triangles stands on the grass .",
        "there are two red circles , while an orange star is next to them .",
        "above a blue square is one red heart .",
    ).all()


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        # agreement: with the noun beside, over a distance, of the pronoun, of the article
        ("two red circles are above a blue square .", "two red circles is above a blue square ."),
        ("there is a red star .", "there are a red star ."),
        (
            "a red star above two blue squares lies on the road .",
            "a red star above two blue squares lie on the road .",
        ),
        (
            "there are two red stars , and a red bar is below them .",
            "there are two red stars , and a red bar is below it .",
        ),
        ("there is an orange star .", "there is a orange star ."),
        ("there is a red star .", "there is an red star ."),
        (
            "a red star and a pink bar hang on the wall .",
            "a red star and a pink bar hangs on the wall .",
        ),
        # the second clause goes back to the first
        (
            "there is a red ring , and a pink bar is above the ring .",
            "there is a red ring , and a pink bar is above the star .",
        ),
        (
            "a red ring is at the top , and a pink bar is at the bottom .",
            "a red ring is at the top , and a pink bar is at the top .",
        ),
        # the verb fits its place
        ("a pink heart swims in the water .", "a pink heart swims in the sky ."),
        # cut off, swapped, too long
        ("two red circles .", "two red circles"),
        ("two red circles .", "red two circles ."),
        ("two red circles .", "two red circles . ."),
    ],
)
def test_ungrammatical_variants(good, bad):
    assert possible(good, bad).tolist() == [True, False]


def test_cut_and_swapped_samples_are_impossible(samples):
    """Every sentence ends with its only full stop; exchanging its first two words breaks it."""
    for tokens in samples[:300]:
        swapped = [tokens[1], tokens[0], *tokens[2:]]
        assert not np.isfinite(grammar().log_prob([tokens[:-1], swapped])).any()


def test_each_shape_has_its_colours():
    assert colours().keys() == SHAPES.keys()
    hearts = grammar().at("COLOUR[heart]").log_prob([["red"], ["black"]])
    assert hearts[0] - hearts[1] == pytest.approx(math.log(40 / 4))


def test_load_is_deterministic_and_complete():
    corpus = load(SMALL)
    assert corpus.hash == load(SMALL).hash
    assert corpus.hash != load(replace(SMALL, seed=2)).hash
    assert [len(s.text) for s in (corpus.train, corpus.validation, corpus.test)] == [300, 40, 60]
    assert corpus.truth is grammar()
    assert corpus.vocabulary.tokenizer == "whitespace"
    first = corpus.vocabulary.decode(corpus.train.tokens.padded()[0].tolist())
    assert " ".join(first) == corpus.train.text[0]


def test_the_size_of_one_split_does_not_change_another():
    corpus, larger = load(SMALL), load(replace(SMALL, train_size=500))
    assert tuple(larger.test.text) == tuple(corpus.test.text)
    assert larger.train.text[:300] == list(corpus.train.text)


@pytest.mark.parametrize(
    ("field", "value"), [("train_size", 0), ("test_size", 0), ("validation_size", -1), ("seed", -1)]
)
def test_sizes_that_make_no_sense(field, value):
    with pytest.raises(UserError, match=rf"data\.{field}={value}: it must be at least"):
        load(replace(SMALL, **{field: value}))


def test_the_text_is_what_it_was_before_there_were_pictures():
    """A run's data hash, and every number that was measured on it, stays the same."""
    assert load(SMALL).hash == "05e5634d7602c18bbc533e6e59772528d7b138ca1f83f2a48499231b23298f47"


def test_pictures_have_the_captions_of_the_text():
    corpus, gallery = load(SMALL), load_pictures(SMALL)
    assert gallery.train.captions == tuple(corpus.train.text)
    assert torch.equal(gallery.train.tokens, corpus.train.tokens.padded(corpus.max_length))
    assert gallery.vocabulary == corpus.vocabulary
    assert gallery.max_length == corpus.max_length
    assert (gallery.channels, gallery.size, gallery.classes) == (3, 32, ())
    assert (gallery.train.labels == -1).all()
    decoded = [" ".join(corpus.vocabulary.decode(row)) for row in gallery.test.tokens.tolist()]
    known = [i for i, row in enumerate(gallery.test.tokens) if not (row == 3).any()]
    assert [decoded[i] for i in known] == [gallery.test.captions[i] for i in known]


def test_validation_and_test_captions_are_held_out():
    """Some short captions of 300 stand among 2,000; the rest keep their order and picture."""
    cfg = replace(SMALL, train_size=2000, validation_size=300, test_size=300)
    corpus, gallery = load(cfg), load_pictures(cfg)
    seen = set(corpus.train.text)
    for name, split, whole in (
        ("validation", gallery.validation, corpus.validation),
        ("test", gallery.test, corpus.test),
    ):
        assert split.captions == tuple(text for text in whole.text if text not in seen)
        lost = len(whole) - len(split)
        assert lost > 0
        note = f"{name}: {lost} of 300 captions left out, as they stand in train"
        assert note in gallery.notes
    # With less training data fewer are left out, and nothing changes about the others.
    small = load_pictures(replace(cfg, train_size=10)).test
    rows = [i for i, text in enumerate(small.captions) if text not in seen]
    assert torch.equal(small.pictures[rows], gallery.test.pictures)


def test_each_caption_has_its_own_picture():
    """Drawn with streams 4 to 6 of the seed: those of the captions are streams 1 to 3."""
    gallery = load_pictures(SMALL)
    streams = np.random.SeedSequence(SMALL.seed).spawn(6)[3:]
    rng = np.random.default_rng(streams[0])
    for caption, picture in zip(gallery.train.captions, gallery.train.pictures, strict=True):
        drawn = render(parse(caption.split()), rng)
        assert np.array_equal(picture.permute(1, 2, 0).numpy(), drawn)
    test = np.random.default_rng(streams[2])
    first = render(parse(load(SMALL).test.text[0].split()), test)
    assert np.array_equal(gallery.test.pictures[0].permute(1, 2, 0).numpy(), first)
    twice = load_pictures(replace(SMALL, train_size=1, validation_size=0))
    assert len(twice.validation) == 0
    assert torch.equal(twice.train.pictures[0], gallery.train.pictures[0])


def test_one_caption_has_many_pictures():
    pictures = draw(["two red circles ."] * 2, np.random.default_rng(0))
    assert pictures.shape == (2, 32, 32, 3)
    assert (pictures[0] != pictures[1]).any()
    assert draw([], np.random.default_rng(0)).shape == (0, 32, 32, 3)


def test_pictures_are_hashed():
    found = load_pictures(SMALL).hash
    assert found == load_pictures(SMALL).hash
    assert found not in (load(SMALL).hash, load_pictures(replace(SMALL, seed=2)).hash)
    with pytest.raises(UserError, match="not a caption of the scene grammar"):
        draw(["two red circle ."], np.random.default_rng(0))


@pytest.mark.parametrize(
    ("caption", "count", "shape", "relation"),
    [
        ("there is a red circle .", "1", "circle", "none"),
        ("two small blue stars are above a red square .", "3", "star", "above"),
        # The subject is the star, though the square is named first.
        ("over a red square is a green star .", "2", "star", "above"),
        # The second clause has a subject of its own, and the only relation.
        ("there are four red rings , and a blue moon is next to them .", "5", "ring", "beside"),
        ("four red hearts surround a black cross .", "5", "heart", "surround"),
        ("three red bars and a gray moon .", "4", "bar", "none"),
    ],
)
def test_classes_by_hand(caption, count, shape, relation):
    scene = parse(caption.split())
    assert [label(scene, by) for by in ("count", "shape", "relation")] == [count, shape, relation]


def test_labels_are_kept_with_their_captions_and_change_nothing_else():
    """Counts are in the order of numbers; the hash of the text is what it was."""
    plain = load(SMALL)
    assert plain.classes == () and plain.train.labels is None
    found = load(replace(SMALL, label=Label.count))
    assert (
        tuple(found.train.text) == tuple(plain.train.text)
        and (found.train.tokens.values == plain.train.tokens.values).all()
    )
    assert found.classes == tuple(sorted(found.classes, key=int)) and found.hash == plain.hash
    assert found.test.labels is not None
    for text, place in zip(found.test.text, found.test.labels.tolist(), strict=True):
        assert found.classes[place] == label(parse(text.split()), "count")
    gallery = load_pictures(replace(SMALL, label=Label.count))
    known = load_pictures(SMALL)
    assert (gallery.test.pictures == known.test.pictures).all() and known.classes == ()
    counts = [label(parse(text.split()), "count") for text in gallery.test.captions]
    assert [gallery.classes[place] for place in gallery.test.labels.tolist()] == counts
