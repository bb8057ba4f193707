"""LeakGAN's goals and leaked features of a few sentences, projected to a plane to look at.

Shapes: N sentences, T tokens of a sentence (<eos> counted), F leaked features, c goal steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from gantext.errors import UserError
from gantext.inference.projection import Array, principal_directions
from gantext.inference.request import SamplingRequest, signature
from gantext.inference.sampling import draw
from gantext.inference.sentences import batch_of, given_sentences
from gantext.metrics.score import Setting
from gantext.models.contract import Guided
from gantext.models.leakgan.manager_worker import goal_cosines
from gantext.plots.goals import GoalPath, GoalPlot
from gantext.runs.trained import TrainedText


@dataclass(frozen=True)
class Goals:
    """What is drawn, what to tell the user, and the settings that it can be drawn again with."""

    plot: GoalPlot
    goal_steps: int
    notes: list[str]
    signature: dict[str, Setting]

    def to_json(self) -> dict[str, Any]:
        """{"sentences": [...], "feature_shares": [2], "goal_shares": [2], ...}."""
        return {
            "sentences": [_record(path) for path in self.plot.paths],
            "feature_shares": list(self.plot.feature_shares),
            "goal_shares": list(self.plot.goal_shares),
            "goal_steps": self.goal_steps,
            "signature": self.signature,
        }


def _record(path: GoalPath) -> dict[str, Any]:
    return {
        "text": path.text,
        "words": list(path.words),
        "mean_cosine": path.mean_cosine,
        "cosines": path.cosines.tolist(),
        "features": path.features.tolist(),
        "goals": path.goals.tolist(),
        "goals_own_plane": path.own.tolist(),
    }


def goals_of(trained: TrainedText, request: SamplingRequest, texts: Sequence[str] = ()) -> Goals:
    """Goals and features over the words of `texts` or, without any, of `request.n` samples.

    A sentence that comes twice is drawn once.

    Raises:
        UserError: the model has no goals; a text is empty or longer than the run's longest.
    """
    algorithm, run = trained.algorithm, trained.run
    if not isinstance(algorithm, Guided):
        name = trained.settings.model.name
        raise UserError(f"{run.path.name}: model={name} has no goals; goals are leakgan's")
    notes: list[str] = []
    found = given_sentences(trained, texts, notes) if texts else _drawn(trained, request)
    unique = {tuple(ids): text for text, ids in reversed(found)}
    rows = [(text, list(ids)) for ids, text in reversed(unique.items())]
    if len(rows) < len(found):
        notes.append(
            f"{len(found) - len(rows)} of {len(found)} sentences are repetitions: left out"
        )
    sign = signature(trained.origin(request.phase), request, run.info.get("data"))
    if texts:
        drawing = ("sampled", "temperature", "top_k", "top_p", "sample_seed")
        sign = {key: value for key, value in sign.items() if key not in drawing}
    return Goals(_plot(algorithm, trained, rows), algorithm.goal_steps, notes, sign)


def _drawn(trained: TrainedText, request: SamplingRequest) -> list[tuple[str, list[int]]]:
    """Samples and their ids; one that was cut at the run's longest has no <eos>."""
    lines, words = draw(trained, request)
    width, encode = trained.run.info["max_length"], trained.vocabulary.encode
    return [(line, encode(own)[:width]) for line, own in zip(lines, words, strict=True)]


def _plot(
    algorithm: Guided, trained: TrainedText, rows: Sequence[tuple[str, list[int]]]
) -> GoalPlot:
    """Trace the sentences and project them; the features of all of them share one plane."""
    lengths = [len(ids) for _, ids in rows]
    padded = batch_of([ids for _, ids in rows], trained.device)
    goals, features = algorithm.trace(padded)
    cosines = goal_cosines(features, goals, algorithm.goal_steps)
    paths = [_array(row[: n + 1]) for row, n in zip(features, lengths, strict=True)]
    aims = [_array(row[:n]) for row, n in zip(goals, lengths, strict=True)]
    everything = np.concatenate(paths)
    centre = everything.mean(0)
    plane, shares = principal_directions(everything - centre)
    own_plane, own_shares = principal_directions(np.concatenate(aims))
    drawn = tuple(
        GoalPath(
            text,
            tuple(trained.vocabulary.words[number] for number in ids),
            (path - centre) @ plane.T,
            aim @ plane.T,
            aim @ own_plane.T,
            _array(row[: len(ids)]),
        )
        for (text, ids), path, aim, row in zip(rows, paths, aims, cosines, strict=True)
    )
    return GoalPlot(drawn, shares, own_shares)


def _array(values: Tensor) -> Array:
    return values.double().cpu().numpy()
