"""What a report says of one run: facts, warnings, curves, scores with real text's, samples."""

import functools
from dataclasses import replace

from gantext.data.scenes import Config as Scenes
from gantext.evaluation import by_length, measures
from gantext.evaluation.frontier import mle_phase
from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import able
from gantext.evaluation.request import Asked
from gantext.evaluation.scorebook import Say
from gantext.evaluation.subjects import Model, label
from gantext.evaluation.table import Table as Scores
from gantext.evaluation.table import score_all
from gantext.inference.goals import goals_of
from gantext.inference.latent_plane import latent_plane
from gantext.inference.request import SamplingRequest
from gantext.metrics.signatures import signature_lines
from gantext.models.contract import Ability
from gantext.plots.goals import CAPTION, goals_figure
from gantext.plots.latent import latent_figure
from gantext.plots.lengths import lengths_figure
from gantext.plots.output import to_svg, to_svgs
from gantext.report import kept
from gantext.report.page import Figure, RunPart, Table
from gantext.report.parts import began, curves, facts, score_table, sweep_of
from gantext.report.samples import again, sample_set

TRACED = 3  # sentences whose goals are drawn
POINTS = 500  # sentences whose latent vectors are drawn
PLANE_CAPTION = (
    "Each dot is a test sentence: the mean of its posterior q(z|x) in the plane of the first two "
    "principal components. In brackets the share of the means' variance that an axis shows."
)
LENGTHS_CAPTION = (
    "Does quality fall as sentences grow? Bars: a standard error to either side, where known. "
    "Below: how many sentences are of a length, in the order of the legend."
)


def run_part(asked: Asked, place: int, say: Say) -> RunPart:
    """The part of one run; beside it stands its own MLE generator, if it went on from one.

    Args:
        asked: with the run as its only one.
        place: of the run among those of the page.
        say: is told what is computed.
    """
    model = asked.models()[0]
    ground = asked.ground([model])
    name = label(model, asked.runs_dir)
    before = None if model.phase else mle_phase(model)
    words = [f"{asked.runs[0]}@{before}"] if before else []
    both = replace(asked, words=(*words, *asked.words))
    scores = score_all(both, measures.reported(slow=False), say)
    slow = score_all(both, measures.reported(slow=True), say, stored_only=True)
    by_length = score_all(both, ("lengths",), say)
    models = [*([asked.at(model, before)] if before else []), model]
    return RunPart(
        name=name,
        anchor=name,
        facts=facts(model),
        warnings=tuple((model.run.result or {}).get("warnings", [])),
        config=model.run.config_text,
        tables=(
            score_table(
                "Scores beside the real text's",
                {k: [*v, *slow.get(k, [])] for k, v in scores.items()},
            ),
            _length_table(by_length),
        ),
        figures=(
            *curves(model, place),
            _length_picture(by_length, place),
            *_goal_pictures(model, asked),
            *_latent_pictures(model, asked, ground),
        ),
        samples=tuple(sample_set(one, asked, ground) for one in models),
        command=began(model),
        place=place,
        sweep=sweep_of(model),
    )


def _length_table(scores: Scores) -> Table:
    columns, rows = by_length.rows(scores)
    return Table(
        "Scores by sentence length (sentences)",
        tuple(columns),
        tuple(map(tuple, rows)),
        tuple(signature_lines(scores)),
    )


def _length_picture(scores: Scores, place: int) -> Figure:
    name, series = by_length.chosen(scores)
    title = f"{name} by sentence length"

    def draw() -> list[Figure]:
        light, dark = to_svgs(lengths_figure(series, name, place=place))
        return [Figure(title, LENGTHS_CAPTION, light, dark)]

    return kept.figures(("lengths", name, series, place), draw)[0]


def _goal_pictures(model: Model, asked: Asked) -> list[Figure]:
    """The goals of a model that has some."""
    if not able(model, Ability.goals.name):
        return []
    how = again("goals", model, asked, "-n", TRACED, "--temperature", f"{asked.temperature:g}")
    decided = ("goals", model.key, how)
    return kept.figures(decided, lambda: [_goal_picture(model, asked, how)])


def _goal_picture(model: Model, asked: Asked, how: str) -> Figure:
    request = SamplingRequest(TRACED, asked.temperature, seed=asked.seed, phase=model.phase)
    found = goals_of(model.trained, request)
    light, dark = (to_svg(goals_figure(found.plot, theme)) for theme in ("light", "dark"))
    rows = tuple(
        (path.text, str(len(path.words)), f"{path.mean_cosine:.3f}") for path in found.plot.paths
    )
    table = Table("Goals and moves", ("sentence", "words", "mean cosine"), rows)
    caption = " ".join([CAPTION, f"Drawn by: {how}.", *found.notes])
    return Figure("Goals and leaked features", caption, light, dark, table, wide=True)


def _latent_pictures(model: Model, asked: Asked, ground: Ground) -> list[Figure]:
    """The latent space of a model that has one, by each property that its data has."""
    if not able(model, Ability.latent.name) or ground.data is None:
        return []
    scenes = isinstance(model.settings.data, Scenes)
    found = []
    for by in ("length", "shape", "colour") if scenes else ("length",):
        how = again("latent", model, asked, "--by", by, "-n", POINTS)
        draw = functools.partial(_latent_picture, model, asked, ground, by, how)
        found += kept.figures(("latent", model.key, ground.hash, how), draw)
    return found


def _latent_picture(model: Model, asked: Asked, ground: Ground, by: str, how: str) -> list[Figure]:
    assert ground.corpus is not None
    plot = latent_plane(
        model.trained, ground.corpus, by=by, n=POINTS, seed=asked.seed, phase=model.phase
    ).plot
    light, dark = (to_svg(latent_figure(plot, theme)) for theme in ("light", "dark"))
    caption = f"{PLANE_CAPTION} Drawn by: {how}."
    return [Figure(f"Latent space by {plot.by}", caption, light, dark)]
