"""The GAN of pictures: its steps against plain ones, penalties, order, average, resume."""

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from gantext.config.compose import compose
from gantext.data.gallery import PictureBatch
from gantext.errors import UserError
from gantext.models.contract import PictureTask
from gantext.models.image_gan import model as image_gan
from gantext.runs import state_tree

CPU = torch.device("cpu")
TINY = [
    "model.latent_size=4",
    "model.batch_size=6",
    "model.generator.width=4",
    "model.discriminator.width=4",
    "model.generator.hidden=[8,8]",
    "model.discriminator.hidden=[8,8]",
]
KINDS = {
    "default": [],
    "minimax": ["model.arch=mlp", "model.loss=minimax", "model.reg=none", "model.ema=0"],
    "hinge, spectral": ["model.loss=hinge", "model.reg=spectral"],
    "wasserstein": [
        "model.loss=wgan_gp",
        "model.reg=none",
        "model.discriminator.steps=3",
        "model.generator_first=false",
        "model.discriminator.norm=group",
    ],
    "r1": ["model.loss=nonsaturating", "model.reg=r1", "model.reg_every=2"],
    "batch norms": ["model.loss=nonsaturating", "model.reg=none", "model.discriminator.norm=batch"],
}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def task(size: int = 8, channels: int = 1) -> PictureTask:
    return PictureTask(channels, size, 0, 0, 0, 100, torch.zeros(100, 0, dtype=torch.int64), CPU)


def make(*overrides: str, size: int = 8, channels: int = 1, seed: int = 3) -> image_gan.ImageGAN:
    words = overrides if overrides and overrides[0].startswith("exp") else ("model=image_gan",)
    rest = [word for word in overrides if not word.startswith("exp")]
    chosen = compose([*words[:1], *TINY, *rest]).model
    return image_gan.build(chosen, task(size, channels), rng(seed))


def batch(rows: int, seed: int = 0, size: int = 8, channels: int = 1) -> PictureBatch:
    pictures = torch.rand(rows, channels, size, size, generator=rng(1000 + seed)) * 2 - 1
    return PictureBatch(pictures, torch.full((rows,), -1), torch.zeros(rows, 0, dtype=torch.int64))


def weights(network: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def same(one: list[Tensor], two: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(("size", "channels"), [(8, 1), (28, 1), (32, 3)])
def test_every_kind_trains_on_every_size(kind: str, size: int, channels: int) -> None:
    model = make(*KINDS[kind], size=size, channels=channels)
    before = weights(model.generator), weights(model.discriminator)
    rows = model.phases()[0].rows
    assert rows == 6 * model.config.discriminator.steps
    found = model.step(batch(rows, size=size, channels=channels), rng(1))
    wanted = {"g_loss", "d_loss", "d_real", "d_fake", "d_accuracy", "g_grad_norm", "d_grad_norm"}
    assert wanted <= found.keys()
    assert all(math.isfinite(float(value)) for value in found.values())
    assert not same(before[0], weights(model.generator))
    assert not same(before[1], weights(model.discriminator))
    assert model.draw(3, rng(1)).shape == (3, channels, size, size)


# The tutorial's recipe


def tutorial() -> tuple[nn.Sequential, nn.Sequential]:
    """Its networks, written as it writes them, for pictures of 8 x 8 and noise of 4."""

    def block(before: int, after: int, normalize: bool = True) -> list[nn.Module]:
        norms: list[nn.Module] = [nn.BatchNorm1d(after, 0.8)] if normalize else []
        return [nn.Linear(before, after), *norms, nn.LeakyReLU(0.2, inplace=True)]

    generator = nn.Sequential(
        *block(4, 128, False),
        *block(128, 256),
        *block(256, 512),
        *block(512, 1024),
        nn.Linear(1024, 64),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Linear(64, 512),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Linear(512, 256),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Linear(256, 1),
        nn.Sigmoid(),
    )
    return generator, discriminator


def test_the_tutorial_experiment_is_the_tutorial() -> None:
    """Its loop as it stands there (G first, D on the same fakes, BCELoss, halves): after 4 steps
    the weights are the same, up to rounding."""
    chosen = compose(["experiment=mnist_tutorial", "model.latent_size=4"]).model
    assert (chosen.batch_size, chosen.generator.learning_rate) == (128, 2e-4)
    model = image_gan.build(chosen, task(), rng(3))
    generator, discriminator = tutorial()
    with torch.no_grad():
        for plain, network in ((generator, model.generator), (discriminator, model.discriminator)):
            for to, weight in zip(plain.parameters(), network.parameters(), strict=True):
                to.copy_(weight)
    adversarial_loss = nn.BCELoss()
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=0.0002, betas=(0.5, 0.999))
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=0.0002, betas=(0.5, 0.999))
    valid, fake = torch.ones(128, 1), torch.zeros(128, 1)
    for i in range(4):
        real = batch(128, i)
        found = model.step(real, rng(i))
        z = torch.randn(128, 4, generator=rng(i))
        optimizer_g.zero_grad()
        pictures = generator(z)
        g_loss = adversarial_loss(discriminator(pictures), valid)
        g_loss.backward()
        optimizer_g.step()
        optimizer_d.zero_grad()
        real_loss = adversarial_loss(discriminator(real.pictures.flatten(1)), valid)
        fake_loss = adversarial_loss(discriminator(pictures.detach()), fake)
        d_loss = (real_loss + fake_loss) / 2
        d_loss.backward()
        optimizer_d.step()
        assert float(found["g_loss"]) == pytest.approx(g_loss.item(), rel=1e-4)
        assert float(found["d_loss"]) == pytest.approx(d_loss.item(), rel=1e-4)
    for plain, network in ((generator, model.generator), (discriminator, model.discriminator)):
        for wanted, weight in zip(plain.parameters(), network.parameters(), strict=True):
            torch.testing.assert_close(weight, wanted, atol=2e-5, rtol=1e-3)


