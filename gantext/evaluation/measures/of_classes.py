"""The rows of the table of measures that are of text of classes."""

from gantext.evaluation.measure import Command, Measure

PACKAGE = __name__.rpartition(".")[0]

OF_CLASSES = (
    Measure(
        name="augmentation",
        compute=f"{PACKAGE}.augmentation:augmentation",
        settings=("examples", "samples", "seed"),
        of_model=True,
        needs=("of_class", "classify"),
        slow="training classifiers",
        command=Command(
            title="augmentation",
            about="Classifiers trained on a few real examples, on samples, on both: what samples "
            "add. Minutes.",
            options=frozenset({"n", "examples"}),
            also=("augmentation-pictures",),
            nothing="only a model that writes of a class, or tells classes apart, has these "
            "scores, such as model=image_gan model.discriminator.classes=true",
            seeds=3,
        ),
        in_all=False,
    ),
    Measure(
        name="class-accuracy",
        compute=f"{PACKAGE}.class_accuracy:class_accuracy",
        settings=("sentences", "seed"),
        of_model=True,
        needs=("of_class",),
        slow="training a classifier of real sentences, and writing of each class",
        command=Command(
            title="class accuracy",
            about="Of a model of classes: how many of its sentences a classifier of real ones "
            "finds in their class.",
            options=frozenset({"sentences"}),
            nothing="only a model that writes of a class has this score, such as model=sentigan",
        ),
    ),
)
