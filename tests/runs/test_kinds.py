"""What text and pictures say of themselves."""

from gantext import models
from gantext.data import Reads
from gantext.runs.kinds import KINDS, PICTURES, TEXT, kind_of, model_kind


def test_an_option_is_one_kind_s() -> None:
    assert not TEXT.options & PICTURES.options


def test_a_model_makes_what_it_reads() -> None:
    assert {kind_of(reads) for reads in Reads} == set(KINDS)
    for name in models.available():
        assert (model_kind(name) is TEXT) == models.reads(name).sentences, name
