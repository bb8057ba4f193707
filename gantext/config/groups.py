"""The config groups, read from the folder of YAML files without importing hydra (for help)."""

import itertools
import os
from pathlib import Path

import gantext
from gantext import plugins
from gantext.errors import nearest

MAIN = "config"  # the name of the config that has one of each
GROUPS = ("model", "data", "recipe", "experiment")
SHOWN = 100  # letters of a list of options that an error shows
OWN = "GANTEXT_CONFIG_DIR"  # the folder of a user's own configs, said once for all commands


def _conf() -> Path:
    """conf/ beside the package in a checkout; gantext/conf in a wheel."""
    package = Path(gantext.__file__).parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


CONF = _conf()


def own_folder(config_dir: Path | None = None) -> Path | None:
    """The folder of the user's own configs: the one that is named, or that of the environment."""
    if config_dir is not None:
        return config_dir
    return Path(os.environ[OWN]).expanduser() if os.environ.get(OWN) else None


def origin(config_dir: Path | None) -> str:
    """What an error adds of a folder that no option has named."""
    return f" (set by {OWN})" if config_dir is None else ""


def folders(config_dir: Path | None = None) -> list[Path]:
    """Where the YAML files lie, in the order in which they are looked up.

    The user's own come before gantext's, gantext's before a plugin's.
    """
    own = own_folder(config_dir)
    return [*([own] if own else []), CONF, *plugins.config_folders()]


def names(group: str, config_dir: Path | None = None) -> list[str]:
    """The options of a config group, alphabetically."""
    places = [folder / group for folder in folders(config_dir)]
    return sorted({path.stem for place in places for path in place.glob("*.yaml")})


def no_such(group: str, name: str, config_dir: Path | None = None) -> str:
    """What is said of an option that there is not: the nearest one, or which there are."""
    why = f"{group}={name}: no such {group}"
    if group == "data" and ("." in name or "/" in name):
        return f"{why}; a file of your own is data=text data.train={name}"
    options = names(group, config_dir)
    longer = [option for option in options if name and option.startswith(f"{name}_")]
    if len(longer) > 1:
        return f"{why} (there are: {', '.join(longer)})"
    listed = ", ".join(options) or "none"
    if len(listed) > SHOWN:
        listed = f"{len(options)}, which gantext train --help lists"
    return why + ((nearest(name, options) if name else "") or f" (there are: {listed})")


def describe(group: str, name: str, config_dir: Path | None = None) -> str:
    """The first comment line of an option's YAML file, which says what it is."""
    lines = _lines(group, name, config_dir)
    comments = [line[1:].strip() for line in lines if line.startswith("# ")]
    return next((comment for comment in comments if not comment.startswith("@")), "")


def remarks(group: str, name: str, config_dir: Path | None = None) -> str:
    """What the comment at the head of an option's YAML file says after its first line."""
    said = [line for line in _head(group, name, config_dir) if not line.startswith("@")]
    return " ".join(said[1:])


def marks(group: str, name: str, config_dir: Path | None = None) -> list[str]:
    """The lines at the head of an option's YAML file that are for programs, as `@package ...`."""
    return [line for line in _head(group, name, config_dir) if line.startswith("@")]


def _head(group: str, name: str, config_dir: Path | None) -> list[str]:
    """The comment lines at the head of an option's YAML file."""
    lines = _lines(group, name, config_dir)
    head = itertools.takewhile(lambda line: line.startswith("#"), lines)
    return [line.removeprefix("#").strip() for line in head]


def module(group: str, name: str, config_dir: Path | None = None) -> str:
    """The `name` in an option's YAML file, which is that of its module; "" without one."""
    values = (line.partition("name:")[2].strip() for line in _lines(group, name, config_dir))
    return next((value for value in values if value), "")


def path(group: str, name: str, config_dir: Path | None = None) -> Path | None:
    """The YAML file of an option; None where there is none."""
    paths = (folder / group / f"{name}.yaml" for folder in folders(config_dir))
    return next((path for path in paths if path.is_file()), None)


def _lines(group: str, name: str, config_dir: Path | None) -> list[str]:
    file = path(group, name, config_dir)
    return file.read_text(encoding="utf-8").splitlines() if file else []
