"""gantext explain."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gantext.cli import tables
from gantext.cli.options import ConfigDir, Json

if TYPE_CHECKING:
    from gantext.cli.explanations import Entry
    from gantext.config.keys import Key


def _names(incomplete: str) -> list[str]:
    from gantext.cli import explanations

    return [name for name in explanations.known() if name.startswith(incomplete)]


Name = Annotated[
    str | None,
    typer.Argument(
        help="A score, a key of the configuration, a model, data, an experiment, a preset, or what "
        "training logs.",
        autocompletion=_names,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n"
        "  gantext explain                              what can be explained\n\n"
        "  gantext explain bleu-4\n\n"
        "  gantext explain model.adversarial.rollouts\n\n"
        "  gantext explain model.adversarial            a group of keys\n\n"
        "  gantext explain held_out_loss                a value of metrics.jsonl\n\n"
        "  gantext explain experiment=seqgan_synthetic_paper"
    )(explain)


def explain(name: Name = None, config_dir: ConfigDir = None, json: Json = False) -> None:
    """What a score, a key or a model means: formula, direction, source; comment, type, default."""
    from gantext.cli import explanations

    if name is None:
        _list(explanations.catalogue(config_dir), json)
        return
    entries = explanations.explained(name, config_dir)
    if not entries:
        _list_keys(name, explanations.matching(name, config_dir), json)
    elif json:
        tables.print_json([vars(entry) for entry in entries])
    else:
        _print(entries)


def _print(entries: "Sequence[Entry]") -> None:
    for place, entry in enumerate(entries):
        if place:
            tables.out.print()
        tables.out.print(f"{entry.name} ({entry.kind})", style="bold", markup=False, emoji=False)
        tables.out.print(entry.about, markup=False, emoji=False)
        tables.facts((name, _said(fact)) for name, fact in entry.facts.items())
        for paragraph in entry.text:
            tables.out.print(paragraph, markup=False, emoji=False)


def _said(fact: Any) -> str:
    """A fact in a line."""
    if isinstance(fact, Mapping):
        return ", ".join(f"{name}: {value}" for name, value in fact.items())
    return str(fact) if isinstance(fact, str | int) else ", ".join(_groups(fact))


def _groups(names: Sequence[str]) -> list[str]:
    """Names, those of keys of one group in the group's place."""
    shorter = [name.rpartition(".")[0] if name.count(".") > 1 else name for name in names]
    return list(dict.fromkeys(shorter))


def _list(catalogue: Mapping[str, Sequence[str]], json: bool) -> None:
    if json:
        tables.print_json(catalogue)
        return
    shown = {what: names for what, names in catalogue.items() if not what.startswith("keys of ")}
    tables.facts((what, ", ".join(names)) for what, names in shown.items())
    tables.hint("next: gantext explain NAME; of model=NAME and data=NAME it lists the keys")


def _list_keys(name: str, found: "Sequence[Key]", json: bool) -> None:
    """Keys with their defaults and the first sentence on each."""
    if json:
        tables.print_json([{"name": k.name, "of": k.option, "default": k.value} for k in found])
        return
    tables.out.print(f"keys of {name}", style="bold", markup=False, emoji=False)
    tables.facts((key.name, _short(key)) for key in found)


def _short(key: "Key") -> str:
    first = key.comment.partition(". ")[0].removesuffix(".")
    return f"{first} ({', '.join(filter(None, (key.option, key.value)))})"
