"""The share of test pictures whose class a model tells right."""

import numpy as np

from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Subject
from gantext.inference.classification import class_log_prob, tells_classes
from gantext.metrics import standard_error
from gantext.metrics.score import Score, signed


def classified(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """`classified`; none of a model that tells no classes apart, or was trained without them."""
    model, gallery = subject.model, ground.gallery
    if model is None or gallery is None or not gallery.classes:
        return []
    if not tells_classes(model.trained, gallery.test.scaled(slice(1))):
        return []
    log_prob = class_log_prob(model.trained, gallery.test.scaled(slice(None)))  # (N, K)
    right = np.asarray(log_prob.argmax(1) == gallery.test.labels)
    sign = signed(test=len(right), classes=len(gallery.classes), data=ground.hash)
    return [Score("classified", float(right.mean()), sign, standard_error.of_mean(right))]
