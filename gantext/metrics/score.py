"""A number that carries the settings it was computed with."""

import math
from collections.abc import Mapping
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
    """

    name: str
    value: float
    signature: Mapping[str, Setting] = field(default_factory=dict)
    error: float | None = None

    def to_json(self) -> dict[str, object]:
        """Return a dict that strict JSON can hold: a NaN or infinite value becomes a string."""
        value = self.value if math.isfinite(self.value) else str(self.value)
        error = {} if self.error is None else {"error": self.error}
        return {"name": self.name, "value": value, **error, "signature": dict(self.signature)}

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
        return cls(record["name"], value, signature, record.get("error"))


def signed(**settings: Setting) -> dict[str, Setting]:
    """A signature: what decided a score, and at its end the version that computed it."""
    return {**settings, "version": __version__}


def protocol(score: Score) -> dict[str, Setting]:
    """The signature without the sentences' origin: equal for scores that may be compared."""
    return {key: value for key, value in score.signature.items() if key not in ORIGIN}


def origin(score: Score) -> dict[str, Setting]:
    """Where the scored sentences come from."""
    return {key: value for key, value in score.signature.items() if key in ORIGIN}


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
    """A score's standard error in a table, with as many decimals as its value; "" without one."""
    if score.error is None or not math.isfinite(score.error) or not math.isfinite(score.value):
        return ""
    return "±" + f"{score.error:.{_decimals(score.value)}f}".removeprefix("0")


def _decimals(value: float) -> int:
    return 2 if abs(value) >= 10 else 4


def _short(key: str, value: Setting) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)[:HASH_DIGITS] if key in ("data", "run_data") else str(value)
