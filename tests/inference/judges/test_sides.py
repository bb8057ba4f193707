"""The two sides of a judge: how many held-out sentences it takes to check one."""

from types import SimpleNamespace
from typing import Any

import pytest

from gantext.data.flat import Tokens
from gantext.data.vocabulary import EOS
from gantext.errors import UserError
from gantext.inference.judges import encoder, lm_ratio, sides
from gantext.inference.judges.sides import Sides
from gantext.nn.text.judges.config import PACKAGE, EncoderConfig


def of_validation(sentences: int) -> Sides:
    run = SimpleNamespace(path=SimpleNamespace(name="run"), info={"max_length": 3})
    settings = SimpleNamespace(data=SimpleNamespace(name="own"))
    found = Sides(SimpleNamespace(run=run, settings=settings))  # type: ignore[arg-type]
    tokens = Tokens.of([[4, EOS]] * sentences)
    corpus: Any = SimpleNamespace(validation=SimpleNamespace(tokens=tokens))
    found.__dict__["corpus"] = corpus
    return found


def test_four_held_out_sentences_are_enough_and_2000_the_most() -> None:
    assert [len(of_validation(n).held_out) for n in (4, 2000, 2001)] == [4, 2000, 2000]
    for count, said in ((3, "has 3 held-out"), (0, "has no held-out")):
        with pytest.raises(UserError, match=said):
            _ = of_validation(count).held_out
    assert of_validation(4).padded(of_validation(4).held_out).shape == (4, 3)


def test_what_is_kept_of_judges_is_of_these_settings() -> None:
    """Kept weights are found by names that do not hold all of these: the version goes up with
    each. The seeds differ, so that no judge is checked on the samples that it was trained on."""
    tuning = EncoderConfig(PACKAGE, learning_rate=5e-5, output_rate=1e-3, batch_size=16)
    steps = (encoder.STEPS, encoder.LOOK_EVERY, encoder.PATIENCE)
    assert (encoder.VERSION, steps) == ("encoder-2", (800, 100, 2))
    assert encoder.FINE_TUNING == tuning
    assert (sides.SEED, lm_ratio.SEED, encoder.SEED, sides.FRESH) == (79, 80, 81, 2)
