"""The scores that `gantext eval` knows, by name: what decides each, and how it is computed."""

from collections.abc import Mapping

from gantext.evaluation.measure import Measure
from gantext.evaluation.measures import interpolation
from gantext.evaluation.measures.bleu import _bleu, _self_bleu
from gantext.evaluation.measures.diversity import _diversity
from gantext.evaluation.measures.frechet import _frechet
from gantext.evaluation.measures.imputation import imputation
from gantext.evaluation.measures.latent import has_latent, latent
from gantext.evaluation.measures.lengths import _lengths
from gantext.evaluation.measures.likelihood import likelihood
from gantext.evaluation.measures.lm import _lm
from gantext.evaluation.measures.pictures import _pictures
from gantext.evaluation.measures.truth import _truth

_ALL = (
    Measure("bleu", _bleu, ("preset", "seed")),
    Measure("self-bleu", _self_bleu, ("preset", "seed")),
    Measure("diversity", _diversity, ()),
    Measure("likelihood", likelihood, (), of_model=True),
    Measure(
        "latent",
        latent,
        ("draws", "sentences", "seed"),
        doing="weighing draws of latent vectors",
        of_model=True,
        applies=has_latent,
    ),
    Measure(
        "interpolation",
        interpolation.interpolation,
        ("probes", "seed"),
        doing="decoding midpoints",
        of_model=True,
        applies=has_latent,
    ),
    Measure(
        "imputation",
        imputation,
        ("probes", "seed"),
        doing="filling blanks of test sentences",
        of_model=True,
        applies=lambda subject: subject.model is not None,
    ),
    Measure("truth", _truth, ()),
    Measure("lengths", _lengths, ("preset", "seed")),
    Measure("lm", _lm, ("seed",), doing="training small language models"),
    Measure("frechet", _frechet, ("seed", "encoder"), doing="encoding sentences"),
    Measure("pictures", _pictures, ("seed",), doing="drawing and judging pictures", pictures=True),
)
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL}
