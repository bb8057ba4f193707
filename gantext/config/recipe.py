"""Recipes: what a model's settings are on some data, where they differ from its own.

conf/recipe/MODEL_DATA.yaml is taken with model=MODEL data=DATA, by name with others; recipe=none
leaves it out, and so does an experiment that has settings of its own.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from gantext.config import groups, keys
from gantext.config.words import key_of
from gantext.errors import UserError

NONE = "none"


def check(overrides: Sequence[str], config_dir: Path | None) -> None:
    """Refuse a recipe that there is not: Hydra would leave it out, as that of most models.

    Raises UserError.
    """
    for word in overrides:
        key, _, name = word.partition("=")
        if key == "recipe" and name not in (NONE, *groups.names("recipe", config_dir)):
            raise UserError(groups.no_such("recipe", name, config_dir))


def taken(overrides: Sequence[str], config_dir: Path | None = None) -> str | None:
    """The recipe that a run of these overrides takes, if there is one."""
    given = [word.partition("=")[::2] for word in overrides]
    chosen = keys.chosen(given, config_dir)
    name = chosen.get("recipe") or f"{chosen.get('model')}_{chosen.get('data')}"
    return name if name in groups.names("recipe", config_dir) else None


def named(overrides: Sequence[str], config_dir: Path | None) -> list[str]:
    """The overrides, and a word that says which recipe they take, where they do not; as they are
    where a file is damaged, which composing will say."""
    found = list(overrides)
    if not any(word.startswith("recipe=") for word in overrides):
        with contextlib.suppress(UserError):
            name = taken(overrides, config_dir)
            found += [f"recipe={name}"] if name else []
    return found


@contextlib.contextmanager
def told(overrides: Sequence[str], config_dir: Path | None) -> Iterator[None]:
    """Say of a refusal that names what a recipe sets, and the overrides do not, that it does.

    Raises:
        UserError: what was raised within.
    """
    try:
        yield
    except UserError as error:
        name, given = taken(overrides, config_dir), {key_of(word) for word in overrides}
        values = keys.recipes(config_dir)[name].values if name else {}
        named = [key for key in values if key in str(error) and key not in given]
        if not named:
            raise
        said = f"{error} (recipe={name} sets {named[0]}; recipe=none leaves it out)"
        raise UserError(said) from error.__cause__
