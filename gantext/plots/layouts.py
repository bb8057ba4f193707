"""What the learning curves of a run show: which keys of its metrics share a figure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEMS = {"g": "generator", "d": "discriminator"}


@dataclass(frozen=True)
class Layout:
    """One figure: its texts, and the keys of metrics.jsonl that it draws where they are there.

    Attributes:
        title: above the figure.
        caption: how to read it.
        ylabel: the quantity and its unit.
        names: how keys are called in the legend.
        suffix: keys that end so are drawn too ("g_loss": generator).
        band: by key, the key of its standard deviation, drawn as a band.
        mean: keys whose mean is drawn too, if all are there.
        level: a height that means something, drawn as a line, and its name.
        covers: heights that the axis always reaches, so that small changes look small.
    """

    title: str
    caption: str
    ylabel: str
    names: Mapping[str, str] = field(default_factory=dict)
    suffix: str | None = None
    band: Mapping[str, str] = field(default_factory=dict)
    mean: tuple[str, ...] = ()
    level: tuple[float, str] | None = None
    covers: tuple[float, float] | None = None

    def keys(self, present: Iterable[str]) -> list[str]:
        """Which of the present keys it draws."""
        there = list(present)
        more = [key for key in there if self.suffix and key.endswith(self.suffix)]
        return list(dict.fromkeys([*(key for key in self.names if key in there), *more]))

    def name(self, key: str) -> str:
        """What a key is called in the legend."""
        stem = key.removesuffix(self.suffix or "").rstrip("_")
        return self.names.get(key) or STEMS.get(stem) or stem.replace("_", " ") or "model"


LAYOUTS = (
    Layout(
        "Negative log-likelihood",
        "Of real text under the model. A gap that opens between training and validation is "
        "overfitting.",
        "NLL (nats per token)",
        {
            "nll": "training",
            "nll_bound": "training (-ELBO)",
            "nll_valid": "validation",
            "valid_nll": "validation",
        },
    ),
    Layout(
        "Reconstruction",
        "Of a sentence from a draw of its own posterior: -E[log p(x|z)]. What the latent vector "
        "tells the decoder lowers it.",
        "nats per sentence",
        {"reconstruction": "training"},
    ),
    Layout(
        "Latent information",
        "KL term of the bound, and the mutual information of sentence and latent vector where it "
        "is measured. A KL near 0 is posterior collapse: the decoder ignores the latent vector.",
        "nats per sentence",
        {"kl": "KL", "mutual_information": "mutual information"},
    ),
    Layout(
        "KL weight",
        "Weight of the KL term in the loss.",
        "weight",
        {"beta": "beta"},
        covers=(0.0, 1.0),
    ),
    Layout(
        "Losses",
        "Of a batch, before its update. The losses of an adversarial game need not fall; a "
        "discriminator that cannot tell real from generated has 0.69 = ln 2.",
        "loss",
        {"g_loss": "generator", "d_loss": "discriminator"},
        suffix="loss",
    ),
    Layout(
        "Discriminator accuracy",
        "Share of real and of generated samples that the discriminator tells right. A mean near "
        "1/2 says that it cannot tell them apart, near 1 that the generator gets no signal.",
        "accuracy",
        {"d_accuracy_real": "real", "d_accuracy_fake": "generated", "d_accuracy": "both"},
        mean=("d_accuracy_real", "d_accuracy_fake"),
        level=(0.5, "chance"),
        covers=(0.0, 1.0),
    ),
    Layout(
        "Discriminator outputs",
        "Mean probability of being real that the discriminator gives to real and to generated "
        "samples (for a relativistic loss, of being more real than the other). Both are 1/2 where "
        "it cannot tell them apart.",
        "D(x)",
        {"d_real": "real", "d_fake": "generated"},
        level=(0.5, "1/2"),
        covers=(0.0, 1.0),
    ),
    Layout(
        "Gradient penalties",
        "Mean squared slope of the discriminator at real (R1) and at generated (R2) pictures, or "
        "WGAN-GP's penalty, before their weights.",
        "penalty",
        {"r1": "R1", "r2": "R2", "gradient_penalty": "WGAN-GP"},
    ),
    Layout(
        "Retrieval",
        "Share of captions whose own picture the dual encoder finds among those of the batch: "
        "their real pictures, and the generator's. Where the second is near 1 too and the "
        "pictures are still blots, the encoder asks for less than a person does.",
        "retrieval accuracy",
        {"retrieval_real": "real", "retrieval_fake": "generated"},
        covers=(0.0, 1.0),
    ),
    Layout(
        "Fit to real pictures",
        "Terms of the bound on the negative log-likelihood of a picture under its caption: half "
        "the squared error of the picture drawn of its own code and what the code says, then half "
        "the squared error of the code composed of its own noise and what the noise says.",
        "nats per picture",
        {
            "picture_error": "picture's error",
            "code_kl": "code",
            "code_error": "code's error",
            "noise_kl": "noise",
        },
    ),
    Layout(
        "Similarity",
        "Mean cosine of a caption's embedding and its picture's, real and generated.",
        "cosine",
        {"similarity_real": "real", "similarity_fake": "generated"},
    ),
    Layout(
        "Caption discriminator accuracy",
        "Share of real pictures that the discriminator prefers with their own caption to another.",
        "accuracy",
        {"d_match_accuracy": "own caption"},
        level=(0.5, "chance"),
        covers=(0.0, 1.0),
    ),
    Layout(
        "Contrastive loss",
        "Of finding each caption's generated picture in the batch by the dual encoder (InfoNCE).",
        "nats",
        {"contrastive": "generator"},
    ),
    Layout(
        "Entropy",
        "Of the generator's next-word distribution, a mean over the tokens that it sampled. A "
        "fall towards 0 is collapse.",
        "entropy (nats per token)",
        {"entropy": "generator"},
    ),
    Layout(
        "Reward",
        "What the generator's tokens earn from the discriminator; the band is one standard "
        "deviation over the tokens of a batch.",
        "reward",
        {"reward": "mean reward"},
        band={"reward": "reward_std"},
    ),
    Layout(
        "Diversity",
        "Share of sentences that are unique, among regular samples and within a batch.",
        "unique share",
        {"unique": "samples", "batch_unique": "batch"},
        covers=(0.5, 1.0),
    ),
    Layout(
        "Length",
        "Mean length of the generated sentences.",
        "tokens in a sentence",
        {"length": "generated"},
    ),
    Layout(
        "Gradient norms",
        "Before clipping.",
        "gradient norm",
        {"grad_norm": "MLE", "g_grad_norm": "generator", "d_grad_norm": "discriminator"},
        suffix="grad_norm",
    ),
)


# The curves of a run's metrics, taken apart into figures.
Row = Mapping[str, Any]
HUGE = 1e300  # no axis can hold more
COORDINATES = ("phase", "step", "total")


@dataclass(frozen=True)
class Series:
    """The values of one key: steps (P,), values (P,); NaN where a value was not finite."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]

    @property
    def lost(self) -> int:
        """How many values were not finite."""
        return int(np.isnan(self.y).sum())


