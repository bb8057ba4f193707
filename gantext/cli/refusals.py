"""What is said of a command line that Typer cannot parse: what was meant, or how it is written."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from gantext.errors import nearest

# What the library that Typer reads values by says, and how one says it.
VALUES = (
    (re.compile(r"Input should be a valid integer.*"), "it must be a whole number"),
    (re.compile(r"Input should be a valid number.*"), "it must be a number"),
    (re.compile(r"Input should be"), "it must be"),
    (re.compile(r"Value error, "), ""),
)
ALMOST = 0.8  # so alike (as --seeds and --seed) that it is no option of another command
SHOWN = 3  # commands that a hint names


def refusal(error: Any) -> str:
    """One line for a usage error of Typer's, with a way on."""
    said, ctx = str(error.format_message()), getattr(error, "ctx", None)
    if ctx is None:
        return said
    kind = type(error).__name__
    if kind == "NoSuchOption":
        return f"No such option: {error.option_name}{other_option(error.option_name, ctx)}"
    if said.startswith("No such command"):
        return _no_command(said, ctx)
    if kind == "MissingParameter" or "extra argument" in said:
        return f"{said.rstrip('.')}; it is written: {_usage(ctx)}"
    for pattern, plain in VALUES:
        said = pattern.sub(plain, said)
    return said


def options_of(command: Any) -> list[str]:
    """The names of a command's options."""
    named = (one for one in command.params if one.param_type_name == "option")
    return [name for one in named for name in (*one.opts, *one.secondary_opts)]


def other_option(option: str, ctx: Any) -> str:
    """A hint at what an option that a command has not was meant for, or at where all stand."""
    known = [*options_of(ctx.command), *ctx.help_option_names]
    alike = _option_like(option, known)
    if difflib.get_close_matches(option, known, cutoff=ALMOST):
        return alike
    return _commands_with(option, ctx) or alike or f"; all there are: {ctx.command_path} --help"


def _commands_with(option: str, ctx: Any) -> str:
    """The commands beside this one, or below it, that have an option."""
    group = ctx if hasattr(ctx.command, "list_commands") else ctx.parent
    if group is None:
        return ""
    having = [
        f"{group.command_path} {name}"
        for name, command in _children(group.command, group)
        if option in options_of(command)
    ]
    more = " and others" if len(having) > SHOWN else ""
    return f" (of {', '.join(having[:SHOWN])}{more})" if having else ""


def _option_like(option: str, known: Sequence[str]) -> str:
    """The option that one begins, or the nearest."""
    letters = option.lstrip("-")
    if f"-{letters}" in known:  # --n
        return f" (did you mean -{letters}?)"
    long = [name for name in known if name.startswith("--")]
    begun = [name for name in long if name.startswith(f"--{letters}")]
    if len(begun) == 1:
        return f" (did you mean {begun[0]}?)"
    if len(letters) < 2:
        return ""
    near = nearest(letters, [name.removeprefix("--") for name in long])
    return near.replace("mean ", "mean --")


def _no_command(said: str, ctx: Any) -> str:
    """With the nearest command of all that there are, or an option of this name."""
    if "Did you mean" in said:
        return f"{said}?" if not said.endswith("?") else said
    name = said.split("'")[1]
    paths = dict(_paths(ctx.find_root().command, ctx.find_root()))
    for command in (path for path, one in paths.items() if f"--{name}" in options_of(one)):
        return f"{said} Did you mean '{command} --{name}'?"
    near = difflib.get_close_matches(name, {path.rpartition(" ")[2] for path in paths}, n=1)
    meant = [f"'{path}'" for path in paths if path.rpartition(" ")[2] in near][:SHOWN]
    hint = f"Did you mean {' or '.join(meant)}?" if meant else f"All: {ctx.command_path} --help"
    return f"{said} {hint}"


def _paths(command: Any, ctx: Any, path: str = "gantext") -> Iterator[tuple[str, Any]]:
    """Every command that can be run, by the words that call it."""
    for name, child in _children(command, ctx):
        if hasattr(child, "list_commands"):
            yield from _paths(child, ctx, f"{path} {name}")
        else:
            yield f"{path} {name}", child


def _children(group: Any, ctx: Any) -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if not command.hidden:
            yield name, command


def _usage(ctx: Any) -> str:
    """How a command is written, without the brackets that Typer adds to those of our own."""
    line = " ".join(str(ctx.get_usage()).removeprefix("Usage:").split())
    for added, plain in (("{", ""), ("}", ""), ("[[", "["), ("]]", "]"), ("......", "...")):
        line = line.replace(added, plain)
    return line
