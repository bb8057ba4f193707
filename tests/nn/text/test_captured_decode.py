"""The decode of a policy in memory that stays: the same sentences, whatever replays it."""

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import nn

from gantext.config.compose import compose
from gantext.data.vocabulary import PAD
from gantext.models.build import build
from gantext.models.contract import Task
from gantext.models.leakgan.generator import LeakGenerator
from gantext.models.leakgan.manager_worker import GoalSchedule
from gantext.models.vae.model import VAE
from gantext.models.vae.networks import Injection
from gantext.nn import cuda_graphs
from gantext.nn.rng import generator
from gantext.nn.text import captured_decode
from gantext.nn.text.captured_decode import Sampler, StaticDecode
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init, WordModel
from gantext.nn.text.sampling import SamplingOptions, decode
from tests.graphs import graphed as graphed  # a fixture
from tests.graphs import replaying
from tests.models.test_device import leak_generator

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
OPTIONS = [SamplingOptions(), SamplingOptions(0.7, 5, 0.9), SamplingOptions(0.0)]


def rng() -> torch.Generator:
    return generator(1, "a", CPU)


def leaking() -> LeakGenerator:
    made = leak_generator(GoalSchedule.sliding)
    made._leak[0].to(CUDA)
    return made


def language_model() -> LanguageModel:
    config = GeneratorConfig(6, 5, 2, True, 0.0, 0.0, Init.mixed)
    return LanguageModel(130, config, torch.Generator().manual_seed(1))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_draws_what_decode_draws(options: SamplingOptions) -> None:
    """Bit for bit, twice with one generator, and after the weights have changed."""
    model, length = language_model(), 9
    static = StaticDecode(model, (7, length), options, CPU)
    static.run()  # as a capture does, with weights of before
    one, two = generator(1, "a", CPU), generator(1, "a", CPU)
    for _ in range(2):
        for _ in range(2):
            wanted = decode(model, 7, length, two, options, compact=False)
            found = static.sample(one, replaying(static).replay)
            assert torch.equal(found, wanted)
        with torch.no_grad():
            model.output.weight.normal_(generator=generator(1, "weights", CPU))


@torch.no_grad()
def change_weights(model: nn.Module, seed: int) -> None:
    for weight in model.parameters():
        weight.normal_(0, 0.3, generator=generator(seed, "weights", CUDA))


def test_what_a_policy_keeps_is_made_before_it_is_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a capture it would be made anew in each replay, and lie where others write."""
    model, renewed = language_model(), list[int]()
    monkeypatch.setattr(model, "renew", renewed.append)
    static = StaticDecode(model, (7, 9), SamplingOptions(), CPU)
    assert renewed == [7]
    static.sample(rng(), lambda noise: None)
    assert renewed == [7, 7]


def test_without_a_gpu_it_goes_word_by_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_graphs, "captured", None)
    model, options = language_model(), SamplingOptions()
    sampler, wanted = Sampler(model, 5, graphs=True), decode(model, 3, 5, rng(), options)
    for _ in range(3):
        assert torch.equal(sampler(3, rng(), options), wanted)


def test_on_a_gpu_a_shape_is_captured_once(
    graphed: list[StaticDecode], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it comes for the second time; each of the latest few that were used is kept."""
    monkeypatch.setattr(cuda_graphs, "GRAPHS", 3)
    options = SamplingOptions()
    model = language_model().to(CUDA)
    sampler = Sampler(model, 4, graphs=True)
    one, two = generator(1, "a", CUDA), generator(1, "a", CUDA)
    for rows in (3, 2, 3, 3, 2):
        wanted = decode(model, rows, 4, two, options)
        assert torch.equal(sampler(rows, one, options).cpu(), wanted.cpu())
    assert [len(static.tokens) for static in graphed] == [3, 2]
    for rows in (4, 4, 3, 5, 5, 3, 2):  # of three the one that was used longest ago goes
        sampler(rows, one, options)
    assert [len(static.tokens) for static in graphed] == [3, 2, 4, 5, 2]


