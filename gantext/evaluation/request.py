"""What a user asks to be scored: runs, files, data and the choices of the protocol."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gantext.config.compose import compose_data
from gantext.config.settings import Device
from gantext.data import Reads
from gantext.errors import UserError
from gantext.evaluation import measures, subjects
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Ground, Model, Subject
from gantext.inference.sampling import SamplingRequest
from gantext.metrics.text.bleu_scores import find_preset


@dataclass(frozen=True, kw_only=True)
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
    draws: int = Protocol.draws
    sentences: int = Protocol.sentences
    probes: int = Protocol.probes

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
            preset=self.preset,
            seed=self.seed,
            encoder=self.encoder,
            device=self.device,
            draws=self.draws,
            sentences=self.sentences,
            probes=self.probes,
        )

    def request(self, model: Model) -> SamplingRequest:
        """What is sampled of a model."""
        n = self.n or model.settings.eval.samples
        return SamplingRequest(n, self.temperature, seed=self.seed, phase=model.phase)

    @functools.cached_property
    def data(self) -> Any:
        """The data that is named; None when none is."""
        return compose_data(self.overrides) if self.overrides else None

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


def check_kind(model: Model, names: Sequence[str]) -> None:
    """Refuse measures that are all of text for a picture model, and the other way round."""
    pictures = model.reads is not Reads.text
    if any(measures.find(name).pictures == pictures for name in names):
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
