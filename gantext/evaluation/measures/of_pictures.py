"""The rows of the table of measures that are of pictures.

Nothing here imports numpy or torch.
"""

from gantext.evaluation.measure import Command, Measure

PACKAGE = __name__.rpartition(".")[0]

PICTURES = (
    Measure(
        name="pictures",
        compute=f"{PACKAGE}.pictures:pictures",
        settings=("seed",),
        pictures=True,
        slow="drawing and judging pictures",
        command=Command(
            title="pictures",
            about="Of a picture model: Frechet distance, precision, recall, classes, copies; or "
            "captions.",
            options=frozenset({"n"}),
            nothing="only a model of pictures with classes (4 test pictures at least) or captions "
            "has these scores, such as model=image_gan",
        ),
        after_phase=True,
        columns=(
            *("retrieval-1", "retrieval-5", "colour", "shape", "count"),
            *("diversity", "diversity-real", "frechet", "frechet-real"),
            *("precision", "precision-real", "recall", "recall-real"),
            *("class-kl", "class-min-share", "memorised"),
        ),
        summary=(
            *("retrieval-1", "colour", "shape", "diversity", "frechet", "precision", "recall"),
            *("class-min-share", "memorised"),
        ),
        rising=(
            *("retrieval-1", "retrieval-5", "colour", "shape", "count", "diversity"),
            *("precision", "recall", "class-min-share"),
        ),
        falling=("frechet", "class-kl", "memorised"),
    ),
    Measure(
        name="classified",
        compute=f"{PACKAGE}.classified:classified",
        pictures=True,
        of_model=True,
        needs=("classify",),
        command=Command(
            title="classes told right",
            about="Of a picture model that tells classes apart: how many of the test pictures' it "
            "tells right.",
            options=frozenset(),
            nothing="only a model that was trained to tell classes apart has this score: "
            "model=image_gan model.discriminator.classes=true",
        ),
        after_phase=True,
        columns=("classified",),
        summary=("classified",),
        rising=("classified",),
    ),
    Measure(
        name="augmentation-pictures",
        compute=f"{PACKAGE}.augmentation:augmentation_pictures",
        settings=("examples", "samples", "seed"),
        pictures=True,
        of_model=True,
        needs=("classify",),
        slow="training classifiers",
        in_all=False,
    ),
)
