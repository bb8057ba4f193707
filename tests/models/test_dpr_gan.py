"""The GAN of captions: who trains whom in which phase, its losses by their parts, exact resume."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gantext import checkpoint, config
from gantext.data.gallery import PictureBatch
from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.models import dpr_gan
from gantext.nn.algorithm import Illustrator, PictureTask
from gantext.nn.dual_encoder import contrastive_loss, same_captions
from gantext.nn.encoder_fitting import disturbed

CPU = torch.device("cpu")
TINY = [
    "model.encoder.embedding=6",
    "model.encoder.hidden=5",
    "model.encoder.channels=[8,8]",
    "model.encoder.projection=7",
    "model.fitting.steps=4",
    "model.fitting.batch_size=6",
    "model.generator.noise=3",
    "model.generator.mapping=[12]",
    "model.generator.channels=[8,8]",
    "model.discriminator.channels=[4,4]",
    "model.discriminator.hidden=9",
    "model.adversarial.batch_size=6",
    "model.adversarial.reg_every=2",
]
HARD = "model.hard_negatives.steps=3"
FAITHFUL = ["model.variant=faithful", "model.generator.norm=batch", "model.generator.init=dcgan"]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def captions(rows: int, seed: int = 0) -> Tensor:
    words = torch.randint(4, 9, (rows, 3), generator=rng(seed))
    ends = torch.full((rows, 1), EOS)
    return torch.cat([words, ends, torch.full((rows, 1), PAD)], 1)


def make(*overrides: str, seed: int = 3) -> dpr_gan.DprGAN:
    chosen = config.compose(["model=dpr_gan", "data=scenes", *TINY, *overrides]).model
    task = PictureTask(3, 8, 0, 9, 5, 100, captions(100, 50), CPU)
    return dpr_gan.build(chosen, task, rng(seed))


def batch(rows: int = 6, seed: int = 0) -> PictureBatch:
    pictures = torch.rand(rows, 3, 8, 8, generator=rng(1000 + seed)) * 2 - 1
    return PictureBatch(pictures, torch.full((rows,), -1), captions(rows, seed))


def weights(model: dpr_gan.DprGAN) -> dict[str, list[Tensor]]:
    parts = {**model.networks(), "average": model.ema.module, "learner": model.learner}
    parts["discriminator"] = model.discriminator
    return {k: [w.detach().clone() for w in part.parameters()] for k, part in parts.items()}


def changed(model: dpr_gan.DprGAN, before: dict[str, list[Tensor]]) -> set[str]:
    pairs = {name: zip(now, before[name], strict=True) for name, now in weights(model).items()}
    return {name for name, both in pairs.items() if not all(torch.equal(a, b) for a, b in both)}


def test_it_illustrates_captions() -> None:
    model = make()
    assert isinstance(model, Illustrator)
    one, two = model.draw_for(captions(4), rng(1)), model.draw_for(captions(4), rng(1))
    assert torch.equal(one, two) and one.shape == (4, 3, 8, 8) and not one.requires_grad
    assert one.dtype == torch.float32 and one.abs().max() <= 1
    assert not torch.equal(one, model.draw_for(captions(4), rng(2)))
    assert not torch.equal(one, model.draw_for(captions(4, seed=1), rng(1)))
    assert model.draw(5, rng(1)).shape == (5, 3, 8, 8)


def test_the_phases_of_both_variants() -> None:
    found = [(p.name, p.rows, p.adversarial, p.scored) for p in make(HARD).phases()]
    assert found == [
        ("dual_encoder", 6, False, False),
        ("adversarial", 6, True, True),
        ("hard_negatives", 6, True, True),
    ]
    assert [p.steps for p in make().phases()][-1] == 0
    assert [p.name for p in make(*FAITHFUL).phases()] == ["adversarial"]


def test_who_learns_in_which_phase() -> None:
    model, steps = make(HARD), {}
    for phase in model.phases():
        before = weights(model)
        found = phase.step(batch(), rng(1))
        assert all(math.isfinite(float(value)) for value in found.values()), phase.name
        steps[phase.name] = changed(model, before)
    both = {"generator", "average", "discriminator"}
    wanted = {"dual_encoder": {"dual_encoder"}, "adversarial": both}
    assert steps == {**wanted, "hard_negatives": both | {"learner"}}
    model = make(*FAITHFUL)
    before = weights(model)
    model.faithful_step(batch(), rng(1))
    assert changed(model, before) == {"dual_encoder", "generator", "average"}


def test_hard_negatives_begin_at_the_fitted_encoder() -> None:
    """The learner and its average forget the weights of before the fit, once."""
    model = make(HARD, "model.hard_negatives.learning_rate=0")
    model.fitter.step(batch(), rng(1))
    for seed in (2, 3):
        model.hard_step(batch(), rng(seed))
        state = model.encoder.state_dict()
        for part in (model.learner, model.teacher.module):
            for name, weight in part.state_dict().items():
                torch.testing.assert_close(weight, state[name])


def test_the_discriminators_loss_by_its_parts() -> None:
    """softplus of differences, pair by pair: of fakes, and of the caption of the row before.

    Rows 2 and 3 have one caption, so that row 3 has no wrong one and costs nothing.
    """
    model, real = make(), batch()
    real.tokens[3] = real.tokens[2]
    text = model.features(real.tokens)
    fake = model.generator.drawn(text, rng(1)).detach()
    with torch.no_grad():
        own, false = model.discriminator(real.pictures, text), model.discriminator(fake, text)
        wrong = torch.stack(
            [model.discriminator(real.pictures[i : i + 1], text[i - 1 : i])[0] for i in range(1, 6)]
        )
        first = model.discriminator(real.pictures[:1], text[5:])
    found = model.d_step(real, fake, text)
    torch.testing.assert_close(found["d_loss"], F.softplus(false - own).mean())
    terms = F.softplus(torch.cat([first, wrong]) - own)
    assert float(found["d_mismatch_loss"]) == pytest.approx(float(terms.sum() - terms[3]) / 6)
    assert float(found["d_real"] + found["d_fake"]) == pytest.approx(1)


def test_penalties_are_lazy_and_kept_for_the_log() -> None:
    model = make("model.adversarial.reg_every=3")
    seen = [{k: float(v) for k, v in model.step(batch(), rng(i)).items()} for i in range(4)]
    assert [row["r1"] == seen[0]["r1"] for row in seen] == [True, True, True, False]
    assert {"r1", "r2", "retrieval_real", "retrieval_fake"} <= seen[1].keys()


def test_the_generators_loss_is_adversarial_and_contrastive() -> None:
    """One plain gradient step of the sum at Adam's first step: each weight moves by the rate,
    against the sign of the gradient written here."""
    model, real = make("model.adversarial.contrastive_weight=0.7"), batch()
    text = model.features(real.tokens)
    fake = model.generator.drawn(text, rng(1))
    logits = model.discriminator(fake, text) - model.discriminator(real.pictures, text).detach()
    shown = disturbed(fake, model.config.fitting, rng(7))
    vectors = model.encoder.text(real.tokens).detach(), model.encoder.image(shown)
    contrast = contrastive_loss(*vectors, 10.0, same_captions(real.tokens))
    weight = model.generator.last.weight
    (wanted,) = torch.autograd.grad(
        F.softplus(-logits).mean() + 0.7 * contrast, weight, retain_graph=True
    )
    before, rate = weight.detach().clone(), model.config.adversarial.g_learning_rate
    found = model.g_step(real, fake, text, model.encoder, rng(7))
    assert float(found["contrastive"]) == pytest.approx(contrast.item())
    torch.testing.assert_close(weight.detach() - before, -rate * wanted.sign(), atol=2e-6, rtol=0)


def test_the_contrastive_weight_falls_evenly() -> None:
    """From 1 to .2 over 4 steps: 1, .8, .6, .4, and .2 ever after."""
    words = ["weight=1", "final=0.2"]
    model = make(
        "model.adversarial.steps=4", *(f"model.adversarial.contrastive_{w}" for w in words)
    )
    found = [float(model.step(batch(), rng(i))["contrastive_weight"]) for i in range(6)]
    assert found == pytest.approx([1, 0.8, 0.6, 0.4, 0.2, 0.2])


def test_faithful_asks_to_be_found_and_to_be_near_the_real_picture() -> None:
    model, real = make(*FAITHFUL, "model.adversarial.real_weight=2"), batch()
    found = model.faithful_step(real, rng(1))
    parts = float(found["contrastive"]) + 2 * float(found["distance_to_real"])
    assert float(found["g_loss"]) == pytest.approx(parts, rel=1e-5)
    assert {"retrieval_real", "retrieval_fake", "d_accuracy", "temperature"} <= found.keys()


@pytest.mark.parametrize("words", [[HARD], FAITHFUL], ids=["recipe", "faithful"])
def test_resume_is_exact(words: list[str], tmp_path) -> None:
    """Through a checkpoint's files, between every two steps of all phases."""
    straight, resumed = make(*words), make(*words)
    seed = 0
    for phase in range(len(straight.phases())):
        for _ in range(3):
            seed += 1
            straight.phases()[phase].step(batch(seed=seed), rng(seed))
            resumed.phases()[phase].step(batch(seed=seed), rng(seed))
            checkpoint.write(tmp_path / str(seed), copy.deepcopy(resumed.state_dict()))
            resumed = make(*words, seed=seed)
            resumed.load_state_dict(checkpoint.read(tmp_path / str(seed)))
    assert not changed(resumed, weights(straight))
    assert torch.equal(straight.draw(3, rng(1)), resumed.draw(3, rng(1)))


