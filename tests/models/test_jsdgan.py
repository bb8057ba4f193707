"""JSDGAN: its divergence and its gradient by enumeration, its weights by hand, its end."""

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from gantext.config.compose import compose
from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.models import jsdgan
from gantext.models.contract import Task
from tests.models.every_sentence import WORDS, T, all_sentences, sharpen, written_log_prob

CPU = torch.device("cpu")
CONFIG = compose(
    [
        "model=jsdgan",
        "model.generator.embedding=8",
        "model.generator.hidden=8",
        "model.generator.dropout=0",
        "model.generator.word_dropout=0",
        "model.divergence.learning_rate=0.05",
    ]
).model
REAL = torch.tensor([[4, 5, EOS], [5, EOS, PAD], [4, 4, 4], [EOS, PAD, PAD]])


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(held_out: Tensor | None = None, seed: int = 3, **of_divergence: Any) -> jsdgan.JSDGAN:
    divergence = dataclasses.replace(CONFIG.divergence, **of_divergence)
    rare = torch.zeros(WORDS, dtype=torch.bool)
    task = Task(WORDS, T, len(REAL), rare, CPU, held_out=held_out)
    return jsdgan.build(dataclasses.replace(CONFIG, divergence=divergence), task, rng(seed))


def sharpened(**of_divergence: Any) -> jsdgan.JSDGAN:
    """A model that gives sentences different probabilities."""
    model = make(**of_divergence)
    sharpen(model.generator)
    return model


def exact_divergence(model: jsdgan.JSDGAN) -> Tensor:
    """2 JSD of the training set REAL from the generator, by its definition over all sentences."""
    sentences = all_sentences()
    p = written_log_prob(model.generator, sentences).sum(1).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-5)
    data = torch.tensor([float((row == REAL).all(1).any()) / len(REAL) for row in sentences])
    middle = (p + data) / 2
    known = data > 0
    of_data = (data[known] * (data[known] / middle[known]).log()).sum()
    return of_data + (p * (p / middle).log()).sum()


def test_the_divergence_is_that_of_all_sentences() -> None:
    """(2), of the training sentences alone, against the definition over all 15."""
    model = sharpened()
    exact = exact_divergence(model).item()
    assert 0.1 < exact < 2 * math.log(2) - 0.1
    ratio = model.log_ratio(REAL)
    assert 2 * jsdgan.jensen_shannon(ratio).item() == pytest.approx(exact, rel=1e-5)
    loss = jsdgan.divergence_loss(ratio, 1.0).mean().item()
    assert loss == pytest.approx(exact - 2 * math.log(2), rel=1e-5)


def test_the_gradient_is_that_of_the_divergence_of_all_sentences() -> None:
    """(3) by the whole training set against autograd through the definition. The generator's
    likelihood reads <unk>, of which its samples have none, so its probability is taken away."""
    model = sharpened(exponent=1.0)
    with torch.no_grad():
        model.generator.output.bias[UNK] = -60
    wanted = torch.autograd.grad(exact_divergence(model), list(model.generator.parameters()))
    weights = jsdgan.sentence_weights(model.log_ratio(REAL), 1.0)
    loss, _ = model.weighted_nll(REAL, weights, rng())
    found = torch.autograd.grad(T * loss, list(model.generator.parameters()))
    assert max(each.abs().max().item() for each in wanted) > 0.01
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_weights_by_hand() -> None:
    """w(r^e) = r^e log(1 + r^-e): at r = 1 log 2, at r = 3 3 log(4/3); at r = 4, e = 1/2, 2
    log(3/2); r = 0 and infinity give 0 and 1."""
    ratio = torch.tensor([1.0, 3.0]).log()
    assert jsdgan.sentence_weights(ratio, 1.0).tolist() == pytest.approx(
        [math.log(2), 3 * math.log(4 / 3)]
    )
    half = jsdgan.sentence_weights(torch.tensor([math.log(4)]), 0.5)
    assert half.item() == pytest.approx(2 * math.log(1.5))
    ends = jsdgan.sentence_weights(torch.tensor([-torch.inf, -300.0, 300.0]), 1.0)
    assert ends.tolist() == pytest.approx([0, 0, 1])
    least = jsdgan.sentence_weights(torch.tensor([-500.0], dtype=torch.float64), 1.0)
    assert least.item() == pytest.approx(100 * math.exp(-100), rel=1e-9)
    assert jsdgan.divergence_loss(torch.tensor([-torch.inf]), 1.0).item() == pytest.approx(0)


