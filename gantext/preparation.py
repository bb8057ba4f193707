"""Settings -> everything that a run is trained with: device, data, a model with its weights."""

import dataclasses
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

import gantext
from gantext import data
from gantext.errors import UserError
from gantext.run import RunDir
from gantext.settings import Phases, Settings


@dataclass(frozen=True)
class Job:
    """What a run is trained with. `corpus`, `algorithm` and `device` are typed where torch is."""

    settings: Settings
    corpus: Any
    algorithm: Any
    device: Any


def settled(settings: Settings) -> Settings:
    """Paths made absolute, so that the run goes on from any folder."""
    found = dataclasses.replace(settings, data=data.absolute(settings.data))
    if settings.from_run is not None:
        source, phase = RunDir.find_at(settings.from_run, Path(settings.runs_dir))
        where = f"{source.path}@{phase}" if phase else str(source.path)
        return dataclasses.replace(found, from_run=where)
    if settings.phases is Phases.adversarial:
        raise UserError("adversarial training needs a pretrained run: --from RUN")
    return found


def prepare(settings: Settings) -> Job:
    """Load the data and build the model. Raises UserError for what is not there."""
    from gantext import assemble
    from gantext.train import chosen_phases

    device = assemble.device_of(settings)
    assemble.set_threads(settings)
    corpus = load_data(settings.data, Console(stderr=True))
    algorithm = assemble.build(settings, assemble.task_of(corpus, device))
    if not chosen_phases(algorithm, settings):
        wanted = settings.phases.value
        raise UserError(f"phases={wanted}: model {settings.model.name} has no step to run there")
    return Job(settings, corpus, algorithm, device)


def load_data(cfg: Any, console: Console) -> Any:
    """Load a corpus, with a progress bar for downloads and its notes."""
    from gantext.downloads import download_bar

    with download_bar(console) as progress:
        corpus = data.load(cfg, progress)
    for note in corpus.notes:
        line = f"data {corpus.name}: {note}"
        console.print(line, style="dim", highlight=False, markup=False, soft_wrap=True)
    return corpus


def take_pretrained(job: Job) -> None:
    """Take the weights of `from_run`, where the settings name one."""
    settings = job.settings
    if settings.from_run is None:
        return
    source, phase = RunDir.find_at(settings.from_run, Path(settings.runs_dir))
    if source.vocabulary != job.corpus.vocabulary.to_json():
        raise UserError(f"{source.path.name} was trained with another vocabulary than this data's")
    state, _ = source.load_checkpoint(phase)
    if state is None:
        raise source.no_checkpoint(phase)
    try:
        job.algorithm.load_pretrained(state["algorithm"])
    except (RuntimeError, KeyError) as error:
        raise UserError(f"the weights of {source.path.name} do not fit this model") from error


def facts(job: Job) -> dict[str, Any]:
    """What run.json says of a new run."""
    import torch

    return {
        "status": "new",
        "gantext": gantext.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": str(job.device),
        "host": platform.node(),
        "command": " ".join(sys.argv[1:]),
        "data": job.corpus.hash,
        "max_length": job.corpus.max_length,
        "train_size": len(job.corpus.train),
    }
