"""CatGAN's losses by hand: each sentence beside those of its own class."""

import math

import pytest
import torch

from gantext.models.catgan.losses import (
    Mutation,
    beaten_loss,
    class_loss,
    class_means,
    of_class,
    quality,
)

# Of three sentences of the classes 0, 1, 1; what stands for the other class must not count.
LABELS = torch.tensor([0, 1, 1])
REAL = torch.tensor([[1.0, 9.0], [9.0, 2.0], [9.0, 0.0]])
FAKE = torch.tensor([[0.0, 9.0], [9.0, 1.0], [9.0, -1.0]])


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def test_a_sentence_s_own_class_is_read() -> None:
    assert of_class(REAL, LABELS).tolist() == [1, 2, 0]
    assert class_means(of_class(REAL, LABELS), LABELS, 3).tolist() == [1, 1, 1]
    assert class_means(of_class(FAKE, LABELS), LABELS, 3).tolist() == [0, 0, 0]


def test_pairs_of_one_class() -> None:
    """r - f is 1 in each pair: log(1 + e^-1) for D, log(1 + e) for G."""
    d = beaten_loss(Mutation.rsgan, REAL, FAKE, LABELS)
    g = beaten_loss(Mutation.rsgan, FAKE, REAL, LABELS)
    assert d.item() == pytest.approx(softplus(-1)) and g.item() == pytest.approx(softplus(1))


def test_each_against_the_mean_of_its_class() -> None:
    """r - f_c: 1, 2, 0; r_c - f: 1, 0, 2."""
    d = beaten_loss(Mutation.ragan, REAL, FAKE, LABELS)
    of_real = [softplus(-1), softplus(-2), softplus(0)]
    of_fake = [softplus(-1), softplus(0), softplus(-2)]
    assert d.item() == pytest.approx(sum(of_real + of_fake) / 6)


def test_the_class_of_a_real_sentence() -> None:
    """Logits 0 and log 3 of class 1: log 4/3."""
    assert class_loss(torch.tensor([[0.0, math.log(3)]]), torch.tensor([1])).item() == (
        pytest.approx(math.log(4 / 3))
    )


def test_quality_is_beside_the_real_ones_of_the_class() -> None:
    """f - r_c is -1, 0 and -2."""
    expected = [1 / (1 + math.exp(x)) for x in (1, 0, 2)]
    assert quality(FAKE, REAL, LABELS).tolist() == pytest.approx(expected)
