"""gantext train, pretrain, adversarial-train."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from gantext import groups
from gantext.cli import completion, tables
from gantext.errors import UserError

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[OVERRIDES]...",
        help="key=value, e.g. model=gan data=coco seed=2 adversarial steps: "
        "model.adversarial.steps=500.",
        autocompletion=completion.overrides,
        show_default=False,
    ),
]
Multirun = Annotated[
    bool, typer.Option("--multirun", "-m", help="Sweep: one job for each combination of values.")
]
ConfigDir = Annotated[
    Path | None,
    typer.Option("--config-dir", help="A folder of your own configs (model/, data/, experiment/)."),
]
Cfg = Annotated[
    str | None, typer.Option("--cfg", metavar="job", help="Print the composed config and stop.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check and print the composed config, train nothing.")
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on with a run (the latest, or the one named) exactly."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def _groups_help() -> str:
    lines = []
    for group in groups.GROUPS:
        lines.append(f"[bold]{group}=[/bold]")
        names = groups.names(group)
        lines += [f"  [cyan]{name:<16}[/cyan] {groups.describe(group, name)}" for name in names]
    return "\n\n".join(lines)


EXAMPLES = """

[bold]Examples[/bold]

  gantext train experiment=demo

  gantext train model=gan data=coco seed=2

  gantext train -m model=gan seed=1,2,3

  gantext train --resume

"""


def register(app: typer.Typer) -> None:
    """Add the training commands."""
    settings = {"ignore_unknown_options": True}
    epilog = _groups_help() + EXAMPLES
    app.command(context_settings=settings, epilog=epilog)(train)
    app.command(context_settings=settings, epilog=epilog)(pretrain)
    app.command("adversarial-train", context_settings=settings, epilog=epilog)(adversarial_train)


def train(
    overrides: Words = None,
    multirun: Multirun = False,
    config_dir: ConfigDir = None,
    cfg: Cfg = None,
    dry_run: DryRun = False,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Train a model: all its phases, then its scores."""
    words = list(overrides or [])
    if resume:
        _resume(words, json)
    elif cfg is not None or dry_run:
        _show(words, config_dir, cfg)
    elif multirun:
        _sweep(words, config_dir, json)
    else:
        _single(words, config_dir, json)


def pretrain(
    overrides: Words = None,
    multirun: Multirun = False,
    config_dir: ConfigDir = None,
    cfg: Cfg = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Run only the phases before the adversarial one."""
    words = [*(overrides or []), "phases=pretrain"]
    train(words, multirun, config_dir, cfg, dry_run, False, json)


def adversarial_train(
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="RUN", help="The pretrained run to start from.",
            autocompletion=completion.runs,
        ),
    ] = "latest",
    overrides: Words = None,
    multirun: Multirun = False,
    config_dir: ConfigDir = None,
    cfg: Cfg = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Run only the adversarial phases, from a pretrained run and with its overrides."""
    from gantext.config import quote
    from gantext.run import RunDir

    words = list(overrides or [])
    folder = next((w.partition("=")[2] for w in words if w.startswith("runs_dir=")), "runs")
    run = RunDir.find(None if source == "latest" else source, Path(folder))
    given = {word.partition("=")[0] for word in words} | {"phases", "from_run", "name"}
    kept = [w for w in run.info.get("overrides", []) if w.partition("=")[0] not in given]
    words = [*kept, *words, "phases=adversarial", f"from_run={quote(str(run.path))}"]
    train(words, multirun, config_dir, cfg, dry_run, False, json)


def _show(words: list[str], config_dir: Path | None, cfg: str | None) -> None:
    from gantext import config

    if cfg not in (None, "job"):
        raise UserError(f"--cfg {cfg}: only 'job' can be shown")
    print(config.to_yaml(config.compose(words, config_dir)), end="")


def _single(words: list[str], config_dir: Path | None, json: bool) -> None:
    from gantext import config, jobs

    settings = config.compose(words, config_dir)
    folder = Path(settings.runs_dir) / (settings.name or _name(settings))
    config.run_single(jobs.single_job, words, folder, config_dir)
    _finish(folder, json)


def _name(settings: Any) -> str:
    now = time.strftime("%Y-%m-%d_%H-%M-%S")
    base = f"{now}-{settings.model.name}-{settings.data.name}-s{settings.seed}"
    taken = [n for n in range(2, 1000) if (Path(settings.runs_dir) / f"{base}-{n}").exists()]
    free = not (Path(settings.runs_dir) / base).exists()
    return base if free else f"{base}-{max(taken, default=1) + 1}"


def _resume(words: list[str], json: bool) -> None:
    from gantext import jobs
    from gantext.run import RunDir

    if len(words) > 1 or any("=" in word for word in words):
        raise UserError("--resume takes a run and no overrides: its config is in its folder")
    run = RunDir.find(words[0] if words else None, Path("runs"))
    jobs.resume(run)
    _finish(run.path, json)


def _finish(folder: Path, json: bool) -> None:
    """The scores of each phase, where the run is, and what to do next."""
    from gantext.cli.runs import phase_scores
    from gantext.run import RunDir

    run = RunDir(folder)
    scores = phase_scores(run)
    if json:
        last = list(scores.values())[-1] if scores else []
        tables.print_json([score.to_json() for score in last])
        return
    for line in run.samples(list(scores)[-1] if scores else "")[:8]:
        tables.out.print(f"  {line}", style="cyan", markup=False, soft_wrap=True)
    if scores:
        tables.score_table(f"scores of {folder.name} after each phase", scores)
    tables.out.print(f"\nrun: {folder}", soft_wrap=True)
    tables.out.print(
        f"next: gantext sample {folder} -n 20  |  gantext eval bleu {folder}"
        "  |  gantext runs list", soft_wrap=True,
    )


def _sweep(words: list[str], config_dir: Path | None, json: bool) -> None:
    from gantext import config, jobs
    from gantext.cli.runs import sweep_report

    runs_dir = next((w.partition("=")[2] for w in words if w.startswith("runs_dir=")), "runs")
    folder = Path(runs_dir) / (time.strftime("%Y-%m-%d_%H-%M-%S") + "-sweep")
    try:
        config.run_sweep(jobs.sweep_job, words, folder, config_dir)
    finally:
        failed = sweep_report(folder, json)
    if failed:
        raise typer.Exit(1)
