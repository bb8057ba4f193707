"""How well pictures follow their captions: retrieval, attributes, Frechet distance, diversity.

Every score of generated pictures stands beside the same of real ones ("-real"), which is what a
perfect model would have by these judges. Captions of the test split whose scene is no training
caption's are held out; scores of training captions are "-seen".

Of captions that are no scenes there are retrieval, of captions that are not trained on, and the
diversity of the generated pictures alone: what their real pictures show is not known, and no other
pictures of them can be had.

Legend: N pictures, C channels, S side in pixels.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gantext.data.gallery import Gallery, PictureSplit, to_bytes, to_unit
from gantext.data.scenes import draw
from gantext.data.scenes.scene import Scene, parse
from gantext.errors import UserError
from gantext.evaluation.judges.attribute_classifier import (
    AttributeClassifier,
    load_attributes,
    said,
)
from gantext.evaluation.judges.caption_judge import SIZES, CaptionJudge, load_judge
from gantext.metrics import standard_error
from gantext.metrics.pictures.feature_scores import feature_scores
from gantext.metrics.pictures.retrieval import found_at, ranks, reciprocal_ranks
from gantext.metrics.score import Score, Setting, signed
from gantext.models.contract import Illustrator

CANDIDATES = 200  # pictures that a caption's own is looked for among
POOLS = 5  # so many times, each with other captions
VARIED, DRAWINGS = 100, 8  # captions, and pictures of each, for the diversity
CHUNK = 250
Drawn = Callable[[Tensor], Tensor]  # captions (N, T) -> their pictures, (N, C, S, S) as bytes


@dataclass(frozen=True)
class Judges:
    """Who judges: neither has seen a generated picture, nor has a model seen them."""

    retrieval: CaptionJudge
    attributes: AttributeClassifier | None  # None for captions that are no scenes


def caption_scores(
    illustrator: Illustrator,
    gallery: Gallery,
    device: torch.device,
    *,
    samples: int,
    seed: int,
    cache: Path,
) -> list[Score]:
    """Score a model that draws pictures of captions.

    - retrieval-1, -5, -mrr: R@1, R@5 and mean reciprocal rank of a caption's own picture among
      those of CANDIDATES captions of different scenes.
    - colour, shape, count: share of pictures in which the classifier sees just the caption's
      colours, its shapes, or as many of them.
    - colour-recall, shape-recall: share of the colours and shapes that captions name which the
      classifier sees in their pictures.
    - frechet, precision, recall: on the classifier's features, against training pictures.
    - diversity: standard deviation of a pixel (in [-1, 1]) over pictures of one caption.

    Args:
        samples: pictures of the Frechet distance, precision and recall, at most.
        seed: of the noise.
        cache: the folder of the judges; they are trained where it lacks them.

    Raises:
        UserError: there are no captions, or too few of them are left to be told apart.
    """
    rng = torch.Generator(device).manual_seed(seed)
    base = signed(seed=seed, data=gallery.hash)

    def drawn(tokens: Tensor) -> Tensor:
        parts = torch.split(tokens, CHUNK)
        return torch.cat([to_bytes(illustrator.draw_for(p.to(device), rng)).cpu() for p in parts])

    if not gallery.scenes:
        return plain_scores(drawn, gallery, seed, cache, base)
    attributes = load_attributes(gallery, cache)
    judges = Judges(load_judge(gallery, cache), attributes)
    scores = []
    for name, split in (("", held_out(gallery)), ("-seen", seen(gallery, seed))):
        scores += pool_scores(drawn(split.tokens), split, judges, name, base)
    n = min(samples, len(gallery.test), len(gallery.train))
    scores += likeness(drawn(gallery.test.tokens[:n]), gallery, attributes, base)
    return scores + diversity_scores(drawn, held_out(gallery), seed, base)


def unscored_captions(gallery: Gallery) -> str | None:
    """Which scores there are of captions that are no scenes; None where there are all."""
    if gallery.scenes:
        return None
    why = _no_retrieval(gallery)
    scored = f"diversity alone ({why})" if why else "retrieval and diversity alone"
    return f"its captions are no scenes, so there will be scores of {scored}"


def _no_retrieval(gallery: Gallery) -> str | None:
    """Why captions that are no scenes cannot be told apart; None where they can."""
    if gallery.size % (multiple := 2 ** len(SIZES.channels)):
        return f"the judge of the others needs a side of a multiple of {multiple} pixels"
    if len(_unknown(gallery)) < 2:
        return "fewer than 2 different test captions are none of training"
    return None


def plain_scores(
    drawn: Drawn, gallery: Gallery, seed: int, cache: Path, base: Mapping[str, Setting]
) -> list[Score]:
    """Scores of captions that are no scenes; without retrieval where there is none."""
    scores = diversity_scores(drawn, gallery.test, seed, base, redrawn=False)
    if _no_retrieval(gallery):
        return scores
    split = gallery.test.take(torch.tensor(_unknown(gallery)))
    judges = Judges(load_judge(gallery, cache), None)
    return pool_scores(drawn(split.tokens), split, judges, "", base) + scores


def held_out(gallery: Gallery) -> PictureSplit:
    """Test pictures of different scenes that no training caption describes, in pools."""
    known = frozenset(scenes_of(gallery.train.captions))
    return gallery.test.take(_different(gallery.test.captions, known))


def seen(gallery: Gallery, seed: int) -> PictureSplit:
    """Training captions of different scenes, with new real pictures: a judge knows the old ones."""
    split = gallery.train.take(_different(gallery.train.captions, frozenset()))
    new = torch.tensor(draw(split.captions, np.random.default_rng([seed, 1])))
    return PictureSplit(
        new.permute(0, 3, 1, 2).contiguous(), split.labels, split.tokens, split.captions
    )


def _unknown(gallery: Gallery) -> list[int]:
    """Places of different test captions that are no training picture's, whatever they say."""
    return _places(gallery.test.captions, frozenset(gallery.train.captions))


