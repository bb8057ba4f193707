"""`gantext eval frontier`: quality against diversity over temperatures, beside real text's.

One number at one temperature says nothing: a lower temperature makes samples better and less
diverse together (Caccia et al. 2020, "Language GANs Falling Short"). What quality and diversity are
is said by the plane (`gantext.metrics.text.planes`).
"""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gantext.errors import UserError
from gantext.evaluation import scorebook, subjects
from gantext.evaluation.planes import published_beside
from gantext.evaluation.request import Asked, check_kind
from gantext.evaluation.scorebook import Say
from gantext.evaluation.subjects import REAL, Model, Subject
from gantext.evaluation.table import REAL_SUFFIX, distinct, remarks
from gantext.inference.request import Candidates, SamplingRequest
from gantext.metrics.score import Score, shown
from gantext.metrics.text.frontier import Point, mean_over_seeds, placed, undominated, value_at
from gantext.metrics.text.planes import Plane
from gantext.metrics.text.published import PublishedPoint

TEMPERATURES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2)


@dataclass(frozen=True)
class Reading:
    """A curve's value of what its plane reads; None outside the curve's range.

    `sd` is over the seeds of the samples; `share` says of which share of them the value is, where
    it need not be of all.
    """

    label: str
    value: float | None
    sd: float | None
    share: float | None = None


@dataclass(frozen=True)
class Place:
    """Where curves are read: the value of the plane's `where`, and what that is."""

    at: float
    said: str


@dataclass(frozen=True)
class Frontier:
    """What was measured.

    Attributes:
        plane: what it was measured of.
        points: every draw: curve, temperature and seed.
        real: the training text as samples.
        published: points of the papers under the same protocol, of the same data.
        place: where the readings are.
        readings: one a curve.
        scores: everything with its signature by curve; real text's with names "real-...".
        notes: what was noticed of the data, the files and the samples.
        places: the paths of the runs and files, by curve.
    """

    plane: Plane
    points: list[Point]
    real: Point
    published: tuple[PublishedPoint, ...]
    place: Place
    readings: list[Reading]
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
    plane: Plane,
    temperatures: Sequence[float],
    seeds: Sequence[int],
    say: Say,
    at: float | None = None,
    stored_only: bool = False,
    baselines: bool = True,
) -> Frontier:
    """Sample each run, and its own MLE generator, at each temperature and seed, and score all.

    Curves are read where the plane's `where` is `at`, if that is given. Without `baselines` the MLE
    generators are left out.

    Raises:
        UserError: no temperature, or no seed.
    """
    if not temperatures or not seeds:
        raise UserError("a temperature and a seed are needed")
    files = asked.files()
    models = asked.models()
    for model in models:
        check_kind(model, plane.measures)
    ground = asked.ground(models)
    if not ground.size:
        raise UserError("a frontier needs the real text: give data=NAME instead of --references")
    draws = [
        draw
        for model in models
        for phase in (_phases(model) if baselines else [model.phase])
        for draw in _draws(asked, asked.at(model, phase), temperatures, seeds)
    ]
    if asked.candidates is not None:
        draws += [draw for one in models for draw in _kept(asked, one, temperatures, seeds, say)]
    draws += [Draw(one.name, one.name, None, None, one) for one in distinct(files)]
    points: list[Point] = []
    scores: dict[str, list[Score]] = {}
    for i, draw in enumerate(draws, 1):
        say(f"{i} of {len(draws)}: {_said(draw)}")
        protocol = dataclasses.replace(asked.protocol, temperature=draw.temperature)
        names, subject = plane.measures, draw.subject
        values = scorebook.score(names, subject, ground, protocol, say, stored_only)
        if values:
            points.append(_point(plane, draw.label, draw.group, values, draw))
            scores.setdefault(draw.label, []).extend(values)
    real = subjects.of_real(ground, [draw.subject for draw in draws])
    names = (*plane.measures, *plane.of_real)
    own = scorebook.score(names, real, ground, asked.protocol, say, stored_only)
    published = published_beside(asked, plane, real.size)
    found = _assembled(plane, points, scores, own, published, at)
    asked.note(remarks(found.scores))
    places = {draw.label: draw.subject.path for draw in draws if draw.subject.path is not None}
    return dataclasses.replace(found, notes=tuple(asked.notes), places=places)


def _assembled(
    plane: Plane,
    points: list[Point],
    scores: dict[str, list[Score]],
    own: list[Score],
    published: tuple[PublishedPoint, ...],
    at: float | None,
) -> Frontier:
    real = _point(plane, REAL, REAL, own)
    place = _place(plane, points, real, at, bool(published))
    labels = list(dict.fromkeys(point.label for point in points if point.temperature is not None))
    readings = [_reading(label, plane, points, place.at) for label in labels]
    named = [dataclasses.replace(one, name=f"real-{one.name}") for one in own]
    scores = {**scores, REAL: named}
    return Frontier(plane, points, real, published, place, readings, scores)