def number(value: object) -> float:
    """A value of a metrics row as a float; NaN for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if abs(value) < HUGE else math.nan


def series(rows: Sequence[Row], key: str) -> Series:
    """The values of a key at the rows that have it, over the run's total step."""
    pairs = [(row["total"], number(row[key])) for row in rows if key in row]
    table = np.array(pairs, dtype=float).reshape(-1, 2)
    return Series(table[:, 0], table[:, 1])


def layouts(rows: Sequence[Row], other: bool) -> list[tuple[Layout, dict[str, Series]]]:
    """The figures of a run and their series: only of keys that have a finite value.

    Args:
        rows: each with a finite "total".
        other: also one figure for each key that no layout knows.
    """
    keys = dict.fromkeys(key for row in rows for key in row if key not in COORDINATES)
    found = {key: series(rows, key) for key in keys}
    drawn = {key: values for key, values in found.items() if values.lost < len(values.y)}
    known = [(layout, {key: drawn[key] for key in layout.keys(drawn)}) for layout in LAYOUTS]
    used = {key for layout, own in known if own for key in [*own, *layout.band.values()]}
    rest = [key for key in drawn if key not in used] if other else []
    extra = [(Layout(key, "", key, {key: key}), {key: drawn[key]}) for key in rest]
    return [*(pair for pair in known if pair[1]), *extra]


def running_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Centred mean over `window` (odd) values, fewer at the ends; NaN does not count.

    A window without any value is NaN.
    """
    present = np.isfinite(values)
    half = window // 2
    places = np.arange(len(values))
    low, high = np.maximum(places - half, 0), np.minimum(places + half + 1, len(values))
    sums = np.concatenate([[0.0], np.cumsum(np.where(present, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(present)])
    count = counts[high] - counts[low]
    mean = (sums[high] - sums[low]) / np.maximum(count, 1)
    return np.where(count > 0, mean, np.nan)
