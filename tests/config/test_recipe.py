"""Recipes: a model's settings on some data, taken by themselves, said, and left out when asked."""

from pathlib import Path

import pytest

from gantext.config import groups, keys, recipe
from gantext.config.compose import compose, compose_sweep
from gantext.config.schema import flat
from gantext.errors import UserError

GAN_COCO = ["model=gan", "data=coco"]


def adversarial(*words: str) -> dict[str, object]:
    """The settings of the adversarial phase."""
    part = "model.adversarial."
    return {key: value for key, value in flat(compose(words)).items() if key.startswith(part)}


def test_each_is_of_a_model_and_data_and_sets_what_differs() -> None:
    assert keys.recipes()
    for name, one in keys.recipes().items():
        words = list(one.options)
        assert len(words) == 2 and recipe.taken(words) == name
        usual, taken = flat(compose([*words, "recipe=none"])), flat(compose(words))
        changed = {key for key in taken if taken[key] != usual[key]}
        assert changed == {key for key in one.values if taken[key] != usual[key]}
        assert changed and all(key.startswith("model.") for key in one.values)


def test_it_is_taken_with_its_model_and_data_alone() -> None:
    assert adversarial(*GAN_COCO) != adversarial("model=gan")
    assert adversarial("model=gan", "data=scenes", "recipe=gan_coco") == adversarial(*GAN_COCO)
    for words in (["model=gan"], [*GAN_COCO, "recipe=none"], ["model=gan", "data=text"]):
        assert recipe.taken(words) is None
    assert recipe.taken(["data=coco"]) == "gan_coco"  # model=gan is the default


def test_what_is_asked_for_wins() -> None:
    assert compose([*GAN_COCO, "model.adversarial.steps=7"]).model.adversarial.steps == 7


@pytest.mark.parametrize("name", groups.names("experiment"))
def test_an_experiment_of_a_model_with_recipes_has_its_own_settings(name: str) -> None:
    options = keys.experiments()[name].options
    models = {option for one in keys.recipes().values() for option in one.options[:1]}
    if models & set(options):
        assert recipe.taken([f"experiment={name}", "data=coco"]) is None


def test_each_job_of_a_sweep_takes_its_own() -> None:
    jobs = compose_sweep(["model=gan", "data=coco,scenes"]).jobs or ()
    found = [settings.model.adversarial.batch_size for _, settings in jobs]
    assert found == [256, 64]


def test_one_that_there_is_not_is_refused() -> None:
    for words in (["recipe=gan_coc"], [*GAN_COCO, "recipe="]):
        with pytest.raises(UserError, match="no such recipe"):
            compose(words)


def test_a_refusal_of_what_it_sets_names_it() -> None:
    with pytest.raises(UserError, match=r"x\.steps is odd$"), recipe.told(GAN_COCO, None):
        raise UserError("x.steps is odd")
    said = (
        r"steps is odd \(recipe=gan_coco sets model.adversarial.steps; recipe=none leaves it out\)"
    )
    with pytest.raises(UserError, match=said), recipe.told(GAN_COCO, None):
        raise UserError("model.adversarial.steps is odd")
    words = [*GAN_COCO, "model.adversarial.steps=3"]
    with pytest.raises(UserError, match=r"steps is odd$"), recipe.told(words, None):
        raise UserError("model.adversarial.steps is odd")


def test_one_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "recipe").mkdir()
    own = tmp_path / "recipe" / "mle_scenes.yaml"
    own.write_text("# @package _global_\nmodel:\n  mle:\n    epochs: 77\n")
    keys.recipes.cache_clear()
    assert compose(["model=mle"], tmp_path).model.mle.epochs == 77
    assert recipe.taken(["model=mle"], tmp_path) == "mle_scenes"
    own.write_text("model:\n  mle:\n    epochs: 77\n")
    with pytest.raises(UserError, match="line 1: a recipe begins with the line"):
        compose(["model=mle"], tmp_path)
    with pytest.raises(UserError, match="line 1: a recipe begins with the line"):
        compose_sweep(["model=mle", "seed=1,2"], tmp_path)
    keys.recipes.cache_clear()
