"""model=relgan: its steps with each loss, who learns in them, and what is refused."""

import math
from typing import Any

import pytest
import torch

from gantext import data
from gantext.config.compose import compose
from gantext.data.vocabulary import EOS
from gantext.errors import UserError
from gantext.models.build import build, task_of
from gantext.models.relgan import RelGAN
from gantext.models.relgan.config import Schedule, inverse_temperature
from gantext.nn.gan_losses import GanLoss
from gantext.training.tracker import to_floats

SMALL = [
    *("model=relgan", "data=scenes", "data.train_size=30", "data.validation_size=8"),
    *("data.test_size=8", "model.generator.embedding=8", "model.generator.hidden=8"),
    *("model.discriminator.embedding=8", "model.discriminator.views=4"),
    *("model.discriminator.widths=[2,3]", "model.discriminator.filters=[4,5]"),
    *("model.discriminator.hidden=6", "model.adversarial.batch_size=6"),
]
CPU = torch.device("cpu")


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made(*words: str) -> tuple[RelGAN, torch.Tensor]:
    """A small model, and six real sentences."""
    settings = compose([*SMALL, *words])
    corpus = data.load(settings.data)
    return build(settings.model, 1, task_of(corpus, CPU)), corpus.train.batch(torch.arange(6))


def weights(network: torch.nn.Module) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in network.parameters()]


def same(before: list[torch.Tensor], network: torch.nn.Module) -> bool:
    return all(map(torch.equal, before, network.parameters()))


@pytest.mark.parametrize("relaxation", ["soft", "straight_through"])
@pytest.mark.parametrize("kind", [kind for kind in GanLoss if kind is not GanLoss.wgan_gp])
def test_each_network_learns_in_its_own_step(kind: GanLoss, relaxation: str) -> None:
    """G by D's gradient alone, none of which stays with D; D without G."""
    words = f"model.adversarial.loss={kind.value}", f"model.adversarial.relaxation={relaxation}"
    model, real = made(*words, "model.adversarial.mle_weight=0")
    g, d = weights(model.generator), weights(model.discriminator)
    found = to_floats(model.g_step(real, rng()))
    assert all(map(math.isfinite, found.values())) and found["g_grad_norm"] > 0
    assert not same(g, model.generator) and same(d, model.discriminator)
    assert all(p.grad is None and p.requires_grad for p in model.discriminator.parameters())
    g = weights(model.generator)
    assert math.isfinite(to_floats(model.d_step(real, rng()))["d_loss"])
    assert same(g, model.generator) and not same(d, model.discriminator)


def test_it_learns_in_bf16() -> None:
    model, real = made()
    with torch.autocast("cpu", torch.bfloat16):
        found = {**model.g_step(real, rng()), **model.d_step(real, rng())}
    assert all(map(math.isfinite, to_floats(found).values()))


def test_the_loss_is_of_pairs_of_views() -> None:
    """G's loss is the mean over sentences and views of softplus(real - fake)."""
    model, real = made("model.discriminator.dropout=0")
    with torch.no_grad():
        loss, _ = model.g_loss(real, rng(3))
        fake = model.fakes(6, rng(3), learning=True)
        of_real, of_fake = (model.discriminator.view_logits(*pair) for pair in ((real, None), fake))
    assert of_real.shape == of_fake.shape == (6, 4)
    wanted = sum(math.log1p(math.exp(gap)) for gap in (of_real - of_fake).flatten().tolist()) / 24
    assert loss.item() == pytest.approx(wanted, abs=1e-5)


def test_a_judge_that_is_not_trusted_gives_no_gradient() -> None:
    """What is left is the likelihood; without a weight of it there is no update."""
    model, real = made()
    model.held_out.trusted = False
    assert to_floats(model.g_step(real, rng())).keys() == {"g_grad_norm"}
    model, real = made("model.adversarial.mle_weight=0")
    model.held_out.trusted = False
    before = weights(model.generator)
    assert not model.g_step(real, rng()) and same(before, model.generator)


