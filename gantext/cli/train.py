"""gantext train, pretrain, adversarial-train."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from gantext.cli import completion, sweeps, tables
from gantext.cli import dry_run as dry
from gantext.cli.options import ConfigDir, Json
from gantext.cli.training_command import TrainingCommand
from gantext.cli.training_options import (
    Cfg,
    DryRun,
    Force,
    Gpus,
    Jobs,
    Multirun,
    Ray,
    Replay,
    Resume,
    Slurm,
    Source,
    Words,
)
from gantext.data import ranges
from gantext.errors import UserError
from gantext.runs import listing
from gantext.runs.folder import RunDir
from gantext.runs.sweep import SweepDir, is_sweep
from gantext.training import launch, processes
from gantext.training.terminal import say, tell

ENGINES = "--jobs, --gpus, --slurm and --ray"


def register(app: typer.Typer) -> None:
    """Add the training commands."""
    settings = {"ignore_unknown_options": True}
    app.command(cls=TrainingCommand, context_settings=settings)(train)
    app.command(cls=TrainingCommand, context_settings=settings)(pretrain)
    app.command("adversarial-train", cls=TrainingCommand, context_settings=settings)(
        adversarial_train
    )


def train(
    overrides: Words = None,
    source: Source = None,
    multirun: Multirun = False,
    config_dir: ConfigDir = None,
    cfg: Cfg = None,
    dry_run: DryRun = False,
    resume: Resume = False,
    replay: Replay = False,
    json: Json = False,
    force: Force = False,
    jobs: Jobs = None,
    gpus: Gpus = None,
    slurm: Slurm = None,
    ray: Ray = None,
) -> None:
    """Train a model: all its phases, then its scores."""
    words = list(overrides or [])
    if replay:
        processes.refuse_several(["--replay"])
        _replay(words, json)
        return
    how = sweeps.How(jobs, gpus, force, slurm, ray)
    if resume and source is not None:
        raise UserError("--resume goes on with a run, --from begins another: leave one out")
    if resume:
        _resume(words, how, json, dry_run)
        return
    if source is not None:
        words, config_dir = _from(source, words, config_dir)
    _begin(words, how, multirun, config_dir, cfg, dry_run, json)


def _begin(
    words: list[str],
    how: sweeps.How,
    multirun: bool,
    config_dir: Path | None,
    cfg: str | None,
    dry_run: bool,
    json: bool,
) -> None:
    """A new run or sweep, or only its config; the options are those of the commands."""
    alone = {"-m": multirun, "--cfg": cfg, "--dry-run": dry_run}
    processes.refuse_several([option for option, given in alone.items() if given])
    if how.is_said and not multirun:
        raise UserError(f"{ENGINES} run the jobs of a sweep, which needs -m")
    words = [*words, *["force=true"] * how.force]
    if cfg is not None:
        show(words, config_dir, cfg)
    elif dry_run and multirun:
        dry.of_sweep(words, config_dir, how, json)
    elif dry_run:
        dry.of_run(words, config_dir, json)
    elif multirun:
        sweeps.begin(words, config_dir, how, json)
    else:
        from gantext import api

        command = shlex.join(sys.argv[1:])
        run = api.train(*words, config_dir=config_dir, progress=True, command=command)
        _finish(RunDir(run.place), json)


def _resume(words: list[str], how: sweeps.How, json: bool, dry_run: bool) -> None:
    """Go on with the run or the sweep that is named, or the latest run; or say whether it can."""
    found = None
    if words and not words[0].startswith("threads="):
        places = (place / words[0] for place in (Path(), Path("runs")))
        found = next(filter(is_sweep, places), None)
    if found is not None:
        if len(words) > 1:
            raise UserError(
                f"--resume {words[0]} takes no overrides: its plan has those of its jobs"
            )
        processes.refuse_several(["a sweep"])
        if dry_run:
            dry.of_sweep_on(SweepDir(found), json)
        else:
            sweeps.go_on(SweepDir(found), how, json)
    elif how.is_said:
        raise UserError(f"{ENGINES} run the jobs of a sweep: --resume SWEEP")
    elif dry_run:
        name, overrides, threads = _resumable(words)
        dry.of_run_on(listing.find(name, Path("runs")), overrides, threads, json)
    else:
        _finish(_resumed(words, how.force), json)


def _resumed(words: list[str], force: bool) -> RunDir:
    """Go on with the run that is named, or the latest, to its end."""
    from gantext import api

    name, overrides, threads = _resumable(words)
    return api.resume(name, *overrides, progress=True, force=force, threads=threads).folder


def _resumable(words: list[str]) -> tuple[str | None, list[str], int | None]:
    """The run, the overrides and the threads that the words of --resume name. Raises UserError."""
    given = [word for word in words if word.startswith("threads=")]
    rest = [word for word in words if word not in given]
    names = [word for word in rest if "=" not in word or _is_folder(word)]
    if len(names) > 1:
        raise UserError(f"--resume takes one run, and key=value; {names[1]} is neither")
    overrides = [word for word in rest if word not in names]
    threads = _threads(given[-1]) if given else None
    return names[0] if names else None, overrides, threads


def _is_folder(word: str) -> bool:
    return any((place / word).is_dir() for place in (Path(), Path("runs")))


def _threads(word: str) -> int:
    """The number of 'threads=4'. Raises UserError."""
    number, bounds = word.partition("=")[2], ranges.range_of(ranges.Threads)
    assert bounds is not None
    if not number.isdecimal() or not 1 <= float(number) <= bounds.high:
        raise UserError(f"{word}: threads is a number from 1 to {bounds.high:,}")
    return int(number)


def _replay(words: list[str], json: bool) -> None:
    """Say how the run that is named, or the latest, came to its first number that is not finite."""
    if len(words) > 1:
        raise UserError("--replay takes a run and no overrides: its config is in its folder")
    result = launch.replay(listing.find(words[0] if words else None, Path("runs")))
    from gantext.training.replay import lines, to_json

    for note in result.notes:
        tell(tables.err, f"note: {note}")
    if json:
        tables.print_json(to_json(result))
        return
    for line in lines(result):
        tell(tables.out, line)


def pretrain(
    overrides: Words = None,
    source: Source = None,
    multirun: Multirun = False,
    config_dir: ConfigDir = None,
    cfg: Cfg = None,
    dry_run: DryRun = False,
    json: Json = False,
    force: Force = False,
    jobs: Jobs = None,
    gpus: Gpus = None,
    slurm: Slurm = None,
    ray: Ray = None,
) -> None:
    """Run only the phases before the adversarial one."""
    words = list(overrides or [])
    if source is not None:
        words, config_dir = _from(source, words, config_dir)
    words.append("phases=pretrain")
    how = sweeps.How(jobs, gpus, force, slurm, ray)
    _begin(words, how, multirun, config_dir, cfg, dry_run, json)


def _from(
    source: str | None, words: list[str], config_dir: Path | None
) -> tuple[list[str], Path | None]:
    """The words and the folder of configs of a run that begins with the weights of another, and
    with its overrides; None: of the newest that gantext pretrain has finished."""
    from gantext.config.compose import value_of
    from gantext.config.words import quote

    runs_dir = Path(value_of("runs_dir", words) or "runs")
    if source is None:
        run, phase = launch.newest_pretrained(runs_dir), None
        tables.hint(f"from {run.path}, the newest pretrained run (--from names another)")
    else:
        run, phase = listing.find_trained_at(source, runs_dir)
    if config_dir is None and (asked := run.info.get("config_dir")):
        config_dir = Path(asked)
    where = quote(f"{run.path}@{phase}" if phase else str(run.path))
    return [*launch.kept(run, words), *words, f"from_run={where}"], config_dir


def adversarial_train(
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="RUN[@PHASE]",
            help="The pretrained run to start from, as it is or as it was at the end of a phase "
            "(default: the newest that gantext pretrain has finished).",
            autocompletion=completion.runs,
            show_default=False,
        ),
    ] = None,
    overrides: Words = None,
    multirun: Multirun = False,
    config_dir: ConfigDir = None,
    cfg: Cfg = None,
    dry_run: DryRun = False,
    json: Json = False,
    force: Force = False,
    jobs: Jobs = None,
    gpus: Gpus = None,
    slurm: Slurm = None,
    ray: Ray = None,
) -> None:
    """Run only the adversarial phases, from a pretrained run and with its overrides."""
    words, config_dir = _from(source, list(overrides or []), config_dir)
    words.append("phases=adversarial")
    how = sweeps.How(jobs, gpus, force, slurm, ray)
    _begin(words, how, multirun, config_dir, cfg, dry_run, json)


def show(words: list[str], config_dir: Path | None, cfg: str) -> None:
    """Print a composed config."""
    from gantext.config import schema
    from gantext.config.compose import compose

    if cfg != "job":
        raise UserError(f"--cfg {cfg}: only 'job' can be shown")
    say(schema.to_yaml(compose(words, config_dir)), end="")


def _finish(run: RunDir, json: bool) -> None:
    """The scores of each phase, where the run is, and what to do next; said by one process."""
    if processes.this_process().number > 0:
        return
    from gantext.cli.runs import next_steps, show_scores
    from gantext.runs.summary import phase_scores

    scores = phase_scores(run)
    if json:
        last = list(scores.values())[-1] if scores else []
        from gantext.evaluation.document import scored_run

        tables.print_json(scored_run(run.path.name, run.path, last))
        return
    for line in run.samples(list(scores)[-1] if scores else "")[:8]:
        tell(tables.out, f"  {line}", "cyan")
    _preview(run)
    if scores:
        show_scores(f"scores of {run.path.name} after each phase", scores, run)
    tables.out.print(f"\nrun: {run.path}", markup=False, soft_wrap=True)
    steps = next_steps(run, str(run.path))
    tell(tables.out, f"next: {steps}  |  gantext runs list")


def _preview(run: RunDir) -> None:
    """The last look at the pictures of a run that draws some, small, where that can be shown."""
    looks = run.pictures.looks()
    if not looks:
        return
    from gantext.cli import preview
    from gantext.plots.pictures import SCALE, pixels

    last = looks[-1].path
    try:
        preview.show(tables.out, pixels(last)[::SCALE, ::SCALE])
    except UserError as error:  # what was trained is there all the same
        tables.hint(f"warning: {error}")
        return
    tables.out.print(f"  {last}", style="cyan", markup=False, soft_wrap=True)
