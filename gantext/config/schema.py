"""Plain values <-> the frozen dataclasses that define a run's settings, checked key by key.

The composed values of a run are merged onto `Settings` and onto the `Config` of its model and its
data, so a misspelt key, a wrong type or a missing value is refused in one line.
"""

import dataclasses
import functools
import re
from collections.abc import Callable, Mapping
from types import GenericAlias
from typing import Any, get_args, get_origin, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError

from gantext import data, models
from gantext.config.settings import Settings
from gantext.data import ranges
from gantext.errors import UserError, nearest
from gantext.metrics.text.presets import find_preset
from gantext.records import yaml_file
from gantext.records.shape import Misfit, check_of

# What OmegaConf says of a value of another type.
NO_NUMBER = re.compile(r"Value '(.*)' of type '.*' could not be converted to (Integer|Float)")
NEEDED = {"Integer": "a whole number", "Float": "a number"}
MOST_BITS = 1023  # 1e308, about what a float can be


def typed(cfg: DictConfig) -> Settings:
    """Merge a composed config onto the dataclasses that define it.

    Raises:
        UserError: naming the key, and the nearest one that exists.
    """
    return of_values(_resolved(cfg))


def _resolved(cfg: DictConfig) -> dict[str, Any]:
    """Plain values, each in the place of what stands for it. Raises UserError."""
    try:
        values: Any = OmegaConf.to_container(cfg, resolve=True)
    except OmegaConfBaseException as error:
        key = f"{error.full_key}: " if error.full_key else ""
        raise UserError(f"{key}{first_line(error)}") from error
    assert isinstance(values, dict)
    return values


def of_values(values: Mapping[str, Any]) -> Settings:
    """The settings of plain values, such as a run's config.yaml has. Raises as `typed` does."""
    model = _node("model", values.get("model"), models.config_class)
    corpus = data_of(values.get("data"))
    settings: Settings = merged(Settings, {**values, "model": None, "data": None}, "")
    return dataclasses.replace(known(settings), model=model, data=corpus)


def known(settings: Settings) -> Settings:
    """The settings, if what they name is there. Raises UserError with the key of a name."""
    try:
        find_preset(settings.eval.preset)
    except UserError as error:
        raise UserError(f"eval.preset: {error}") from error
    return settings


def data_config(cfg: DictConfig) -> Any:
    """The data's typed `Config` of a composed config. Raises UserError as `typed` does."""
    values = _resolved(OmegaConf.masked_copy(cfg, ["data"]))
    return data_of(values["data"])


def data_of(values: Any) -> Any:
    """The data's typed `Config` of its plain values. Raises UserError as `typed` does."""
    return _node("data", values, data.config_class)


def _node(group: str, values: Any, config_class: Callable[[str], type]) -> Any:
    if not isinstance(values, dict) or not isinstance(values.get("name"), str):
        raise UserError(f"{group}: a config with a name is needed, e.g. {group}=NAME")
    return merged(config_class(values["name"]), values, group)


def merged(schema: type, values: dict[str, Any], prefix: str) -> Any:
    """Check values against a tree of frozen dataclasses and make its instance.

    OmegaConf makes read-only nodes of frozen dataclasses, onto which nothing can be merged, and
    knows no ranges, so each level is checked by a twin of its flat fields that is not frozen and
    has plain types.

    Raises:
        UserError: naming the key behind the prefix.
    """
    types, nested, empty = _level(schema)
    flat = {key: value for key, value in values.items() if key not in nested}
    _check_digits(flat, prefix)
    _check_mappings(flat, types, prefix)
    try:
        node = OmegaConf.merge(empty, flat)
    except OmegaConfBaseException as error:
        raise UserError(_explain_merge(error, schema, prefix)) from error
    missing = sorted(OmegaConf.missing_keys(node)) + [key for key in nested if key not in values]
    if missing:
        raise UserError(f"a value is needed: {join(prefix, missing[0])}=...")
    checked = OmegaConf.to_object(node)
    parts = {name: getattr(checked, name) for name in types if name not in nested}
    _check_lists(parts, types, prefix)
    for key, kind in nested.items():
        parts[key] = _merge_part(kind, values[key], join(prefix, key))
    made = schema(**parts)
    ranges.check(made, prefix)
    return made


