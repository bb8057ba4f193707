"""precision=bf16: autocast of the forward passes; weights, sums and probabilities stay fp32."""

import math
from pathlib import Path

import pytest
import torch

from gantext import data
from gantext.config.compose import compose
from gantext.config.settings import Device, Precision, Settings
from gantext.data.batches import Batches
from gantext.inference.likelihood import likelihood_of
from gantext.inference.sampling import sample_texts
from gantext.models.build import build, task_of
from gantext.models.contract import Judge
from gantext.models.gan import GAN
from gantext.models.leakgan.model import LeakGAN
from gantext.models.vae.model import VAE
from gantext.nn.rng import generator
from gantext.nn.text.rewards import returns_to_go
from gantext.nn.text.sampling import SamplingOptions
from gantext.runs.folder import RunDir
from gantext.runs.trained import restore
from gantext.training.stepper import autocast
from gantext.training.tracker import to_floats
from tests.conftest import SMALL_GAN, SMALL_LEAKGAN, SMALL_VAE, Command

CPU = torch.device("cpu")


def settings(*words: str) -> Settings:
    return compose([*SMALL_GAN, *words])


def made(*words: str) -> tuple[Settings, GAN, Batches[torch.Tensor]]:
    chosen = settings(*words)
    corpus = data.load(chosen.data)
    algorithm = build(chosen.model, chosen.seed, task_of(corpus, CPU))
    assert isinstance(algorithm, GAN)
    return chosen, algorithm, Batches(corpus.train, 1)


def first_losses(precision: str, *words: str) -> dict[str, float]:
    """The losses of the first step of each phase, one after the other."""
    chosen, algorithm, batches = made(f"precision={precision}", *words)
    rng, found = generator(1, "noise", CPU), {}
    for phase in algorithm.phases():
        with autocast(chosen, CPU):
            metrics = to_floats(phase.step(batches.next(phase.rows), rng))
        assert all(map(math.isfinite, metrics.values())), metrics
        found |= {f"{phase.name}/{key}": metrics[key] for key in LOSSES & metrics.keys()}
    for network in algorithm.networks().values():
        assert {p.dtype for p in network.parameters()} == {torch.float32}
    return found


LOSSES = {"nll", "d_loss", "d_real", "d_fake", "entropy", "reward"}
VARIANTS = [
    [],
    ["model.adversarial.reward=prefix"],
    ["model.adversarial.baseline=critic", "model.adversarial.rollout_lag=0.8"],
    ["model.adversarial.reward=prefix", "model.adversarial.baseline=critic"],
    ["model.adversarial.baseline=ema", "model.adversarial.reward_scale=rank"],
    ["model.generator.tie_weights=false", "model.generator.layers=2"],
    ["model.generator.arch=transformer", "model.generator.transformer.width=16"],
]


@pytest.mark.parametrize("words", VARIANTS, ids=" ".join)
def test_the_first_losses_are_those_of_fp32(words: list[str]) -> None:
    """Within 5%; and not the same, or bf16 would not be on."""
    exact, found = first_losses("fp32", *words), first_losses("bf16", *words)
    assert {"mle/nll", "discriminator/d_loss", "adversarial/entropy"} <= found.keys()
    assert found == pytest.approx(exact, rel=0.05)
    assert found != exact


def test_a_run_trains_samples_and_is_scored(cli: Command, tmp_path: Path) -> None:
    found = cli("train", *SMALL_GAN, "precision=bf16", "name=half")
    assert found.code == 0, found.err
    run = RunDir(tmp_path / "runs" / "half")
    rows = run.metrics()
    assert {row["phase"] for row in rows} == {"mle", "discriminator", "adversarial"}
    # The deviation of a single kept value is NaN; nothing else may be.
    assert all(math.isfinite(v) for row in rows for v in row.values() if isinstance(v, float))
    result = run.result
    assert result is not None
    assert all(math.isfinite(s["value"]) for s in result["scores"] if s["name"] == "nll-test")
    assert cli("sample", "half", "-n", "3").code == 0
    assert cli("eval", "bleu", "half", "-n", "10").code == 0
    back = restore(run, Device.cpu)
    weights = [p for net in back.algorithm.networks().values() for p in net.parameters()]
    assert {weight.dtype for weight in weights} == {torch.float32}


def test_sampling_and_scores_work_inside_autocast() -> None:
    """Probabilities are fp32; log p within 2% of fp32's."""
    chosen, algorithm, _ = made("precision=bf16")
    corpus, rng = data.load(chosen.data), generator(1, "sampling", CPU)
    exact = likelihood_of(algorithm, corpus.test, CPU)
    model, tokens = algorithm.generator, corpus.test.tokens.padded()
    assert isinstance(algorithm, Judge)
    with autocast(chosen, CPU):
        for options in (SamplingOptions(), SamplingOptions(0.0), SamplingOptions(0.7, 5, 0.9)):
            lines, _ = sample_texts(algorithm, corpus.vocabulary, 7, rng, options, 5)
            assert len(lines) == 7
        state = model.advance(model.start(4), torch.tensor([4, 5, 6, 7]))
        assert {part.dtype for part in state} == {torch.float32}
        assert model.logits(state).dtype == torch.float32
        assert model.token_log_prob(tokens).dtype == torch.float32
        assert algorithm.discriminator.score(tokens).dtype == torch.float32
        assert likelihood_of(algorithm, corpus.test, CPU) == pytest.approx(exact, rel=0.02)


