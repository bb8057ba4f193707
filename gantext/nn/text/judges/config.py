"""Which judge rewards a generator of text, and how it is trained. Nothing here loads torch."""

import dataclasses
import enum
from collections.abc import Sized
from dataclasses import dataclass
from pathlib import Path

from gantext.data.ranges import (
    BatchSize,
    Count,
    Dropout,
    LearningRate,
    References,
    Size,
    Steps,
    Weight,
)
from gantext.errors import UserError
from gantext.metrics.two_classes import LEAST
from gantext.nn.text.judges.pretrained import encoder_id, is_installed

AUTO, PACKAGE, NO_ENCODER = "auto", "package", "none"  # names of a base that are no folder's


class Kind(enum.Enum):
    """Whose logit rewards a generator."""

    auto = "auto"
    cnn = "cnn"
    ranker = "ranker"
    lm_ratio = "lm_ratio"
    encoder = "encoder"
    mean = "mean"


@dataclass(frozen=True)
class EncoderConfig:
    """How a pretrained encoder is fine-tuned (explained in conf/model/gan.yaml)."""

    base: str
    learning_rate: LearningRate
    output_rate: LearningRate
    batch_size: BatchSize

    @property
    def folder(self) -> str | None:
        """Where the encoder lies; None for the one of the package."""
        return None if self.base == PACKAGE else self.base


@dataclass(frozen=True)
class RatioConfig:
    """The backward language model of a ratio (explained in conf/model/gan.yaml)."""

    embedding: Size
    hidden: Size
    dropout: Dropout
    batch_size: BatchSize
    learning_rate: LearningRate


@dataclass(frozen=True)
class RankerConfig:
    """How sentences are ranked (explained in conf/model/gan.yaml)."""

    references: References
    gamma: Weight


@dataclass(frozen=True)
class JudgeConfig:
    """Which judge, and its training (explained in conf/model/gan.yaml)."""

    kind: Kind
    steps: Steps
    look_every: Count
    patience: Steps
    refresh_every: Steps
    refresh_steps: Count
    encoder: EncoderConfig
    lm_ratio: RatioConfig
    ranker: RankerConfig

    @property
    def by_discriminator(self) -> bool:
        """Whether the discriminator itself rewards, be it a classifier or a ranker."""
        return self.kind in (Kind.cnn, Kind.ranker)

    def settled(self, known: bool, held_out: Sized | None) -> "JudgeConfig":
        """The same with what `auto` stands for on some data, so that a run says what it took.

        Args:
            known: whether the text was drawn from a known distribution, of which a CNN that is
                trained from nothing learns enough; on captions that people wrote it never does.
            held_out: sentences that another judge can be checked on; None: there are none.

        Raises:
            UserError: the encoder that is asked for is not there.
        """
        kind, base = self.kind, self.encoder.base
        checked = held_out is not None and len(held_out) >= LEAST
        if kind is Kind.auto and (known or not checked):
            kind = Kind.cnn
        if kind in (Kind.cnn, Kind.ranker, Kind.lm_ratio):
            return dataclasses.replace(self, kind=kind)
        if base == AUTO:
            base = PACKAGE if is_installed() or kind is Kind.encoder else NO_ENCODER
        if kind is Kind.auto:
            kind = Kind.lm_ratio if base == NO_ENCODER else Kind.encoder
        if base not in (PACKAGE, NO_ENCODER):
            base = str(Path(base).expanduser().resolve())
        found = dataclasses.replace(self.encoder, base=base)
        return dataclasses.replace(self, kind=kind, encoder=found)

    @property
    def members(self) -> tuple[Kind, ...]:
        """The judges whose calibrated logits are averaged: one, but for `mean`."""
        if self.kind is not Kind.mean:
            return (self.kind,)
        read = () if self.encoder.base == NO_ENCODER else (Kind.encoder,)
        return (Kind.cnn, Kind.lm_ratio, *read)

    def check(self, held_out: Sized | None) -> None:
        """Refuse a judge that cannot be had, or not be checked on so few held-out sentences; None:
        nobody looks.

        Raises:
            UserError: so it is, in one line.
        """
        if self.kind is Kind.auto or self.by_discriminator:
            return
        if Kind.encoder in self.members:
            if self.encoder.base == NO_ENCODER:
                raise UserError("model.judge.kind=encoder needs model.judge.encoder.base=package")
            encoder_id(self.encoder.folder)
        if held_out is not None and len(held_out) < LEAST:
            raise UserError(
                f"model.judge.kind={self.kind.value}: no sentences are held out to check it on: "
                "data.validation=1000 (of scenes and oracle data.validation_size) holds some out"
            )
