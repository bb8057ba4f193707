"""How the commands of training are parsed, and what their help ends with."""

import re
from collections.abc import Callable
from typing import Any

from typer.core import TyperCommand

from gantext.config import groups

OPTIONS = re.compile(r"[a-z-]+=")  # how the options of --slurm begin
EXAMPLES = """

[bold]Examples[/bold]

  gantext train experiment=demo

  gantext train model=gan data=coco seed=2

  gantext train -m model=gan seed=1,2,3

  gantext train --resume

"""


def _groups_help() -> str:
    lines = []
    for group in groups.GROUPS:
        lines.append(f"[bold]{group}=[/bold]")
        names = groups.names(group)
        lines += [f"  [cyan]{name:<16}[/cyan] {groups.describe(group, name)}" for name in names]
    return "\n\n".join(lines)


def _is_address(word: str) -> bool:
    """Whether a word names a Ray cluster."""
    from gantext.training.cluster import ADDRESS

    return ADDRESS.fullmatch(word) is not None


# Options whose value may be left out, and whether a word is one.
VALUED: dict[str, Callable[[str], bool]] = {
    "--slurm": lambda word: OPTIONS.match(word) is not None,
    "--ray": _is_address,
}


class EngineCommand(TyperCommand):
    """A command that engines may run the jobs of."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse; what follows --slurm and --ray may be left out, which Typer does not know."""
        followed = zip(args, [*args[1:], ""], strict=False)
        given = [f"{a}=" if a in VALUED and not VALUED[a](b) else a for a, b in followed]
        return super().parse_args(ctx, given)


class TrainingCommand(EngineCommand):
    """A command whose help ends with the models, data and experiments that there are."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help; only now are the configs read, as looking for plugins' takes 50 ms."""
        # Any: click's own types, which typer from some version on has under another name.
        self.epilog = _groups_help() + EXAMPLES
        super().format_help(ctx, formatter)
