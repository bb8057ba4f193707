"""Overrides -> typed settings, for a single run or a sweep: the only module that imports hydra.

A single run is composed here and started without Hydra; the jobs of a sweep are Hydra's own.
Users' launcher and sweeper plugins go through the same call.

`Hydra.create_main_hydra2` and `BasicSweeper.split_arguments` are Hydra internals, used here only:
hydra-core is pinned below 1.5, and tests/config/test_compose.py fails first when they move.
"""

import contextlib
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobRuntime
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from gantext import plugins
from gantext.config import groups, own_files, recipe, schema, words
from gantext.config.settings import Settings
from gantext.config.swept import Swept, swept_words, text_models
from gantext.config.words import quote
from gantext.errors import UserError, nearest

# Names among Hydra's config sources: the folder given by --config-dir, conf/, plugins' folders.
USER, OURS, PLUGIN = "user", "main", "plugin"
# What it raises for what it cannot compose (RecursionError: experiments that build on each other).
REFUSALS = (HydraException, OmegaConfBaseException, YAMLError, ValueError, RecursionError)
# What its grammar raises for a word (ValueError: a number of more digits than Python reads).
UNREADABLE = (HydraException, ValueError)
BASIC_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
BASIC_LAUNCHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
SUBDIR = "${hydra.job.num}"  # of conf/config.yaml: where the plan has the jobs
COMMA = re.compile(r"0,[0-9]+")  # maybe a number, as much of Europe writes it
ALL_KEYS = " (all keys: gantext train --cfg job)"
OmegaConf.register_new_resolver("text_models", text_models, replace=True)
JobConfig = DictConfig  # what Hydra gives the function of a job
JobFunction = Callable[[JobConfig], float | None]


@contextlib.contextmanager
def _hydra(config_dir: Path | None) -> Iterator[Hydra]:
    """A Hydra over all folders of configs; a caller's own Hydra comes back."""
    own = groups.own_folder(config_dir)
    before, runtime = GlobalHydra.instance().hydra, JobRuntime.instance().conf.copy()
    GlobalHydra.instance().clear()
    search_path = create_config_search_path(str(groups.CONF))
    if own is not None:
        if not own.is_dir():
            raise UserError(f"config folder not found: {own}{groups.origin(config_dir)}")
        search_path.prepend(USER, f"file://{own.resolve()}")
    # Right after ours, the last one first, for what Hydra itself has must stay at the end.
    for folder in reversed(plugins.config_folders()):
        search_path.append(PLUGIN, f"file://{folder.resolve()}", anchor=SearchPathQuery(OURS))
    try:
        yield Hydra.create_main_hydra2("gantext", search_path)
    finally:
        GlobalHydra.instance().hydra = before
        JobRuntime.instance().conf = runtime


def compose(overrides: Sequence[str], config_dir: Path | None = None) -> Settings:
    """Compose and check one run's settings.

    Raises:
        UserError: an unknown key, group option, type or missing value, in one line.
    """
    overrides = readable(overrides)
    placed = recipe.named(overrides, config_dir)
    with _hydra(config_dir) as hydra, own_files.placed(placed, config_dir):
        cfg = _whole(hydra, overrides, config_dir)
        if unsaid := swept_words(cfg.hydra.sweeper.get("params"), overrides):
            said = " ".join(f"{word.partition('=')[0]}=..." for word in unsaid)
            raise UserError(f"the experiment is a sweep: -m runs it, {said} trains one of its jobs")
        return schema.typed(_task_part(cfg))


def compose_data(overrides: Sequence[str], config_dir: Path | None = None) -> Any:
    """Compose only the data's config, e.g. from ['data=coco', 'data.lowercase=false']."""
    overrides = readable(overrides)
    with _hydra(config_dir) as hydra, own_files.placed(overrides, config_dir):
        return schema.data_config(_compose(hydra, overrides, config_dir))


def _compose(hydra: Hydra, overrides: Sequence[str], config_dir: Path | None) -> DictConfig:
    return _task_part(_whole(hydra, overrides, config_dir))


def _whole(hydra: Hydra, overrides: Sequence[str], config_dir: Path | None) -> DictConfig:
    """The config with Hydra's own part."""
    recipe.check(overrides, config_dir)
    try:
        return hydra.compose_config(groups.MAIN, list(overrides), run_mode=RunMode.RUN)
    except REFUSALS as error:
        raise UserError(_explain(error, hydra, overrides, config_dir)) from error


def _task_part(cfg: DictConfig) -> DictConfig:
    return OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])


