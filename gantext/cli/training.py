"""gantext train, pretrain, adversarial-train."""

from pathlib import Path
from typing import Annotated

import typer

from gantext import groups
from gantext.cli import completion, launching

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[OVERRIDES]...",
        help="key=value, e.g. model=gan data=coco seed=2 adversarial steps: "
        "model.adversarial.steps=500.",
        autocompletion=completion.train_words,
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
        launching.resume(words, json)
    elif cfg is not None or dry_run:
        launching.show(words, config_dir, cfg)
    elif multirun:
        launching.sweep(words, config_dir, json)
    else:
        launching.single(words, config_dir, json)


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
            "--from",
            metavar="RUN[@PHASE]",
            help="The pretrained run to start from, as it is or as it was at the end of a phase.",
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
    run, phase = RunDir.find_at(None if source == "latest" else source, Path(folder))
    if config_dir is None and run.info.get("config_dir"):
        config_dir = Path(run.info["config_dir"])
    words = [
        *launching.kept(run, words),
        *words,
        "phases=adversarial",
        f"from_run={quote(f'{run.path}@{phase}' if phase else str(run.path))}",
    ]
    train(words, multirun, config_dir, cfg, dry_run, False, json)
