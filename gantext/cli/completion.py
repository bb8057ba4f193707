"""Shell completion, without torch and hydra; and a bash script that breaks no word at = and @."""

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typer

from gantext.errors import UserError

BASH = """
%(complete_func)s() {
    local IFS=$'\\n'
    local COMP_WORDBREAKS=${COMP_WORDBREAKS//[=@]}
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" \\
                   COMP_CWORD=$COMP_CWORD \\
                   %(autocomplete_var)s=complete_bash $1 ) )
    return 0
}

COMP_WORDBREAKS=${COMP_WORDBREAKS//[=@]}
complete -o default -o nospace -F %(complete_func)s %(prog_name)s
"""


def mend_bash() -> None:
    """Replace Typer's stock bash script, under which `model=` and `RUN@` complete to nothing.

    The table is Typer's own and private; where it has moved, the stock script stays.
    """
    from typer import _completion_classes, _completion_shared

    scripts = getattr(_completion_shared, "_completion_scripts", {})
    scripts["bash"] = BASH
    _completion_classes.BashComplete.source_template = BASH


def overrides(ctx: typer.Context, incomplete: str) -> list[str]:
    """Completions of an override: groups and their options, keys and their values."""
    given = ctx.params.get("overrides") or ctx.params.get("words") or ()
    return override(incomplete, given, ctx.params.get("config_dir"))


def override(
    incomplete: str, given: Sequence[str] = (), config_dir: Path | None = None
) -> list[str]:
    """Completions of an override that stands behind others."""
    from gantext.config.completing import complete

    return complete(incomplete, given, config_dir)


def train_words(ctx: typer.Context, incomplete: str) -> list[str]:
    """Completions of `gantext train`: overrides, or runs and sweeps after --resume."""
    if ctx.params.get("resume"):
        return runs_or_sweeps(ctx, incomplete)
    return runs(ctx, incomplete) if ctx.params.get("replay") else overrides(ctx, incomplete)


def runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of runs, and behind one that is whole with an @ the phases of which its end is kept."""
    from gantext.runs import listing

    folder = _runs_dir(ctx)
    name, at, phase = incomplete.rpartition("@")
    there = [run.name_in(folder) for run in listing.list_runs(folder)]
    ends = phase_ends(name, folder) if at else []
    found = ["latest", *there] if there else []
    return [
        *(one for one in found if one.startswith(incomplete)),
        *(f"{name}@{end}" for end in ends if end.startswith(phase)),
    ]


def phase_ends(name: str, folder: Path) -> list[str]:
    """The phases after which a run can be had, and the best state where it is kept."""
    from gantext.runs import listing
    from gantext.runs.stored_checkpoint import BEST

    with contextlib.suppress(UserError, OSError):
        run = listing.find(name or None, folder)
        return [*run.phase_ends(), *[BEST] * ("best" in run.info)]
    return []


def phases(ctx: typer.Context, incomplete: str) -> list[str]:
    """Completions of --phase: the phases of the run that is named, or of the latest."""
    named = ctx.params.get("run") or next(iter(ctx.params.get("words") or ()), "")
    return _begun(phase_ends(named, _runs_dir(ctx)), incomplete)


def sweeps(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of sweeps."""
    from gantext.runs.sweep import is_sweep

    folder = _runs_dir(ctx)
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    return _begun(
        [one.name for one in inside if not one.is_symlink() and is_sweep(one)], incomplete
    )


def runs_or_sweeps(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of runs and of sweeps."""
    return [*runs(ctx, incomplete), *sweeps(ctx, incomplete)]


def runs_or_data(ctx: typer.Context, incomplete: str) -> list[str]:
    """Completions of a RUN or of data=NAME."""
    data = [one for one in overrides(ctx, incomplete) if one.startswith("data")]
    return [*runs(ctx, incomplete), *data]


def scores(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of scores: of a sweep those that its jobs have, elsewhere all that there are."""
    from gantext.evaluation import sweep_scores
    from gantext.metrics import meanings
    from gantext.runs.sweep import find_sweep
    from gantext.runs.sweep_state import states

    if "sweep" in ctx.params:
        with contextlib.suppress(UserError, OSError):
            sweep = find_sweep(ctx.params["sweep"], _runs_dir(ctx))
            return _begun(sweep_scores.names_of(states(sweep)), incomplete)
    return _begun(meanings.names(), incomplete)


def presets(incomplete: str) -> list[str]:
    """Names of BLEU protocols."""
    from gantext.metrics.text.presets import PRESETS

    return _begun(PRESETS, incomplete)


def judges(ctx: typer.Context, incomplete: str) -> list[str]:
    """The kinds of judges of text, and the runs, of which each may be one."""
    from gantext.inference.judges.choice import OWN

    return [*_begun(OWN, incomplete), *runs(ctx, incomplete)]


def commands(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of commands, of those of a group behind its name."""
    at: Any = ctx.find_root().command
    for word in ctx.params.get("words") or ():
        at = at.get_command(ctx, word) if hasattr(at, "get_command") else None
    if not hasattr(at, "list_commands"):
        return []
    shown = [name for name in at.list_commands(ctx) if not at.get_command(ctx, name).hidden]
    return _begun(shown, incomplete)


def _runs_dir(ctx: typer.Context) -> Path:
    return Path(ctx.params.get("runs_dir") or "runs")


def _begun(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]