def test_weights_are_cast_anew_after_each_update() -> None:
    """Two discriminator updates in one autocast context equal one context for each; with
    autocast's cache the second update would see the weights from before the first."""
    results = []
    for contexts in (1, 2):
        chosen, algorithm, batches = made("precision=bf16", "model.d_training.learning_rate=0.1")
        real, rng = batches.next(8), generator(1, "noise", CPU)
        for _ in range(contexts):
            with autocast(chosen, CPU):
                for _ in range(2 // contexts):
                    loss = algorithm.d_step(real, rng)["d_loss"]
        results.append(float(loss))
    assert results[0] == results[1]


def test_returns_are_summed_in_fp32() -> None:
    rewards = torch.rand(5, 7, generator=torch.Generator().manual_seed(1))
    valid = torch.ones(5, 7, dtype=torch.bool)
    exact = returns_to_go(rewards, valid, 0.9)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(returns_to_go(rewards, valid, 0.9), exact)


def test_fp32_is_no_autocast() -> None:
    assert settings("precision=fp32").precision is Precision.fp32
    with autocast(settings("precision=fp32"), CPU):
        assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("tie", ["true", "false"])
def test_leakgan_in_bf16(tie: str) -> None:
    """The first losses are within 5% of fp32's, and not the same; a policy's state is fp32."""
    losses = []
    for precision in ("fp32", "bf16"):
        words = [f"precision={precision}", f"model.generator.tie_weights={tie}"]
        chosen = compose([*SMALL_LEAKGAN, *words])
        corpus = data.load(chosen.data)
        algorithm = build(chosen.model, chosen.seed, task_of(corpus, CPU))
        assert isinstance(algorithm, LeakGAN)
        batches, rng = Batches(corpus.train, 1), generator(1, "noise", CPU)
        found = {}
        with autocast(chosen, CPU):
            for phase in algorithm.phases():
                metrics = to_floats(phase.step(batches.next(phase.rows), rng))
                assert all(map(math.isfinite, metrics.values())), metrics
                found |= {k: v for k, v in metrics.items() if k in {"nll", "d_loss", "entropy"}}
            policy = algorithm.generator
            state = policy.advance(policy.start(4), torch.tensor([4, 5, 6, 7]))
            assert {part.dtype for part in state} == {torch.float32, torch.int64}
            assert policy.logits(state).dtype == torch.float32
            assert policy.token_log_prob(corpus.test.tokens.padded()).dtype == torch.float32
        losses.append(found)
    assert losses[1] == pytest.approx(losses[0], rel=0.05) and losses[1] != losses[0]


@pytest.mark.parametrize("gamma", [0.0, 0.6])
def test_the_vae_in_bf16(gamma: float) -> None:
    """The first losses are within 5% of fp32's, and not the same; posteriors, a policy's state and
    probabilities are fp32."""
    losses = []
    for precision in ("fp32", "bf16"):
        chosen = compose([*SMALL_VAE, f"precision={precision}", f"model.encoder.bn_gamma={gamma}"])
        corpus = data.load(chosen.data)
        algorithm = build(chosen.model, chosen.seed, task_of(corpus, CPU))
        assert isinstance(algorithm, VAE)
        batches, rng = Batches(corpus.train, 1), generator(1, "noise", CPU)
        found = {}
        with autocast(chosen, CPU):
            for phase in algorithm.phases():
                metrics = to_floats(phase.step(batches.next(phase.rows), rng))
                assert all(map(math.isfinite, metrics.values())), metrics
                found |= {f"{phase.name}/{k}": metrics[k] for k in metrics.keys() & VAE_LOSSES}
            mu, log_var = algorithm.encode(corpus.test.tokens.padded())
            policy = algorithm.policy(mu)
            state = policy.advance(policy.start(len(mu)), corpus.test.tokens.padded()[:, 0])
            assert {part.dtype for part in (mu, log_var, *state)} == {torch.float32}
            assert policy.logits(state).dtype == torch.float32
            assert algorithm.log_prob_given(corpus.test.tokens.padded(), mu).dtype == torch.float32
            assert math.isfinite(likelihood_of(algorithm, corpus.test, CPU))
        losses.append(found)
    assert losses[1] == pytest.approx(losses[0], rel=0.05) and losses[1] != losses[0]


VAE_LOSSES = {"loss", "nll_bound", "reconstruction"}
