"""Language models of samples and of real text."""

import pytest

from gantext.errors import UserError
from gantext.evaluation.ground import Ground, Real
from gantext.evaluation.measures import lm
from gantext.evaluation.subjects import REAL
from gantext.metrics.text.preparation import Preparation
from gantext.metrics.text.texts import Texts
from tests.evaluation.measures.given import PROTOCOL, subject
from tests.evaluation.measures.test_likelihood import corpus


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
