"""Numbers that papers report, to stand beside a run's own; compare only under the same protocol."""

from collections.abc import Mapping
from dataclasses import dataclass

from gantext.metrics.text.planes import PlaneName
from gantext.metrics.text.presets import ORDERS, find_preset

TEXYGEN = "Texygen, Zhu et al. 2018"
SEQGAN = "SeqGAN, Yu et al. 2017"
RANKGAN = "RankGAN, Lin et al. 2017"
LEAKGAN = "LeakGAN, Guo et al. 2018"
RELGAN = "RelGAN, Nie et al. 2019"
CACCIA = "Language GANs Falling Short, Caccia et al. 2020"

Four = tuple[float, float, float, float]


@dataclass(frozen=True)
class PublishedPoint:
    """What a paper reports of one model on one data set.

    Attributes:
        model: the model's name in the paper.
        data: the data set's name in gantext.
        plane: on which its scores stand.
        preset: the protocol (see `gantext.metrics.text.presets`) that its BLEU follows; None of
            other scores.
        values: by score; one that the paper lacks is missing, and without both of its plane's the
            point has no place there.
        source: the paper that the numbers are from.
        temperature: of the samples, where the paper's code shows it.
        by: whose numbers they are, where other papers have some of the same model.
    """

    model: str
    data: str
    plane: PlaneName
    preset: str | None
    values: Mapping[str, float]
    source: str
    temperature: float | None = None
    by: str = ""

    @property
    def label(self) -> str:
        """What it is called in a figure."""
        return f"{self.model} ({self.by})" if self.by else self.model

    @property
    def cited(self) -> str:
        """The model with whose numbers they are: "SeqGAN (Yu et al. 2017)"."""
        return f"{self.model} ({self.source.rpartition(', ')[2]})"


def _coco(model: str, preset: str, source: str, bleu: Four, own: Four | None) -> PublishedPoint:
    values = {f"bleu-{order}": value for order, value in zip(ORDERS, bleu, strict=True)}
    if own:
        values |= {f"self-bleu-{order}": value for order, value in zip(ORDERS, own, strict=True)}
    return PublishedPoint(model, "coco", PlaneName.bleu, preset, values, source)


def _texygen(model: str, bleu: Four, own: Four) -> PublishedPoint:
    return _coco(model, "texygen", TEXYGEN, bleu, own)


def _relgan(model: str, bleu: Four) -> PublishedPoint:
    return _coco(model, "relgan", RELGAN, bleu, None)


def _oracle(
    model: str, nll_oracle: float, source: str, temperature: float | None = None
) -> PublishedPoint:
    values = {"nll-oracle": nll_oracle}
    return PublishedPoint(model, "oracle", PlaneName.oracle, None, values, source, temperature)


def _caccia(model: str, nll_oracle: Mapping[float, float]) -> tuple[PublishedPoint, ...]:
    """Points of a curve over temperatures: nll-oracle by nll-test."""
    return tuple(
        PublishedPoint(
            model,
            "oracle",
            PlaneName.oracle,
            None,
            {"nll-test": x, "nll-oracle": y},
            CACCIA,
            by="Caccia et al.",
        )
        for x, y in nll_oracle.items()
    )


PUBLISHED: tuple[PublishedPoint, ...] = (
    # BLEU-2..5, then Self-BLEU-2..5.
    _texygen("SeqGAN", (0.745, 0.498, 0.294, 0.180), (0.950, 0.840, 0.670, 0.489)),
    _texygen("MaliGAN", (0.673, 0.432, 0.257, 0.159), (0.918, 0.781, 0.606, 0.437)),
    _texygen("RankGAN", (0.743, 0.467, 0.264, 0.156), (0.959, 0.882, 0.762, 0.618)),
    _texygen("LeakGAN", (0.746, 0.528, 0.355, 0.230), (0.966, 0.913, 0.848, 0.780)),
    _texygen("TextGAN-MMD", (0.593, 0.463, 0.277, 0.207), (0.942, 0.931, 0.804, 0.746)),
    _texygen("MLE", (0.731, 0.497, 0.305, 0.189), (0.916, 0.769, 0.583, 0.408)),
    # The number in brackets is the paper's highest inverse temperature.
    _relgan("RelGAN (100)", (0.849, 0.687, 0.502, 0.331)),
    _relgan("RelGAN (1000)", (0.814, 0.634, 0.455, 0.303)),
    # Of 10,000 sequences of 20 words. The temperatures are those of the released codes: SeqGAN's
    # draws from its softmax, RelGAN's takes the largest logit plus Gumbel noise, which is the same,
    # and LeakGAN's multiplies logits by 1.5.
    _oracle("MLE", 9.038, SEQGAN, 1.0),
    _oracle("SeqGAN", 8.736, SEQGAN, 1.0),
    _oracle("RankGAN", 8.247, RANKGAN),
    _oracle("LeakGAN", 7.038, LEAKGAN, round(1 / 1.5, 3)),
    _oracle("RelGAN", 6.680, RELGAN, 1.0),
    _oracle("real sequences", 5.750, LEAKGAN),
    *_caccia("MLE", {7.8: 8.67, 8.0: 8.15, 8.4: 7.25}),
    *_caccia("GAN", {7.8: 9.46, 8.0: 8.90, 8.4: 8.09}),
    *_caccia("SeqGAN", {8.0: 10.47, 8.4: 10.08}),
    *_caccia("CoT", {7.8: 8.33, 8.0: 7.83, 8.4: 7.08}),
)


def published_points(plane: PlaneName, data: str, preset: str) -> tuple[PublishedPoint, ...]:
    """Return what papers report of a plane's scores on a data set; none for data of one's own.

    Those of BLEU are of the protocol `preset`.

    Raises:
        UserError: there is no such preset.
    """
    find_preset(preset)
    return tuple(
        point
        for point in PUBLISHED
        if (point.plane, point.data) == (plane, data) and point.preset in (preset, None)
    )