@pytest.mark.parametrize("made", [language_model, leaking], ids=["gan", "leakgan"])
@pytest.mark.parametrize("rows", [10, 20])
def test_rollouts_by_a_graph_are_those_without(
    graphed: list[StaticDecode], made: Callable[[], WordModel], rows: int
) -> None:
    """Bit for bit, before and after weights have changed, of few shapes: 5 words are 8, and 19 rows
    20, which look words up in a table, as fewer do not."""
    model, options = made().to(CUDA), SamplingOptions()
    plain, sampler = Sampler(model, 10, graphs=False), Sampler(model, 10, graphs=True)
    one, two = generator(1, "a", CUDA), generator(1, "a", CUDA)
    for asked in (rows, rows - 1, rows, rows - 1):
        given = torch.full((asked, 5), PAD, device=CUDA)
        given[:, :2], given[3, 2] = 5, 6
        wanted = plain.complete(given, 2, two, options).cpu()
        found = sampler.complete(given, 2, one, options).cpu()
        assert torch.equal(found, wanted) and wanted.shape == (asked, 5)
        assert torch.equal(torch.where(given.cpu() == PAD, PAD, found), given.cpu())
        change_weights(model, asked)
    shapes = [tuple(static.tokens.shape) for static in graphed]
    assert shapes == ([(10, 8), (9, 8)] if rows == 10 else [(20, 8)])


def test_rollouts_have_no_more_words_than_the_policy_writes(graphed: list[StaticDecode]) -> None:
    sampler = Sampler(language_model().to(CUDA), 7, graphs=True)
    given = torch.full((3, 5), 5, device=CUDA)
    for _ in range(2):
        found = sampler.complete(given, 5, generator(1, "a", CUDA), SamplingOptions())
        assert found.shape == (3, 5)
    assert [tuple(static.tokens.shape) for static in graphed] == [(3, 7)]


def test_sentences_by_a_graph_follow_the_weights_that_leak(graphed: list[StaticDecode]) -> None:
    """Also those of the discriminator alone, which are no weights of the generator."""
    model, options = leaking().to(CUDA), SamplingOptions()
    sampler = Sampler(model, 6, graphs=True)
    for rows in (10, 20):
        for seed in (1, 2, 3):
            wanted = decode(model, rows, 6, generator(1, "a", CUDA), options).cpu()
            assert torch.equal(sampler(rows, generator(1, "a", CUDA), options).cpu(), wanted)
            change_weights(model._leak[0], seed)
    assert len(graphed) == 2


def test_few_numbers_of_rows_are_captured() -> None:
    """An eighth more at most."""
    found = {rows: captured_decode._rounded(rows) for rows in range(1, 5000)}
    assert all(rows <= more <= 1.125 * rows for rows, more in found.items())
    assert [found[n] for n in (1, 15, 16, 17, 31, 33, 1025, 1340)] == [
        1,
        15,
        16,
        18,
        32,
        36,
        1152,
        1408,
    ]
    assert len(set(found.values())) < 90


@pytest.mark.parametrize("inject", list(Injection))
def test_sentences_of_latent_vectors_by_a_graph(
    graphed: list[StaticDecode], inject: Injection
) -> None:
    """Of other vectors at each replay, and after weights have changed."""
    model = vae_of(inject)
    for seed, options in itertools.product((1, 2, 3), OPTIONS):
        z = torch.randn(4, 3, generator=generator(seed, "z", CUDA), device=CUDA)
        wanted = decode(model.policy(z), 4, 6, generator(1, "a", CUDA), options).cpu()
        assert torch.equal(model.decode(z, generator(1, "a", CUDA), options).cpu(), wanted)
        change_weights(model.decoder, seed)
    assert len(graphed) == len(OPTIONS)


def vae_of(inject: Injection) -> VAE:
    config = compose(["model=vae", "model.latent_size=3", f"model.decoder.z_inject={inject.value}"])
    task = Task(130, 6, 10, torch.zeros(130, dtype=torch.bool), CUDA, graphs=True)
    made = build(config.model, 1, task)
    assert isinstance(made, VAE)
    return made
