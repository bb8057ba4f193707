"""The GAN of captions: who trains whom in which phase, its losses by their parts, exact resume."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.config.compose import compose
from gantext.data.gallery import PictureBatch
from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.models.contract import Illustrator, PictureTask
from gantext.models.dpr_gan import model as dpr_gan
from gantext.models.dpr_gan.codes import Gaussian
from gantext.models.dpr_gan.faithful import RetrievalGame
from gantext.nn.captions.dual_encoder import contrastive_loss, in_batch_accuracy, same_captions
from gantext.nn.captions.fitting import disturbed
from gantext.runs import checkpoint

CPU = torch.device("cpu")
TINY = [
    "model.encoder.embedding=6",
    "model.encoder.hidden=5",
    "model.encoder.channels=[8,8]",
    "model.encoder.projection=7",
    "model.fitting.steps=4",
    "model.fitting.batch_size=6",
    "model.generator.noise=3",
    "model.generator.coarse=16",
    "model.generator.fine=8",
    "model.generator.style=12",
    "model.decoding.steps=4",
    "model.decoding.batch_size=6",
    "model.composing.steps=4",
    "model.composing.batch_size=6",
    "model.faithful.generator.noise=3",
    "model.faithful.generator.channels=[8,8]",
    "model.discriminator.channels=[4,4]",
    "model.faithful.batch_size=6",
    "model.discriminator.hidden=9",
    "model.adversarial.batch_size=6",
    "model.matching.reg_every=2",
]
HARD = "model.hard_negatives.steps=3"
FAITHFUL = ["model.variant=faithful"]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def captions(rows: int, seed: int = 0) -> Tensor:
    words = torch.randint(4, 9, (rows, 3), generator=rng(seed))
    ends = torch.full((rows, 1), EOS)
    return torch.cat([words, ends, torch.full((rows, 1), PAD)], 1)


def made(*overrides: str, seed: int = 3) -> RetrievalGame | dpr_gan.Recipe:
    chosen = compose(["model=dpr_gan", "data=scenes", *TINY, *overrides]).model
    task = PictureTask(3, 8, 0, 9, 5, 100, captions(100, 50), CPU)
    return dpr_gan.build(chosen, task, rng(seed))


def make(*overrides: str, seed: int = 3) -> dpr_gan.Recipe:
    model = made(*overrides, seed=seed)
    assert isinstance(model, dpr_gan.Recipe)
    return model


def faithful(*overrides: str, seed: int = 3) -> RetrievalGame:
    model = made(*FAITHFUL, *overrides, seed=seed)
    assert isinstance(model, RetrievalGame)
    return model


def batch(rows: int = 6, seed: int = 0) -> PictureBatch:
    pictures = torch.rand(rows, 3, 8, 8, generator=rng(1000 + seed)) * 2 - 1
    return PictureBatch(pictures, torch.full((rows,), -1), captions(rows, seed))


def weights(model: RetrievalGame | dpr_gan.Recipe) -> dict[str, list[Tensor]]:
    parts = {**model.networks(), "average": model.ema.module}
    if isinstance(model, dpr_gan.Recipe):
        parts["learner"] = model.learner
        generator = parts.pop("generator")
        parts |= {"decoder": generator.decoder, "composer": generator.composer}
    return {k: [w.detach().clone() for w in part.parameters()] for k, part in parts.items()}


def changed(model: RetrievalGame | dpr_gan.Recipe, before: dict[str, list[Tensor]]) -> set[str]:
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


def test_the_nearest_of_several_candidates_is_drawn() -> None:
    """Against all six candidates of each caption, drawn from the same seed one by one."""
    model, tokens = make("model.candidates=6"), captions(4)
    drawn = model.draw_for(tokens, rng(1))
    noise = torch.randn(24, 3, generator=rng(1))
    for row in range(4):
        own = tokens[row : row + 1]
        with torch.no_grad():
            every = [model.ema.module(own, noise[6 * row + i][None]) for i in range(6)]
            text = model.encoder.text(own)
            cosines = [float((text * model.encoder.image(picture)).sum()) for picture in every]
        best = cosines.index(max(cosines))
        torch.testing.assert_close(drawn[row], every[best][0], atol=1e-5, rtol=1e-4)


def test_the_phases_of_both_variants() -> None:
    found = [(p.name, p.rows, p.adversarial, p.scored) for p in make(HARD).phases()]
    assert found == [
        ("dual_encoder", 6, False, False),
        ("decoder", 6, False, False),
        ("composer", 6, False, True),
        ("adversarial", 6, True, True),
        ("hard_negatives", 6, True, True),
    ]
    assert [p.steps for p in make().phases()][-1] == 0
    assert [(p.name, p.adversarial, p.scored) for p in faithful().phases()] == [
        ("adversarial", True, True)
    ]


def test_who_learns_in_which_phase() -> None:
    model, steps = make(HARD), {}
    for phase in model.phases():
        before = weights(model)
        found = phase.step(batch(), rng(1))
        assert all(math.isfinite(float(value)) for value in found.values()), phase.name
        steps[phase.name] = changed(model, before)
    both = {"composer", "code_reader", "average", "discriminator"}
    assert steps == {
        "dual_encoder": {"dual_encoder"},
        "decoder": {"decoder", "picture_reader", "average"},
        "composer": {"composer", "code_reader", "average"},
        "adversarial": both,
        "hard_negatives": both | {"learner"},
    }
    plain = faithful()
    before = weights(plain)
    plain.step(batch(), rng(1))
    assert changed(plain, before) == {"dual_encoder", "generator", "average"}


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


def codes(model: dpr_gan.Recipe, real: PictureBatch) -> tuple[Gaussian, Tensor]:
    """Those of real pictures, and composed ones, with a scale that is not 1."""
    model.generator.composer.scale.copy_(torch.tensor([0.5, 2.0]).view(-1, 1, 1))
    with torch.no_grad():
        read = model.codes.picture_reader(real.pictures)
    noise = torch.randn(len(real), 3, generator=rng(1))
    return read, model.generator.composer(real.tokens, noise)


def test_the_discriminators_loss_by_its_parts() -> None:
    """softplus of differences, pair by pair: of fakes, of the caption of the row before, and of
    the near caption given; of codes in units of their deviation.

    Rows 2 and 3 have one caption, so that row 3 has no wrong one before it and that costs nothing;
    the near caption of row 5 is its own.
    """
    model, real = make(), batch()
    real.tokens[3] = real.tokens[2]
    near = captions(6, seed=9)
    near[5] = real.tokens[5]
    text, other, d = model.features(real.tokens), model.features(near), model.discriminator
    read, fake = codes(model, real)
    unit = read.mean / torch.tensor([0.5, 2.0]).view(-1, 1, 1)
    with torch.no_grad():
        own, nearly = d(unit, text), d(unit, other)
        false = d(fake / torch.tensor([0.5, 2.0]).view(-1, 1, 1), text)
        wrong = torch.stack([d(unit[i : i + 1], text[i - 1 : i])[0] for i in range(1, 6)])
        first = d(unit[:1], text[5:])
    found = model.d_step(read.mean, fake.detach(), real.tokens, near)
    torch.testing.assert_close(found["d_loss"], F.softplus(false - own).mean())
    before = F.softplus(torch.cat([first, wrong]) - own)
    beside = F.softplus(nearly - own)
    wanted = (before.sum() - before[3] + beside.sum() - beside[5]) / 12
    torch.testing.assert_close(found["d_mismatch_loss"], wanted)
    assert float(found["d_real"] + found["d_fake"]) == pytest.approx(1)


def test_penalties_are_lazy_and_kept_for_the_log() -> None:
    model = make("model.matching.reg_every=3")
    seen = [{k: float(v) for k, v in model.step(batch(), rng(i)).items()} for i in range(4)]
    assert [row["r1"] == seen[0]["r1"] for row in seen] == [True, True, True, False]
    assert {"r1", "r2", "retrieval_real", "retrieval_fake"} <= seen[1].keys()


def test_the_composers_loss_is_adversarial_contrastive_and_a_fit() -> None:
    """One plain gradient step of the sum at Adam's first step: each weight moves by the rate,
    against the sign of the gradient written here. The fit is of the first half of the rows; the
    contrastive loss counts three times, as it is there on every third step."""
    words = ["adversarial_weight=0.5", "contrastive_weight=0.7", "bound_weight=0.01"]
    model = make(*(f"model.adversarial.{word}" for word in [*words, "contrastive_every=3"]))
    real, near, chosen = batch(), captions(12, 9).view(6, 2, -1), model.config.adversarial
    text, d = model.features(real.tokens), model.discriminator
    read, composed = codes(model, real)
    scale = model.generator.composer.scale
    logits = d(composed / scale, text) - d(read.mean / scale, text).detach()
    draws = rng(7)
    half = Gaussian(read.mean[:3], read.log_var[:3])
    fit = sum(model.codes.bound(half, real.tokens[:3], draws).values())
    shown = disturbed(model.generator.decoder(real.tokens, composed), model.config.fitting, draws)
    vectors = model.encoder.text(real.tokens).detach(), model.encoder.image(shown)
    hard = model.encoder.text(near.flatten(0, 1)).detach().view(6, 2, -1)
    same = same_captions(real.tokens)
    contrast = contrastive_loss(*vectors, 1 / chosen.temperature, same, hard=hard)
    weight = model.generator.composer.last.weight
    loss = 0.5 * F.softplus(-logits).mean() + 3 * 0.7 * contrast + 0.01 * fit
    (wanted,) = torch.autograd.grad(loss, weight, retain_graph=True)
    before, rate = weight.detach().clone(), chosen.g_learning_rate
    found, fake = model.g_step(real, read, composed, near, model.encoder, rng(7))
    assert float(model.matching.kept["contrastive"]) == pytest.approx(contrast.item(), rel=1e-5)
    torch.testing.assert_close(weight.detach() - before, -rate * wanted.sign(), atol=4e-6, rtol=0)
    assert fake.shape == (6, 3, 8, 8) and set(found) >= {"g_loss", "code_error", "noise_kl"}


def test_the_dual_encoder_judges_on_every_kth_step() -> None:
    model, shown = make("model.adversarial.contrastive_every=2"), []
    for number in range(4):
        shown.append(len(model.adversarial_step(batch(), model.encoder, rng(number))[1]))
    assert shown == [6, 0, 6, 0]


@pytest.mark.parametrize("hard", [0, 2])
def test_learning_rates_rise_and_fall_along_a_cosine(hard: int) -> None:
    """Warm-up over 2 of 4 steps, those with hard negatives counted, down to .02: shares 1/2,
    1 - .98 (1 - cos(pi / 4)) / 2, ..."""
    words = f"steps={4 - hard}", "warmup_steps=2"
    many = f"model.hard_negatives.steps={hard}"
    model = make(*(f"model.adversarial.{word}" for word in words), many)
    rates = []
    for i in range(4):
        model.step(batch(), rng(i))
        pairs = zip((model.g_optimiser, model.matching.optimiser), (0.0005, 0.0004), strict=True)
        rates.append([o.param_groups[0]["lr"] / peak for o, peak in pairs])
    falls = [0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * i / 4)) for i in range(4)]
    wanted = [share * rise for share, rise in zip(falls, (0.5, 1, 1, 1), strict=True)]
    assert rates == [pytest.approx([share, share]) for share in wanted]


@pytest.mark.parametrize("words", [[], FAITHFUL], ids=["recipe", "faithful"])
def test_adam_has_the_averages_and_rates_of_the_config(words: list[str]) -> None:
    group = "faithful" if words else "adversarial"
    betas = f"model.{group}.betas=[0.25,0.75]"
    rates = f"model.{group}.g_learning_rate=0.01", f"model.{group}.d_learning_rate=0.02"
    model = made(*words, betas, *rates, "model.hard_negatives.learning_rate=0.03")
    optimisers = {name: part for name, part in model.parts().items() if "_optimiser" in name}
    if isinstance(model, dpr_gan.Recipe):
        optimisers["d_optimiser"] = model.matching.optimiser
    groups = {name: optimiser.param_groups[0] for name, optimiser in optimisers.items()}
    found = {name: (group["betas"], group["lr"]) for name, group in groups.items()}
    wanted = {"g_optimiser": 0.01, "d_optimiser": 0.02}
    wanted |= {} if words else {"learner_optimiser": 0.03}
    assert found == {name: ((0.25, 0.75), rate) for name, rate in wanted.items()}


def test_faithful_asks_to_be_found_and_to_be_near_the_real_picture() -> None:
    model, real = faithful("model.faithful.real_weight=2"), batch()
    with torch.no_grad():
        fake = model.drawn(model.generator, real.tokens, rng(1))
        e, same = model.encoder, same_captions(real.tokens)
        given = e.text(real.tokens), e.image(real.pictures), e.scale(), same
        d_loss = contrastive_loss(*given, negatives=e.image(fake)).item()
        assert d_loss > contrastive_loss(*given).item()  # fakes are hard negatives
    found = model.step(real, rng(1))
    assert float(found["d_loss"]) == pytest.approx(d_loss, rel=1e-5)
    parts = float(found["contrastive"]) + 2 * float(found["distance_to_real"])
    assert float(found["g_loss"]) == pytest.approx(parts, rel=1e-5)
    with torch.no_grad():  # the encoder's step is the first
        text = model.encoder.text(real.tokens)
        cosines = [
            F.cosine_similarity(text, model.encoder.image(shown)) for shown in (real.pictures, fake)
        ]
        scale, seen = model.encoder.scale(), [model.encoder.image(x) for x in (real.pictures, fake)]
        contrast, near = contrastive_loss(text, seen[1], scale, same), F.cosine_similarity(*seen)
    torch.testing.assert_close(found["contrastive"], contrast)
    torch.testing.assert_close(found["distance_to_real"], 1 - near.mean())
    for kind, pictures in zip(("real", "fake"), seen, strict=True):
        assert found[f"retrieval_{kind}"] == in_batch_accuracy(text, pictures, same)
    torch.testing.assert_close(found["similarity_real"], cosines[0].mean())
    torch.testing.assert_close(found["similarity_fake"], cosines[1].mean())
    assert found["d_accuracy"] == (cosines[0] > cosines[1]).float().mean() > 0
    torch.testing.assert_close(found["temperature"], 1 / scale)
    assert {
        "retrieval_real",
        "retrieval_fake",
        "similarity_real",
        "d_accuracy",
        "temperature",
    } <= found.keys()


@pytest.mark.parametrize("words", [[HARD], FAITHFUL], ids=["recipe", "faithful"])
def test_resume_is_exact(words: list[str], tmp_path) -> None:
    """Through a checkpoint's files, between every two steps of all phases."""
    straight, resumed = made(*words), made(*words)
    seed = 0
    for phase in range(len(straight.phases())):
        for _ in range(3):
            seed += 1
            straight.phases()[phase].step(batch(seed=seed), rng(seed))
            resumed.phases()[phase].step(batch(seed=seed), rng(seed))
            checkpoint.write(tmp_path / str(seed), copy.deepcopy(resumed.state_dict()))
            resumed = made(*words, seed=seed)
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
    """All rows the same caption: only the near captions are wrong ones; finite losses."""
    model, real = make(), batch()
    real.tokens[:] = real.tokens[0]
    found = model.step(real, rng(1))
    assert all(math.isfinite(float(value)) for value in found.values())
    assert all(torch.isfinite(w).all() for w in model.generator.parameters())
    assert all(torch.isfinite(w).all() for w in model.discriminator.parameters())


