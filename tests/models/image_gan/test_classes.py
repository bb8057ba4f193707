"""A discriminator with classes: its losses by hand, its labelled pictures, its resume."""

import copy
import dataclasses
import math

import pytest
import torch
from torch import Tensor

from gantext.config.compose import compose
from gantext.data.gallery import NO_LABEL, PictureBatch, PictureSplit
from gantext.errors import UserError
from gantext.models.contract import PictureTask
from gantext.models.image_gan import model as image_gan
from gantext.models.image_gan.classes import feature_matching, real_logit, supervised_loss
from gantext.nn.gan_losses import GanLoss, discriminator_loss

CPU = torch.device("cpu")
K = 3
TINY = [
    "model=image_gan",
    "model.latent_size=4",
    "model.batch_size=6",
    "model.generator.width=4",
    "model.discriminator.width=4",
    "model.generator.hidden=[8,8]",
    "model.discriminator.hidden=[8,8]",
    "model.loss=nonsaturating",
    "model.reg=none",
    "model.discriminator.classes=true",
]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def examples(n: int = 60) -> PictureSplit:
    """A picture of class k has its row 2k bright."""
    labels = torch.arange(n) % K
    pictures = torch.randint(0, 80, (n, 1, 8, 8), generator=rng(5), dtype=torch.uint8)
    pictures[torch.arange(n), 0, 2 * labels] = 250
    return PictureSplit(pictures, labels, torch.zeros(n, 0, dtype=torch.int64))


def task(given: PictureSplit | None, classes: int = K) -> PictureTask:
    captions = torch.zeros(60, 0, dtype=torch.int64)
    return PictureTask(1, 8, classes, 0, 0, 60, captions, CPU, given)


def make(*words: str, seed: int = 3, given: PictureSplit | None = None) -> image_gan.ImageGAN:
    chosen = compose([*TINY, *words]).model
    return image_gan.build(chosen, task(given or examples()), rng(seed))


def unlabelled(rows: int = 6, seed: int = 0) -> PictureBatch:
    """Real pictures whose classes nobody knows."""
    chosen = torch.randint(0, 60, (rows,), generator=rng(seed))
    found = examples().batch(chosen)
    return dataclasses.replace(found, labels=torch.full((rows,), NO_LABEL))


# The losses


def test_the_class_generated_has_the_logit_0() -> None:
    """Logits log 2, log 3, log 4: Z = 9, so D = 9 / 10, and the classes have .2, .3, .4 beside
    generated's .1: softmax of the K + 1 logits with a 0."""
    logits = torch.tensor([[2.0, 3.0, 4.0]]).log()
    assert real_logit(logits).sigmoid().item() == pytest.approx(0.9)
    with_zero = torch.cat([logits, torch.zeros(1, 1)], 1).softmax(1)
    assert with_zero[0].tolist() == pytest.approx([0.2, 0.3, 0.4, 0.1])
    assert real_logit(logits).item() == pytest.approx(
        math.log(1 - with_zero[0, -1].item()) - math.log(with_zero[0, -1].item())
    )


def test_losses_by_hand() -> None:
    """Supervised, of class 1: log 9 - log 3 = log 3; of class 2: log 9 - log 4. Their mean.

    Unsupervised: real Z = 9 has D = .9, generated Z = 1 / 3 has D = .25:
    -log .9 - log(1 - .25) = .393043.
    """
    logits = torch.tensor([[2.0, 3.0, 4.0]] * 2).log()
    found = supervised_loss(logits, torch.tensor([1, 2])).item()
    assert found == pytest.approx((math.log(3) + math.log(9 / 4)) / 2)
    fake = torch.tensor([[1 / 6, 1 / 12, 1 / 12]]).log()
    loss = discriminator_loss(GanLoss.nonsaturating, real_logit(logits), real_logit(fake))
    assert loss.item() == pytest.approx(-math.log(0.9) - math.log(0.75))


def test_feature_matching_by_hand() -> None:
    """Means (2, 3) and (1, 5): 1 + 4."""
    real, fake = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 5.0]])
    assert feature_matching(real, fake).item() == pytest.approx(5.0)


@pytest.mark.parametrize("arch", ["mlp", "dcgan"])
def test_the_steps_descend_these_losses(arch: str) -> None:
    """D's first step follows the gradient of both losses; G's that of feature matching."""
    model = make(f"model.arch={arch}", "model.generator.feature_matching=true")
    real, fake = unlabelled().pictures, model.generator(model.noise(6, rng(1))).detach()
    told = model.labelled.draw(6, rng(2))
    outputs = [model.discriminator.outputs(pictures) for pictures in (real, fake, told.pictures)]
    unsupervised = discriminator_loss(
        GanLoss.nonsaturating, outputs[0].logsumexp(1), outputs[1].logsumexp(1)
    )
    picked = outputs[2].gather(1, told.labels[:, None]).squeeze(1)
    supervised = (outputs[2].logsumexp(1) - picked).mean()
    wanted = torch.autograd.grad(unsupervised + supervised, list(model.discriminator.parameters()))
    found = model.d_step(real, fake, rng(2))
    assert float(found["class_loss"]) == pytest.approx(supervised.item(), rel=1e-5)
    assert float(found["d_loss"]) == pytest.approx(unsupervised.item(), rel=1e-5)
    for weight, gradient in zip(model.discriminator.parameters(), wanted, strict=True):
        torch.testing.assert_close(weight.grad, gradient)
    fresh = model.generator(model.noise(6, rng(3)))
    features = [model.discriminator.layers[:-1](pictures).mean(0) for pictures in (real, fresh)]
    found = model.g_step(real, fresh)
    assert float(found["g_loss"]) == pytest.approx(
        (features[0] - features[1]).square().sum().item(), rel=1e-5
    )


