"""Shell completion of overrides, and a bash script that does not break words at '='."""

from pathlib import Path

import typer

BASH = """
%(complete_func)s() {
    local IFS=$'\\n'
    local COMP_WORDBREAKS=${COMP_WORDBREAKS//=}
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" \\
                   COMP_CWORD=$COMP_CWORD \\
                   %(autocomplete_var)s=complete_bash $1 ) )
    return 0
}

COMP_WORDBREAKS=${COMP_WORDBREAKS//=}
complete -o default -o nospace -F %(complete_func)s %(prog_name)s
"""


def mend_bash() -> None:
    """Replace Typer's stock bash script, under which `model=` completes to nothing.

    The table is Typer's own and private; where it has moved, the stock script stays.
    """
    from typer import _completion_classes, _completion_shared

    scripts = getattr(_completion_shared, "_completion_scripts", {})
    scripts["bash"] = BASH
    _completion_classes.BashComplete.source_template = BASH


def overrides(incomplete: str) -> list[str]:
    """Completions of an override: groups and their options, then the keys of the config."""
    from gantext.config import groups

    key, equals, value = incomplete.partition("=")
    if equals and key in groups.GROUPS:
        return [f"{key}={name}" for name in groups.names(key) if name.startswith(value)]
    from gantext.config.compose import complete

    found = complete(incomplete)
    return [word for word in found if not word.startswith("hydra")]


def train_words(ctx: typer.Context, incomplete: str) -> list[str]:
    """Completions of `gantext train`: overrides, or runs after --resume."""
    return runs(incomplete) if ctx.params.get("resume") else overrides(incomplete)


def runs(incomplete: str) -> list[str]:
    """Names of runs in ./runs."""
    from gantext.runs import listing

    folder = Path("runs")
    names = [run.name_in(folder) for run in listing.list_runs(folder)]
    return [name for name in ["latest", *names] if name.startswith(incomplete)]


def runs_or_data(incomplete: str) -> list[str]:
    """Completions of a RUN or of data=NAME."""
    return overrides(incomplete) if incomplete.startswith("data") else runs(incomplete)