def test_pretrained_weights_are_taken_without_the_state() -> None:
    model, other = make(), make(seed=9)
    model.fitter.step(batch(), rng(1))
    model.step(batch(), rng(1))
    other.load_pretrained(model.state_dict())
    assert torch.equal(other.draw(2, rng(1)), model.draw(2, rng(1)))
    assert other.fitter.done == other.steps == 0


def test_a_batch_of_one_caption_is_no_error() -> None:
    """All rows the same caption: no negatives and no wrong captions, finite losses."""
    model, real = make(), batch()
    real.tokens[:] = real.tokens[0]
    found = model.step(real, rng(1))
    assert float(found["d_mismatch_loss"]) == float(found["contrastive"]) == 0
    assert all(torch.isfinite(w).all() for w in model.generator.parameters())
    assert all(torch.isfinite(w).all() for w in model.discriminator.parameters())


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("model.adversarial.betas=[0.5]", "two numbers under 1"),
        ("model.adversarial.ema=1", "model.adversarial.ema must be under 1"),
        ("model.adversarial.temperature=0", "a temperature must be over 0"),
        ("model.adversarial.batch_size=1", "batch_size of at least 2"),
        ("model.generator.channels=[8,8,8,8,8]", "4 blocks do not end at 8 pixels"),
    ],
)
def test_what_cannot_be_trained_is_refused(word: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        make(word)
