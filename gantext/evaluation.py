"""`gantext eval`: scores of runs and files under one protocol, beside the real text's."""

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gantext import config, scorebook, subjects
from gantext.data import Reads
from gantext.errors import UserError
from gantext.measures import MEASURES, Protocol
from gantext.metrics.presets import find_preset
from gantext.metrics.score import Score
from gantext.sample import SamplingRequest
from gantext.scorebook import Say
from gantext.settings import Device
from gantext.subjects import Ground, Model, Subject

Table = dict[str, list[Score]]
REAL_SUFFIX = "-real"  # of the names of scores that real pictures have


@dataclass(frozen=True)
class Asked:
    """What a user asked to be scored; `words` are RUNs and overrides of the data in any order.

    `draws`, `sentences` and `probes` are those of the measures of one model (see `Protocol`).
    """

    words: tuple[str, ...]
    samples: tuple[Path, ...]
    references: Path | None
    preset: str
    n: int | None
    temperature: float
    seed: int
    phase: str | None
    encoder: str | None
    device: Device
    runs_dir: Path
    draws: int = 500
    sentences: int = 1000
    probes: int = 500

    def __post_init__(self) -> None:
        find_preset(self.preset)  # refused, as the data is, before anything is read
        _ = self.data

    @property
    def overrides(self) -> list[str]:
        """Overrides of the data."""
        return [word for word in self.words if "=" in word]

    @property
    def runs(self) -> list[str]:
        """Names of runs, RUN or RUN@PHASE; the latest when nothing else is asked for."""
        names = [word for word in self.words if "=" not in word]
        return names or ([] if self.samples else [""])

    @property
    def protocol(self) -> Protocol:
        """The choices that the scores depend on."""
        return Protocol(
            self.preset,
            self.seed,
            self.encoder,
            self.device,
            self.draws,
            self.sentences,
            self.probes,
        )

    def request(self, model: Model) -> SamplingRequest:
        """What is sampled of a model."""
        n = self.n or model.settings.eval.samples
        return SamplingRequest(n, self.temperature, seed=self.seed, phase=model.phase)

    @functools.cached_property
    def data(self) -> Any:
        """The data that is named; None when none is."""
        return config.compose_data(self.overrides) if self.overrides else None

    def files(self) -> list[Subject]:
        """The files asked for."""
        return [subjects.of_file(path) for path in self.samples]

    @property
    def of_text(self) -> bool:
        """Whether sentences are among what is scored."""
        return bool(self.samples) or any(model.reads is Reads.text for model in self.models())

    def models(self) -> list[Model]:
        """The runs asked for."""
        return [
            subjects.find_model(word, self.phase, self.runs_dir, self.device) for word in self.runs
        ]

    def labels(self) -> set[str]:
        """What the runs are called in tables."""
        return {subjects.label(model, self.runs_dir) for model in self.models()}

    def ground(self, models: Sequence[Model]) -> Ground:
        """What is scored against: files or data that are named, or else the runs' own data.

        Raises:
            UserError: none is named and there is no run; or runs of text and of pictures.
        """
        reads = common_reads(models)
        if self.references is not None:
            return subjects.ground_of(None, self.references)
        if self.data is not None:
            return subjects.ground_of(self.data, None, reads)
        if not models:
            raise UserError("references are needed: data=NAME or --references FILE")
        return subjects.ground_of(common_data(models), None, reads)


def table(asked: Asked, names: Sequence[str], say: Say, stored_only: bool = False) -> Table:
    """Scores by source: each run and file, and the real text as "real" with names "real-...".

    Pictures have no such source: their scores hold what real pictures get.

    Raises:
        UserError: no such run or data; or none of the measures is for what the runs make.
    """
    found, ground = gather(asked, names)
    scores = {
        one.name: scorebook.score(names, one, ground, asked.protocol, say, stored_only)
        for one in found
    }
    if ground.training:
        real = subjects.of_real(ground, found)
        scores[subjects.REAL] = [
            dataclasses.replace(one, name=f"real-{one.name}")
            for one in scorebook.score(names, real, ground, asked.protocol, say, stored_only)
        ]
    return {name: values for name, values in scores.items() if values}


def beside_real(found: Table) -> Table:
    """Scores of pictures with those of real ones ("frechet-real") in a column of their own.

    As they are where the real ones differ from run to run, as for different numbers of samples.
    """
    real: dict[str, Score] = {}
    own: Table = {}
    for source, scores in found.items():
        own[source] = [one for one in scores if not one.name.endswith(REAL_SUFFIX)]
        for one in scores:
            name = one.name.removesuffix(REAL_SUFFIX)
            if name != one.name and real.setdefault(name, one).value != one.value:
                return found
    named = [dataclasses.replace(one, name=f"real-{name}") for name, one in real.items()]
    return {**own, subjects.REAL: named} if named else found


def gather(asked: Asked, names: Sequence[str]) -> tuple[list[Subject], Ground]:
    """The runs and files asked for, and what they are scored against."""
    files = asked.files()
    models = asked.models()
    for model in models:
        check_kind(model, names)
    ground = asked.ground(models)
    sampled = [subjects.of_model(model, asked.request(model), asked.runs_dir) for model in models]
    return distinct([*sampled, *files]), ground


def check_kind(model: Model, names: Sequence[str]) -> None:
    """Refuse measures that are all of text for a picture model, and the other way round."""
    pictures = model.reads is not Reads.text
    if any(MEASURES[name].pictures == pictures for name in names):
        return
    run = f"{model.run.path.name} is a run of model={model.settings.model.name}"
    if pictures:
        raise UserError(f"{run}, which draws pictures: its scores are gantext eval pictures")
    raise UserError(f"{run}, which writes text: gantext eval pictures needs a model of pictures")


def common_reads(models: Sequence[Model]) -> Reads:
    """What all models are trained on; text when there is none.

    Raises:
        UserError: some on text, some on pictures.
    """
    found = {model.reads: model for model in models}
    if len(found) > 1:
        names = " and ".join(f"{one.run.path.name} ({kind.value})" for kind, one in found.items())
        raise UserError(f"{names} have no scores in common: score them apart")
    return next(iter(found), Reads.text)


def common_data(models: Sequence[Model]) -> Any:
    """The data that all models were trained on.

    Raises:
        UserError: they differ.
    """
    found = {model.run.info.get("data"): model for model in models}
    if len(found) > 1:
        names = " and ".join(f"{m.run.path.name} ({m.settings.data.name})" for m in found.values())
        raise UserError(
            f"{names} were trained on different data: score them apart, or on data=NAME"
        )
    return next(iter(found.values())).settings.data


def distinct(found: Sequence[Subject]) -> list[Subject]:
    """The subjects with names of their own; the same run twice stays once."""
    by_key = {(one.name, *sorted((k, str(v)) for k, v in one.key.items())): one for one in found}
    named: dict[str, Subject] = {}
    for one in by_key.values():
        number = sum(other.name == one.name for other in named.values())
        name = f"{one.name} ({number + 1})" if number else one.name
        named[name] = dataclasses.replace(one, name=name) if number else one
    return list(named.values())