def test_two_captions_are_each_other_s_negatives() -> None:
    for group in ("adversarial", "fitting"):
        assert made(f"model.{group}.batch_size=2")
    assert made("model.faithful.batch_size=2", *FAITHFUL)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("model.adversarial.betas=[0.5]", "model.adversarial.betas: two numbers"),
        ("model.adversarial.ema=1", "model.adversarial.ema=1.0: it must be .* under 1"),
        (
            "model.adversarial.temperature=0",
            "model.adversarial.temperature=0.0: it must be at least 0.001",
        ),
        ("model.adversarial.batch_size=1", "model.adversarial.batch_size=1: at least 2"),
        (
            "model.adversarial.near_captions=0",
            "model.adversarial.near_captions=0: it must be at least 1",
        ),
        ("model.candidates=0", "model.candidates=0: it must be at least 1"),
        ("model.encoder.channels=[8]", "model.encoder.channels: 1 convolutions"),
        ("model.discriminator.channels=[8]", "model.discriminator.channels: 1 convolutions"),
        ("model.generator.heads=3", "heads=3 does not divide"),
        ("model.faithful.betas=[0.5]", "model.faithful.betas: two numbers"),
        ("model.faithful.generator.channels=[8,8,8,8,8]", "4 blocks do not end at 8 pixels"),
    ],
)
def test_what_cannot_be_trained_is_refused(word: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        made(word, *(FAITHFUL if "generator.channels" in word else []))
