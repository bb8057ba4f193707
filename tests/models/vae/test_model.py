"""model=vae: the objective by hand, what each remedy does, state, and that it learns."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Normal

from gantext.config.compose import compose
from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.models.contract import Estimator, Judge, Latent, Task
from gantext.models.vae import model as vae
from gantext.models.vae.networks import GivenLatent
from gantext.nn.latent import gaussian_kl, sentence_noise
from gantext.nn.text.rollouts import trimmed_on_cpu
from gantext.nn.text.sampling import SamplingOptions

CPU = torch.device("cpu")
TINY = [
    "model.latent_size=3",
    "model.encoder.embedding=6",
    "model.encoder.hidden=5",
    "model.encoder.dropout=0",
    "model.decoder.embedding=6",
    "model.decoder.hidden=5",
    "model.decoder.dropout=0",
    "model.decoder.embedding_dropout=0",
    "model.mle.batch_size=4",
    "model.mle.unk_rate=0",
    "model.objective.anneal.schedule=none",
    "model.objective.free_bits=0",
]
LAGGING = [
    "model.aggressive.enabled=true",
    "model.aggressive.inner_steps=6",
    "model.aggressive.window=2",
    "model.aggressive.information_every=3",
    "model.aggressive.information_sentences=10",
]
REAL = torch.tensor([[4, 5, 6, EOS, PAD], [5, 6, EOS, PAD, PAD]])


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(*overrides: str, words: int = 8, length: int = 5, train: int = 100) -> vae.VAE:
    cfg = compose(["model=vae", *TINY, *overrides]).model
    task = Task(words, length, train, torch.zeros(words, dtype=torch.bool), CPU)
    return vae.build(cfg, task, rng(3))


def sentences(rows: int, seed: int) -> torch.Tensor:
    """Rows of 2 to 4 words of 4 and <eos>, (rows, 5)."""
    tokens = torch.randint(4, 8, (rows, 5), generator=rng(seed))
    ends = torch.randint(2, 5, (rows, 1), generator=rng(seed + 1))
    places = torch.arange(5)
    return torch.where(places == ends, EOS, torch.where(places > ends, PAD, tokens))


def weights(model: vae.VAE) -> dict[str, list[torch.Tensor]]:
    return {
        name: [weight.detach().clone() for weight in network.parameters()]
        for name, network in model.networks().items()
    }


def changed(model: vae.VAE, before: dict[str, list[torch.Tensor]]) -> set[str]:
    """The networks of which some weight is another one now."""
    return {
        name
        for name, now in weights(model).items()
        if not all(torch.equal(a, b) for a, b in zip(now, before[name], strict=True))
    }


def test_it_is_a_latent_algorithm_with_an_estimated_likelihood() -> None:
    model = make("model.eval_samples=7")
    assert isinstance(model, Latent) and isinstance(model, Estimator)
    assert not isinstance(model, Judge)
    assert model.estimator() == {"estimator": "iw", "k": 7}
    assert model.latent_size == 3


# The objective


def loss_parts(model: vae.VAE, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """log p(x|z) (B,) and KL (B, Z) of REAL, with the noise that `loss` draws from that seed."""
    with torch.no_grad():
        mu, log_var = model.encoder(REAL)
        noise = torch.empty(mu.shape).normal_(generator=rng(seed))
        z = mu + (0.5 * log_var).exp() * noise
        return model.decoder.log_prob(REAL, z), gaussian_kl(mu, log_var)


@pytest.mark.parametrize(
    ("words", "counted"),
    [
        ([], lambda kl: kl.sum(1).mean()),
        (["free_bits=0.3"], lambda kl: kl.mean(0).clamp_min(0.3).sum()),
        (
            ["free_bits=2", "free_bits_per_dim=false"],
            lambda kl: kl.mean(0).sum().clamp_min(2),
        ),
    ],
)
def test_the_loss_is_the_bound_per_token(words: list[str], counted) -> None:
    """7 tokens in 2 sentences: loss = (-sum log p(x|z) + 2 beta KL) / 7, with KL as it counts."""
    model = make(*(f"model.objective.{word}" for word in words))
    log_prob, kl = loss_parts(model, 5)
    loss, found = model.loss(REAL, 0.5, rng(5))
    assert loss.item() == pytest.approx(float(-log_prob.sum() + 2 * 0.5 * counted(kl)) / 7)
    assert found["kl"].item() == pytest.approx(float(kl.sum(1).mean()))
    assert found["reconstruction"].item() == pytest.approx(float(-log_prob.mean()))
    assert found["reconstruction_per_token"].item() == pytest.approx(float(-log_prob.sum()) / 7)
    bound = (found["reconstruction"] + found["kl"]).item() * 2 / 7
    assert found["nll_bound"].item() == pytest.approx(bound)


def test_beta_follows_the_schedule() -> None:
    """Rise over 4 steps to .5: 0, .125, .25, ... as logged."""
    model = make(
        "model.objective.beta=0.5",
        "model.objective.anneal.schedule=linear",
        "model.objective.anneal.steps=4",
    )
    found = [model.step(sentences(4, i), rng(i))["beta"] for i in range(6)]
    assert found == pytest.approx([0, 0.125, 0.25, 0.375, 0.5, 0.5])


def test_bn_keeps_the_kl_up() -> None:
    """gamma .6 of 3 dimensions: a batch's mean KL is at least 3 * .36 / 2 = .54 whatever is
    learned; without it the KL of the same model falls towards 0."""
    kl = {}
    for gamma in (0.0, 0.6):
        model = make(f"model.encoder.bn_gamma={gamma}", "model.mle.batch_size=16")
        with torch.no_grad():  # variances to which the normalisation's 1e-5 is nothing
            model.encoder.heads.weight.mul_(10)
        for i in range(40):
            kl[gamma] = float(model.step(sentences(16, i), rng(i))["kl"])
    assert kl[0.6] > 0.535 and kl[0.0] < 0.3


# Autoencoder pretraining


def test_the_autoencoder_reads_the_mean_and_has_no_kl() -> None:
    model = make("model.pretrain_ae=1")
    ae, main = model.phases()
    assert (ae.name, ae.steps, ae.scored, main.name) == ("autoencoder", 25, False, "vae")
    with torch.no_grad():
        mu, _ = model.encoder(REAL)
        wanted = -model.decoder.log_prob(REAL, mu).sum() / 7
    before = weights(model)
    found = ae.step(REAL, rng(1))
    assert float(found["loss"]) == pytest.approx(float(wanted))
    assert "kl" not in found and changed(model, before) == {"encoder", "decoder"}


def test_the_decoder_is_drawn_anew_after_the_autoencoder() -> None:
    """Before the first step of the bound, and never again; the encoder goes on as it was."""
    model, other = make("model.pretrain_ae=1"), make("model.pretrain_ae=1")
    model.autoencoder_step(REAL, rng(1))
    other.encoder.load_state_dict(model.encoder.state_dict())
    other.decoder.load_state_dict({k: v + 1 for k, v in model.decoder.state_dict().items()})
    for seed in (2, 3):
        model.step(REAL, rng(seed))
        other.step(REAL, rng(seed))
    # What the decoders were before is forgotten.
    for name, values in weights(model).items():
        assert all(map(torch.equal, values, weights(other)[name])), name
    plain = make()
    before = copy.deepcopy(plain.decoder.state_dict())
    plain.step(REAL, rng(2))
    after = plain.decoder.state_dict()
    assert max((after[k] - before[k]).abs().max().item() for k in after) < 0.01


# Aggressive training


def test_a_phase_asks_for_the_rows_of_the_inner_loop() -> None:
    assert make().phases()[1].rows == 4
    assert make(*LAGGING).phases()[1].rows == 4 + 6 * 4 + 10


def test_what_steps_depend_on_is_said() -> None:
    """Cycles, and a rate that falls, which both phases have."""
    still = "model.mle.final_rate=1", "model.pretrain_ae=1"
    cycles = "model.objective.anneal.schedule=cyclical"
    for words, wanted in (((), ["", ""]), ([cycles], ["", "the KL weight's cycles"])):
        found = [phase.tied for phase in make(*still, *words).phases()]
        assert [said[:22] for said in found] == wanted
    falls = [phase.tied for phase in make(cycles, "model.mle.final_rate=0.5").phases()]
    assert falls == ["its learning rate falls over all of its steps"] * 2


def test_the_inner_loop_trains_the_encoder_alone_and_the_step_the_decoder_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = make(*LAGGING)
    before = weights(model)
    model.inner_loop(sentences(24, 1), rng(1))
    assert changed(model, before) == {"encoder"} and model.fitter.done == 0
    before = weights(model)
    spares: list[torch.Tensor] = []
    monkeypatch.setattr(model, "inner_loop", lambda spare, rng: spares.append(spare) or 0)
    model.step(sentences(38, 1), rng(1))
    assert changed(model, before) == {"decoder"} and model.fitter.done == 1
    # After the decoder's 4 rows, before the 10 of which the information is computed.
    assert len(spares) == 1 and torch.equal(spares[0], sentences(38, 1)[4:28])
    looks: list[torch.Tensor] = []
    monkeypatch.setattr(model, "look_at_information", lambda rows, rng: looks.append(rows))
    for i in range(2):  # to step 3
        assert "mutual_information" not in model.step(sentences(38, i), rng(1))
    assert len(looks) == 1 and torch.equal(looks[0], trimmed_on_cpu(sentences(38, 1)[28:]))
    model.aggressive = False
    before = weights(model)
    model.step(sentences(38, 1), rng(1))
    assert changed(model, before) == {"encoder", "decoder"}
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(model, "update", lambda rows, rng: seen.append(rows) or {})
    short = F.pad(sentences(38, 1), (0, 2), value=PAD)
    model.step(short, rng(1))
    model.step(short[:4], rng(1))
    assert torch.equal(seen[0], trimmed_on_cpu(short[:4])) and torch.equal(seen[1], short[:4])


@pytest.mark.parametrize(
    ("losses", "steps"),
    [([5, 5, 4, 4, 3, 3], 6), ([5, 5, 4, 6, 3, 3], 4), ([1, 1, 1, 1, 0, 0], 4), ([9, 0, 1, 1], 4)],
)
def test_the_inner_loop_ends_when_a_window_is_no_better(
    losses: list[float], steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows of 2. 5, 4, 3 falls to the end; 5, then (4 + 6) / 2 = 5 does not; 4.5, then 1 falls,
    and there is no more."""
    model, left = make(*LAGGING), iter(losses)
    monkeypatch.setattr(model, "encoder_step", lambda *parts: torch.tensor(float(next(left))))
    assert model.inner_loop(sentences(4 * len(losses), 1), rng()) == steps


