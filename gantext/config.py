"""Overrides -> typed settings, for a single run or a sweep: the only module that imports hydra.

`Hydra.create_main_hydra2` and `BasicSweeper.split_arguments` are Hydra internals: they are used
here only, with hydra-core pinned below 1.4 and a test (tests/test_config.py) that fails first
when they move. Users' launcher and sweeper plugins go through the same call.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gantext import data, groups, models
from gantext.errors import UserError, nearest
from gantext.settings import Settings

CONFIG_NAME = "config"
BASIC_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
JobFunction = Callable[[DictConfig], float | None]


@contextlib.contextmanager
def _hydra(config_dir: Path | None) -> Iterator[Hydra]:
    """A Hydra over our conf/ with the user's folder before it; global state is cleared after."""
    GlobalHydra.instance().clear()
    search_path = create_config_search_path(str(groups.CONF))
    if config_dir is not None:
        if not config_dir.is_dir():
            raise UserError(f"config folder not found: {config_dir}")
        search_path.prepend("user", f"file://{config_dir.resolve()}")
    try:
        yield Hydra.create_main_hydra2("gantext", search_path)
    finally:
        GlobalHydra.instance().clear()


def compose(overrides: Sequence[str], config_dir: Path | None = None) -> Settings:
    """Compose and check one run's settings.

    Raises:
        UserError: an unknown key, group option, type or missing value, in one line.
    """
    check_words(overrides)
    with _hydra(config_dir) as hydra:
        return typed(_compose(hydra, overrides, config_dir))


def compose_data(overrides: Sequence[str], config_dir: Path | None = None) -> Any:
    """Compose only the data's config, e.g. from ['data=coco', 'data.lowercase=false']."""
    check_words(overrides)
    with _hydra(config_dir) as hydra:
        cfg = OmegaConf.to_container(_compose(hydra, overrides, config_dir))
    assert isinstance(cfg, dict)
    return _node("data", cfg["data"], data.config_class)


def _compose(hydra: Hydra, overrides: Sequence[str], config_dir: Path | None) -> DictConfig:
    try:
        cfg = hydra.compose_config(CONFIG_NAME, list(overrides), run_mode=RunMode.RUN)
    except HydraException as error:
        raise UserError(_explain(error, hydra, overrides, config_dir)) from error
    return _task_part(cfg)


def _task_part(cfg: DictConfig) -> DictConfig:
    container = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])
    assert isinstance(container, DictConfig)
    return container


def check_words(overrides: Sequence[str]) -> None:
    """Refuse options and words that are not overrides, before Hydra sees them."""
    for word in overrides:
        if word.startswith("-"):
            raise UserError(f"no such option: {word.split('=')[0]}")
        if "=" not in word and not word.startswith("~"):
            choices = [f"{group}={name}" for group in groups.GROUPS for name in groups.names(group)]
            raise UserError(
                f"'{word}' is not an override (write key=value){nearest(word, choices)}"
            )
        if word.startswith("hydra.mode"):
            raise UserError("hydra.mode is set by -m; leave it out")


def typed(cfg: DictConfig) -> Settings:
    """Merge a composed config onto the dataclasses that define it.

    Raises:
        UserError: naming the key, and the nearest one that exists.
    """
    try:
        values = OmegaConf.to_container(cfg, resolve=True)
    except OmegaConfBaseException as error:
        raise UserError(_first_line(error)) from error
    assert isinstance(values, dict)
    model = _node("model", values.pop("model", None), models.config_class)
    corpus = _node("data", values.pop("data", None), data.config_class)
    settings = _merge(Settings, {**values, "model": None, "data": None}, "")
    return dataclasses.replace(settings, model=model, data=corpus)


def _node(group: str, values: Any, config_class: Callable[[str], type]) -> Any:
    if not isinstance(values, dict) or not isinstance(values.get("name"), str):
        raise UserError(f"{group}: a config with a name is needed, e.g. {group}=NAME")
    return _merge(config_class(values["name"]), values, group)


def _merge(schema: type, values: dict[str, Any], prefix: str) -> Any:
    """Check values against a tree of frozen dataclasses and make its instance.

    OmegaConf makes read-only nodes of frozen dataclasses, onto which nothing can be merged, so
    each level is checked by a twin of its flat fields that is not frozen.
    """
    fields = dataclasses.fields(schema)
    nested = {f.name: f.type for f in fields if dataclasses.is_dataclass(f.type)}
    twin = dataclasses.make_dataclass(
        schema.__name__, [(f.name, f.type) for f in fields if f.name not in nested]
    )
    flat = {key: value for key, value in values.items() if key not in nested}
    try:
        node = OmegaConf.merge(OmegaConf.structured(twin), flat)
    except OmegaConfBaseException as error:
        raise UserError(_explain_merge(error, schema, prefix)) from error
    missing = sorted(OmegaConf.missing_keys(node)) + [key for key in nested if key not in values]
    if missing:
        raise UserError(f"a value is needed: {_join(prefix, missing[0])}=...")
    parts = {key: _merge_part(kind, values[key], _join(prefix, key)) for key, kind in nested.items()}
    return schema(**{f.name: getattr(OmegaConf.to_object(node), f.name) for f in fields
                     if f.name not in nested}, **parts)


def _merge_part(kind: Any, values: Any, prefix: str) -> Any:
    if not isinstance(values, dict):
        raise UserError(f"{prefix}: a group of values is needed, not {values!r}")
    return _merge(kind, values, prefix)


