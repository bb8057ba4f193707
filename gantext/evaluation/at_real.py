"""BLEU-N of a run where its Self-BLEU-N is the real text's: one score that no temperature decides.

`objective=bleu-4-at-real` has it computed at the end of a run; see evaluation/frontier.py.
"""

import re
from pathlib import Path

from gantext.config.settings import Settings
from gantext.evaluation.frontier import TEMPERATURES, Frontier, frontier
from gantext.evaluation.request import Asked
from gantext.evaluation.scorebook import Say
from gantext.metrics.score import Score, Setting, protocol
from gantext.metrics.text import planes
from gantext.runs.folder import RunDir

NAME = re.compile(r"bleu-([2-5])-at-real")


def order_of(objective: str | None) -> int | None:
    """N of an objective that is such a score; None of another."""
    found = NAME.fullmatch(objective or "")
    return int(found[1]) if found else None


def at_real(run: RunDir, settings: Settings, order: int, say: Say) -> list[Score]:
    """The score of a run's newest checkpoint.

    It is sampled at the temperatures of `gantext eval frontier`, as often as at the end of a phase
    and under the same preset. Between two of them BLEU-N is interpolated.

    Returns:
        One score; none where no temperature has as much Self-BLEU as the real text, or none as
        little.
    """
    asked = Asked(
        words=(str(run.path),),
        samples=(),
        references=None,
        preset=settings.eval.preset,
        n=settings.eval.samples,
        asked_temperature=settings.eval.temperature,
        asked_seed=settings.eval.seed,
        phase=None,
        encoder=None,
        device=settings.device,
        runs_dir=Path(settings.runs_dir),
    )
    seed = settings.eval.seed
    found = frontier(asked, planes.bleu(order), TEMPERATURES, [seed], say, baselines=False)
    return list(at_real_scores(found, order, seed).values())


def at_real_scores(found: Frontier, order: int, seed: int) -> dict[str, Score]:
    """The score of each curve of a frontier of BLEU-`order`, by its label, drawn with one seed; of
    those alone that reach the real text's Self-BLEU."""
    return {
        curve.label: Score(
            f"bleu-{order}-at-real", curve.value, _signature(found, curve.label, order, seed)
        )
        for curve in found.readings
        if curve.value is not None
    }


def _signature(found: Frontier, label: str, order: int, seed: int) -> dict[str, Setting]:
    bleu = next(one for one in found.scores[label] if one.name == f"bleu-{order}")
    heats = ",".join(f"{heat:g}" for heat in TEMPERATURES)
    signature = {**protocol(bleu), "temperatures": heats, "sample_seed": seed}
    return {**signature, "self-bleu": found.place.at}
