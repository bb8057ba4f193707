"""Numbers that papers report, to stand beside a run's own; compare only under the same preset."""

from collections.abc import Mapping
from dataclasses import dataclass

from gantext.metrics.text.bleu_scores import ORDERS
from gantext.metrics.text.presets import find_preset

TEXYGEN = "Texygen, Zhu et al. 2018"
LEAKGAN = "LeakGAN, Guo et al. 2018"
RELGAN = "RelGAN, Nie et al. 2019"

Four = tuple[float, float, float, float]


@dataclass(frozen=True)
class PublishedPoint:
    """What a paper reports of one model on one data set.

    Attributes:
        model: the model's name in the paper.
        data: the data set's name in gantext.
        preset: the protocol (see `gantext.metrics.presets`) that the numbers follow.
        bleu: BLEU-N (0..1) by N.
        self_bleu: Self-BLEU-N (0..1) by N; None where the paper has none, so that the point has
            no place on a quality-diversity plot.
        source: the paper that the numbers are from.
    """

    model: str
    data: str
    preset: str
    bleu: Mapping[int, float]
    self_bleu: Mapping[int, float] | None
    source: str


def _coco(model: str, preset: str, source: str, bleu: Four, own: Four | None) -> PublishedPoint:
    self_bleu = dict(zip(ORDERS, own, strict=True)) if own else None
    by_order = dict(zip(ORDERS, bleu, strict=True))
    return PublishedPoint(model, "coco", preset, by_order, self_bleu, source)


def _texygen(model: str, bleu: Four, own: Four) -> PublishedPoint:
    return _coco(model, "texygen", TEXYGEN, bleu, own)


def _relgan(model: str, bleu: Four) -> PublishedPoint:
    return _coco(model, "relgan", RELGAN, bleu, None)


# BLEU-2..5, then Self-BLEU-2..5.
PUBLISHED: tuple[PublishedPoint, ...] = (
    _texygen("SeqGAN", (0.745, 0.498, 0.294, 0.180), (0.950, 0.840, 0.670, 0.489)),
    _texygen("MaliGAN", (0.673, 0.432, 0.257, 0.159), (0.918, 0.781, 0.606, 0.437)),
    _texygen("RankGAN", (0.743, 0.467, 0.264, 0.156), (0.959, 0.882, 0.762, 0.618)),
    _texygen("LeakGAN", (0.746, 0.528, 0.355, 0.230), (0.966, 0.913, 0.848, 0.780)),
    _texygen("TextGAN-MMD", (0.593, 0.463, 0.277, 0.207), (0.942, 0.931, 0.804, 0.746)),
    _texygen("MLE", (0.731, 0.497, 0.305, 0.189), (0.916, 0.769, 0.583, 0.408)),
    # The number in brackets is the paper's highest inverse temperature.
    _relgan("RelGAN (100)", (0.849, 0.687, 0.502, 0.331)),
    _relgan("RelGAN (1000)", (0.814, 0.634, 0.455, 0.303)),
)


def published_points(data: str, preset: str) -> tuple[PublishedPoint, ...]:
    """Return what papers report on a data set under a protocol; none for data of one's own.

    Raises:
        UserError: there is no such preset.
    """
    find_preset(preset)
    return tuple(point for point in PUBLISHED if (point.data, point.preset) == (data, preset))
