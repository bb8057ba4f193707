"""`gantext eval frontier`: quality against diversity over temperatures, beside real text's.

One number at one temperature says nothing: a lower temperature raises BLEU and Self-BLEU together
(Caccia et al. 2020, "Language GANs Falling Short").
"""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gantext.errors import UserError
from gantext.evaluation import scorebook, subjects
from gantext.evaluation.ground import Ground
from gantext.evaluation.request import Asked, check_kind
from gantext.evaluation.scorebook import Say
from gantext.evaluation.subjects import REAL, Model, Subject
from gantext.evaluation.table import distinct, remarks
from gantext.inference.request import SamplingRequest
from gantext.metrics.score import Score
from gantext.metrics.text.bleu_scores import ORDERS
from gantext.metrics.text.frontier import Point, bleu_at, mean_over_seeds
from gantext.metrics.text.published import PublishedPoint, published_points

if TYPE_CHECKING:
    pass


TEMPERATURES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2)
PUBLISHED_SIZE = 10_000  # sentences behind the published points
MEASURED = ("bleu", "self-bleu", "diversity", "truth")
# Of all that is measured, what the table shows beside BLEU and Self-BLEU.
EXTRA = ("unique", "copied", "grammatical", "nll-oracle")


@dataclass(frozen=True)
class AtReal:
    """BLEU-N of a curve where its Self-BLEU-N is the real text's; None outside its range."""

    label: str
    value: float | None
    sd: float | None


@dataclass(frozen=True)
class Frontier:
    """What was measured.

    Attributes:
        order: N of the reading at the real text's Self-BLEU.
        points: every draw: curve, temperature and seed.
        real: the training text as samples.
        published: points of the papers under the same protocol, of the same data.
        at_real: one reading a curve.
        scores: everything with its signature by curve; real text's with names "real-...".
        notes: what was noticed of the data, the files and the samples.
        places: the paths of the runs and files, by curve.
    """

    order: int
    points: list[Point]
    real: Point
    published: tuple[PublishedPoint, ...]
    at_real: list[AtReal]
    scores: dict[str, list[Score]]
    notes: tuple[str, ...] = ()
    places: Mapping[str, Path] = field(default_factory=dict)

    @property
    def curves(self) -> dict[str, list[Point]]:
        """Means over seeds by curve, in order of temperature."""
        found: dict[str, list[Point]] = {}
        for point in mean_over_seeds(self.points):
            found.setdefault(point.label, []).append(point)
        return {
            label: sorted(points, key=lambda p: p.temperature or 0.0)
            for label, points in found.items()
        }


@dataclass(frozen=True)
class Draw:
    """One set of samples on the frontier: its curve, the curve's colour, and how it was drawn."""

    label: str
    group: str
    temperature: float | None
    seed: int | None
    subject: Subject


def frontier(
    asked: Asked,
    temperatures: Sequence[float],
    seeds: Sequence[int],
    order: int,
    say: Say,
    stored_only: bool = False,
    baselines: bool = True,
) -> Frontier:
    """Sample each run, and its own MLE generator, at each temperature and seed, and score all.

    Without `baselines` the MLE generators are left out.

    Raises:
        UserError: no temperature, no seed, or no such order.
    """
    if not temperatures or not seeds or order not in ORDERS:
        raise UserError(f"a temperature, a seed and an order of {ORDERS} are needed")
    files = asked.files()
    models = asked.models()
    for model in models:
        check_kind(model, MEASURED)
    ground = asked.ground(models)
    if not ground.size:
        raise UserError("a frontier needs the real text: give data=NAME instead of --references")
    draws = [
        draw
        for model in models
        for phase in (_phases(model) if baselines else [model.phase])
        for draw in _draws(asked, asked.at(model, phase), temperatures, seeds)
    ]
    draws += [Draw(one.name, one.name, None, None, one) for one in distinct(files)]
    points: list[Point] = []
    scores: dict[str, list[Score]] = {}
    for i, draw in enumerate(draws, 1):
        say(f"{i} of {len(draws)}: {_said(draw)}")
        values = scorebook.score(MEASURED, draw.subject, ground, asked.protocol, say, stored_only)
        if values:
            points.append(_point(draw.label, draw.group, values, draw.temperature, draw.seed))
            scores.setdefault(draw.label, []).extend(values)
    real = subjects.of_real(ground, [draw.subject for draw in draws])
    own = scorebook.score(MEASURED, real, ground, asked.protocol, say, stored_only)
    published = _published(ground, asked.preset, real.size)
    found = _assembled(order, points, scores, own, published)
    asked.note(remarks(found.scores))
    places = {draw.label: draw.subject.path for draw in draws if draw.subject.path is not None}
    return dataclasses.replace(found, notes=tuple(asked.notes), places=places)