@pytest.mark.parametrize("exponent", [1.0, 0.3, 0.01])
def test_the_weight_is_the_slope_of_the_loss(exponent: float) -> None:
    """dL / d log r = -w, at any exponent; at a small one w is log 2 everywhere: likelihood."""
    ratio = torch.tensor([-9.0, -1.0, 0.0, 2.0, 40.0], requires_grad=True)
    (slope,) = torch.autograd.grad(jsdgan.divergence_loss(ratio, exponent).sum(), ratio)
    weights = jsdgan.sentence_weights(ratio.detach(), exponent)
    assert torch.allclose(slope, -weights, atol=1e-6)
    if exponent == 0.01:
        assert (weights[:4] - math.log(2)).abs().max() < 0.05


def test_a_step_s_metrics_by_hand() -> None:
    """Of p = 1/8 of each of four sentences N p is 1/2, and w = log(3) / 2: JSD = log 2 - 1/2
    (log(3/2) + log(3) / 2)."""
    model = make(exponent=1.0)
    model.log_ratio = lambda tokens: torch.full((len(tokens),), math.log(1 / 2))  # type: ignore[method-assign]
    found = model.divergence_step(REAL, rng())
    assert float(found["sentence_weight"]) == pytest.approx(math.log(3) / 2)
    assert float(found["effective_share"]) == pytest.approx(1)
    jsd = math.log(2) - (math.log(1.5) + math.log(3) / 2) / 2
    assert float(found["jsd"]) == pytest.approx(jsd)
    assert float(found["jsd_loss"]) == pytest.approx(2 * jsd - 2 * math.log(2))


def test_its_start_goes_on_where_no_look_is_better() -> None:
    """Held out is "5 5 5", which steps on "4 4 4" make ever less likely: after two looks in vain
    the generator is as it began."""
    model = make(torch.full((4, T), 5), look_every=1, patience=2, steps=9)
    before = model.log_prob(torch.full((1, T), 5)).item()
    found = [model.divergence_step(torch.full((4, T), 4), rng(1))]
    assert model.log_prob(torch.full((1, T), 5)).item() < before
    assert model.stop.waited_in_vain() is None
    found.append(model.divergence_step(torch.full((4, T), 4), rng(1)))
    best = pytest.approx(model.stop.best)
    assert model.stop.waited_in_vain() == ("jsd_loss_valid", best, 0, None)
    assert model.log_prob(torch.full((1, T), 5)).item() == pytest.approx(before)
    assert all(row["jsd_loss_valid"] > model.stop.best for row in found)


def test_it_learns_the_training_set() -> None:
    """Of four sentences over two words the paper's own divergence, exponent 1, comes near 0."""
    model, noise = make(exponent=1.0, steps=150, final_rate=1.0), rng(5)
    before = exact_divergence(model).item() / 2
    for _ in range(150):
        model.divergence_step(REAL, noise)
    assert before > 0.2 and exact_divergence(model).item() / 2 < 0.05


def test_the_learning_rate_falls_along_a_cosine() -> None:
    """From 1 to 1/2 of .05 over 4 steps: 1, 1/2 + 1/4 (1 + cos 45 deg), 3/4 after them."""
    model = make(steps=4, final_rate=0.5)
    for share in (1, 0.5 + 0.25 * (1 + math.sqrt(0.5)), 0.75):
        model.divergence_step(REAL, rng())
        (group,) = model.optimiser.param_groups
        assert group["lr"] == pytest.approx(0.05 * share)
