"""Every key of the configuration with its comment, its value and its type, without hydra or torch.

A key's comment stands above it in the YAML file. Options of a group may have the same keys,
as `model.mle.epochs` of several models: each is a key of its own here.
"""

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gantext import plugins
from gantext.config import groups
from gantext.config.fields import FieldType, field_types
from gantext.config.own_files import entries
from gantext.errors import UserError
from gantext.records import yaml_file

PACKAGES = {"model": "gantext.models", "data": "gantext.data"}  # every run has one option of each
HYDRAS = ("defaults", "hydra")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as quick, where it is built


@dataclass(frozen=True)
class Key:
    """A key of one YAML file.

    Attributes:
        name: as an override writes it, e.g. model.mle.epochs.
        option: whose it is, e.g. model=gan; "" of conf/config.yaml.
        value: its default, as the file writes it.
        comment: what the file says of it, in one paragraph; "" where it says nothing.
        path: the file.
        line: counted from 1.
        config: the module and the dataclass that type it.
        changes: what experiments and recipes of the same option set it to, by their options.
    """

    name: str
    option: str
    value: str
    comment: str
    path: Path
    line: int
    config: tuple[str, str]
    changes: Mapping[str, str]

    @property
    def type(self) -> FieldType | None:
        """What it takes; None where that cannot be made out."""
        group = self.option.partition("=")[0]
        return field_types(*self.config).get(self.name.removeprefix(f"{group}."))

    @property
    def where(self) -> str:
        """The file, as gantext's own are known by their place in conf/, and the line."""
        own = groups.CONF in self.path.parents
        return (
            f"{Path('conf') / self.path.relative_to(groups.CONF) if own else self.path}:{self.line}"
        )


@dataclass(frozen=True)
class _Written:
    """A key as a file writes it: see `Key`."""

    name: str
    value: str
    comment: str
    line: int


def keys(config_dir: Path | None = None) -> list[Key]:
    """Those of conf/config.yaml, then those of each model and each kind of data.

    Raises:
        UserError: a file is no YAML.
    """
    options = [(group, name) for group in PACKAGES for name in groups.names(group, config_dir)]
    return [*main_keys(config_dir), *(k for one in options for k in option_keys(*one, config_dir))]


def main_keys(config_dir: Path | None = None) -> list[Key]:
    """The keys of every run. Raises as `keys` does."""
    settings = ("gantext.config.settings", "Settings")
    return _keys("", "", _main(config_dir), settings, config_dir)


def _main(config_dir: Path | None) -> Path:
    places = (folder / f"{groups.MAIN}.yaml" for folder in groups.folders(config_dir))
    return next(place for place in places if place.is_file())


def chosen(given: Iterable[tuple[str, str]], config_dir: Path | None = None) -> dict[str, str]:
    """The option of each group that a run has: as it is given, as its experiment takes it, or as
    conf/config.yaml has it. Raises as `keys` does.
    """
    own, usual = dict(given), dict(_overridden(_composed(_main(config_dir))))
    experiment = experiments(config_dir).get(own.get("experiment", ""))
    pairs = [option.partition("=")[::2] for option in experiment.options] if experiment else []
    return {**usual, **dict(pairs), **own}


def option_keys(group: str, name: str, config_dir: Path | None = None) -> list[Key]:
    """The keys of a model or of data, without its `name`. Raises as `keys` does."""
    path = _path(group, name, config_dir)
    config = module(group, groups.module(group, name, config_dir)), "Config"
    found = _keys(f"{group}.", f"{group}={name}", path, config, config_dir)
    return [key for key in found if key.name != f"{group}.name"]


def _path(group: str, name: str, config_dir: Path | None) -> Path:
    path = groups.path(group, name, config_dir)
    if path is None:
        raise UserError(f"no such {group}: {name}")
    return path


def module(group: str, name: str) -> str:
    """The module of a model or of data: one of gantext's own, or a plugin's."""
    point = plugins.installed(PACKAGES[group]).get(name)
    return point.module if point else f"{PACKAGES[group]}.{name}"