# Whose step it is


def test_each_step_changes_its_own_network_only() -> None:
    model = make()
    before = weights(model.discriminator)
    fake = model.generator(model.noise(6, rng(1)))
    model.g_step(batch(6).pictures, fake)
    assert same(before, weights(model.discriminator))
    assert all(p.grad is None for p in model.discriminator.parameters())
    before = weights(model.generator)
    model.d_step(batch(6).pictures, fake.detach(), rng(1))
    assert same(before, weights(model.generator))
    assert not same(before, weights(model.discriminator)[: len(before)])


def test_the_discriminator_s_first_step_sees_the_fakes_made_before_the_generator_s() -> None:
    """With generator_first both see one batch of fakes; further D steps have fresh ones of the new
    generator; else D's come first and G's last."""
    for first, wanted in (("true", ["g", "d", "d"]), ("false", ["d", "d", "g"])):
        words = ["model.discriminator.steps=2", f"model.generator_first={first}", "model.ema=0"]
        model, seen = make(*words), []
        g_step, d_step = model.g_step, model.d_step

        def see_g(real: Tensor, fake: Tensor, step=g_step, seen=seen) -> object:
            seen.append(("g", real, fake.detach().clone()))
            return step(real, fake)

        def see_d(real: Tensor, fake: Tensor, r: object, step=d_step, seen=seen) -> object:
            assert not fake.requires_grad
            seen.append(("d", real, fake.clone()))
            return step(real, fake, r)

        model.g_step, model.d_step = see_g, see_d
        given = batch(12)
        model.step(given, rng(1))
        assert [name for name, _, _ in seen] == wanted
        reals = [real for name, real, _ in seen if name == "d"]
        assert torch.equal(torch.cat(reals), given.pictures)
        assert torch.equal(seen[0][2], seen[1][2]) == (first == "true")
        assert not torch.equal(seen[1][2], seen[2][2])


def test_a_generator_that_comes_last_is_compared_with_the_last_real_pictures() -> None:
    model = make("model.discriminator.steps=3", "model.generator_first=false", "model.ema=0")
    compared: list[Tensor] = []
    step = model.g_step

    def see(real: Tensor, fake: Tensor) -> object:
        compared.append(real)
        return step(real, fake)

    model.g_step = see
    given = batch(18)
    model.step(given, rng(1))
    assert [each.tolist() for each in compared] == [given.pictures[12:].tolist()]