def _join(prefix: str, key: str) -> str:
    return f"{prefix}.{key}" if prefix else key


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _explain_merge(error: OmegaConfBaseException, schema: type, prefix: str) -> str:
    key = _join(prefix, str(error.full_key or error.key or ""))
    if "not in" in _first_line(error) and "Key" in _first_line(error):
        known = [_join(prefix, name) for name in field_names(schema)]
        return f"unknown key '{key}'{nearest(key, known)}"
    return f"{key}: {_first_line(error)}"


def field_names(schema: type) -> list[str]:
    """All dotted names of a dataclass tree."""
    names: list[str] = []
    for field in dataclasses.fields(schema):
        names.append(field.name)
        if isinstance(field.type, type) and dataclasses.is_dataclass(field.type):
            names += [f"{field.name}.{inner}" for inner in field_names(field.type)]
    return names


def _explain(
    error: HydraException, hydra: Hydra, overrides: Sequence[str], config_dir: Path | None
) -> str:
    """One line for a composition error, with the nearest name."""
    line = _first_line(error)
    for word in overrides:
        key, _, value = word.lstrip("+~").partition("=")
        options = groups.names(key, config_dir) if key in groups.GROUPS else []
        if options and value not in options and "," not in value and value != "null":
            hint = nearest(value, options) or f" (there are: {', '.join(options)})"
            return f"{key}={value}: no such {key}{hint}"
        if not word.startswith("+") and f"'{key}'" in str(error):
            others = [w for w in overrides if w.partition("=")[0] in groups.GROUPS]
            return f"unknown key '{key}'{_nearest_key(hydra, key, others)}"
    return line


def _nearest_key(hydra: Hydra, key: str, groups_chosen: Sequence[str]) -> str:
    with contextlib.suppress(HydraException):
        cfg = hydra.compose_config(CONFIG_NAME, list(groups_chosen), run_mode=RunMode.RUN)
        return nearest(key, [*_keys(_task_part(cfg)), *groups.GROUPS])
    return ""


def _keys(cfg: DictConfig, prefix: str = "") -> list[str]:
    names: list[str] = []
    for key in cfg:
        name = _join(prefix, str(key))
        names.append(name)
        child = cfg._get_node(str(key))
        if isinstance(child, DictConfig) and not child._is_none():
            names += _keys(child, name)
    return names


def to_yaml(settings: Settings) -> str:
    """The settings as YAML, every value in place; `from_yaml` reads it back."""
    return OmegaConf.to_yaml(OmegaConf.create(_plain(settings)))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.name if hasattr(value, "name") and hasattr(value, "value") else value


def from_yaml(path: Path) -> Settings:
    """Read a run's config.yaml. Raises UserError when it is missing or does not fit."""
    try:
        cfg = OmegaConf.load(path)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise UserError(f"cannot read {path}: {_first_line(error)}") from error
    assert isinstance(cfg, DictConfig)
    return typed(cfg)


def override_words() -> list[str]:
    """The overrides of the job that Hydra is running now."""
    return [str(word) for word in HydraConfig.get().overrides.task]


def output_folder() -> Path:
    """The folder that Hydra made for the job that it is running now."""
    return Path(HydraConfig.get().runtime.output_dir)


def run_single(
    job: JobFunction, overrides: Sequence[str], folder: Path, config_dir: Path | None = None
) -> None:
    """Run `job` once with its output in `folder`; what it raises comes through unchanged."""
    words = [*overrides, f"hydra.run.dir={quote(str(folder))}"]
    with _hydra(config_dir) as hydra:
        hydra.run(CONFIG_NAME, job, words, with_log_configuration=False)


def run_sweep(
    job: JobFunction, overrides: Sequence[str], folder: Path, config_dir: Path | None = None
) -> None:
    """Run a sweep through Hydra's configured sweeper and launcher, its jobs below `folder`.

    Every job of the basic sweeper is checked before the first one starts.
    """
    check_words(overrides)
    words = [*overrides, f"hydra.sweep.dir={quote(str(folder))}"]
    with _hydra(config_dir) as hydra:
        try:
            cfg = hydra.compose_config(CONFIG_NAME, words, run_mode=RunMode.MULTIRUN)
            if cfg.hydra.sweeper._target_ == BASIC_SWEEPER:
                for job_words in _split(hydra, overrides):
                    typed(_compose(hydra, job_words, config_dir))
        except HydraException as error:
            raise UserError(_explain(error, hydra, overrides, config_dir)) from error
        hydra.multirun(CONFIG_NAME, job, words, with_log_configuration=False)


def _split(hydra: Hydra, overrides: Sequence[str]) -> list[list[str]]:
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    parser = OverridesParser.create(config_loader=hydra.config_loader)
    parsed = [o for o in parser.parse_overrides(list(overrides)) if not _is_hydra_key(o)]
    batches = BasicSweeper.split_arguments(parsed, max_batch_size=None)
    return [list(job) for batch in batches for job in batch]


def _is_hydra_key(override: Any) -> bool:
    return str(override.key_or_group).startswith("hydra")


def quote(value: str) -> str:
    """A value as Hydra's override grammar reads it back."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def complete(incomplete: str, config_dir: Path | None = None) -> list[str]:
    """Completions of a half-typed override (groups, options, keys)."""
    from hydra._internal.core_plugins.bash_completion import BashCompletion

    with _hydra(config_dir) as hydra:
        completion = BashCompletion(hydra.config_loader)
        return list(completion._query(config_name=CONFIG_NAME, line=incomplete))