def test_a_score_is_beside_what_lies_in_the_middle() -> None:
    """Where only differences of logits have a meaning, .5 is halfway from fakes to real ones."""
    model, real = made()
    assert model.score(real) == {}
    for step in range(20):
        model.d_step(real, rng(step))
    fake = model.plain_samples(6, rng())
    middle = (model.score(real)["real"].mean() + model.score(fake)["real"].mean()) / 2
    assert middle.item() == pytest.approx(0.5, abs=0.1)
    assert model.score(real)["real"].mean() > model.score(fake)["real"].mean()


def test_the_phase_ends_where_held_out_sentences_become_too_unlikely() -> None:
    """It goes on as it was at the last look before."""
    model, real = made("model.adversarial.nll_every=1", "model.adversarial.nll_allowance=0.1")
    first = to_floats(model.adversarial_step(torch.cat([real, real]), rng()))
    assert model.bound is not None and model.bound.first is not None
    assert first["nll_valid"] == pytest.approx(model.bound.best)
    kept = weights(model.generator)
    with torch.no_grad():
        model.generator.get_parameter("output.bias")[EOS] += 5.0
    model.bound.step()
    metric, best, step, limit = model.phases()[-1].ended() or ("", 0.0, 0, 0.0)
    assert (metric, step, limit) == ("nll_valid", 1, pytest.approx(model.bound.first + 0.1))
    assert best == model.bound.best and same(kept, model.generator)


def test_without_an_allowance_it_does_not() -> None:
    model, real = made("model.adversarial.nll_allowance=null")
    assert "nll_valid" not in model.adversarial_step(torch.cat([real, real]), rng())
    assert model.phases()[-1].ended() is None and "bound" not in model.state_dict()


REFUSED: list[tuple[list[str], str]] = [
    (["model.discriminator.views=3"], "which is no multiple of it"),
    (["model.discriminator.filters=[4]"], "widths and filters must be as many"),
    (["model.discriminator.widths=[98,99]"], "the longest has 23 with its end"),
    (["model.adversarial.loss=wgan_gp"], "its penalty is of discriminators of pictures alone"),
    (["model.d_training.look_every=0"], "balance=held_out decides by looks"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_what_does_not_go_together_is_refused(words: list[str], said: str) -> None:
    settings: Any = compose([*SMALL, *words])
    with pytest.raises(UserError, match=said):
        build(settings.model, 1, task_of(data.load(settings.data), CPU))


@pytest.mark.parametrize("schedule", [s for s in Schedule if s is not Schedule.sigmoid])
def test_a_rise_over_one_step_is_over_behind_it(schedule: Schedule) -> None:
    assert inverse_temperature(1, 100.0, 1, schedule) == 100
    starts = 100 if schedule is Schedule.none else 1
    assert inverse_temperature(0, 100.0, 1, schedule) == starts


def test_each_part_of_the_generator_s_loss_has_its_weight() -> None:
    """The gradient of likelihood alone has the weight's size; of both it is another."""
    norms = []
    for words in (["mle_weight=1"], ["mle_weight=3"]):
        model, real = made(*(f"model.adversarial.{word}" for word in words))
        both = float(to_floats(model.g_step(real, rng()))["g_grad_norm"])
        model, real = made(*(f"model.adversarial.{word}" for word in words))
        model.held_out.trusted = False
        norms.append(float(to_floats(model.g_step(real, rng()))["g_grad_norm"]))
        assert norms[-1] and both != norms[-1]
    assert norms[1] == pytest.approx(3 * norms[0], rel=1e-4)


def test_the_centre_follows_the_middle_of_logits_by_a_tenth() -> None:
    d = made()[0].discriminator
    for wanted in (0.2, 0.38):
        d.move_centre(torch.tensor([[1.0, 5.0]]), torch.tensor([[2.0, 0.0]]))
        assert d.centre.item() == pytest.approx(wanted)


def test_each_step_has_real_sentences_of_its_own() -> None:
    """The generator's first, then those of each step of the discriminator."""
    model, _ = made("model.adversarial.batch_size=2", "model.d_training.steps=2")
    seen: list[list[int]] = []
    for name in ("g_step", "d_step"):
        setattr(model, name, lambda rows, noise: seen.append(rows[:, 0].tolist()) or {})
    model.adversarial_step(torch.arange(6)[:, None], rng())
    assert seen == [[0, 1], [2, 3], [4, 5]] and model.held_out.steps == 2