def scenes_of(captions: Sequence[str]) -> list[Scene]:
    """What captions say."""
    return [parse(caption.split()) for caption in captions]


def _different(captions: Sequence[str], known: frozenset[Scene]) -> Tensor:
    """Places of the first captions of scenes that are neither known nor each other's, in pools."""
    places = _places(scenes_of(captions), known)
    if len(places) < 2:
        raise UserError("too few captions of different scenes: retrieval needs 2 at least")
    return torch.tensor(places)


def _places(meanings: Sequence[Hashable], known: frozenset[Hashable]) -> list[int]:
    """Places of the first of each meaning that is not known.

    As many whole pools as there are, at most POOLS; one smaller pool where it is the only one.
    """
    met, places = set(known), list[int]()
    for place, meaning in enumerate(meanings):
        if meaning not in met and len(places) < CANDIDATES * POOLS:
            met.add(meaning)
            places.append(place)
    return places[: len(places) // CANDIDATES * CANDIDATES or len(places)]


def pool_scores(
    pictures: Tensor,
    split: PictureSplit,
    judges: Judges,
    name: str,
    base: Mapping[str, Setting],
) -> list[Score]:
    """Retrieval and attributes of a split's captions, by generated and by real pictures.

    Args:
        pictures: (N, C, S, S) bytes, generated for the split's captions.
        name: stands after the scores' names.
        base: what their signatures begin with.
    """
    size = min(CANDIDATES, len(split))
    pools: dict[str, Setting] = {"candidates": size, "pools": len(split) // size}
    sign = {"judge": judges.retrieval.id, **pools, **base}
    scores = list[Score]()
    for suffix, shown in (("", pictures), ("-real", split.pictures)):
        parts = zip(torch.split(split.tokens, size), torch.split(shown, size), strict=True)
        places = np.concatenate(
            [ranks(judges.retrieval.similarities(tokens, part)) for tokens, part in parts]
        )
        each: dict[str, NDArray[Any]] = {f"retrieval-{k}": found_at(places, k) for k in (1, 5)}
        each["retrieval-mrr"] = reciprocal_ranks(places)
        scores += [mean_of(f"{key}{name}{suffix}", one, sign) for key, one in each.items()]
        if judges.attributes:
            agreed = attribute_scores(shown, split, judges.attributes, base)
            scores += [replace(one, name=f"{one.name}{name}{suffix}") for one in agreed]
    return scores


def attribute_scores(
    pictures: Tensor,
    split: PictureSplit,
    classifier: AttributeClassifier,
    base: Mapping[str, Setting],
) -> list[Score]:
    """Whether pictures (N, C, S, S) show what the split's captions say."""
    sign: dict[str, Setting] = {"classifier": classifier.id, "pictures": len(split), **base}
    found, wanted = classifier.read(pictures)[0], said(split.captions)
    agreed = found.agreement(wanted).items()
    shares = [
        Score(key, float(seen.sum() / named.sum()), sign, standard_error.of_ratio(seen, named))
        for key, (seen, named) in found.recalled(wanted).items()
    ]
    return [mean_of(key, same.numpy(), sign) for key, same in agreed] + shares


def mean_of(name: str, each: NDArray[Any], sign: Mapping[str, Setting]) -> Score:
    """The mean of a value of each caption, (N,), all models being asked of the same captions."""
    found = np.asarray(each, np.float64)
    return Score(name, float(each.mean()), sign, standard_error.of_mean(found), each=found.tolist())


def likeness(
    pictures: Tensor,
    gallery: Gallery,
    classifier: AttributeClassifier,
    base: Mapping[str, Setting],
) -> list[Score]:
    """Frechet distance, precision and recall of pictures of the first N test captions."""
    n = len(pictures)
    parts = [pictures, gallery.train.pictures[:n], gallery.test.pictures[:n]]
    generated, training, test = (classifier.read(part)[1] for part in parts)
    sign: dict[str, Setting] = {"features": classifier.id, "pictures": n, **base}
    return feature_scores(generated, training, test, sign)


def diversity_scores(
    drawn: Drawn,
    split: PictureSplit,
    seed: int,
    base: Mapping[str, Setting],
    redrawn: bool = True,
) -> list[Score]:
    """Mean standard deviation of a pixel over DRAWINGS pictures of a caption, and of real ones.

    redrawn: whether there are as many real ones.
    """
    n = min(VARIED, len(split))
    rng = np.random.default_rng([seed, 2])
    generated = torch.stack([drawn(split.tokens[:n]) for _ in range(DRAWINGS)])
    sign: dict[str, Setting] = {"captions": n, "drawings": DRAWINGS, **base}
    values = {"diversity": generated}
    if redrawn:
        real = np.stack([draw(split.captions[:n], rng) for _ in range(DRAWINGS)])
        values["diversity-real"] = torch.tensor(real)
    deviations = {key: pixel_deviations(value) for key, value in values.items()}
    return [
        Score(key, float(one.mean()), sign, standard_error.of_mean(one.flatten(1).mean(1).numpy()))
        for key, one in deviations.items()
    ]


def pixel_deviations(pictures: Tensor) -> Tensor:
    """Standard deviation of each value over the first axis, in the unit of [-1, 1].

    Args:
        pictures: (drawings, captions, ...) bytes.

    Returns:
        (captions, ...).
    """
    return to_unit(pictures).std(0)