def _assembled(
    order: int,
    points: list[Point],
    scores: dict[str, list[Score]],
    own: list[Score],
    published: tuple[PublishedPoint, ...],
) -> Frontier:
    real = _point(REAL, REAL, own)
    labels = list(dict.fromkeys(point.label for point in points if point.temperature is not None))
    at_real = [_at_real(label, points, real, order) for label in labels]
    named = [dataclasses.replace(one, name=f"real-{one.name}") for one in own]
    return Frontier(order, points, real, published, at_real, {**scores, REAL: named})


def _said(draw: Draw) -> str:
    if draw.temperature is None:
        return draw.label
    return f"{draw.label} at temperature {draw.temperature:g}, seed {draw.seed}"


def _phases(model: Model) -> list[str | None]:
    """Of a run's curve, and of its MLE generator's unless a phase was named."""
    before = None if model.phase else mle_phase(model)
    return [model.phase, *([before] if before else [])]


def _draws(
    asked: Asked, model: Model, temperatures: Sequence[float], seeds: Sequence[int]
) -> list[Draw]:
    """The draws of a curve."""
    n = asked.n or model.brief["samples"]
    found = []
    for temperature in dict.fromkeys(temperatures):
        for seed in dict.fromkeys(seeds):
            request = SamplingRequest(n, temperature, seed=seed, phase=model.phase)
            subject = asked.subject(model, request)
            group = subjects.label(asked.at(model, None), asked.runs_dir)
            found.append(Draw(subject.name, group, temperature, seed, subject))
    return found


def mle_phase(model: Model) -> str | None:
    """The last scored phase that ended before the newest checkpoint: the MLE generator's."""
    run, newest = model.run, model.checkpoint[0]
    ends = run.phase_steps().items()
    earlier = [phase for phase, step in ends if step < newest]
    before = [phase for phase in earlier if run.scores(f"phase-{phase}") is not None]
    return before[-1] if before else None


def _published(ground: Ground, preset: str, size: int) -> tuple[PublishedPoint, ...]:
    """Published points that may stand beside samples of this size: Self-BLEU depends on it."""
    if ground.data is None or abs(size - PUBLISHED_SIZE) > 0.01 * PUBLISHED_SIZE:
        return ()
    return published_points(ground.data, preset)


def _by_order(values: dict[str, float], name: str) -> dict[int, float]:
    return {order: values.get(f"{name}-{order}", math.nan) for order in ORDERS}


def _point(
    label: str,
    group: str,
    scores: Sequence[Score],
    temperature: float | None = None,
    seed: int | None = None,
) -> Point:
    values = {score.name: score.value for score in scores}
    bleu, self_bleu = _by_order(values, "bleu"), _by_order(values, "self-bleu")
    extra = {name: values[name] for name in EXTRA if name in values}
    return Point(label, group, temperature, bleu, self_bleu, seed, extra)


def _at_real(label: str, points: Sequence[Point], real: Point, order: int) -> AtReal:
    """Mean and sd over the seeds of what each seed's own curve gives."""
    own = [point for point in points if point.label == label]
    seeds = dict.fromkeys(point.seed for point in own)
    read = [
        bleu_at([p for p in own if p.seed == seed], real.self_bleu[order], order) for seed in seeds
    ]
    values = [value for value in read if value is not None]
    if len(values) < len(read):
        return AtReal(label, None, None)
    return AtReal(
        label, statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None
    )