def test_a_loss_weight_of_0_learns_of_the_labels_alone() -> None:
    """Whatever the other real and the generated pictures are, D ends with the same weights."""
    ends = []
    for seed in (0, 1):
        model = make("model.discriminator.loss_weight=0", "model.discriminator.labels=6")
        for i in range(3):
            fake = model.generator(model.noise(6, rng(10 * seed + i))).detach()
            model.d_step(unlabelled(seed=seed).pictures, fake, rng(i))
        ends.append([weight.detach() for weight in model.discriminator.parameters()])
    assert all(map(torch.equal, *ends))


# The labelled pictures


def test_as_many_as_asked_for_are_labelled_evenly_and_no_other_is_seen() -> None:
    given = examples()
    model = make("model.discriminator.labels=6", given=given)
    assert sorted(given.labels[model.labelled.places].tolist()) == [0, 0, 1, 1, 2, 2]
    chosen = given.scaled(model.labelled.places)
    seen = model.labelled.draw(200, rng(1))
    places = (seen.pictures[:, None] == chosen[None]).flatten(2).all(2)  # (200, 6)
    assert bool((places.sum(1) == 1).all()) and bool(places.any(0).all())
    other = make("model.discriminator.labels=6", seed=4, given=given)
    assert not torch.equal(model.labelled.places, other.labelled.places)
    assert "labelled" not in make(given=given).state_dict()  # all of them
    assert len({*make(given=given).labelled.draw(500, rng()).labels.tolist()}) == K


def test_few_labels_are_learned_and_told() -> None:
    model = make("model.discriminator.labels=6", "model.arch=mlp")
    for i in range(60):
        found = model.step(unlabelled(seed=i), rng(i))
    assert float(found["class_accuracy"]) == 1.0
    split = examples()
    log_prob = model.class_log_prob(split.scaled(slice(None)))
    assert log_prob.shape == (60, K) and not log_prob.requires_grad
    torch.testing.assert_close(log_prob.exp().sum(1), torch.ones(60))
    assert (log_prob.argmax(1) == split.labels).float().mean() > 0.9


def test_a_resume_keeps_the_labelled_pictures() -> None:
    """Also in a model of another seed, which has drawn others; and without the data it is read."""
    one, other = make("model.discriminator.labels=6"), make("model.discriminator.labels=6", seed=9)
    one.step(unlabelled(), rng())
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    for i in range(2):
        first, second = (model.step(unlabelled(seed=i), rng(i)) for model in (one, other))
        assert all(float(first[name]) == float(second[name]) for name in first)
    chosen = compose([*TINY, "model.discriminator.labels=6"]).model
    read = image_gan.build(chosen, task(None), rng(7))
    read.load_state_dict(one.state_dict())
    pictures = examples().scaled(slice(4))
    assert torch.equal(read.class_log_prob(pictures), one.class_log_prob(pictures))


@pytest.mark.parametrize(
    ("words", "classes", "said"),
    [
        (["model.discriminator.labels=2"], K, "at least one for each of 3 classes"),
        (["model.discriminator.labels=61"], K, "at most the 60 training pictures"),
        (["model.discriminator.classes=false", "model.discriminator.labels=6"], K, "classes=true"),
        ([], 0, "the pictures have no classes"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], classes: int, said: str) -> None:
    chosen = compose([*TINY, *words]).model
    with pytest.raises(UserError, match=said):
        image_gan.build(chosen, task(examples(), classes), rng())


def test_a_picture_s_class_does_not_depend_on_those_beside_it() -> None:
    """Also with batch normalisation, whose statistics are the running ones then."""
    model = make("model.discriminator.norm=batch", "model.arch=mlp")
    model.step(unlabelled(), rng(1))
    pictures = examples().scaled(slice(6))
    torch.testing.assert_close(
        model.class_log_prob(pictures)[:2], model.class_log_prob(pictures[:2])
    )
    assert model.discriminator.training


def test_two_classes_are_enough() -> None:
    image_gan.build(compose(TINY).model, task(examples(), 2), rng())
    with pytest.raises(UserError, match="the pictures have no classes"):
        image_gan.build(compose(TINY).model, task(examples(), 1), rng())


def test_all_training_pictures_or_one_of_each_class_may_be_labelled() -> None:
    for count in (K, 60):
        assert len(make(f"model.discriminator.labels={count}").labelled.places) == count


def test_without_classes_none_is_told() -> None:
    model = make("model.discriminator.classes=false")
    with pytest.raises(UserError, match=r"model\.discriminator\.classes=true tells them apart"):
        model.class_log_prob(torch.zeros(2, 1, 8, 8))


@pytest.mark.parametrize(
    "words",
    [
        ["model.loss=rpgan", "model.reg=r1r2", "model.reg_every=1"],
        ["model.loss=hinge", "model.reg=spectral"],
        ["model.loss=wgan_gp", "model.discriminator.steps=2", "model.arch=mlp"],
    ],
)
def test_every_loss_and_penalty_goes_on_the_real_logit(words: list[str]) -> None:
    model = make(*words)
    before = [weight.clone() for weight in model.discriminator.parameters()]
    found = model.step(unlabelled(model.phases()[0].rows), rng())
    assert all(math.isfinite(float(value)) for value in found.values())
    after: list[Tensor] = list(model.discriminator.parameters())
    assert not any(torch.equal(one, two) for one, two in zip(before, after, strict=True))
