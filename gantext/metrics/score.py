"""A number that carries the settings it was computed with."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypedDict

from gantext import __version__
from gantext.errors import UserError
from gantext.records.shape import Misfit, check_of

Setting = str | int | float | bool | None


class ScoreRecord(TypedDict):
    """A score as JSON holds it."""

    name: str
    value: float | Literal["nan", "inf", "-inf"]
    error: NotRequired[float]
    sd: NotRequired[float]
    signature: dict[str, Setting]


SHORT_NAMES = {
    "hypotheses": "hyp",
    "references": "ref",
    "smoothing": "smooth",
    "tokenizer": "tok",
    "version": "v",
}
HASH_DIGITS = 8
# What a signature says of the sentences' origin; the rest is the protocol they were scored by.
ORIGIN = frozenset(
    {
        "run",
        "model",
        "step",
        "phase",
        "weights",
        "sampled",
        "temperature",
        "top_k",
        "top_p",
        "sample_seed",
        "candidates",
        "judge",
        "judge_loss",
        "judge_auc",
        "among",
        "judge_forced",
        "seeds",
        "run_data",
        "samples",
        "samples_hash",
        "blank_samples",
    }
)


@dataclass(frozen=True)
class Score:
    """One value of one metric.

    Two scores of the same name may be compared only if their signatures agree in everything but
    the sentences' origin (`protocol`). The unit of `value` is the metric's own (BLEU 0..1,
    corpus-bleu 0..100, likelihoods in nats).

    Attributes:
        error: the standard error of `value` over the sentences or pictures that were scored, in
            its unit; None where none is known.
        sd: where `value` is the mean over samples of several seeds, their standard deviation.
        each: of scores of test sentences (captions) that all models are asked of, by how much the
            score moves with each of these N, times N: the mean of these numbers has the same error.
            Those of two models are held against each other one by one.
    """

    name: str
    value: float
    signature: Mapping[str, Setting] = field(default_factory=dict)
    error: float | None = None
    sd: float | None = None
    each: Sequence[float] | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, object]:
        """Return a dict that strict JSON can hold: a NaN or infinite value becomes a string."""
        value = self.value if math.isfinite(self.value) else str(self.value)
        spread = {"error": self.error, "sd": self.sd}
        known = {name: size for name, size in spread.items() if size is not None}
        return {"name": self.name, "value": value, **known, "signature": dict(self.signature)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Score":
        """Undo `to_json`.

        Raises:
            UserError: it is no `ScoreRecord`.
        """
        try:
            check_of(ScoreRecord)(record)
        except Misfit as error:
            raise UserError(f"not a score: {error}") from None
        value, signature = float(record["value"]), dict(record["signature"])
        return cls(record["name"], value, signature, record.get("error"), record.get("sd"))


def signed(**settings: Setting) -> dict[str, Setting]:
    """A signature: what decided a score, and at its end the version that computed it."""
    return {**settings, "version": __version__}


def protocol(score: Score) -> dict[str, Setting]:
    """The signature without the sentences' origin: equal for scores that may be compared."""
    kept = _of_origin(score)
    return {key: value for key, value in score.signature.items() if key not in kept}


def origin(score: Score) -> dict[str, Setting]:
    """Where the scored sentences come from."""
    kept = _of_origin(score)
    return {key: value for key, value in score.signature.items() if key in kept}


def _of_origin(score: Score) -> frozenset[str]:
    """The keys of the origin: where nothing was sampled, a temperature is the likelihood's own."""
    return ORIGIN if "sampled" in score.signature else ORIGIN - {"temperature"}


def signature_line(score: Score) -> str:
    """Render a signature in one line, as sacreBLEU does: "preset:texygen|n:4|hyp:10000|...".

    Settings stand in the order of the signature; those that are None are left out, and the data
    hash is cut to its first 8 digits. A setting called "signature" is a whole line already
    (sacreBLEU's own) and stands at the end as it is.
    """
    parts = [
        f"{SHORT_NAMES.get(key, key)}:{_short(key, value)}"
        for key, value in score.signature.items()
        if value is not None and key != "signature"
    ]
    whole = score.signature.get("signature")
    return "|".join([*parts, str(whole)] if whole is not None else parts)


def shown(value: float | None) -> str:
    """A score's value in a table."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.{_decimals(value)}f}"


def shown_error(score: Score) -> str:
    """What a score varies by in a table, with as many decimals as its value; "" if not known.

    That is the deviation over seeds where it is a mean over these, else its standard error.
    """
    spread = score.error if score.sd is None else score.sd
    if spread is None or not math.isfinite(spread) or not math.isfinite(score.value):
        return ""
    return "±" + f"{spread:.{_decimals(score.value)}f}".removeprefix("0")


def _decimals(value: float) -> int:
    return 2 if abs(value) >= 10 else 4


def shown_with_error(score: Score) -> str:
    """A score in a table with what it varies by."""
    return f"{shown(score.value)} {shown_error(score)}".rstrip()


def _short(key: str, value: Setting) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)[:HASH_DIGITS] if key in ("data", "run_data") else str(value)
