"""A record made of a finished run: its scores and those of its maximum-likelihood start."""

import math
import platform
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantext.config import methods
from gantext.config.settings import Device, Settings
from gantext.config.words import key_of
from gantext.data import labels_key
from gantext.errors import UserError
from gantext.evaluation import measures
from gantext.evaluation.benchmark.record import PLACES, BesideStart, Record, State, kept
from gantext.evaluation.scorebook import Say
from gantext.evaluation.subjects import REAL
from gantext.metrics.paired import paired_bootstrap
from gantext.metrics.score import Score
from gantext.runs.folder import RunDir

if TYPE_CHECKING:
    from gantext.evaluation.frontier import Frontier
    from gantext.evaluation.request import Asked
    from gantext.evaluation.subjects import Model

ORDER = 4  # of the BLEU that is read at the real text's Self-BLEU
AT_REAL = f"bleu-{ORDER}-at-real"
COVERAGE = "reverse-lm"  # by which a run is held against its own start
MEASURES = ("likelihood", "truth", "bleu", "self-bleu", "diversity", "lm", "frechet", "mauve")
# What a record keeps of what they give.
SCORES = (
    *("grammatical", "forward-kl", "nll-oracle", "nll-test", AT_REAL, "reverse-lm", "lm-score"),
    "reverse-lm-held-out",
    *("ms-jaccard-4", "frechet", "mauve", "copied", "unique", "bleu-4", "self-bleu-4"),
)
OF_REAL = (
    *("bleu-4", "self-bleu-4", "reverse-lm", "reverse-lm-held-out", "lm-score"),
    *("ms-jaccard-4", "unique"),
)
FLOORS = ("frechet-real", "mauve-real")
CURVE = ("self-bleu-4", "bleu-4")
# A run's settings that make it another method than its name says, besides those of model and data.
DECIDING = ("phases", "from_run", "precision")
AUTO = "auto"  # of a default that a run's config has worked out


@dataclass(frozen=True)
class _Side:
    """A run at the end of a phase: the model, its scores, and its curve over temperatures."""

    model: "Model"
    scores: list[Score]
    curve: list[dict[str, float]]

    def state(self) -> State:
        model = self.model
        ends = model.run.phase_steps()
        phase = next((name for name, step in ends.items() if step == model.checkpoint[0]), "")
        sampled = next((one.signature for one in self.scores if one.name == "bleu-4"), {})
        origin = ("sampled", "temperature", "sample_seed")
        return State(
            phase=model.phase or phase,
            weights=model.checkpoint[1],
            scores=kept(self.scores, SCORES),
            sampled={key: sampled[key] for key in origin if key in sampled},
            curve=self.curve,
        )


def record_of(run: RunDir, runs_dir: Path, device: Device, say: Say) -> tuple[Record, list[str]]:
    """A run's record, and what was noticed on the way. Its scores are kept in its folder, too.

    Raises:
        UserError: the run has not finished, or is none of text.
    """
    if run.status != "finished":
        raise UserError(f"{run.path} is {run.status}: only a finished run has a record")
    asked, start = _asked(run, runs_dir, device)
    missing = {name: lacks for name in MEASURES if (lacks := measures.find(name).missing)}
    asked.note(f"no {name}: pip install '{lacks}'" for name, lacks in missing.items())
    sides, real = _scored(asked, [name for name in MEASURES if name not in missing], say)
    settings = _flat(run)
    method, words = _method(run, settings)
    info = run.info
    record = Record(
        method=method,
        data=run.settings.data.name,
        seed=run.settings.seed,
        departures=departures(
            run.settings,
            [f"data={run.settings.data.name}", *words],
            {key_of(word) for word in info.get("overrides", [])},
        ),
        settings={key: value for key, value in settings.items() if _is_own(key)},
        command=f"gantext {info.get('command', '')}".strip(),
        created=info.get("created", ""),
        gantext=info.get("gantext", ""),
        torch=info.get("torch", ""),
        python=info.get("python", ""),
        machine=_machine() if info.get("host") == platform.node() else "",
        threads=info.get("threads", 0),
        seconds=info.get("seconds", 0.0),
        run=sides[0].state(),
        start=sides[1].state() if start else None,
        beside_start=_beside(sides[0].scores, sides[1].scores) if start else None,
        real=kept(real, (*OF_REAL, *FLOORS)),
    )
    return record, asked.notes


