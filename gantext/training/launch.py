"""From the words of `gantext train` to a run: a new one, or one that goes on."""

import contextlib
import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gantext import __version__
from gantext.errors import UserError
from gantext.files import free, made
from gantext.training import processes

# The first word on a terminal, while torch is loaded, which takes seconds.
LOADING = f"gantext {__version__}: loading"

if TYPE_CHECKING:
    from gantext.config.settings import Settings
    from gantext.runs.folder import RunDir
    from gantext.training.replay import Replay


def kept(run: "RunDir", words: list[str]) -> list[str]:
    """The overrides of a source run that `words` do not replace, the paths in them absolute."""
    from gantext.config.schema import flat
    from gantext.config.words import key_of, quote
    from gantext.runs.migrations import todays

    replaced = {key_of(word) for word in words} | {"phases", "from_run", "name", "force"}
    if "data" in replaced:
        replaced |= {key_of(word) for word in run.info.get("overrides", []) if "data." in word}
    data, values = run.settings.data, flat(run.settings)
    kept = []
    for word in _asked(run):
        today = todays(key_of(word))
        if today != key_of(word):
            kept += [] if today in replaced else [f"{today}={json.dumps(values[today])}"]
            continue
        group, _, field = key_of(word).partition(".")
        value = getattr(data, field, None) if group == "data" else None
        if key_of(word) not in replaced:
            kept.append(f"{key_of(word)}={quote(value)}" if isinstance(value, str) else word)
    return kept


def _asked(run: "RunDir") -> list[str]:
    """The overrides of a run, and what it went on with in place of some of them."""
    from gantext.config.words import key_of

    extended = (entry["now"] for entry in run.info.get("extensions", []))
    words = [f"{key}={json.dumps(value)}" for now in extended for key, value in now.items()]
    return list({key_of(word): word for word in [*run.info.get("overrides", []), *words]}.values())


def newest_pretrained(runs_dir: Path) -> "RunDir":
    """The newest run that `gantext pretrain` has finished.

    Raises:
        UserError: there is none.
    """
    from gantext.runs import listing

    runs = listing.list_runs(runs_dir)
    run = next((run for run in reversed(runs) if _is_pretrained(run)), None)
    if run is not None:
        return run
    if not runs:
        return listing.find(None, runs_dir)  # which says that there is none yet
    raise UserError(
        f"no finished run of gantext pretrain in {runs_dir}: name a run by --from RUN[@PHASE]"
    )


def _is_pretrained(run: "RunDir") -> bool:
    """Whether a run ended before an adversarial phase; of a damaged or newer one nobody knows."""
    from gantext.config.settings import Phases

    with contextlib.suppress(UserError):
        return run.status == "finished" and run.settings.phases is Phases.pretrain
    return False


# Hydra's state, torch's number of threads and the handlers of signals are the process's: of several
# threads that train, one has them at a time.
_process = threading.Lock()


def single(
    words: list[str],
    config_dir: Path | None = None,
    progress: bool = True,
    command: str | None = None,
) -> "RunDir":
    """One new run, trained to its end.

    Args:
        words: overrides.
        config_dir: the user's own configs.
        progress: whether stderr, or a notebook's cell, is told how far it is.
        command: how it was asked for, if not by this process's command line.

    Raises:
        UserError: bad input.
        Stopped: on Ctrl-C, SIGTERM or SIGHUP, once it is saved.
        Interrupted: on one of them before there is a run.
    """
    from gantext.training.console import Audience, console_of
    from gantext.training.waiting import waiting

    console = console_of(progress and processes.speaks())
    with waiting(console, LOADING, plain=False):
        from gantext.config import recipe
        from gantext.config.compose import compose, task_words
        from gantext.config.words import check_name
        from gantext.nn import ranks
        from gantext.runs.folder import RunDir
        from gantext.training import followers, jobs

    asked = {} if command is None else {"command": command}
    with _process:
        settings = compose(words, config_dir)
        if settings.name is not None:
            check_name(settings.name)
        with processes.group(settings) as process:
            if process.number > 0:
                return followers.begin(settings)
            folder = made(Path(settings.runs_dir) / (settings.name or _name(settings)))
            # What a run says of its folder holds wherever it is read.
            whole = Path(os.path.abspath(folder))
            ranks.told(str(whole))
            origin = {**jobs.origin_of(task_words(words), config_dir), **asked}
            if name := recipe.taken(words, config_dir):
                console.print(f"settings: recipe={name} (recipe=none: the model's own)")
            with recipe.told(words, config_dir):
                jobs.start(settings, whole, origin, Audience(console))
    return RunDir(folder)


def _name(settings: "Settings") -> str:
    now = time.strftime("%Y-%m-%d_%H-%M-%S")
    name = f"{now}-{settings.model.name}-{settings.data.name}-s{settings.seed}"
    return free(Path(settings.runs_dir) / name).name


def resume(
    run: "RunDir",
    progress: bool = True,
    force: bool = False,
    threads: int | None = None,
    words: Sequence[str] = (),
) -> None:
    """Go on with a run to its end, if forced in too little memory, with other threads if given,
    and with `words` in place of settings of its own, as `extension` allows them.

    Raises what `single` does.
    """
    from gantext.training.console import Audience, console_of
    from gantext.training.waiting import waiting

    console = console_of(progress and processes.speaks())
    with waiting(console, LOADING, plain=False):
        from gantext.training import followers, jobs

    with _process:
        processes.check_as_many(run)
        processes.refuse_several(["other settings"] if words else [])
        with processes.group(run.settings) as process:
            if process.number > 0:
                followers.go_on(run, threads)
            else:
                jobs.resume(run, Audience(console), force, threads, words)


def replay(run: "RunDir", progress: bool = True) -> "Replay":
    """The steps of a diverged run again up to the one that broke; nothing is written.

    Raises:
        UserError: it did not diverge, or its data has changed.
    """
    from gantext.training.console import console_of
    from gantext.training.replay import replay as replayed

    with _process:
        return replayed(run, console_of(progress))
