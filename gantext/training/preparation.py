"""Settings -> everything that a run is trained with: device, data, a model with its weights."""

import dataclasses
import platform
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

import gantext
from gantext import data
from gantext.config.settings import Phases, Settings
from gantext.errors import UserError
from gantext.models.contract import Phase
from gantext.nn import ranks
from gantext.nn.ema import of_averages
from gantext.runs import listing
from gantext.runs.device import best_device
from gantext.runs.folder import RunDir
from gantext.runs.trained import data_facts
from gantext.training import improvement, trackers
from gantext.training.needs import NOTHING, Needs, needs_of, said
from gantext.training.phases import chosen_phases
from gantext.training.terminal import tell
from gantext.training.waiting import waiting

# "module:function" of (data) -> why it gives no scores, or not all; None where it gives all.
UNSCORED = {
    data.Reads.pictures: "gantext.evaluation.measures.pictures:unscored",
    data.Reads.captioned: "gantext.evaluation.measures.captions:unscored_captions",
}


@dataclass(frozen=True)
class Job:
    """What a run is trained with. `data`, `algorithm` and `device` are typed where torch is.

    Attributes:
        needs: what it takes, where that was worked out.
    """

    settings: Settings
    data: Any
    algorithm: Any
    device: Any
    phases: tuple[Phase, ...]
    needs: Needs = NOTHING


def settled(settings: Settings) -> Settings:
    """Paths made absolute, so that the run goes on from any folder."""
    found = dataclasses.replace(settings, data=data.absolute(settings.data))
    if settings.from_run is not None:
        source, phase = listing.find_at(settings.from_run, Path(settings.runs_dir))
        where = f"{source.path}@{phase}" if phase else str(source.path)
        return dataclasses.replace(found, from_run=where)
    if settings.phases is Phases.adversarial:
        raise UserError("adversarial training needs a pretrained run: --from RUN")
    return found


def check(settings: Settings) -> None:
    """Refuse what is known to fail before anything is read. Raises UserError."""
    check_samples(settings)
    improvement.check(settings)
    trackers.check(settings.log.trackers)


def check_samples(settings: Settings) -> None:
    """Refuse fewer samples than the scores at a phase's end need, and an objective of text of
    a model of pictures. Raises UserError.
    """
    from gantext import models
    from gantext.evaluation.at_real import order_of
    from gantext.metrics.text.bleu_scores import fewest_samples

    chosen, why = settings.eval, "the scores at the end of a phase"
    # Of text BLEU's protocol decides, of pictures the Frechet distance, which needs two.
    by_preset = fewest_samples(chosen.preset), f"{why} by eval.preset={chosen.preset}"
    reads = models.reads(settings.model.name)
    if order_of(settings.objective) and not reads.sentences:
        raise UserError(
            f"objective={settings.objective}: model={settings.model.name} is none of text"
        )
    least, why = by_preset if reads.sentences else (2, why)
    if chosen.samples < least:
        raise UserError(f"eval.samples={chosen.samples}: {why} need at least {least}")


def prepare(settings: Settings, console: Console) -> Job:
    """Load the data and build the model, both told of on the console.

    Raises UserError, also for a model that memory has no room for, before it is built.
    """
    from gantext.models.build import build, settled_config, task_of

    check(settings)
    device = device_of(settings)
    loaded = load_data(settings, console)
    needs = needs_of(settings, loaded)
    tell(console, said(needs, device, settings.force), "dim")
    task = task_of(loaded, device, settings.cuda_graphs)
    settings = dataclasses.replace(settings, model=settled_config(settings.model, task))
    algorithm = build(settings.model, settings.seed, task)
    improvement.check_with(loaded, algorithm.phases(), settings)
    phases = tuple(chosen_phases(algorithm, settings))
    if not phases:
        wanted = settings.phases.value
        raise UserError(f"phases={wanted}: model {settings.model.name} has no step to run there")
    return Job(settings, loaded, algorithm, device, phases, needs)


def load_data(settings: Settings, console: Console) -> Any:
    """Load what the model reads, with a progress bar for downloads and the data's notes."""
    from gantext.training.downloads import download_bar

    reads = check_reads(settings)
    with download_bar(console) as progress:
        data.fetch(settings.data, progress)
    with waiting(console, f"reading data {settings.data.name}", plain=False):
        loaded = data.load_for(settings.data, reads)
    notes = [*loaded.notes, *_unscored(loaded, reads)]
    for note in notes:
        tell(console, f"data {loaded.name}: {note}", "dim")
    return loaded


