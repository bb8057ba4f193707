"""What scores of samples as training examples mean, of text and of pictures."""

from gantext.metrics.meaning import Meaning

_EVAL = "eval augmentation"
_COMPUTED = (
    "on the whole test split; pictures by a small CNN, sentences by naive Bayes of words and pairs"
)
_SEEN = (
    "the model has seen the whole training split, which knows more than the few examples; without "
    "other runs this says nothing of a model trained on as few"
)
TEACHING = (
    Meaning(
        names=("accuracy",),
        command=_EVAL,
        says="How often a classifier tells classes right that was trained on real examples alone.",
        formula="test rows told right / test rows",
        better="higher",
        scale="0 to 1",
        computed=_COMPUTED,
    ),
    Meaning(
        names=("accuracy-both",),
        command=_EVAL,
        says="The same of one trained on the real examples and on samples, half of each update "
        "each.",
        formula="test rows told right / test rows",
        better="higher",
        scale="0 to 1",
        caution=_SEEN,
        computed=_COMPUTED,
    ),
    Meaning(
        names=("accuracy-samples",),
        command=_EVAL,
        says="The same of one trained on samples alone.",
        formula="test rows told right / test rows",
        better="higher",
        scale="0 to 1",
        source="Ravuri & Vinyals 2019 (classification accuracy score)",
        caution=_SEEN,
        computed=_COMPUTED,
    ),
    Meaning(
        names=("gain",),
        command=_EVAL,
        says="What samples add to real examples: accuracy-both minus accuracy.",
        formula="mean over test rows of [told right with samples] - [told right without]",
        better="higher",
        scale="-1 to 1; 0 where samples are of no use",
        caution=_SEEN,
        computed="paired: the same real examples, test rows and first weights",
    ),
)