@pytest.mark.parametrize("arch", ["mlp", "dcgan"])
def test_a_discriminator_that_is_told_no_classes_has_one_output(arch: str) -> None:
    discriminator = make(f"model.arch={arch}").discriminator
    assert discriminator.classes == 0 and discriminator.outputs(batch(6).pictures).shape == (6, 1)


def test_the_losses_stated_are_of_the_logits_before_the_step() -> None:
    """g: mean softplus(real - fake); d: mean softplus(fake - real), times its weight."""
    model = make("model.reg=none", "model.discriminator.loss_weight=0.25")
    real, fake = batch(6).pictures, model.generator(model.noise(6, rng(2)))
    gap = (model.discriminator(real) - model.discriminator(fake)).detach()
    found = model.d_step(real, fake.detach(), rng())
    assert float(found["d_loss"]) == pytest.approx(0.25 * (1 + (-gap).exp()).log().mean().item())
    gap = (model.discriminator(real) - model.discriminator(fake)).detach()
    found = model.g_step(real, fake)
    assert float(found["g_loss"]) == pytest.approx((1 + gap.exp()).log().mean().item())


def test_learning_rates_fall_along_a_cosine() -> None:
    """4 steps down to .2: 1, .2 + .8 (1 + cos 45) / 2 = .882843, .6, .317157; 2 D steps in each
    count as one. Rates of .01 and .02 keep their ratio."""
    model = make(
        "model.steps=4",
        "model.final_rate=0.2",
        "model.discriminator.steps=2",
        "model.generator.learning_rate=0.01",
        "model.discriminator.learning_rate=0.02",
    )
    for i, wanted in enumerate((1.0, 0.882843, 0.6, 0.317157)):
        assert model.step(batch(12, i), rng(i))["rate_left"] == pytest.approx(wanted, abs=1e-6)
        assert model.g_optimiser.param_groups[0]["lr"] == pytest.approx(0.01 * wanted, abs=1e-8)
        assert model.d_optimiser.param_groups[0]["lr"] == pytest.approx(0.02 * wanted, abs=1e-8)


# Regularisation


class Quadratic(nn.Module):
    """D(x) = a |x|^2 / 2: its slope is a x."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(2.0))

    def forward(self, pictures: Tensor) -> Tensor:
        found: Tensor = self.a * pictures.flatten(1).square().sum(1) / 2
        return found


@pytest.mark.parametrize(
    ("reg", "due", "between"), [("none", 0, 0), ("r1", 60, 0), ("r1r2", 72, 0)]
)
def test_lazy_penalties_by_hand(reg: str, due: float, between: float) -> None:
    """a = 2, 64 pixels: r1 of .5 is 4 * 64 * .25 = 64, r2 of sqrt(.05) is 4 * 64 * .05 = 12.8.

    gamma .625, on every third step three times as heavy: 3 * .625 / 2 = .9375 times 64 is 60, times
    76.8 is 72.
    """
    model = make(f"model.reg={reg}", "model.gamma=0.625", "model.reg_every=3")
    model.discriminator = Quadratic()
    real = torch.full((6, 1, 8, 8), 0.5)
    fake = torch.full((6, 1, 8, 8), 0.05**0.5)
    for step in range(7):
        model.d_steps = step
        found = model.penalty(real, fake, rng()).item()
        assert found == pytest.approx(due if step % 3 == 0 else between, rel=1e-5)
    assert set(model.penalties) == {"none": set(), "r1": {"r1"}, "r1r2": {"r1", "r2"}}[reg]
    if reg == "r1r2":
        assert model.penalties["r1"].item() == pytest.approx(64.0)
        assert model.penalties["r2"].item() == pytest.approx(12.8)


def test_the_gradient_penalty_belongs_to_the_loss_and_comes_at_every_step() -> None:
    """Real and fake alike, all pixels .5: |slope| = 2 * .5 * 8 = 8, so 10 * (8 - 1)^2 = 490."""
    model = make("model.loss=wgan_gp", "model.reg=none")
    model.discriminator = Quadratic()
    real = torch.full((6, 1, 8, 8), 0.5)
    for step in range(3):
        model.d_steps = step
        assert model.penalty(real, real, rng()).item() == pytest.approx(490.0, rel=1e-5)
    assert model.penalties["gradient_penalty"].item() == pytest.approx(49.0, rel=1e-5)


def test_a_penalty_flattens_the_discriminator() -> None:
    """On the same pictures D's slope ends far smaller with the penalty than without."""
    slopes = {}
    for reg in ("none", "r1"):
        words = ["model.loss=nonsaturating", "model.reg_every=1", "model.gamma=20"]
        model = make(*words, f"model.reg={reg}", "model.discriminator.learning_rate=0.01")
        fake = model.generator(model.noise(6, rng(1))).detach()
        for _ in range(40):
            model.d_step(batch(6).pictures, fake, rng())
        slopes[reg] = image_gan.zero_centred_penalty(model.discriminator, batch(6).pictures).item()
    assert slopes["r1"] < 0.1 * slopes["none"]


