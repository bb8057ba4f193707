"""The scene grammar and the corpus drawn from it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gantext.data.scene_grammar import SHAPES, colours, grammar
from gantext.data.scenes import Config, load
from gantext.errors import UserError

SMALL = Config(name="scenes", train_size=300, validation_size=40, test_size=60, seed=1)


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
    first = corpus.vocabulary.decode(corpus.train.tokens[0].tolist())
    assert " ".join(first) == corpus.train.text[0]


def test_the_size_of_one_split_does_not_change_another():
    corpus, larger = load(SMALL), load(replace(SMALL, train_size=500))
    assert larger.test.text == corpus.test.text
    assert larger.train.text[:300] == corpus.train.text


@pytest.mark.parametrize(
    ("field", "value"), [("train_size", 0), ("test_size", 0), ("validation_size", -1), ("seed", -1)]
)
def test_sizes_that_make_no_sense(field, value):
    with pytest.raises(UserError, match=rf"data\.{field}={value} must be at least"):
        load(replace(SMALL, **{field: value}))
