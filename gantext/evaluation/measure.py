"""What a row of the table of measures says: what decides a score, what it needs, where it is shown.

A row can be read without numpy or torch; what computes it is imported when it is first used.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from gantext import models
from gantext.config.settings import Device
from gantext.runs.kinds import PICTURES, TEXT, Kind

if TYPE_CHECKING:
    from gantext.evaluation.ground import Ground
    from gantext.evaluation.subjects import Model, Subject
    from gantext.metrics.score import Score

# Options of a command that scores samples.
SAMPLED = frozenset({"samples", "n", "temperature", "candidates", "judge", "force"})


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What a user may choose about the scores.

    Attributes:
        preset: the BLEU protocol.
        seed: of shuffles, of the embeddings' sample and of the small language models.
        encoder: the sentence encoder of the Frechet distance; None is the default one.
        device: where networks compute.
        draws: importance samples of a sentence (k).
        sentences: test sentences whose latent vectors are looked at, or those written of classes.
        probes: test sentences that are imputed, or pairs of them that are interpolated.
        samples: how many were asked for; None: the run's own number.
        examples: how many real ones classifiers are trained on, numbers with commas between.
        temperature: at which the likelihood is that of writing; None: the model's own.
    """

    preset: str
    seed: int
    encoder: str | None = None
    device: Device = Device.auto
    draws: int = 500
    sentences: int = 1000
    probes: int = 500
    samples: int | None = None
    examples: str = "50,200,1000"
    temperature: float | None = None


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command of `gantext eval`.

    Attributes:
        title: of its table.
        about: its help.
        options: those that only some commands have, by their names in gantext/cli/eval.py.
        also: measures whose scores stand behind the measure's own.
        nothing: what is said when there is nothing to score.
        seeds: of how many the scores are means, where nothing else is asked for.
        draw: "module:function" of (table of scores, path), which draws a PNG file for --plot.
    """

    title: str
    about: str
    options: frozenset[str] = SAMPLED
    also: tuple[str, ...] = ()
    nothing: str = "nothing to score; give a RUN"
    draw: str | None = None
    seeds: int = 1


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One kind of score.

    Attributes:
        name: its name, and that of its stored files.
        compute: "module:function" of (subject, ground, protocol) -> scores; none of what it says
            nothing about.
        settings: the fields of the protocol that decide it.
        tempered: the temperature of the protocol decides it too, where there is one.
        pictures: it reads pictures, the others text.
        of_model: it depends on the model alone, not on the samples.
        alone: the sentences by themselves have it, or some of its scores, without any real text.
        needs: abilities of which a model has to declare one; () if any model will do.
        slow: what to tell a user who waits; None when it is quick.
        package: a library that only this measure needs, and what to install for it.
        command: its command of `gantext eval`; None if it is shown by another's, or by none.
        in_all: `gantext eval all` computes it.
        after_phase: runs get it at the end of each phase.
        first: its columns, and its scores of a run, stand before those of the others.
        columns: its scores that `gantext compare` shows; without any, it is not compared.
        summary: its scores that tables of runs show: `gantext runs list`, a sweep's table.
        rising: its scores by which a run's best state may be chosen, the highest first; what a
            score means, and which way it is better, stands in gantext/metrics/meanings.py.
        falling: the others by which it may, the lowest first.
    """

    name: str
    compute: str
    settings: tuple[str, ...] = ()
    tempered: bool = False
    pictures: bool = False
    of_model: bool = False
    alone: bool = False
    needs: tuple[str, ...] = ()
    slow: str | None = None
    package: tuple[str, str] | None = None
    command: Command | None = None
    in_all: bool = True
    after_phase: bool = False
    first: bool = False
    columns: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    rising: tuple[str, ...] = ()
    falling: tuple[str, ...] = ()

    def scores(self, subject: "Subject", ground: "Ground", protocol: Protocol) -> "list[Score]":
        """What a subject gets; nothing of its origin is in the signatures yet.

        Its sentences are prepared as those of the ground were.
        """
        preparation = ground.preparation
        prepared = subject.prepared(preparation)
        found: list[Score] = imported(self.compute)(prepared, ground, protocol)
        if self.pictures or self.of_model:  # nothing of the text of samples is in them
            return found
        return [replace(one, signature={**one.signature, **preparation.signature}) for one in found]

    def reads(self, kind: Kind[Any, Any]) -> bool:
        """Whether it is of what models of a kind make."""
        return self.pictures == (kind is PICTURES)

    def is_for(self, model: "Model | None") -> bool:
        """Whether it reads what a model makes; files hold text."""
        return self.reads(TEXT if model is None else model.kind)

    def fits(self, subject: "Subject") -> bool:
        """Whether a subject may have it: pictures or text, and a model that can what it needs."""
        model = subject.model
        if not self.is_for(model):
            return False
        if model is None:
            return not self.of_model and not self.needs
        return not self.needs or any(able(model, one) for one in self.needs)

    @property
    def missing(self) -> str | None:
        """What to install before it can be computed; None when it is there."""
        if self.package is None or find_spec(self.package[0]) is not None:
            return None
        return self.package[1]


def able(model: "Model", ability: str) -> bool:
    """Whether a model has an ability, seen without building it."""
    declared = models.abilities(model.settings.model.name)
    return ability in {one.name for one in declared}


def imported(place: str) -> Callable[..., Any]:
    """The function that "module:function" names."""
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found