@functools.cache
def _level(schema: type) -> tuple[dict[str, Any], dict[str, Any], DictConfig]:
    """The types of a dataclass's fields, those that are dataclasses, and a node of its flat ones.

    The node has no values, and is merged into a copy of it.
    """
    hints, fields = get_type_hints(schema), dataclasses.fields(schema)
    types = {field.name: hints[field.name] for field in fields}
    nested = {name: kind for name, kind in types.items() if dataclasses.is_dataclass(kind)}
    flat = [(name, _listed(kind)) for name, kind in types.items() if name not in nested]
    return types, nested, OmegaConf.structured(dataclasses.make_dataclass(schema.__name__, flat))


def _listed(kind: Any) -> Any:
    """A list in a tuple's place, whose refusals name no element in OmegaConf 2.4."""
    return GenericAlias(list, get_args(kind)[:1]) if get_origin(kind) is tuple else kind


def _check_digits(values: dict[str, Any], prefix: str) -> None:
    """A whole number beyond what a float can be would end OmegaConf's conversion to one."""
    for key, value in values.items():
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, int) and number.bit_length() > MOST_BITS:
                raise UserError(str(Misfit(number, "a smaller one", join(prefix, key))))


def _check_mappings(values: dict[str, Any], types: dict[str, Any], prefix: str) -> None:
    """A mapping in a list's place is refused by OmegaConf without the key."""
    for key, value in values.items():
        if isinstance(value, dict) and get_origin(types.get(key)) in (list, tuple):
            raise UserError(f"{join(prefix, key)}: a list is needed, not {value!r}")


def _check_lists(values: dict[str, Any], types: dict[str, Any], prefix: str) -> None:
    """What stands in a list is of its type: a list within a list passes OmegaConf as a number."""
    for key, value in values.items():
        if isinstance(value, list):
            try:
                check_of(types[key])(value)
            except Misfit as error:
                raise UserError(str(error.under(join(prefix, key)))) from None


def _merge_part(kind: Any, values: Any, prefix: str) -> Any:
    if not isinstance(values, dict):
        raise UserError(f"{prefix}: a group of values is needed, not {values!r}")
    return merged(kind, values, prefix)


def join(prefix: str, key: str) -> str:
    """A dotted name."""
    return f"{prefix}.{key}" if prefix else key


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def place_of(error: MarkedYAMLError) -> str:
    """What a damaged YAML file says, in one line, with its name and the number of the line."""
    mark = error.problem_mark or error.context_mark
    return (f"{mark.name}, " if mark else "") + yaml_file.place_of(error)


def _explain_merge(error: OmegaConfBaseException, schema: type, prefix: str) -> str:
    key = join(prefix, str(error.full_key or error.key or ""))
    if "not in" in first_line(error) and "Key" in first_line(error):
        return f"unknown key '{key}'{nearest(key, field_names(schema, prefix))}"
    line = first_line(error)
    if said := NO_NUMBER.fullmatch(line):
        return f"{key}={said[1]}: {NEEDED[said[2]]} is needed"
    return f"{key}: {line}"


def field_names(schema: type, prefix: str = "") -> list[str]:
    """All dotted names of values in a dataclass tree."""
    names: list[str] = []
    hints = get_type_hints(schema)
    for field in dataclasses.fields(schema):
        name, kind = join(prefix, field.name), hints[field.name]
        nested = isinstance(kind, type) and dataclasses.is_dataclass(kind)
        names += field_names(kind, name) if nested else [name]
    return names


def leaves(values: Any, prefix: str = "") -> list[str]:
    """All dotted names of values in nested plain dicts."""
    names: list[str] = []
    for key, value in values.items():
        name = join(prefix, str(key))
        names += leaves(value, name) if isinstance(value, dict) else [name]
    return names


def to_yaml(settings: Settings) -> str:
    """The settings as YAML, every value in place; a run's folder reads it back."""
    return OmegaConf.to_yaml(OmegaConf.create(plain(settings)))


def flat(settings: Settings) -> dict[str, Any]:
    """Every value of the settings by its dotted name."""
    found: dict[str, Any] = {}

    def walk(values: dict[str, Any], prefix: str) -> None:
        for key, value in values.items():
            name = join(prefix, key)
            if isinstance(value, dict):
                walk(value, name)
            else:
                found[name] = value

    walk(plain(settings), "")
    return found


def plain(value: Any) -> Any:
    """Dataclasses as dicts, enumerations by name, and tuples as lists."""
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.name if hasattr(value, "name") and hasattr(value, "value") else value