def _said(draw: Draw) -> str:
    if draw.temperature is None:
        return draw.label
    return f"{draw.label} at temperature {draw.temperature:g}, seed {draw.seed}"


def _phases(model: Model) -> list[str | None]:
    """Of a run's curve, and of its MLE generator's unless a phase was named."""
    before = None if model.phase else mle_phase(model)
    return [model.phase, *([before] if before else [])]


def _draws(
    asked: Asked,
    model: Model,
    temperatures: Sequence[float],
    seeds: Sequence[int],
    candidates: Candidates | None = None,
) -> list[Draw]:
    """The draws of a curve; with candidates of one whose sentences a judge keeps."""
    n = asked.n or model.brief["samples"]
    kept = f" 1 of {candidates.count}" if candidates else ""
    found = []
    for temperature in dict.fromkeys(temperatures):
        for seed in dict.fromkeys(seeds):
            request = SamplingRequest(
                n, temperature, seed=seed, phase=model.phase, candidates=candidates
            )
            subject = asked.subject(model, request)
            group = subjects.label(asked.at(model, None), asked.runs_dir)
            found.append(Draw(subject.name + kept, group, temperature, seed, subject))
    return found


def _kept(
    asked: Asked, model: Model, temperatures: Sequence[float], seeds: Sequence[int], say: Say
) -> list[Draw]:
    """The draws of the curve of kept candidates, which stands beside the run's own.

    A temperature at which the judge knows nothing is left out and noted, unless it is all of them.
    """
    from gantext.inference.candidates import KnowsNothing

    found: list[Draw] = []
    refusals: list[KnowsNothing] = []
    for temperature in dict.fromkeys(temperatures):
        draws = _draws(asked, model, [temperature], seeds, asked.candidates)
        try:
            draws[0].subject.ready(say)
        except KnowsNothing as error:
            refusals.append(error)
            asked.note([f"no candidates at temperature {temperature:g}: {error}"])
        else:
            found += draws
    if refusals and not found:
        raise refusals[0]
    return found


def mle_phase(model: Model) -> str | None:
    """The last scored phase that ended before the newest checkpoint: the MLE generator's."""
    run, newest = model.run, model.checkpoint[0]
    ends = run.phase_steps().items()
    earlier = [phase for phase, step in ends if step < newest]
    before = [phase for phase in earlier if run.scores(f"phase-{phase}") is not None]
    return before[-1] if before else None


def _point(
    plane: Plane, label: str, group: str, scores: Sequence[Score], draw: Draw | None = None
) -> Point:
    names = (*plane.columns, *plane.extra)
    by_name = {score.name.removesuffix(REAL_SUFFIX): score.value for score in scores}
    values = {name: value for name, value in by_name.items() if name in names}
    drawn = (draw.temperature, draw.seed) if draw is not None else (None, None)
    return Point(label, group, drawn[0], values, drawn[1])


# Readings


def _place(
    plane: Plane, points: Sequence[Point], real: Point, at: float | None, published: bool
) -> Place:
    """Where curves are read.

    Where they turn back, no lower than all of them reach: a run of little training never has the
    nll-test of the published points.
    """
    where = plane.where
    if at is not None:
        return Place(at, f"{where.title} {at:g}")
    if not plane.turns:
        own = real.value(where.score)
        return Place(own, f"the real text's {where.title} ({shown(own)})")
    usual = plane.at if published and plane.at is not None else -math.inf
    reached = [min(one.value(where.score) for one in curve) for curve in _curves(plane, points)]
    if not reached:
        return Place(math.nan, f"an {where.title} that every curve reaches (there is none)")
    lowest = max(reached)
    if lowest <= usual:
        return Place(usual, f"{where.title} {usual:g}")
    return Place(lowest, f"{where.title} {shown(lowest)}, the lowest that every curve reaches")


def _curves(plane: Plane, points: Sequence[Point]) -> list[list[Point]]:
    """The points of each model and seed that have a place on the plane, those without left out."""
    found: dict[tuple[str, int | None], list[Point]] = {}
    for point in placed(points, plane.x.score, plane.y.score):
        if point.temperature is not None:
            found.setdefault((point.label, point.seed), []).append(point)
    if plane.turns:
        return [undominated(curve, plane.x.score, plane.y.score) for curve in found.values()]
    return list(found.values())


def _reading(label: str, plane: Plane, points: Sequence[Point], at: float) -> Reading:
    """Mean and sd over the seeds of what each seed's own curve gives."""
    own = [point for point in points if point.label == label]
    seeds = dict.fromkeys(point.seed for point in own)
    curves, where = list(_curves(plane, own)), plane.where.score
    values, shares = (
        [value for curve in curves if (value := value_at(curve, score, where, at)) is not None]
        for score in (plane.reads.score, plane.reads.share)
    )
    if not values or len(values) < len(seeds):
        return Reading(label, None, None)
    sd = statistics.stdev(values) if len(values) > 1 else None
    share = statistics.fmean(shares) if shares else None
    return Reading(label, statistics.fmean(values), sd, share)
