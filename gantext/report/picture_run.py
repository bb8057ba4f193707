"""What a report says of one run of a picture model: facts, curves, scores and pictures.

Shapes: N pictures, C channels, H and W pixels, T words of a caption.
"""

from collections.abc import Sequence

import torch

from gantext.data.gallery import Gallery
from gantext.errors import UserError
from gantext.evaluation import measures
from gantext.evaluation.measure import able
from gantext.evaluation.measures.pictures import reviewed, unscored
from gantext.evaluation.request import Asked
from gantext.evaluation.scorebook import Say
from gantext.evaluation.subjects import Model, label
from gantext.evaluation.table import beside_real, score_all
from gantext.inference.drawing import SIDE, illustrator_of
from gantext.models.contract import Ability, Illustrator
from gantext.nn.rng import generator
from gantext.plots.captions import captioned_svg
from gantext.plots.pictures import Pixels, cells_of, cut, pairs_svg, pixels, to_svg_text
from gantext.report.page import Figure, RunPart, Table
from gantext.report.parts import began, curves, facts, score_table, sweep_of
from gantext.runs.pictures import Look

SHOWN = 20  # pairs of a sample and its nearest training picture
CAPTIONS = 8  # test captions that are illustrated, the first ones
EACH = 7  # pictures of a caption
GRID_CAPTION = (
    "The same {n} samples, from one fixed noise batch and none picked, after {total:,} steps."
)
PAIRS_CAPTION = (
    "The worst cases: of {samples:,} samples drawn with seed {seed} the {n} that are nearest to a "
    "training picture in pixels (left of each pair), and that picture (right). Pairs that are the "
    "same are copies."
)
CAPTIONS_CAPTION = (
    "A row for each of the first {n} test captions, none of which is trained on: the real picture, "
    "then {each} drawn with noise of their own, seed {seed}; none left out."
)


def picture_part(asked: Asked, place: int, say: Say) -> RunPart:
    """The part of one run of a picture model; arguments as of `text_run.run_part`."""
    model = asked.models()[0]
    ground = asked.ground([model])
    scores = score_all(asked, measures.of_pictures(), say)
    gallery = ground.gallery
    assert gallery is not None
    name = label(model, asked.runs_dir)
    samples = asked.n or model.settings.eval.samples
    tables, figures = _illustrations(model, gallery, samples, asked.seed)
    grids, lost = _grids(model, gallery)
    return RunPart(
        name=name,
        anchor=name,
        facts=facts(model),
        warnings=(*(model.run.result or {}).get("warnings", []), *lost),
        config=model.run.config_text,
        tables=(score_table("Scores beside the real pictures'", beside_real(scores)), *tables),
        figures=(
            *curves(model, place),
            *grids,
            *figures,
        ),
        samples=(),
        command=began(model),
        place=place,
        sweep=sweep_of(model),
    )


def _chosen(model: Model) -> list[Look]:
    """The first, the middle and the last look of the phases that change the pictures."""
    run, found = model.run, model.run.pictures.looks()
    scored = {phase for phase in run.phase_ends() if run.scores(f"phase-{phase}") is not None}
    looks = [look for look in found if look.phase in scored] or found
    places = sorted({0, (len(looks) - 1) // 2, len(looks) - 1}) if looks else []
    return [looks[place] for place in places]


def _grids(model: Model, gallery: Gallery) -> tuple[list[Figure], list[str]]:
    """The looks as figures, and what is wrong with those that cannot be read."""
    found, lost = [], []
    follows = able(model, Ability.illustrate.name)
    for look in _chosen(model):
        try:
            found.append(_grid(look, gallery, follows))
        except UserError as error:
            lost.append(str(error))
    return found, lost


def _grid(look: Look, gallery: Gallery, follows: bool) -> Figure:
    """A look, with the captions of its pictures where the model `follows` captions."""
    array, title = pixels(look.path), f"Samples at step {look.total:,} ({look.phase})"
    said = GRID_CAPTION.format(n=SIDE * SIDE, total=look.total)
    captions = gallery.test.captions[: SIDE * SIDE]
    if follows and len(captions) == SIDE * SIDE:
        cells = cut(array, (gallery.size, gallery.size), SIDE)
        if len(cells) == len(captions):
            return _with_captions(title, said, cells, captions, 1)
    svg = to_svg_text(array)
    return Figure(title, said, svg, svg)


def _illustrations(
    model: Model, gallery: Gallery, samples: int, seed: int
) -> tuple[list[Table], list[Figure]]:
    """Captions and their pictures; without captions, classes and what may be copied."""
    painter = model.trained
    illustrator = illustrator_of(painter.algorithm)
    if illustrator is not None:
        return [], [_captioned(illustrator, gallery, seed, painter.device)]
    if unscored(gallery):
        return [], []
    found = reviewed(
        painter.algorithm, gallery, painter.device, samples=samples, seed=seed, once=model.once
    )
    shares = tuple((name, f"{share:.1%}", f"{real:.1%}") for name, share, real in found.classes)
    classes = Table("Classes, by the classifier", ("class", "samples", "real pictures"), shares)
    svg = pairs_svg(*found.pairs(SHOWN), SIDE)
    caption = PAIRS_CAPTION.format(n=SHOWN, samples=samples, seed=seed)
    return [classes], [Figure("Nearest training pictures", caption, svg, svg, wide=True)]


def _captioned(algorithm: Illustrator, gallery: Gallery, seed: int, device: torch.device) -> Figure:
    test, rng = gallery.test, generator(seed, "sampling", device)
    captions = test.captions[:CAPTIONS]
    rows = []
    for place in range(len(captions)):
        tokens = test.tokens[place].expand(EACH, -1).to(device)
        drawn = algorithm.draw_for(tokens, rng).cpu()
        rows += [test.scaled(slice(place, place + 1)), drawn]
    said = CAPTIONS_CAPTION.format(n=len(captions), each=EACH, seed=seed)
    return _with_captions("Test captions", said, cells_of(torch.cat(rows)), captions, 1 + EACH)


def _with_captions(
    title: str, said: str, cells: Pixels, captions: Sequence[str], each: int
) -> Figure:
    columns = each if each > 1 else SIDE
    light, dark = (
        captioned_svg(cells, columns, captions, theme, each) for theme in ("light", "dark")
    )
    return Figure(title, said, light, dark, wide=True)