def check_reads(settings: Settings) -> data.Reads:
    """What the model reads. Raises UserError where its data has nothing of that kind."""
    from gantext import models

    reads = models.reads(settings.model.name)
    if reads not in data.offers(settings.data.name):
        raise UserError(_misfit(settings, reads))
    data.check_labels(settings.data, reads)
    return reads


def _unscored(loaded: Any, reads: data.Reads) -> list[str]:
    """What is to be said of data by which a model gets no scores, or not all."""
    from gantext.evaluation.measure import imported

    why = imported(UNSCORED[reads])(loaded) if reads in UNSCORED else None
    return [why] if why else []


def _misfit(settings: Settings, reads: data.Reads) -> str:
    """What to say of data without what the model reads."""
    from gantext import models

    model, name = settings.model.name, settings.data.name
    offered = data.offered(settings.data)
    has = " and ".join(one.value for one in offered[:2])
    kinds = [f"data={kind}" for kind in data.kinds() if reads in data.offers(kind)]
    others = [f"model={one}" for one in models.readers(offered)]
    tried = ", ".join(kinds) + (f", or {', '.join(others)} on this data" if others else "")
    return f"model={model} reads {reads.value}, and data={name} has {has}: try {tried}"


@dataclass(frozen=True)
class Taken:
    """What a run has begun with: what run.json keeps of the run that its weights are of, and what
    is to be said of them."""

    facts: dict[str, Any]
    notes: tuple[str, ...]


def take_pretrained(job: Job) -> Taken:
    """Take the weights of `from_run`, where the settings name one; of other data word by word."""
    settings = job.settings
    if settings.from_run is None:
        return Taken({}, ())
    source, phase = listing.find_at(settings.from_run, Path(settings.runs_dir))
    name = f"{source.path.name}@{phase}" if phase else source.path.name
    found = source.checkpoint(phase, moments=False)
    state, notes = of_averages(found.model["algorithm"]), list[str]()
    origin = {"run": name, "step": found.step, "weights": found.digest}
    try:
        if source.vocabulary != job.data.vocabulary:
            state, counts = _of_other_words(job, source, state)
            origin |= counts
            said = "{kept:,} words keep their rows, {added:,} are new, {gone:,} are gone"
            notes.append(said.format(**counts))
        notes += job.algorithm.load_pretrained(state) or ()
    except (RuntimeError, KeyError) as error:
        raise UserError(f"the weights of {source.path.name} do not fit this model") from error
    return Taken({"origin": origin}, tuple(f"from {name}: {note}" for note in notes))


def _of_other_words(
    job: Job, source: RunDir, state: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, int]]:
    """A run's state as one of the job's vocabulary, and how many words are kept, added and gone.

    Raises UserError where they have no word in common, or only the adversarial phases are run.
    """
    from gantext.models.build import task_of
    from gantext.training.other_words import SharedWords, with_other_words

    old, new = source.vocabulary, job.data.vocabulary
    if job.settings.phases is Phases.adversarial:
        raise UserError(
            f"{source.path.name} was trained with another vocabulary than this data's: "
            "gantext pretrain --from goes on from its weights on other data first"
        )
    if old is None or new is None:
        raise UserError(f"{source.path.name} and this data have no words in common")
    words = SharedWords.of(new, old)
    if not words.kept:
        raise UserError(f"{source.path.name} and this data have no word in common")
    task = task_of(job.data, job.device)
    fresh = job.algorithm.state_dict()
    moved = with_other_words(job.settings.model, task, fresh, state, words)
    return moved, {"kept": words.kept, "added": words.added, "gone": words.gone}


def vocabulary_of(job: Job) -> Any:
    """The JSON of the data's vocabulary; None for pictures without captions."""
    vocabulary = job.data.vocabulary
    return vocabulary.to_json() if vocabulary else None


def facts(job: Job) -> dict[str, Any]:
    """What run.json says of a new run."""
    return {
        "status": "new",
        "model": job.settings.model.name,
        "data_name": job.settings.data.name,
        "seed": job.settings.seed,
        "gantext": gantext.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": str(job.device),
        "threads": torch.get_num_threads(),
        "processes": ranks.current().count,
        "host": platform.node(),
        "command": shlex.join(sys.argv[1:]),
        **data_facts(job.data),
    }


def device_of(settings: Settings) -> torch.device:
    """The device of a run. Raises UserError when one that is not there is asked for."""
    return best_device(settings.device)
