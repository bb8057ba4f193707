"""Options that the commands of training share, each written once."""

from typing import Annotated

import typer

from gantext.cli import completion

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
Source = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="RUN[@PHASE]",
        help="Begin with the weights of this run, and with its overrides; on other data (data=...) "
        "words that both know keep their rows.",
        autocompletion=completion.runs,
        show_default=False,
    ),
]
Multirun = Annotated[
    bool, typer.Option("--multirun", "-m", help="Sweep: one job for each combination of values.")
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
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", min=1, max=1024, help="Run so many jobs of a sweep at a time."),
]
Gpus = Annotated[
    str | None,
    typer.Option(
        "--gpus", metavar="0,1", help="Run the jobs of a sweep on these GPUs, one on each."
    ),
]
Slurm = Annotated[
    str | None,
    typer.Option(
        "--slurm",
        metavar="[KEY=VALUE,...]",
        help="Leave the jobs of a sweep to SLURM and return; with long options of sbatch, e.g. "
        "partition=gpu,time=2:00:00,gpus=1.",
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
    ),
]
