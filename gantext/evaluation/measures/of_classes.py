"""Rows of the table of measures, of models that write sentences of classes."""

from gantext.evaluation.measure import Command, Measure

OF_CLASSES = (
    Measure(
        name="class-accuracy",
        compute="gantext.evaluation.measures.class_accuracy:class_accuracy",
        settings=("sentences", "seed"),
        of_model=True,
        needs="of_class",
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
