"""What a user asks to be scored: runs, files, data and the choices of the protocol."""

import dataclasses
import functools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gantext.config.settings import Device
from gantext.data.vocabulary import UNK
from gantext.errors import UserError
from gantext.evaluation import known_data, measures, subjects
from gantext.evaluation.common_data import Data, common_data, common_reads
from gantext.evaluation.ground import Ground, ground_of_file
from gantext.evaluation.measure import Protocol
from gantext.evaluation.once import Once
from gantext.evaluation.subjects import Model, Subject
from gantext.inference.request import Candidates, SamplingRequest
from gantext.metrics.text.preparation import AS_IT_IS
from gantext.metrics.text.presets import find_preset
from gantext.records.content import Damaged
from gantext.runs import listing
from gantext.runs.folder import RunDir
from gantext.runs.kinds import PICTURES, TEXT, Kind
from gantext.runs.migrations import NewerFormat
from gantext.runs.summary import unreadable

# What to say of a run for which none of the measures is.
REFUSALS: dict[Kind[Any, Any], str] = {
    TEXT: "gantext eval pictures needs a model of pictures",
    PICTURES: "its scores are gantext eval pictures",
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a user asked to be scored; `words` are RUNs and overrides of the data in any order.

    `draws`, `sentences`, `probes` and `examples` are of measures of one model (see `Protocol`).
    `once` keeps what has been found for it, also for requests that are made from this one by
    `dataclasses.replace`: a command reads each run and its data, and draws its samples, once.
    Without a temperature or a seed the samples are those of the first run's own scores, at the end
    of its phases. With `candidates` each is one of several, kept by a judge. `notes` are what has
    been noticed on the way, `places` the paths of the runs and files that were scored, by their
    names in tables. With `seeds` the samples are drawn so many times, with the seeds that follow on
    the first.
    """

    words: tuple[str, ...]
    samples: tuple[Path, ...]
    references: Path | None
    preset: str
    n: int | None
    asked_temperature: float | None
    asked_seed: int | None
    phase: str | None
    encoder: str | None
    device: Device
    runs_dir: Path
    config_dir: Path | None = None  # the user's own configs, of which the data may be one
    draws: int = Protocol.draws
    sentences: int = Protocol.sentences
    probes: int = Protocol.probes
    examples: str = Protocol.examples
    seeds: int = 1
    candidates: Candidates | None = None
    once: Once = field(default_factory=Once, compare=False, repr=False)
    notes: list[str] = field(default_factory=list, compare=False, repr=False)
    places: dict[str, Path] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        find_preset(self.preset)  # refused, as the data is, before anything is read
        _ = self.data

    @property
    def overrides(self) -> list[str]:
        """Overrides of the data."""
        return [word for word in self.words if "=" in word and not self._is_folder(word)]

    def _is_folder(self, word: str) -> bool:
        """Whether a word is a run's folder, which may have any name."""
        names = (word, word.rpartition("@")[0] or word)
        places = (Path(), self.runs_dir)
        return any((place / name).is_dir() for place in places for name in names)

    @property
    def runs(self) -> list[str]:
        """Names of runs, RUN or RUN@PHASE; the latest when nothing else is asked for."""
        names = [word for word in self.words if "=" not in word or self._is_folder(word)]
        return names or ([] if self.samples else [""])

    @functools.cached_property
    def temperature(self) -> float:
        """Of the samples: as asked for, or else the first run's `eval.temperature`."""
        if self.asked_temperature is not None:
            return self.asked_temperature
        return self.models()[0].brief["temperature"] if self.runs else 1.0

    @functools.cached_property
    def seed(self) -> int:
        """Of samples and shuffles: as asked for, or else the first run's `eval.seed`."""
        if self.asked_seed is not None:
            return self.asked_seed
        return self.models()[0].brief["seed"] if self.runs else 0

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
            samples=self.n,
            examples=self.examples,
            temperature=None if self.asked_temperature in (None, 1) else self.asked_temperature,
        )

    def request(self, model: Model) -> SamplingRequest:
        """What is sampled of a model."""
        n = self.n or model.brief["samples"]
        return SamplingRequest(
            n, self.temperature, seed=self.seed, phase=model.phase, candidates=self.candidates
        )

    def of_each_seed(self) -> "list[Asked]":
        """The same for each of the seeds."""
        if self.seeds == 1:
            return [self]
        return [
            dataclasses.replace(self, asked_seed=self.seed + number, seeds=1)
            for number in range(self.seeds)
        ]

    def unlike_own(self, model: Model) -> list[str]:
        """How its scores here differ from its own, those of the end of a phase."""
        own: dict[str, Any] = {**model.brief}
        asked = {"seed": self.seed, "temperature": self.temperature, "preset": self.preset}
        keys = asked if model.kind is TEXT else ("seed",)
        return [f"{key} {asked[key]} (own: {own[key]})" for key in keys if asked[key] != own[key]]

    @property
    def data(self) -> Any:
        """The data that is named; None when none is."""
        words = self.overrides
        return self.once(("data", *words), lambda: self._composed(words)) if words else None

    @property
    def data_name(self) -> str:
        """What is scored against, by name; "" for files of references without a run."""
        if self.data is not None:
            return str(self.data.name)
        names = (str(model.brief["data"].get("name")) for model in self.models())
        return " ".join(dict.fromkeys(names))

    def _composed(self, words: list[str]) -> Any:
        from gantext.config.data_file import data_config

        return data_config(words, self.config_dir)

    def files(self) -> list[Subject]:
        """The files asked for."""
        found = [
            self.once(("file", path, self.n), functools.partial(subjects.of_file, path, self.n))
            for path in self.samples
        ]
        self.note(note for subject in found for note in subject.notes)
        return found

    @property
    def of_text(self) -> bool:
        """Whether sentences are among what is scored."""
        return bool(self.samples) or any(model.kind is TEXT for model in self.models())

    def models(self) -> list[Model]:
        """The runs asked for.

        Raises:
            UserError: no such run, or a damaged one.
        """
        return [self._model(word) for word in self.runs]

    def readable(self) -> "tuple[Asked, dict[str, str]]":
        """The same without the runs that are damaged, and the status of each of these by its name.

        They are noted.

        Raises:
            UserError: no such run; all of them are damaged.
        """
        damaged: dict[str, UserError] = {}
        for word in self.runs:
            try:
                model = self._model(word)
                _ = model.settings, model.preparation, model.checkpoint
            except (Damaged, NewerFormat) as error:
                damaged[word] = error
        if damaged and not set(self.runs) - set(damaged):
            raise next(iter(damaged.values()))
        words = tuple(word for word in self.words if word not in damaged)
        status = {word or "latest": unreadable(error) for word, error in damaged.items()}
        self.note(f"{run}: {said}" for run, said in status.items())
        return dataclasses.replace(self, words=words), status

    def _model(self, word: str) -> Model:
        """The model that RUN or RUN@PHASE names; `phase` is for words that name none."""
        opened, phase = listing.find_trained_at(word, self.runs_dir)
        run = self.once(("run", opened.path), lambda: opened)
        return self._at(run, phase or self.phase)

    def at(self, model: Model, phase: str | None) -> Model:
        """The same run as it was at the end of a phase."""
        return self._at(model.run, phase)

    def _at(self, run: RunDir, phase: str | None) -> Model:
        key = ("model", run.path, phase)
        return self.once(key, lambda: Model(run, phase, self.device))

    def subject(self, model: Model, request: SamplingRequest) -> Subject:
        """Samples of a model."""
        key = ("subject", model.run.path, model.phase, request)
        return self.once(key, lambda: subjects.of_model(model, request, self.runs_dir))

    def labels(self) -> set[str]:
        """What the runs are called in tables."""
        return {subjects.label(model, self.runs_dir) for model in self.models()}

    def ground(self, models: Sequence[Model], names: Sequence[str] = ()) -> Ground:
        """What is scored against: files or data that are named, or else the runs' own data.

        Args:
            models: the runs.
            names: of measures; those that need no real text get none where there is none, or
                where the runs' own data is lost.

        Raises:
            UserError: none is named and there is no run; or runs of text and of pictures.
        """
        alone = [measures.find(name).alone for name in names]
        if self.references is None and self.data is None and not models:
            if alone and all(alone):
                return Ground(None)
            raise UserError("references are needed: data=NAME or --references FILE")
        try:
            found = self._ground(models)
        except UserError as error:
            lost = self.references is None and self.data is None and any(alone)
            if not lost:
                raise
            found = self._without_data(models, error)
        self.note(found.notes)
        return found

    def _ground(self, models: Sequence[Model]) -> Ground:
        reads, path = common_reads(models), self.references
        own = self.data is None
        prepared = functools.reduce(operator.or_, [model.preparation for model in models], AS_IT_IS)
        if own and path is not None:
            key = ("references", path, prepared)
            return self.once(key, lambda: ground_of_file(path, prepared))
        values, config = common_data(models) if own else _named(self.data)
        ground = self.once(
            ("ground", repr(values), reads, prepared),
            lambda: known_data.ground(values, reads, prepared, config),
        )
        return ground if path is None else ground_of_file(path, ground.preparation)

    def _without_data(self, models: Sequence[Model], error: UserError) -> Ground:
        """What is left of the runs' data that cannot be read: how it prepared text, and its hash.

        Raises:
            UserError: runs of text and of pictures, or of different data.
        """
        common_reads(models)
        common_data(models)
        note = f"{error}; what needs no data is scored, and what is stored is read back"
        model = models[0]
        words = model.vocabulary
        return Ground(
            model.run.info.get("data"),
            # That <unk> stood in the data shows by words that the vocabulary lacks.
            preparation=model.preparation.met(words is not None and words.counts[UNK] > 0),
            notes=(note,),
            lost=True,
        )

    def note(self, notes: Iterable[str]) -> None:
        """Keep what has been noticed, each once."""
        self.notes.extend(note for note in notes if note not in self.notes)


def check_kind(model: Model, names: Sequence[str]) -> None:
    """Refuse measures that are all of text for a picture model, and the other way round."""
    if any(measures.find(name).is_for(model) for name in names):
        return
    raise model.run.refusal(REFUSALS[model.kind])


def _named(cfg: Any) -> Data:
    from gantext.config.schema import plain

    return plain(cfg), lambda: cfg
