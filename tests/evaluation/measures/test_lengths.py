"""Scores of short and of long sentences, and what the protocol's seed shuffles."""

import math

import pytest

from gantext.evaluation.ground import Ground, Real
from gantext.evaluation.measures import bleu, lengths
from tests.evaluation.measures.given import PROTOCOL, REFERENCES, subject
from tests.evaluation.measures.test_likelihood import Some, corpus


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
