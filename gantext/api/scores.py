"""Scores of runs and files as one asks for them from Python, and how they are shown there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from gantext.config.settings import Device, member
from gantext.errors import UserError, nearest
from gantext.metrics.score import Score, shown_with_error
from gantext.metrics.signatures import own_name, signature_lines

if TYPE_CHECKING:
    from gantext.evaluation.comparison import Comparison
    from gantext.evaluation.request import Asked


class Choices(TypedDict, total=False):
    """What may be chosen about scores; each stands in their signatures.

    Attributes:
        preset: the BLEU protocol, as in `gantext.metrics.text.presets` (default: texygen).
        n: how many are sampled of a run; None: its own `eval.samples`.
        temperature: of the samples; None: the first run's own `eval.temperature`.
        seed: of the samples and of shuffles; None: the first run's own `eval.seed`.
        candidates, judge, force: keep one of so many sentences by a judge, as in `Run.sample`; a
            run that judges is looked for in `runs_dir`.
        seeds: draw the samples so many times, with seeds from the first on: mean and sd.
        data: what is scored against, in place of the runs' own data: a name such as "coco", or
            overrides such as ["data=text", "data.train=captions.txt"].
        references: a file of references, one a line, in place of data.
        phase: the runs as they were after this phase; RUN@PHASE says it of one.
        encoder: the sentence encoder of the Frechet distance.
        draws: importance samples of a sentence, for "latent".
        sentences: how many test sentences "latent" looks at.
        probes: how many test sentences are imputed, or pairs of them interpolated.
        examples: how many real examples the classifiers of "augmentation" get, as "50,200".
        device: where to compute: auto, cpu, cuda or mps.
        runs_dir: where the runs are.
    """

    preset: str
    n: int | None
    temperature: float | None
    seed: int | None
    seeds: int
    candidates: int
    judge: str | None
    force: bool
    data: str | Sequence[str] | None
    references: str | Path | None
    phase: str | None
    encoder: str | None
    draws: int
    sentences: int
    probes: int
    examples: str
    device: Device | str
    runs_dir: str | Path


class Evaluation(dict[str, list[Score]]):
    """Scores by source (a run, a file, or "real": the training text); it prints as a table.

    `notes` are what was noticed of the data, the files and the samples, `places` the paths of the
    runs and files.
    """

    def __init__(
        self,
        scores: Mapping[str, list[Score]],
        notes: Sequence[str] = (),
        places: Mapping[str, Path] | None = None,
    ) -> None:
        super().__init__(scores)
        self.notes, self.places = tuple(notes), dict(places or {})

    def of(self, source: str) -> dict[str, float]:
        """The values of a source by name: {"bleu-2": 0.81, ...}; real text's without "real-"."""
        if source not in self:
            raise UserError(f"no scores of '{source}'{nearest(source, self)}")
        return {own_name(score.name): score.value for score in self[source]}

    def to_json(self) -> dict[str, object]:
        """All scores with their signatures by run, as `gantext eval --json` has them."""
        from gantext.evaluation.document import scored_runs

        return {"runs": scored_runs(self, self.places), "notes": list(self.notes)}

    def __str__(self) -> str:
        """A row for each score, a column for each source, and the signatures below."""
        cells_of = {
            source: {own_name(one.name): shown_with_error(one) for one in scores}
            for source, scores in self.items()
        }
        names = list(dict.fromkeys(name for column in cells_of.values() for name in column))
        body = [[name, *(cells_of[source].get(name, "-") for source in self)] for name in names]
        cells = [["score", *self], *body]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        rows = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in cells
        ]
        scored = {source: scores for source, scores in self.items() if scores}
        return "\n".join([*rows, *signature_lines(scored)])

    __repr__ = __str__


def evaluate(
    sources: Sequence[object], measures: Sequence[str], **choices: Unpack[Choices]
) -> Evaluation:
    """Score runs and files under one protocol, beside the real text.

    Scores of a run are kept in its folder and read back as long as nothing has changed.

    Args:
        sources: a `Run`, its name or folder ("a", "a@mle"), or the `Path` of a file of sentences.
        measures: such as "bleu" and "self-bleu"; `gantext eval --help` lists them.
        choices: see `Choices`.

    Raises:
        UserError: no such run, file, measure or data; or none of the measures is for the sources.
    """
    from gantext.evaluation.measures import find
    from gantext.evaluation.table import score_all

    for name in measures:
        find(name)
    asked = _asked(sources, **choices)
    found = score_all(asked, measures, _nobody)
    return Evaluation(found, asked.notes, asked.places)


def compare(sources: Sequence[object], **choices: Unpack[Choices]) -> "list[Comparison]":
    """Runs side by side, as `gantext compare`: scores, settings that differ, means over seeds.

    Args:
        sources: two or more, as in `evaluate`.
        choices: see `Choices`.

    Returns:
        One comparison for each data set.

    Raises:
        UserError: fewer than two sources; or as in `evaluate`.
    """
    from gantext.evaluation.comparison import compare as compared

    return compared(_asked(sources, **choices), _nobody)


def _nobody(text: str) -> None:
    """Who waits in Python is told nothing."""


def _asked(
    sources: Sequence[object],
    *,
    preset: str = "texygen",
    n: int | None = None,
    temperature: float | None = None,
    seed: int | None = None,
    seeds: int = 1,
    candidates: int = 1,
    judge: str | None = None,
    force: bool = False,
    data: str | Sequence[str] | None = None,
    references: str | Path | None = None,
    phase: str | None = None,
    encoder: str | None = None,
    draws: int = 500,
    sentences: int = 1000,
    probes: int = 500,
    examples: str = "50,200,1000",
    device: Device | str = Device.auto,
    runs_dir: str | Path = "runs",
) -> "Asked":
    """The request that a command would have made of its words."""
    from gantext.evaluation.request import Asked
    from gantext.inference.judges.choice import candidates_of

    files = [source for source in sources if isinstance(source, Path) and not source.is_dir()]
    runs = [str(source) for source in sources if source not in files]
    if not runs and not files:
        raise UserError("nothing to score: name a run or a file")
    overrides = [f"data={data}"] if isinstance(data, str) else [*(data or ())]
    return Asked(
        words=(*runs, *overrides),
        samples=tuple(files),
        references=None if references is None else Path(references),
        preset=preset,
        n=n,
        asked_temperature=temperature,
        asked_seed=seed,
        phase=phase,
        encoder=encoder,
        device=member(Device, device),
        runs_dir=Path(runs_dir),
        draws=draws,
        sentences=sentences,
        probes=probes,
        examples=examples,
        seeds=seeds,
        candidates=candidates_of(candidates, judge, force, Path(runs_dir)),
    )