def readable(overrides: Sequence[str], sweep: bool = False) -> list[str]:
    """The words as Hydra's grammar reads them: plain paths quoted, ~ as the home folder.

    Args:
        overrides: as the user wrote them.
        sweep: several values with commas between are a value each.

    Raises:
        UserError: an option, no override, or a value that is to be quoted.
    """
    words.check(overrides)
    return [_readable(word, sweep) for word in overrides]


def _readable(word: str, sweep: bool) -> str:
    key, equals, value = word.partition("=")
    if not equals or word.startswith("~"):
        return word
    pieces = value.split(",") if sweep and not words.is_file(value) else [value]
    pieces = [words.at_home(piece) for piece in pieces]
    word = f"{key}={','.join(pieces)}"
    try:
        choices = _is_sweep(word)
    except UNREADABLE as error:
        read = [p if _reads(key, p) or not words.is_path(p) else quote(p) for p in pieces]
        mended = f"{key}={','.join(read)}"
        if _reads(key, ",".join(read)):
            return mended
        raise UserError(_unreadable(key, value, error)) from error
    return f"{key}={quote(pieces[0])}" if choices and words.is_file(pieces[0]) else word


@functools.lru_cache(4096)  # the jobs of a sweep have the same words but for some
def _is_sweep(word: str) -> bool:
    """Whether an override has several values. Raises UNREADABLE."""
    return bool(OverridesParser.create().parse_override(word).is_sweep_override())


def _reads(key: str, value: str) -> bool:
    """Whether Hydra's grammar can read a value."""
    try:
        _is_sweep(f"{key}={value}")
    except UNREADABLE:
        return False
    return True


def _unreadable(key: str, value: str, error: Exception) -> str:
    """What to say of a word that Hydra's grammar cannot read, and that is not plainly a path."""
    why = words.unclosed(value) or schema.first_line(error)
    hint = f"; if that is one text, write {words.pasted(key, value)}" if _reads(key, "x") else ""
    return f"cannot read the overrides: {key}={value}: {why}{hint}"


def parsed(overrides: Sequence[str], config_dir: Path | None = None) -> list[Any]:
    """The overrides as Hydra's grammar has them, several values and intervals too.

    Raises UserError for what it cannot read.
    """
    with _hydra(config_dir) as hydra:
        parser = OverridesParser.create(config_loader=hydra.config_loader)
        return list(parser.parse_overrides(readable(overrides, sweep=True)))


def value_of(key: str, overrides: Sequence[str]) -> str | None:
    """The value of the last override of a key, as Hydra reads it; None where there is none."""
    given = readable([word for word in overrides if word.partition("=")[0] == key])
    return str(OverridesParser.create().parse_override(given[-1]).value()) if given else None


def _explain(
    error: Exception, hydra: Hydra, overrides: Sequence[str], config_dir: Path | None
) -> str:
    """One line for a composition error, with the nearest name."""
    line = schema.first_line(error)
    if isinstance(error, MarkedYAMLError):
        return schema.place_of(error)
    for word in overrides:
        key, _, value = word.lstrip("+~").partition("=")
        if word == f"~{key}" and key in groups.GROUPS:
            return f"{key}: a config with a name is needed"
        known = key not in groups.GROUPS or value in groups.names(key, config_dir)
        if not known and "," not in value:
            return groups.no_such(key, value, config_dir)
        if "/" in key and f"'{key}'" in str(error):
            return f"{word}: not found; is its plugin installed?"
        if not word.startswith("+") and f"'{key}'" in str(error):
            others = [w for w in overrides if w.partition("=")[0] in groups.GROUPS]
            return f"unknown key '{key}'{_nearest_key(hydra, key, others, config_dir)}"
        if line.startswith("Ambiguous") and f"'{word}'" in line:
            point = "decimals follow a point; " if COMMA.fullmatch(value) else ""
            return f"{word}: {point}several values are a sweep, which needs -m"
    return line


def _nearest_key(
    hydra: Hydra, key: str, groups_chosen: Sequence[str], config_dir: Path | None
) -> str:
    """The keys that end as one does, else the nearest; or whose key it is, or where all stand."""
    with contextlib.suppress(*REFUSALS):
        cfg = hydra.compose_config(groups.MAIN, list(groups_chosen), run_mode=RunMode.RUN)
        keys = schema.leaves(OmegaConf.to_container(_task_part(cfg)))
        ends = [known for known in keys if known.endswith(f".{key}")]
        if ends:
            return f" (did you mean {', '.join(ends[:3])}?)"
        others = own_files.options_with(key, config_dir)
        if others:
            return f" (it is one of {', '.join(others)})"
        return nearest(key, keys if "." in key else words.TOP) or ALL_KEYS
    return ""


