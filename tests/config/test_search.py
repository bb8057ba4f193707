"""The words of a search: Hydra's grammar of what is drawn, ready searches, refusals."""

from pathlib import Path

import pytest

from gantext.config import groups
from gantext.config.compose import compose
from gantext.config.search import Choice, Numbers, search_of
from gantext.errors import UserError


@pytest.mark.parametrize(
    ("word", "dimension"),
    [
        ("model.mle.learning_rate=interval(0.1,0.2)", Numbers(0.1, 0.2)),
        ("model.mle.learning_rate=interval(0,1)", Numbers(0.0, 1.0)),
        ("model.mle.learning_rate=tag(log, interval(1e-4,1e-2))", Numbers(1e-4, 1e-2, log=True)),
        ("model.generator.hidden=int(interval(8,64))", Numbers(8, 64, 1, whole=True)),
        (
            "model.generator.hidden=tag(log,int(interval(8,64)))",
            Numbers(8, 64, 1, log=True, whole=True),
        ),
        ("model.mle.epochs=range(2,9,3)", Numbers(2, 8, 3, whole=True)),
        ("model.mle.epochs=range(9,2,-3)", Numbers(3, 9, 3, whole=True)),
        ("model.generator.dropout=range(0.0,0.5,0.25)", Numbers(0.0, 0.25, 0.25)),
        ("model.mle.epochs=range(3,4)", Choice(("3",))),
        ("model.mle.epochs=choice(1,5,1)", Choice(("1", "5"))),
        ("model.mle.epochs=4,5", Choice(("4", "5"))),
        ("+data.path='a b','c'", Choice(("'a b'", "'c'"))),
    ],
)
def test_what_is_searched(word: str, dimension: Numbers | Choice) -> None:
    """range(a,b) is without b, as in Hydra; a whole number of an int stays one."""
    found = search_of(["model=gan", word, "n=7"])
    assert (found.trials, found.fixed) == (7, ("model=gan",))
    (own,) = found.space.values()
    assert own == dimension
    if isinstance(own, Numbers) and isinstance(dimension, Numbers):
        assert type(own.low) is type(dimension.low)
    key = word.partition("=")[0]
    assert next(iter(found.corners())) == ["model=gan", f"{key}={dimension.ends[0]}"]
    assert all(dimension.has(value) for value in dimension.ends)
    assert not dimension.has("elsewhere") and not dimension.has(10**6)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["seed=1"], "nothing is searched"),
        (["seed=1,2"], "say so by n=50"),
        (["n=0", "seed=1,2"], "n=0: n is a number of trials, from 1 to 100,000"),
        (["n=1e3", "seed=1,2"], "n is a number of trials"),
        (["n=2", "seed=interval(2,1)"], "goes from a number to a greater one"),
        (["n=2", "seed=interval(0,inf)"], "goes from a number to a greater one"),
        (["n=2", "seed=tag(log,interval(0,1))"], "begins above 0"),
        (["n=2", "seed=interval(1)"], "seed=interval(1)"),
        (["n=2", "seed=1,2", "name=a"], "the first word of gantext tune"),
        (["n=2", "seed=1,2", "hydra/launcher=x"], "without Hydra's plugins"),
        (["n=2", "tune=gan_cocoa"], "did you mean gan_coco?"),
        (["n=2", "word"], "'word' is not an override"),
    ],
)
def test_bad_words_are_refused_in_one_line(words: list[str], error: str) -> None:
    with pytest.raises(UserError) as caught:
        search_of(words)
    assert error in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", groups.names("tune"))
def test_the_ends_of_a_ready_search_compose(name: str) -> None:
    for words in search_of(["n=1", f"tune={name}"]).corners():
        assert compose(words).objective is not None
    assert groups.describe("tune", name)


def test_a_ready_search_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "tune").mkdir()
    (tmp_path / "tune" / "mine.yaml").write_text("words: [model=gan, 'seed=1,2', n=3]\n")
    found = search_of(["tune=mine", "n=4"], tmp_path)
    assert (found.trials, found.words) == (4, ("model=gan", "seed=1,2"))
    (tmp_path / "tune" / "mine.yaml").write_text("words: {a: 1}\n")
    with pytest.raises(UserError, match="a list of overrides is expected"):
        search_of(["tune=mine"], tmp_path)
