"""How commands that take overrides are parsed, and what the help of those of training ends with."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table
from typer.core import TyperCommand

from gantext.cli.refusals import options_of, other_option
from gantext.config import groups, words
from gantext.errors import UserError
from gantext.runs.folder import CONFIG
from gantext.runs.sweep import is_planned
from gantext.training.terminal import Terminal

OPTIONS = re.compile(r"[a-z-]+=")  # how the options of --slurm begin
EXAMPLES = (
    "train experiment=demo",
    "train model=gan data=coco seed=2",
    "train -m model=gan seed=1,2,3",
    "train --resume",
)


class OverridingCommand(TyperCommand):
    """A command that takes overrides: what is none is refused before anything else is done."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse. Raises UserError for an option that it has not, and a word that is no override."""
        left = super().parse_args(ctx, args)
        if ctx.resilient_parsing:
            return left
        given = list(ctx.params.get("overrides") or ())
        for place, word in enumerate(given):
            if word.startswith("-"):
                raise UserError(_no_option(word, given[place + 1 :], ctx))
        if not (ctx.params.get("resume") or ctx.params.get("replay")):  # they name a run
            _check_no_run(given, options_of(self))
            words.check(given)
        return left


def _no_option(word: str, following: list[str], ctx: Any) -> str:
    """What is said of an option that a command has not: an override is meant, or another option."""
    option = word.partition("=")[0]
    override, other = words.meant_by_option(word, following), other_option(option, ctx)
    of_key = option.lstrip("-") in words.TOP or other.startswith(";")
    return f"no such option: {option}{(of_key and override) or other}"


def _check_no_run(given: list[str], options: list[str]) -> None:
    """Refuse a run where overrides are needed. Raises UserError with the options that take one."""
    for word in given:
        if "=" not in word and any(_is_run(place / word) for place in (Path(), Path("runs"))):
            ways = [f"{option} {word}" for option in ("--resume", "--from") if option in options]
            hint = f": write {' or '.join(ways)}" if ways else ""
            raise UserError(f"'{word}' is a run, not an override{hint}")


def _is_run(folder: Path) -> bool:
    return (folder / CONFIG).is_file() or is_planned(folder)


def _is_address(word: str) -> bool:
    """Whether a word names a Ray cluster."""
    from gantext.training.cluster import ADDRESS

    return ADDRESS.fullmatch(word) is not None


# Options whose value may be left out, and whether a word is one.
VALUED: dict[str, Callable[[str], bool]] = {
    "--slurm": lambda word: OPTIONS.match(word) is not None,
    "--ray": _is_address,
}


class EngineCommand(OverridingCommand):
    """A command that engines may run the jobs of."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse; what follows --slurm and --ray may be left out, which Typer does not know."""
        followed = list(zip(args, [*args[1:], ""], strict=False))
        # For the help, which is shown before options are read.
        ctx.meta["config_dir"] = next((b for a, b in followed if a == "--config-dir"), None)
        given = [f"{a}=" if a in VALUED and not VALUED[a](b) else a for a, b in followed]
        return super().parse_args(ctx, given)


class TrainingCommand(EngineCommand):
    """A command whose help ends with the models, data and experiments that there are."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help; only now are the configs read, as looking for plugins' takes 50 ms."""
        # Any: click's own types, which typer from some version on has under another name.
        super().format_help(ctx, formatter)
        folder = ctx.meta.get("config_dir")
        show_options(groups.GROUPS, folder and Path(folder))
        show_examples(EXAMPLES)


def show_options(shown: Iterable[str], config_dir: Path | None = None) -> None:
    """The options of config groups with what each is, the user's own and plugins' too."""
    console = Terminal(highlight=False)  # as wide as Typer's help
    for group in shown:
        names = groups.names(group, config_dir)
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="cyan", no_wrap=True, min_width=16)
        grid.add_column()
        for name in names:
            grid.add_row(f"  {escape(name)}", escape(groups.describe(group, name, config_dir)))
        console.print(f" [bold]{group}=[/bold]")
        console.print(grid)


def show_examples(commands: Iterable[str]) -> None:
    """Command lines, one below the other."""
    console = Terminal(highlight=False)
    console.print("\n [bold]Examples[/bold]")
    for command in commands:
        console.print(f"   gantext {command}", markup=False, soft_wrap=True)
