"""The planes of `gantext eval frontier`: which two scores a curve over temperatures is drawn in.

A plane declares all that is particular to it; what samples, tabulates, draws and reports reads it
here. Nothing here imports numpy or torch.
"""

import enum
from dataclasses import dataclass, field
from typing import Literal

from gantext.metrics.text.presets import ORDERS


class PlaneName(enum.StrEnum):
    """The planes that there are."""

    bleu = "bleu"
    oracle = "oracle"
    lm = "lm"


@dataclass(frozen=True)
class Axis:
    """What stands on an axis.

    Attributes:
        score: its name.
        title: what a figure and a sentence call it.
        way: where the axis leads, such as "less diverse".
        better: which way samples are better.
        share: the score that says of which share of the samples it is; "" where it is of all.
    """

    score: str
    title: str
    way: str
    better: Literal["higher", "lower"]
    share: str = ""


@dataclass(frozen=True)
class Plane:
    """Two scores, one of quality and one of diversity, and what belongs to them.

    Attributes:
        name: of `--plane`.
        about: what it is, in a sentence.
        x: of diversity, or of how much of the data is covered.
        y: of quality.
        measures: those of the table of measures that give its scores.
        of_real: further ones, which only real text is asked for.
        columns: the scores of its table, in order.
        extra: those that stand behind them where they are known.
        reads: the axis whose value is reported for a curve.
        where: the other one, by whose value it is read.
        at: that value on the data of published points, where it is not the real text's own.
        turns: whether `where` falls and then rises as the temperature does: only the points that
            no other dominates count, and a curve is read no lower than all curves reach.
        tempered: whether a model's likelihood has to be known at each temperature.
        truth: whether the data's true distribution has to be known.
        published_size: of how many samples its published points are, where scores depend on it.
        seen: how a figure is to be looked at.
        mind: what not to conclude.
    """

    name: PlaneName
    about: str
    x: Axis
    y: Axis
    measures: tuple[str, ...]
    columns: tuple[str, ...]
    reads: Axis
    where: Axis
    seen: str
    mind: str
    of_real: tuple[str, ...] = ()
    extra: tuple[str, ...] = field(default=("unique", "grammatical"))
    at: float | None = None
    turns: bool = False
    tempered: bool = False
    truth: bool = False
    published_size: int | None = None


def bleu(order: int) -> Plane:
    """BLEU-N against Self-BLEU-N."""
    quality = Axis(f"bleu-{order}", f"BLEU-{order}", "quality", "higher")
    repeated = Axis(f"self-bleu-{order}", f"Self-BLEU-{order}", "less diverse", "lower")
    return Plane(
        name=PlaneName.bleu,
        about="How much samples are like real text, against how much they repeat each other.",
        x=repeated,
        y=quality,
        measures=("bleu", "self-bleu", "diversity", "truth"),
        columns=(*(f"bleu-{n}" for n in ORDERS), *(f"self-bleu-{n}" for n in ORDERS)),
        extra=("unique", "copied", "grammatical", "nll-oracle"),
        reads=quality,
        where=repeated,
        published_size=10_000,
        seen="up is better, left is more diverse",
        mind="Above the real text is sharper than the data, not better.",
    )


def _oracle() -> Plane:
    covered = Axis("nll-test", "nll-test", "covers less of the data", "lower")
    likely = Axis("nll-oracle", "nll-oracle", "less likely to the truth", "lower", "grammatical")
    return Plane(
        name=PlaneName.oracle,
        about="How likely samples are to the true distribution, against how likely held-out text "
        "is to the model that writes at the same temperature.",
        x=covered,
        y=likely,
        measures=("likelihood", "truth", "unique"),
        of_real=("true-likelihood",),
        columns=(covered.score, likely.score),
        reads=likely,
        where=covered,
        at=8.0,  # of the points that Caccia et al. give, the one in the middle
        turns=True,
        tempered=True,
        truth=True,
        seen="down is better, left covers more of the data",
        mind="The real text stands where the true distribution itself would: below it is less "
        "diverse than the truth, not better. Samples that the truth cannot write have no "
        "nll-oracle: a curve of few of them flatters.",
    )


def _lm() -> Plane:
    covered = Axis("reverse-lm", "reverse-lm", "covers less of the data", "lower")
    fluent = Axis("lm-score", "lm-score", "less fluent", "lower")
    return Plane(
        name=PlaneName.lm,
        about="How likely samples are to a language model of real text, against how likely real "
        "text is to one of the samples.",
        x=covered,
        y=fluent,
        measures=("lm", "truth", "unique"),
        columns=(covered.score, fluent.score),
        extra=("unique", "grammatical", "nll-oracle"),
        reads=covered,
        where=fluent,
        seen="down is better, left covers more of the data",
        mind="Below the real text is sharper than the data, not better.",
    )


ORACLE, LM = _oracle(), _lm()
PLANES = (bleu(4), ORACLE, LM)


def find_plane(name: PlaneName, order: int) -> Plane:
    """The plane of that name; `order` is N of BLEU."""
    return {PlaneName.bleu: bleu(order), PlaneName.oracle: ORACLE, PlaneName.lm: LM}[name]
