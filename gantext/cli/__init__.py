"""The command line: parse, call, print. Nothing here imports torch or hydra at the top."""

import contextlib
import errno
import io
import logging
import os
import signal
import sys
import traceback
from typing import Annotated

import typer

from gantext import __version__
from gantext.cli import (
    classify,
    compare,
    completion,
    data,
    doctor,
    eval,
    explain,
    export,
    frontier,
    goals,
    help,
    impute,
    interpolate,
    job,
    latent,
    methods,
    reconstruct,
    record,
    replay_to,
    report,
    runs,
    runs_list,
    sample,
    score,
    sweeps,
    train,
    tune,
    upkeep,
)
from gantext.cli.refusals import refusal
from gantext.errors import UserError, noted_log
from gantext.files import FULL
from gantext.training import processes
from gantext.training.divergence import Diverged
from gantext.training.stop import Mode, Stopped, StopRequest, stop_request
from gantext.training.terminal import Notes, say, tell_stderr

NOTES = Notes(logging.WARNING)
# Of a path that a user named: no fault of ours, wherever it is first looked at.
UNREACHABLE = (errno.ENAMETOOLONG, errno.EACCES)

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
tune.register(app)
sample.register(app)
score.register(app)
classify.register(app)
reconstruct.register(app)
interpolate.register(app)
impute.register(app)
latent.register(app)
goals.register(app)
export.register(app)
frontier.register()
compare.register(app)
report.register(app)
record.register(app)
doctor.register(app)
explain.register(app)
methods.register(app)
help.register(app)
job.register(app)
runs_list.register(runs.app)
runs.register()
upkeep.register(runs.app)
app.add_typer(eval.app, name="eval")
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
sweeps.register()
replay_to.register(runs.app)
completion.mend_bash()
help.let_flow(app)


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
    """Run the command line; every way to end is here, with one line and an exit code."""
    if processes.speaks():
        logging.getLogger("gantext").addHandler(NOTES)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a letter shows another
            stream.reconfigure(errors="replace")
    debug = "--debug" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--debug"]
    with stop_request() as stop:
        code = _ended(stop, debug)
        _drop_unwritten()
    sys.exit(code)


def _ended(stop: StopRequest, debug: bool) -> int:
    """Run the command; returns its exit code, which is a signal's if there was one."""
    try:
        with stop.doing(Mode.interrupt, then=Mode.finish):
            code = app(standalone_mode=False)
            sys.stdout.flush()
    except BaseException as error:
        if debug:
            say(traceback.format_exc(), sys.stderr, end="")
        if stop.number is None or isinstance(error, Stopped):
            return _failed(error)
    if stop.number is not None:
        _tell("interrupted" if stop.number == signal.SIGINT else f"ended by {_named(stop.number)}")
        return 128 + stop.number
    return code if isinstance(code, int) else 0


def _named(number: int) -> str:
    return signal.Signals(number).name


def _tell(line: str, of_all: bool = False) -> None:
    """A last line on stderr. Where nobody can read it, it does not change the exit code.

    Of several processes one says it, unless it is `of_all`.
    """
    if not (of_all or processes.speaks()):
        return
    with contextlib.suppress(OSError):
        tell_stderr(line)
        sys.stderr.flush()


def _drop_unwritten() -> None:
    """What cannot be written by now must not fail again at the exit, which would get its code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_of_stdout(error: OSError) -> bool:
    """Whether it is stdout that has no room: one more line does not go there either."""
    if error.errno in FULL and error.filename is None:
        try:
            say("")
            sys.stdout.flush()
        except OSError:
            return True
    return False


def _failed(error: BaseException) -> int:
    """Print one line for an error; returns the exit code."""
    if isinstance(error, Stopped):
        done = "stopped and saved" if error.saved else "stopped at once, not saved"
        _tell(f"{done}; go on with: {error.command}")
        return 128 + error.number
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
        _tell("interrupted")
        return 130
    if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
        return 0  # the reader has enough
    if isinstance(error, OSError) and _is_of_stdout(error):
        return _refuse(f"cannot write to stdout: {error.strerror}")
    if isinstance(error, OSError) and error.errno in UNREACHABLE and error.filename:
        name = str(error.filename)
        return _refuse(f"{name if len(name) < 200 else f'{name[:40]}...'}: {error.strerror}")
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, Diverged):
        _tell(f"error: {error.run} {error}")
        return 1
    if isinstance(error, UserError):
        return _refuse(str(error))
    if type(error).__name__ == "NoArgsIsHelpError":  # its help is printed already
        return 2
    if hasattr(error, "format_message"):  # typer's usage errors
        return _refuse(refusal(error))
    return _unexpected(error)


def _refuse(message: str) -> int:
    lines = map(str.strip, message.splitlines())
    _tell("error: " + " ".join(filter(None, lines)))
    return 2


def _unexpected(error: BaseException) -> int:
    from gantext.runs import crash

    try:
        log = f"log: {noted_log(error) or crash.written(error, sys.argv[1:])}"
    except OSError as full:
        log = f"no log: {full.strerror}"
    what = (str(error).strip().splitlines() or [""])[0]
    _tell(f"error: {type(error).__name__}: {what} ({log}; --debug shows it)", of_all=True)
    return 1