def test_aggressive_training_ends_for_good_once_information_stops_rising(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Looked at after steps 3, 6, 9: .5, .7, .6. From step 10 on the encoder has one update a
    step, also when the information would rise again."""
    values = iter([0.5, 0.7, 0.6, 9.0])
    monkeypatch.setattr(vae, "mutual_information", lambda *parts: next(values))
    model, on = make(*LAGGING), []
    for i in range(12):
        found = model.step(sentences(38, i), rng(i))
        on.append("inner_steps" in found)
        if i == 6:
            assert found["mutual_information"] == 0.7
    assert on == [True] * 9 + [False] * 3
    assert model.information == 0.7 and next(values) == 9.0


@pytest.mark.parametrize("stop", [4, 10])
def test_a_resume_amid_aggressive_training_and_after_it_is_exact(
    stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vae, "mutual_information", lambda mu, log_var, z: float(-z.abs().sum()))
    words = [*LAGGING, "model.encoder.bn_gamma=0.5", "model.pretrain_ae=1"]
    straight = make(*words)
    straight.autoencoder_step(sentences(4, 99), rng(99))
    resumed = None
    for i in range(13):
        if i == stop:
            state = copy.deepcopy(straight.state_dict())
            assert straight.aggressive == (stop == 4)
            resumed = make(*words)
            resumed.load_state_dict(state)
        batch = sentences(38, i)
        straight.step(batch, rng(i))
        if resumed is not None:
            resumed.step(batch, rng(i))
    assert resumed is not None and resumed.aggressive == straight.aggressive
    assert resumed.information == straight.information > -math.inf
    for one, two in zip(
        straight.state_dict()["encoder"].values(),
        resumed.state_dict()["encoder"].values(),
        strict=True,
    ):
        assert torch.equal(one, two)


# Likelihood, samples, learning


def test_log_prob_of_one_draw_by_its_definition() -> None:
    """log p(x|z) + log p(z) - log q(z|x), with the sentence's own noise."""
    model = make("model.eval_samples=1")
    with torch.no_grad():
        mu, log_var = model.encode(REAL)
        z = mu + (log_var / 2).exp() * sentence_noise(REAL, 1, 3, 0)[:, 0]
        prior, own = Normal(0.0, 1.0), Normal(mu, (log_var / 2).exp())
        weight = (prior.log_prob(z) - own.log_prob(z)).sum(1)
        expected = model.log_prob_given(REAL, z) + weight
    torch.testing.assert_close(model.log_prob(REAL).float(), expected)


def test_log_prob_is_the_estimate_and_never_another_number() -> None:
    model = make("model.eval_samples=20")
    found = model.log_prob(REAL)
    assert torch.equal(found, model.log_prob(REAL))
    torch.testing.assert_close(model.log_prob(REAL[1:, :3])[0], found[1])
    with torch.no_grad():
        exact_at_zero = model.log_prob_given(REAL, torch.zeros(2, 3))
    # An untrained decoder hardly reads z: the estimate is near log p(x | z = 0).
    torch.testing.assert_close(found.float(), exact_at_zero, atol=0.3, rtol=0)


def test_samples_come_from_the_prior(monkeypatch: pytest.MonkeyPatch) -> None:
    """With greedy decoding the seed still decides z; the noise is standard normal."""
    model = make()
    seen = []
    policy = model.policy

    def noted(z: torch.Tensor) -> GivenLatent:
        seen.append(z)
        return policy(z)

    monkeypatch.setattr(model, "policy", noted)
    model.sample(20_000, rng(1), SamplingOptions(0.0))
    assert seen[0].shape == (20_000, 3)
    assert seen[0].mean().abs() < 0.03 and seen[0].std().item() == pytest.approx(1, abs=0.02)


def test_pretrained_weights_are_taken_without_the_state() -> None:
    model, other = make(), make("seed=2")
    model.step(REAL, rng(1))
    other.load_pretrained(model.state_dict())
    assert changed(other, weights(model)) == set() and other.fitter.done == 0


@pytest.mark.parametrize(
    "words", [["model.objective.free_bits=0.1"], ["model.encoder.bn_gamma=0.8"]]
)
def test_it_learns_a_toy_language_and_uses_its_latent_vector(words: list[str]) -> None:
    """Four sentences of 5 equal words: a unigram model needs 1.5 nats a token, the bound of a VAE
    that knows which of the four it is ln 4 / 6 = .23 and the decoder's errors."""
    model = make(
        *words,
        "model.encoder.hidden=16",
        "model.decoder.hidden=16",
        "model.mle.batch_size=16",
        "model.mle.epochs=150",
        "model.mle.learning_rate=0.02",
        length=6,
        train=16,
    )
    rows = torch.tensor([[word] * 5 + [EOS] for word in (4, 5, 6, 7)]).repeat(4, 1)
    for i in range(150):
        found = model.step(rows, rng(i))
    counts = torch.bincount(rows.reshape(-1)).float()
    shares = counts[counts > 0] / counts.sum()
    unigram = -(shares * shares.log()).sum().item()
    assert found["nll_bound"] < 0.6 < 1.5 < unigram
    assert found["kl"] > 0.3
    assert -model.log_prob(rows).mean() / 6 < unigram / 3


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("model.decoder.dropout=1", "model.decoder.dropout=1.0: it must be at least 0 and under 1"),
        ("model.encoder.dropout=1", "model.encoder.dropout=1.0: it must be at least 0 and under 1"),
        ("model.decoder.word_dropout=1.5", "word_dropout=1.5: it must be at least 0 and at most 1"),
        ("model.objective.anneal.ramp=0", "ramp=0.0: it must be above 0 and at most 1"),
    ],
)
def test_what_cannot_be_trained_is_refused(word: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        make(word)


def test_a_batch_of_one_has_no_statistics() -> None:
    with pytest.raises(UserError, match="batch_size of at least 2"):
        make("model.encoder.bn_gamma=0.5", "model.mle.batch_size=1")
    assert make("model.encoder.bn_gamma=0.5", "model.mle.batch_size=2")
    assert make("model.encoder.bn_gamma=0", "model.mle.batch_size=1")
