"""gantext data list, get, show."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gantext.cli import completion, tables
from gantext.cli.layout import Table
from gantext.cli.options import ConfigDir, Json
from gantext.errors import UserError
from gantext.training.terminal import say, tell

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus
    from gantext.data.gallery import Gallery


app = typer.Typer(help="Look at data and fetch it.", no_args_is_help=True, rich_markup_mode="rich")


def _words(ctx: typer.Context, incomplete: str) -> list[str]:
    if "=" in incomplete or "." in incomplete:
        return completion.override(incomplete, [f"data={ctx.params.get('name') or ''}"])
    from gantext.config import groups

    return [name for name in groups.names("data") if name.startswith(incomplete)]


Name = Annotated[str, typer.Argument(help="Of data, e.g. coco or mnist.", autocompletion=_words)]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[data.KEY=VALUE]...", autocompletion=_words)
]


@app.command("list")
def list_command(config_dir: ConfigDir = None, json: Json = False) -> None:
    """All corpora: what they are and whether they are on this machine."""
    from gantext.config import groups
    from gantext.config.data_file import data_config
    from gantext.data import catalogue

    rows = []
    for name in groups.names("data", config_dir):
        try:
            cfg = data_config([f"data={name}"], config_dir)
        except UserError:  # a value is for the user to give
            cfg = None
        entry = catalogue.entry(groups.module("data", name, config_dir), cfg)
        about = groups.describe("data", name, config_dir)
        rows.append((name, about, entry.state, entry.where))
    if json:
        keys = ("name", "what", "state", "where")
        tables.print_json([dict(zip(keys, row, strict=True)) for row in rows])
        return
    tables.show(Table("data", ["name", "what", "state", "where"], rows, range(4)))


@app.command()
def get(
    name: Name,
    overrides: Overrides = None,
    config_dir: ConfigDir = None,
    json: Json = False,
) -> None:
    """Find a corpus's files, or download and verify them."""
    from gantext import data
    from gantext.config.data_file import data_config
    from gantext.training.downloads import download_bar

    cfg = data_config([f"data={name}", *(overrides or [])], config_dir)
    with download_bar(tables.err) as progress:
        paths = data.fetch(cfg, progress)
    if json:
        files = [{"path": str(path), "bytes": path.stat().st_size} for path in paths]
        tables.print_json({"data": name, "files": files})
        return
    for path in paths:
        say(str(path))
    if not paths:
        tables.err.print(f"{name} needs no files")


@app.command()
def show(
    name: Name,
    overrides: Overrides = None,
    n: Annotated[
        int,
        typer.Option("-n", min=0, help="Sentences to show of each split, or pictures of train."),
    ] = 5,
    config_dir: ConfigDir = None,
    json: Json = False,
) -> None:
    """Sizes, vocabulary, hash and some sentences of a corpus, or pictures of a gallery."""
    from gantext import data
    from gantext.config.data_file import data_config
    from gantext.runs.kinds import PICTURES, TEXT, Kind, kind_of

    cfg = data_config([f"data={name}", *(overrides or [])], config_dir)
    reads = data.offers(cfg.name)[0]
    loaded = data.load_for(cfg, reads)
    shown: dict[Kind[Any, Any], Callable[..., None]] = {TEXT: _show_text, PICTURES: _show_pictures}
    shown[kind_of(reads)](name, loaded, n, json)


def _show_text(name: str, corpus: "Corpus", n: int, json: bool) -> None:
    from gantext.data import catalogue

    facts = catalogue.facts(corpus)
    examples = {"train": corpus.train.text[:n], "test": corpus.test.text[:n]}
    _print_facts(name, facts, examples, json)


def _print_facts(
    name: str,
    facts: list[tuple[str, str]],
    examples: Mapping[str, Sequence[str]],
    json: bool,
) -> None:
    if json:
        tables.print_json({"facts": facts, "examples": examples})
        return
    tables.show(Table(name, ["", ""], facts, range(2)))
    for split, lines in examples.items():
        for line in lines:
            tell(tables.out, f"  {split}: {line}", "cyan")


def _show_pictures(name: str, gallery: "Gallery", n: int, json: bool) -> None:
    from gantext.cli import preview
    from gantext.data import catalogue
    from gantext.plots.pictures import grid_array

    facts = catalogue.picture_facts(gallery)
    captions = {"train": gallery.train.captions[:n]} if gallery.train.captions else {}
    _print_facts(name, facts, captions, json)
    if n and not json:
        preview.show(tables.out, grid_array(gallery.train.pictures[:n], n))