def _keys(
    prefix: str, option: str, path: Path, config: tuple[str, str], config_dir: Path | None
) -> list[Key]:
    return [
        Key(
            name=one.name,
            option=option,
            value=one.value,
            comment=one.comment,
            path=path,
            line=one.line,
            config=config,
            changes={
                name: changing.values[one.name]
                for name, changing in _changing(config_dir)
                if one.name in changing.values and (not option or option in changing.options)
            },
        )
        for one in _written(path, prefix)
    ]


@dataclass(frozen=True)
class Experiment:
    """What an experiment says.

    Attributes:
        options: those that it takes, e.g. model=gan, by itself or by one that it builds on.
        builds_on: other experiments, by their names: it has all that they set.
        values: what its own file sets, by the names of the keys, as it is written there.
    """

    options: tuple[str, ...]
    builds_on: tuple[str, ...]
    values: Mapping[str, str]


def _changing(config_dir: Path | None) -> Iterator[tuple[str, "Experiment"]]:
    """Every experiment and recipe with its option."""
    for name, one in experiments(config_dir).items():
        yield f"experiment={name}", one
    for name, one in recipes(config_dir).items():
        yield f"recipe={name}", one


@functools.cache
def experiments(config_dir: Path | None = None) -> dict[str, Experiment]:
    """All of them by name. Raises as `keys` does."""
    names = groups.names("experiment", config_dir)
    return {name: _experiment(name, names, config_dir) for name in names}


def _experiment(name: str, others: Sequence[str], config_dir: Path | None) -> Experiment:
    """One of them; `others` are those that it may build on."""
    path, rest = _path("experiment", name, config_dir), [one for one in others if one != name]
    tree = _composed(path)
    builds_on = [node.value for node in entries(tree) if node.value in rest]
    inherited = [_experiment(one, rest, config_dir).options for one in builds_on]
    options = [f"{group}={option}" for group, option in _overridden(tree)]
    return Experiment(
        options=tuple(dict.fromkeys([*itertools.chain(*inherited), *options])),
        builds_on=tuple(builds_on),
        values={one.name: one.value for one in _written(path, "")},
    )


@functools.cache
def recipes(config_dir: Path | None = None) -> dict[str, Experiment]:
    """What a model's settings are on some data, by its name, MODEL_DATA. Raises as `keys` does."""
    options = {
        f"{model}_{data}": (f"model={model}", f"data={data}")
        for model in groups.names("model", config_dir)
        for data in groups.names("data", config_dir)
    }
    found = {}
    for name in groups.names("recipe", config_dir):
        values = {one.name: one.value for one in _written(_path("recipe", name, config_dir), "")}
        found[name] = Experiment(options.get(name, ()), (), values)
    return found


def _overridden(tree: Any) -> Iterator[tuple[str, str]]:
    """What the defaults of an experiment take: model and gan of `override /model: gan`."""
    for entry in entries(tree):
        for group, option in entry.value if isinstance(entry, yaml.MappingNode) else ():
            yield group.value.removeprefix("override /"), option.value


def _written(path: Path, prefix: str) -> Iterator[_Written]:
    """The keys that hold a value, in the file's order; without what is hydra's."""
    tree, text = _composed(path), yaml_file.read_text(path)
    for key, node in tree.value if tree else ():
        if key.value not in HYDRAS:
            yield from _within(text, text.splitlines(), key, node, prefix)


def _within(text: str, lines: list[str], key: Any, node: Any, prefix: str) -> Iterator[_Written]:
    name = f"{prefix}{key.value}"
    if isinstance(node, yaml.MappingNode):
        for inner, value in node.value:
            yield from _within(text, lines, inner, value, f"{name}.")
        return
    line = key.start_mark.line
    yield _Written(name, _source(text, node), _comment(lines, line), line + 1)


def _comment(lines: list[str], place: int) -> str:
    """The comment lines that end right above a line, as one paragraph."""
    above = []
    while place and (text := lines[place - 1].strip()).startswith("#"):
        above.append(text.lstrip("#").strip())
        place -= 1
    return " ".join(reversed(above))


def _source(text: str, node: Any) -> str:
    return text[node.start_mark.index : node.end_mark.index].strip()


@functools.cache
def _composed(path: Path) -> Any:
    """The nodes of a file, with their places; None of an empty one."""
    try:
        found = yaml.compose(yaml_file.read_text(path), Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        raise UserError(f"{path}: {yaml_file.place_of(error)}") from None
    return found if isinstance(found, yaml.MappingNode) else None