def task_words(overrides: Sequence[str]) -> list[str]:
    """The overrides of a run's settings, without those of Hydra itself."""
    return [w for w in overrides if not w.lstrip("+~").startswith(("hydra.", "hydra/"))]


def override_words() -> list[str]:
    """The overrides of the job that Hydra is running now."""
    return [str(word) for word in HydraConfig.get().overrides.task]


def user_folder() -> Path | None:
    """The --config-dir of the job that Hydra is running now."""
    sources = HydraConfig.get().runtime.config_sources
    return next((Path(source.path) for source in sources if source.provider == USER), None)


def output_folder() -> Path:
    """The folder that Hydra made for the job that it is running now."""
    return Path(HydraConfig.get().runtime.output_dir)


def compose_sweep(
    overrides: Sequence[str],
    config_dir: Path | None = None,
    check: Callable[[Settings], None] = lambda job: None,
) -> Swept:
    """Compose and check a sweep before its first job starts.

    `check` is given each job of the basic sweeper, and may refuse it too.

    Raises:
        UserError: for any job of the basic sweeper that does not compose, and for `name` where it
            cannot name the folder.
    """
    overrides = readable(overrides, sweep=True)
    with _hydra(config_dir) as hydra:
        try:
            cfg = hydra.compose_config(groups.MAIN, list(overrides), run_mode=RunMode.MULTIRUN)
            overrides = [*overrides, *swept_words(cfg.hydra.sweeper.get("params"), overrides)]
            folder = _sweep_folder(cfg, overrides)
            basic = cfg.hydra.sweeper._target_ == BASIC_SWEEPER
            split = _split(hydra, overrides) if basic else []
        except REFUSALS as error:
            with own_files.placed(overrides, config_dir):
                raise UserError(_explain(error, hydra, overrides, config_dir)) from error
        jobs = []
        for job in split:
            with own_files.placed(recipe.named(job, config_dir), config_dir):
                settings = schema.typed(_compose(hydra, job, config_dir))
            check(settings)
            jobs.append((job, settings))
    found = tuple(jobs) if basic else None
    return Swept(folder, found, not basic or _does_more(cfg), Path(str(cfg.runs_dir)))


def _does_more(cfg: DictConfig) -> bool:
    """Whether Hydra is to do more with the jobs than to run one after the other."""
    asked = cfg.hydra
    around = asked.callbacks or asked.job.env_set or asked.job.chdir
    return asked.launcher._target_ != BASIC_LAUNCHER or bool(around)


def _sweep_folder(cfg: DictConfig, overrides: Sequence[str]) -> Path:
    """The folder that `hydra.sweep.dir` names, or else `name` in `runs_dir`."""
    folder = Path(str(cfg.hydra.sweep.dir))
    parser = OverridesParser.create()
    parsed = {one.key_or_group: one for one in parser.parse_overrides(list(overrides))}
    if "name" in parsed and parsed["name"].is_sweep_override():
        raise UserError("name: it is that of the sweep's folder, so it has one value")
    sweep = OmegaConf.to_container(cfg.hydra.sweep)
    if isinstance(sweep, dict) and sweep["subdir"] != SUBDIR:
        raise UserError("hydra.sweep.subdir: the jobs of a sweep lie in its folders 0, 1, 2, ...")
    if cfg.name is None:
        return folder
    if "hydra.sweep.dir" in parsed:
        raise UserError("name and hydra.sweep.dir both name the sweep's folder: leave one out")
    words.check_name(str(cfg.name))
    return Path(str(cfg.runs_dir)) / str(cfg.name)


def run_sweep(
    job: JobFunction, overrides: Sequence[str], folder: Path, config_dir: Path | None = None
) -> None:
    """Run a checked sweep through Hydra's configured sweeper and launcher, its jobs in `folder`."""
    placed = [*readable(overrides, sweep=True), f"hydra.sweep.dir={quote(str(folder))}"]
    with _hydra(config_dir) as hydra:
        cfg = hydra.compose_config(groups.MAIN, placed, run_mode=RunMode.MULTIRUN)
        if swept := swept_words(cfg.hydra.sweeper.get("params"), placed):
            # Hydra would add its own to what the words have.
            placed += [*swept, "hydra.sweeper.params=null"]
        hydra.multirun(groups.MAIN, job, placed, with_log_configuration=False)


def _split(hydra: Hydra, overrides: Sequence[str]) -> list[list[str]]:
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    parser = OverridesParser.create(config_loader=hydra.config_loader)
    parsed = [
        override
        for override in parser.parse_overrides(list(overrides))
        if not override.key_or_group.startswith("hydra")
    ]
    batches = BasicSweeper.split_arguments(parsed, max_batch_size=None)
    return [list(job) for batch in batches for job in batch]
