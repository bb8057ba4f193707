"""Which judge is asked for, and what of it decides the sentences that are kept."""

from pathlib import Path

import pytest

from gantext.errors import UserError
from gantext.inference.judges.choice import candidates_of, decided_by
from gantext.inference.request import Candidates


def test_of_one_sentence_all_are_kept_and_nobody_judges() -> None:
    assert candidates_of(1, None, False, Path()) is None
    assert candidates_of(2, None, False, Path()) == Candidates(2, "", False)
    assert candidates_of(3, "lm-ratio", True, Path()) == Candidates(3, "lm-ratio", True)
    for judge, force in (("lm-ratio", False), (None, True)):
        with pytest.raises(UserError, match="for --candidates 2 or more"):
            candidates_of(1, judge, force, Path())


def test_an_encoder_s_folder_is_the_same_from_anywhere(tmp_path: Path) -> None:
    asked = candidates_of(2, f"encoder:{tmp_path / 'a' / '..' / 'b'}", False, Path())
    assert asked is not None and asked.judge == f"encoder:{(tmp_path / 'b').resolve()}"


def test_what_decides_the_sentences_that_are_kept() -> None:
    """And a number that goes up as groups are made otherwise."""
    assert decided_by(None) == {}
    asked = Candidates(4, "lm-ratio")
    assert decided_by(asked) == {"judge": "lm-ratio", "judge_forced": False, "groups": 2}
    assert decided_by(Candidates(4, force=True))["judge_forced"] is True
