"""The command line: parse, call, print. Nothing here imports torch or hydra at the top."""

import io
import logging
import os
import sys
import traceback
from typing import Annotated

import typer

from gantext import __version__
from gantext.cli import (
    compare,
    completion,
    data,
    doctor,
    eval,
    frontier,
    goals,
    impute,
    interpolate,
    latent,
    reconstruct,
    report,
    runs,
    sample,
    score,
    train,
)
from gantext.errors import UserError, noted_log
from gantext.training.divergence import Diverged
from gantext.training.stop import Stopped
from gantext.training.terminal import Notes, say

NOTES = Notes(logging.WARNING)

app = typer.Typer(
    name="gantext",
    help="Pretrain, adversarially train, sample and evaluate generative models of text and of "
    "pictures.",
    epilog="Start with [bold]gantext train experiment=demo[/bold], then [bold]gantext sample[/bold]"
    " and [bold]gantext eval bleu[/bold]. RUN is a run's folder or name; without it, the latest.",
    rich_markup_mode="rich",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
train.register(app)
sample.register(app)
score.register(app)
reconstruct.register(app)
interpolate.register(app)
impute.register(app)
latent.register(app)
goals.register(app)
frontier.register()
compare.register(app)
report.register(app)
doctor.register(app)
app.add_typer(eval.app, name="eval")
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
completion.mend_bash()


def _version(wanted: bool) -> None:
    if wanted:
        say(f"gantext {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show full tracebacks (may stand anywhere).")
    ] = False,
) -> None:
    """Set options of all commands."""


def main() -> None:
    """Run the command line; every way to fail ends here, with one line and an exit code."""
    logging.getLogger("gantext").addHandler(NOTES)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a letter shows another
            stream.reconfigure(errors="replace")
    debug = "--debug" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--debug"]
    try:
        code = app(standalone_mode=False)
        if code == 130:  # what Typer makes of a KeyboardInterrupt
            say("interrupted", sys.stderr)
        sys.stdout.flush()
    except BaseException as error:
        if debug:
            say(traceback.format_exc(), sys.stderr, end="")
        code = _failed(error)
    sys.exit(code if isinstance(code, int) else 0)


def _failed(error: BaseException) -> int:
    """Print one line for an error; returns the exit code."""
    if isinstance(error, Stopped):
        say(f"stopped and saved; go on with: {error.command}", sys.stderr)
        return 128 + error.number
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
        say("interrupted", sys.stderr)
        return 130
    if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
        # The reader has enough. What is still buffered must not fail again at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, Diverged):
        say(f"error: {error.run} {error}", sys.stderr)
        return 1
    if isinstance(error, UserError):
        return _refuse(str(error))
    if type(error).__name__ == "NoArgsIsHelpError":  # its help is printed already
        return 2
    usage = getattr(error, "format_message", None)  # typer's usage errors
    if usage is not None:
        return _refuse(str(usage()))
    return _unexpected(error)


def _refuse(message: str) -> int:
    lines = map(str.strip, message.splitlines())
    say("error: " + " ".join(filter(None, lines)), sys.stderr)
    return 2


def _unexpected(error: BaseException) -> int:
    from gantext.runs import crash

    try:
        log = f"log: {noted_log(error) or crash.written(error, sys.argv[1:])}"
    except OSError as full:
        log = f"no log: {full.strerror}"
    what = (str(error).strip().splitlines() or [""])[0]
    say(f"error: {type(error).__name__}: {what} ({log}; --debug shows it)", sys.stderr)
    return 1
