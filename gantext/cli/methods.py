"""gantext methods."""

from dataclasses import asdict

import typer

from gantext.cli import tables
from gantext.cli.layout import Table
from gantext.cli.options import ConfigDir, Json

COLUMNS = ("name", "what", "train it with")
BELOW = "gantext explain model=NAME lists its keys; {pages}/NAME.md of the repository explains it"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(methods)


def methods(config_dir: ConfigDir = None, json: Json = False) -> None:
    """All methods: what each is, the command that trains it, and the page that explains it."""
    from gantext.config.methods import PAGES
    from gantext.config.methods import methods as every

    listed = every(config_dir)
    if json:
        tables.print_json([{**asdict(one), "command": one.command} for one in listed])
        return
    rows = [(one.name, one.about, one.command) for one in listed]
    below = [BELOW.format(pages=PAGES)]
    tables.show(Table("methods", COLUMNS, rows, range(len(COLUMNS)), below=below))
