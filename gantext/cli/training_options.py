"""Options that the commands of training share, each written once."""

from typing import Annotated

import typer

from gantext.cli import completion

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[OVERRIDES]...",
        help="key=value, e.g. model=gan data=coco seed=2 model.adversarial.steps=500.",
        autocompletion=completion.train_words,
        show_default=False,
    ),
]
SWEEPS, THERE = "Sweeps", "Runs that are there"  # panels of the help
Source = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="RUN[@PHASE]",
        help="Begin with the weights of this run, and with its overrides; on other data (data=...) "
        "words that both know keep their rows.",
        autocompletion=completion.runs,
        show_default=False,
        rich_help_panel=THERE,
    ),
]
Multirun = Annotated[
    bool,
    typer.Option(
        "--multirun",
        "-m",
        help="One job for each combination of values.",
        rich_help_panel=SWEEPS,
    ),
]
Cfg = Annotated[
    str | None, typer.Option("--cfg", metavar="job", help="Print the composed config and stop.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check and print the composed config, train nothing.")
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on with a run (the latest, or the one named) exactly, also with more steps "
        "(key=value) where none of those before depends on them; or with the jobs of a sweep that "
        "have not ended.",
        rich_help_panel=THERE,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        min=1,
        max=1024,
        metavar="N",
        help="Run so many jobs of a sweep at a time.",
        rich_help_panel=SWEEPS,
    ),
]
Gpus = Annotated[
    str | None,
    typer.Option(
        "--gpus",
        metavar="0,1",
        help="Run the jobs of a sweep on these GPUs, one on each.",
        rich_help_panel=SWEEPS,
    ),
]
Slurm = Annotated[
    str | None,
    typer.Option(
        "--slurm",
        metavar="[KEY=VALUE,...]",
        help="Leave the jobs of a sweep to SLURM and return; with long options of sbatch, e.g. "
        "partition=gpu,time=2:00:00,gpus=1.",
        rich_help_panel=SWEEPS,
        show_default=False,
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="[ADDRESS]",
        help="Run the jobs of a sweep on a Ray cluster (HOST:PORT or auto), or without ADDRESS on "
        "one of this machine.",
        rich_help_panel=SWEEPS,
        show_default=False,
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Go on though memory seems too small for the run."),
]
Tethered = Annotated[
    bool, typer.Option("--tethered", help="Be stopped, saved, when stdin ends.", hidden=True)
]
Replay = Annotated[
    bool,
    typer.Option(
        "--replay",
        help="Run the steps of a run that diverged (the latest, or the one named) again, up to the "
        "one that broke, and name its first operation that is not finite; nothing is written.",
        rich_help_panel=THERE,
    ),
]
