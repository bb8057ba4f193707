"""What a record says of the settings that a run was trained with."""

import pytest

from gantext.config.compose import compose
from gantext.evaluation.benchmark.making import departures


@pytest.mark.parametrize(
    ("words", "usual", "found"),
    [
        (["model=mle", "data=scenes"], ["model=mle"], {}),
        (["model=mle", "data=scenes", "data.label=shape"], ["model=mle"], {}),
        (["model=mle", "model.mle.epochs=3"], ["model=mle"], {"model.mle.epochs": 3}),
        (
            ["model=sentigan", "data=scenes", "data.label=shape"],
            ["model=sentigan", "data.label=relation"],
            {"data.label": "shape"},
        ),
    ],
)
def test_classes_that_a_model_does_not_read_are_no_departure(
    words: list[str], usual: list[str], found: dict[str, object]
) -> None:
    assert departures(compose(words), ["data=scenes", *usual]) == found


def test_what_auto_stands_for_departs_where_it_was_asked_for() -> None:
    settings = compose(["model=gan", "data=coco", "model.judge.kind=cnn"])
    words = ["data=coco", "model=gan"]
    assert departures(settings, words) == {}
    assert departures(settings, words, {"model.judge.kind"}) == {"model.judge.kind": "cnn"}