def test_spectral_normalisation_holds_every_layer_of_the_discriminator() -> None:
    model = make("model.reg=spectral", "model.loss=hinge", "model.discriminator.learning_rate=.01")
    for i in range(30):
        model.step(batch(6, i), rng(i))
    layers = [m for m in model.discriminator.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert len(layers) == 2
    for layer in layers:
        value = torch.linalg.svdvals(layer.weight.detach().flatten(1))[0].item()
        assert value == pytest.approx(1.0, abs=0.1)
    assert not [m for m in model.generator.modules() if hasattr(m, "parametrizations")]


# Drawing


def test_pictures_are_drawn_by_the_average_and_drawing_changes_nothing() -> None:
    model = make("model.ema=0.5")
    for i in range(3):
        model.step(batch(6, i), rng(i))
    assert model.ema is not None
    state = copy.deepcopy(model.state_dict())
    drawn = model.draw(5, rng(9))
    assert torch.equal(drawn, model.draw(5, rng(9)))
    assert not torch.equal(drawn, model.draw(5, rng(8)))
    assert drawn.abs().max() <= 1 and drawn.dtype == torch.float32 and not drawn.requires_grad
    assert torch.equal(drawn, model.ema.module(model.noise(5, rng(9))))
    model.generator.eval()
    assert not torch.allclose(drawn, model.generator(model.noise(5, rng(9))))
    model.generator.train()
    for name, value in model.state_dict()["generator"].items():
        assert torch.equal(value, state["generator"][name])


def test_without_an_average_the_generator_draws_by_its_running_statistics() -> None:
    """A picture does not depend on those beside it; training goes on with batch statistics."""
    model = make("model.ema=0")
    for i in range(3):
        model.step(batch(6, i), rng(i))
    drawn = model.draw(5, rng(9))
    assert model.ema is None and model.generator.training
    still, z = copy.deepcopy(model.generator).eval(), model.noise(5, rng(9))
    torch.testing.assert_close(drawn[:2], still(z[:2]))
    assert not torch.allclose(drawn, model.generator(z), atol=1e-3)


def test_many_pictures_are_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make()
    whole = model.draw(50, rng(4))
    monkeypatch.setattr(image_gan, "DRAWN", 7)
    torch.testing.assert_close(model.draw(50, rng(4)), whole)


# Resume, learning, refusals


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("stop", [3, 4])
def test_a_resume_is_exact(kind: str, stop: int, tmp_path: object) -> None:
    """Through a checkpoint's own form, before and after a step with lazy penalties."""
    straight = make(*KINDS[kind])
    rows, resumed = straight.phases()[0].rows, None
    for i in range(9):
        if i == stop:
            tensors: dict[str, Tensor] = {}
            plain = state_tree.flatten(straight.state_dict(), tensors)
            resumed = make(*KINDS[kind], seed=4)
            resumed.load_state_dict(state_tree.unflatten(plain, tensors))
        found = straight.step(batch(rows, i), rng(i))
        if resumed is not None:
            again = resumed.step(batch(rows, i), rng(i))
            assert found.keys() == again.keys()
            assert all(float(found[name]) == float(again[name]) for name in found)
    assert resumed is not None
    ends: list[dict[str, Tensor]] = [{}, {}]
    plains = [
        state_tree.flatten(m.state_dict(), t)
        for m, t in zip((straight, resumed), ends, strict=True)
    ]
    assert plains[0] == plains[1] and len(ends[0]) > 30
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    assert torch.equal(straight.draw(4, rng(1)), resumed.draw(4, rng(1)))


def test_pretrained_weights_are_taken_without_the_state() -> None:
    model, other = make(), make(seed=4)
    model.step(batch(6), rng(1))
    other.load_pretrained(model.state_dict())
    assert same(weights(model.generator), weights(other.generator))
    assert torch.equal(model.draw(3, rng(1)), other.draw(3, rng(1)))
    assert other.d_steps == 0 and not other.g_optimiser.state
    plain = make("model.ema=0")
    other.load_pretrained(plain.state_dict())
    assert other.ema is not None
    assert same(weights(other.ema.module), weights(plain.generator))


@pytest.mark.parametrize("words", [[], ["model.loss=nonsaturating", "model.reg=r1"]])
def test_it_learns_two_pictures(words: list[str]) -> None:
    """Half of the pictures are light on the left, half on the right: after 200 steps most samples
    are near one of them (at first none is), and each has at least a third."""
    left = torch.full((1, 8, 8), -0.8)
    left[:, :, :4] = 0.8
    kinds = torch.stack([left, -left])
    model = make(
        *words,
        "model.arch=mlp",
        "model.batch_size=32",
        "model.generator.hidden=[32,32]",
        "model.discriminator.hidden=[32,32]",
        "model.generator.learning_rate=0.005",
        "model.discriminator.learning_rate=0.005",
        "model.ema=0.9",
    )
    for i in range(200):
        real = kinds[torch.arange(32) % 2] + 0.1 * torch.randn(32, 1, 8, 8, generator=rng(i))
        model.step(PictureBatch(real, torch.zeros(32), torch.zeros(32, 0)), rng(i))
    drawn = model.draw(400, rng(1))
    near, which = (drawn[:, None] - kinds).abs().mean((2, 3, 4)).min(1)
    assert (near < 0.3).float().mean() > 0.75
    assert 1 / 3 < which.float().mean() < 2 / 3


def test_bf16_forward_passes_leave_weights_and_penalties_in_fp32() -> None:
    model = make("model.reg_every=1")
    for i in range(3):
        with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
            found = model.step(batch(6, i), rng(i))
            assert model.draw(2, rng()).dtype == torch.float32
        assert all(math.isfinite(float(value)) for value in found.values())
        assert found["r1"].dtype == found["g_loss"].dtype == torch.float32
    networks = model.networks().values()
    assert {p.dtype for network in networks for p in network.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["model.betas=[0.5]"], "model.betas: two numbers"),
        (["model.betas=[0.5,1]"], "model.betas=1.0: it must be at least 0 and under 1"),
        (["model.ema=1"], "model.ema=1.0: it must be at least 0 and under 1"),
        (["model.reg_every=0"], "model.reg_every=0: it must be at least 1"),
        (["model.generator.width=0"], "model.generator.width=0: it must be at least 1"),
        (["model.discriminator.steps=0"], "model.discriminator.steps=0: it must be at least 1"),
        (["model.arch=mlp", "model.generator.hidden=[]"], "needs hidden layers"),
        (["model.reg=r1", "model.discriminator.norm=batch"], "choose none or group"),
        (["model.loss=wgan_gp", "model.reg=none", "model.discriminator.norm=batch"], "group"),
        (["model.batch_size=1"], "batch_size of at least 2"),
    ],
)
def test_what_cannot_be_trained_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        make(*words)


def test_two_pictures_have_statistics() -> None:
    assert math.isfinite(make("model.batch_size=2").step(batch(2), rng())["g_loss"])
