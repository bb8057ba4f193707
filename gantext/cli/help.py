"""gantext help: the same as --help, for who types it that way; and how help is laid out."""

import inspect
from typing import Annotated

import typer

from gantext.cli import completion


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("help")(show)


def show(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND]...",
            help="e.g. train, or eval bleu.",
            autocompletion=completion.commands,
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show the help of a command, as its --help does."""
    root = ctx.find_root()
    root.command.main([*(words or []), "--help"], prog_name=root.info_name, standalone_mode=False)


def let_flow(app: typer.Typer) -> None:
    """Let the paragraphs of all commands' help be as wide as the terminal.

    Typer keeps the line ends of a docstring, but for those of its first paragraph.
    """
    for command in app.registered_commands:
        text = command.help or inspect.getdoc(command.callback) or ""
        command.help = "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))
    for group in app.registered_groups:
        if group.typer_instance is not None:
            let_flow(group.typer_instance)
