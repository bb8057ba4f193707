"""What `gantext train` does with its words: show, start, sweep or resume."""

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gantext.cli import tables
from gantext.errors import UserError

if TYPE_CHECKING:
    from gantext.run import RunDir
    from gantext.settings import Settings


def kept(run: "RunDir", words: list[str]) -> list[str]:
    """The overrides of a source run that `words` do not replace, the paths in them absolute."""
    from gantext import schema
    from gantext.config import quote

    replaced = {_key(word) for word in words} | {"phases", "from_run", "name"}
    if "data" in replaced:
        replaced |= {_key(word) for word in run.info.get("overrides", []) if "data." in word}
    data = schema.from_yaml(run.config).data
    kept = []
    for word in run.info.get("overrides", []):
        group, _, field = _key(word).partition(".")
        value = getattr(data, field, None) if group == "data" else None
        if _key(word) not in replaced:
            kept.append(f"{_key(word)}={quote(value)}" if isinstance(value, str) else word)
    return kept


def _key(word: str) -> str:
    return word.lstrip("+~").partition("=")[0]


def show(words: list[str], config_dir: Path | None, cfg: str | None) -> None:
    """Print a composed config."""
    from gantext import config, schema

    if cfg not in (None, "job"):
        raise UserError(f"--cfg {cfg}: only 'job' can be shown")
    print(schema.to_yaml(config.compose(words, config_dir)), end="")


def single(words: list[str], config_dir: Path | None, json: bool) -> None:
    """One run, from its config to its scores."""
    from gantext import config, jobs

    settings = config.compose(words, config_dir)
    folder = _made(Path(settings.runs_dir) / (settings.name or _name(settings)))
    config.run_single(jobs.single_job, words, folder, config_dir)
    _finish(folder, json)


def _name(settings: "Settings") -> str:
    now = time.strftime("%Y-%m-%d_%H-%M-%S")
    name = f"{now}-{settings.model.name}-{settings.data.name}-s{settings.seed}"
    return _free(Path(settings.runs_dir) / name).name


def _free(folder: Path) -> Path:
    """The folder, or with -2, -3, ... after it, so that it is a new one."""
    numbered = (folder.with_name(f"{folder.name}-{n}") for n in itertools.count(2))
    return next(path for path in itertools.chain([folder], numbered) if not path.exists())


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder}: {error.strerror}") from error
    return folder


def resume(words: list[str], json: bool) -> None:
    """Go on with the run that is named, or the latest."""
    from gantext import jobs
    from gantext.run import RunDir

    if len(words) > 1 or any("=" in word for word in words):
        raise UserError("--resume takes a run and no overrides: its config is in its folder")
    run = RunDir.find(words[0] if words else None, Path("runs"))
    jobs.resume(run)
    _finish(run.path, json)


def _finish(folder: Path, json: bool) -> None:
    """The scores of each phase, where the run is, and what to do next."""
    from gantext.cli.runs import next_steps, phase_scores
    from gantext.run import RunDir

    run = RunDir(folder)
    scores = phase_scores(run)
    if json:
        last = list(scores.values())[-1] if scores else []
        tables.print_json([score.to_json() for score in last])
        return
    for line in run.samples(list(scores)[-1] if scores else "")[:8]:
        tables.out.print(f"  {line}", style="cyan", markup=False, soft_wrap=True)
    if run.draws_pictures:
        _preview(run)
    if scores:
        tables.score_table(f"scores of {folder.name} after each phase", scores)
    tables.out.print(f"\nrun: {folder}", soft_wrap=True)
    steps = next_steps(run, str(folder))
    tables.out.print(f"next: {steps}  |  gantext runs list", soft_wrap=True)


def _preview(run: "RunDir") -> None:
    """The last look at the run's pictures, small, where the terminal can show it."""
    from gantext.cli import preview
    from gantext.picture_files import pixels
    from gantext.plots.pictures import SCALE

    for look in run.pictures.looks()[-1:]:
        preview.show(tables.out, pixels(look.path)[::SCALE, ::SCALE])
        tables.out.print(f"  {look.path}", style="cyan", markup=False, soft_wrap=True)


def sweep(words: list[str], config_dir: Path | None, json: bool) -> None:
    """Several runs, and their table whatever becomes of them."""
    from gantext import config, jobs
    from gantext.cli.sweeps import sweep_report

    folder = _made(_free(config.sweep_folder(words, config_dir)))
    try:
        config.run_sweep(jobs.sweep_job, words, folder, config_dir)
    finally:
        failed = sweep_report(folder, json)
    if failed:
        raise typer.Exit(1)
