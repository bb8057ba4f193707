"""Lines of signatures: by families, whose name is that of a single score where it is one."""

import re

import pytest

from gantext.metrics.score import Score, Setting
from gantext.metrics.signatures import conflicts, short_line, signature_lines


def test_a_family_of_one_has_its_own_name() -> None:
    of_orders = [Score(f"bleu-{n}", 0.5, {"n": n}) for n in (2, 3)]
    lines = signature_lines({"a": [*of_orders, Score("length-w1", 1.5, {"unit": "tokens"})]})
    assert [line.partition(":")[0] for line in lines] == ["bleu", "length-w1"]


def test_orders_and_origins_are_said_once() -> None:
    """A single order is as it is; of the origins of a source's scores the fullest is said."""
    run: dict[str, Setting] = {"run": "r", "model": "gan"}
    scores = [
        *(Score(f"bleu-{n}", 0.5, {"preset": "x", "n": n, "run": "r"}) for n in (2, 3)),
        Score("unique", 0.5, {"unit": "share", **run}),
        Score("self-bleu-4", 0.5, {"preset": "x", "n": 4}),
    ]
    assert signature_lines({"a": scores}) == [
        "bleu: preset:x|n:2..3",
        "unique: unit:share",
        "self-bleu-4: preset:x|n:4",
        "a: run:r|model:gan",
    ]
    assert signature_lines({"b": [Score("copied", 0.5, {"tokenizer": "x"})]}) == ["copied: tok:x"]


@pytest.mark.parametrize(
    ("signature", "data", "said"),
    [
        ({"preset": "x", "hypotheses": 1500, "data": "3fa1ce"}, "d", "x · 1,500 samples · d 3fa1"),
        ({"pictures": 9, "data": "3fa1ce"}, "", "9 samples · data 3fa1"),
        ({"sampled": 5, "hypotheses": 4, "temperature": 0.5}, "d", "5 samples · temperature 0.5"),
        ({"sampled": 5, "temperature": 1.0}, "", "5 samples"),
    ],
)
def test_all_in_a_few_words(signature: dict[str, Setting], data: str, said: str) -> None:
    line = short_line({"a": [Score("bleu-2", 0.5, signature)]}, data)
    begin, _, digest = line.rpartition(" · signature ")
    assert begin == said and re.fullmatch("[0-9a-f]{4}", digest)


def test_what_is_not_comparable_names_the_settings_that_differ() -> None:
    """Two sources share the one protocol; of families that all share nothing is said."""

    def scored(hypotheses: int, **more: Setting) -> list[Score]:
        sign: dict[str, Setting] = {"preset": "x", "n": 2, "hypotheses": hypotheses, **more}
        return [Score("bleu-2", 0.5, sign), Score("unique", 0.5, {"unit": "share"})]

    sources = {"a": scored(500), "b": scored(1000), "c": scored(500)}
    assert conflicts(sources) == [
        "bleu-2: not comparable as it stands: hyp:500 of a, c; hyp:1000 of b"
    ]
    assert signature_lines(sources) == [
        "bleu-2 of a, c: preset:x|n:2|hyp:500",
        "bleu-2 of b: preset:x|n:2|hyp:1000",
        "unique: unit:share",
    ]
    assert conflicts({"a": scored(500), "c": scored(500)}) == []
    (said,) = conflicts({"a": scored(5), "b": scored(5, case="lower")})
    assert said.endswith(": without it of a; case:lower of b")
