"""What counts of different sentences and copies are of, and what they sign."""

import pytest

from gantext.evaluation.ground import Ground, Real
from gantext.evaluation.measures import bleu, diversity
from gantext.evaluation.subjects import REAL
from gantext.metrics.text.preparation import Preparation
from gantext.metrics.text.texts import Texts
from tests.evaluation.measures.given import PROTOCOL, REFERENCES, subject

CHARACTERS = Preparation(characters=True)


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
