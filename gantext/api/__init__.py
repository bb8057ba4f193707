"""The door for Python: train, load and list runs; sample, score and evaluate them.

The commands go through it too, and add nothing but words and tables. Nothing is printed here: what
is worth a note stands in the `notes` of a result, and warnings go to the logger "gantext". Weights
are read when they are first needed, and torch is loaded with them.
"""

import logging
from pathlib import Path

from gantext.api.run import Run as Run
from gantext.api.samples import Samples as Samples
from gantext.api.scores import Evaluation as Evaluation
from gantext.api.scores import compare as compare
from gantext.api.scores import evaluate as evaluate
from gantext.config.settings import Device
from gantext.errors import UserError as UserError
from gantext.runs import listing
from gantext.runs.folder import RunDir
from gantext.training import launch
from gantext.training.divergence import Diverged as Diverged
from gantext.training.stop import Stopped as Stopped

# Python itself would print warnings that nobody has asked for.
logging.getLogger("gantext").addHandler(logging.NullHandler())


def train(
    *overrides: str,
    name: str | None = None,
    runs_dir: str | Path | None = None,
    config_dir: str | Path | None = None,
    progress: bool = False,
    command: str | None = None,
) -> Run:
    """Train a new run to its end: all its phases, and the scores after each.

    The process is left as it was: torch's number of threads, Hydra's state and the handlers of
    signals, which only the main thread has. Of several threads that train, one does at a time.

    Args:
        overrides: key=value, such as "model=gan", "data=scenes", "model.adversarial.steps=500".
        name: of the run's folder; None: `name` of the overrides, or one made of time and settings.
        runs_dir: where its folder is made; None: `runs_dir` of the overrides, or "runs".
        config_dir: a folder of your own configs (model/, data/, experiment/).
        progress: show bars on stderr, or in the cell of a notebook.
        command: what run.json says of how it was asked for; None: this call.

    Raises:
        UserError: bad input, before anything is made; or a folder that holds a run already.
        Stopped: on Ctrl-C, SIGTERM or SIGHUP, once the step is done and saved; `resume` goes on.
            Before there is a run these raise a KeyboardInterrupt.
        Diverged: a loss, a gradient or a weight is no finite number any more.
    """
    from gantext.config.words import quote

    given = {"name": name, "runs_dir": runs_dir}
    words = [f"{key}={quote(str(value))}" for key, value in given.items() if value is not None]
    words = [*overrides, *words]
    asked = command or f"gantext.train({', '.join(map(repr, words))})"
    configs = None if config_dir is None else Path(config_dir)
    return Run(launch.single(words, configs, progress, asked))


def resume(
    run: Run | str | Path | None = None,
    *overrides: str,
    runs_dir: str | Path = "runs",
    progress: bool = False,
    force: bool = False,
    threads: int | None = None,
) -> Run:
    """Go on with a stopped or killed run (None: the latest) to its end, exactly.

    Args:
        run: itself, its folder or its name in `runs_dir`.
        overrides: key=value in place of its own settings: more steps of a phase that has not been
            left yet, where none of its steps depends on how many there are, and what decides no
            number. What it was stands in run.json.
        runs_dir: where the runs are.
        progress: show bars on stderr, or in the cell of a notebook.
        force: even if it seems to need more memory than there is.
        threads: of the CPU, from now on; None: as many as it had, with which it is exact.

    Raises:
        UserError: no such run; its data has changed; it cannot go on with an override.
        Stopped, Diverged: as in `train`.
    """
    found = listing.find(None if run is None else str(run), Path(runs_dir))
    launch.resume(found, progress, force=force, threads=threads, words=overrides)
    return Run(RunDir(found.path))


def load_run(
    run: str | Path | None = None,
    phase: str | None = None,
    *,
    runs_dir: str | Path = "runs",
    device: Device | str = Device.auto,
) -> Run:
    """Open a run; its weights are read when they are first needed.

    Args:
        run: its name in `runs_dir` or its folder, RUN or RUN@PHASE; None: the latest that has
            weights.
        phase: as it was at the end of this phase; None: as it is.
        runs_dir: where the runs are.
        device: where it computes: auto, cpu, cuda or mps.

    Raises:
        UserError: no such run; two different phases.
    """
    found, named = listing.find_trained_at(None if run is None else str(run), Path(runs_dir))
    if phase and named and phase != named:
        raise UserError(f"{run} names the phase {named}, and phase={phase} another")
    return Run(found, phase or named, device)


def list_runs(runs_dir: str | Path = "runs") -> list[Run]:
    """All runs below a folder, the jobs of sweeps too, oldest first; torch is not loaded."""
    return [Run(found) for found in listing.list_runs(Path(runs_dir))]