def _asked(run: RunDir, runs_dir: Path, device: Device) -> "tuple[Asked, str | None]":
    """The run, and its own start where it has one, scored as at the ends of its phases."""
    from gantext.evaluation.frontier import mle_phase
    from gantext.evaluation.request import Asked
    from gantext.evaluation.subjects import Model

    start = mle_phase(Model(run, None, device))
    words = (str(run.path), *([f"{run.path}@{start}"] if start else []))
    chosen = run.settings.eval
    asked = Asked(
        words=words,
        samples=(),
        references=None,
        preset=chosen.preset,
        n=chosen.samples,
        asked_temperature=chosen.temperature,
        asked_seed=chosen.seed,
        phase=None,
        encoder=None,
        device=device,
        runs_dir=runs_dir,
    )
    return asked, start


def _scored(asked: "Asked", names: Sequence[str], say: Say) -> tuple[list[_Side], list[Score]]:
    """Each of the models that is asked for, and the real text's scores."""
    from gantext.evaluation import subjects
    from gantext.evaluation.at_real import at_real_scores
    from gantext.evaluation.frontier import TEMPERATURES, frontier
    from gantext.evaluation.table import score_all
    from gantext.metrics.text import planes

    table = score_all(asked, names, say)
    plane = planes.bleu(ORDER)
    curves = frontier(asked, plane, TEMPERATURES, [asked.seed], say, baselines=False)
    at_real = at_real_scores(curves, ORDER, asked.seed)
    found: list[_Side] = []
    floors: dict[str, Score] = {}
    for model in asked.models():
        label = subjects.label(model, asked.runs_dir)
        own = [*table[label], *([at_real[label]] if label in at_real else [])]
        floors |= {one.name: one for one in own if one.name in FLOORS}
        found.append(_Side(model, own, _points(curves, label)))
    real = [_named(one) for one in table.get(REAL, ())]
    return found, [*real, *floors.values()]


def _named(score: Score) -> Score:
    """A score of real text under the name that samples' have."""
    own = score.name.removeprefix("real-")
    return Score(own, score.value, score.signature, score.error)


def _points(curves: "Frontier", label: str) -> list[dict[str, float]]:
    """A curve as a record has it; points without finite values do not count."""
    points = []
    for one in curves.curves.get(label, ()):
        values = {
            "temperature": one.temperature or 0.0,
            **{name: one.value(name) for name in CURVE},
        }
        if all(map(math.isfinite, values.values())):
            points.append({name: round(value, PLACES) for name, value in values.items()})
    return points


def _beside(own: Sequence[Score], start: Sequence[Score]) -> BesideStart | None:
    """The run beside its start, sentence by sentence of the test text."""
    scores = [next((one for one in side if one.name == COVERAGE), None) for side in (own, start)]
    first, second = scores
    if first is None or second is None or first.each is None or second.each is None:
        return None
    apart = [a - b for a, b in zip(first.each, second.each, strict=True)]
    difference = first.value - second.value
    low, high, p = (round(value, 6) for value in paired_bootstrap(difference, apart))
    return BesideStart(
        score=COVERAGE,
        difference=round(difference, 6),
        low=low,
        high=high,
        p=p,
        sentences=len(apart),
    )


# What was trained


def _method(run: RunDir, settings: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The method that a run is of, and the words that make it, with all that it trains with."""
    words = run.info.get("overrides", [])
    for one in methods.methods():
        if one.group == "experiment" and f"experiment={one.name}" in words:
            return one.name, [f"experiment={one.name}"]
    name = run.settings.model.name
    own = next((one.words.split() for one in methods.methods() if one.name == name), [])
    return name, [f"model={name}", *(word for word in own if key_of(word) in settings)]


def _flat(run: RunDir) -> dict[str, Any]:
    from gantext.config.schema import flat

    return flat(run.settings)


def _is_own(key: str) -> bool:
    return key.startswith(("model.", "data.", "early_stop.")) or key in DECIDING


def departures(
    settings: Settings, words: Sequence[str], asked: Container[str] = ()
) -> dict[str, Any]:
    """The settings that a run of these words alone would not have; the classes of sentences are
    none of them, unless the words name these. Where `auto` is usual, what was asked for is."""
    from gantext.config.compose import compose
    from gantext.config.schema import flat

    usual = flat(compose(words))
    unread = {f"data.{labels_key(settings.data.name)}"} - {key_of(word) for word in words}
    return {
        key: value
        for key, value in flat(settings).items()
        if _is_own(key)
        and key not in unread
        and value != usual.get(key)
        and (usual.get(key) != AUTO or key in asked)
    }


def _machine() -> str:
    """The processor of this machine, as the system calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_bytes().decode().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
