"""Cooperative training: its losses by hand and by enumeration, its stop, and that it learns."""

import dataclasses
import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from gantext.config.compose import compose
from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.models import cot
from gantext.models.contract import Task
from gantext.nn.text.language_model import LanguageModel

CPU = torch.device("cpu")
WORDS, T = 6, 3  # the words 4 and 5, <eos>, and <unk>, which gets no probability here
CONFIG = compose(
    [
        "model=cot",
        "model.generator.embedding=8",
        "model.generator.hidden=8",
        "model.cooperative.batch_size=8",
        "model.cooperative.learning_rate=0.05",
        "model.cooperative.final_rate=0.5",
    ]
).model


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(held_out: Tensor | None = None, **of_mediator: Any) -> cot.CoT:
    mediator = dataclasses.replace(CONFIG.mediator, **of_mediator)
    rare = torch.zeros(WORDS, dtype=torch.bool)
    task = Task(WORDS, T, 24, rare, CPU, held_out=held_out)
    return cot.build(dataclasses.replace(CONFIG, mediator=mediator), task, rng(3))


@torch.no_grad()
def let_write(model: LanguageModel, eos: float, four: float, five: float) -> None:
    """Let a model write <eos>, 4 and 5 with these probabilities, whatever it has read."""
    for weight in model.parameters():
        weight.zero_()
    odds = {EOS: eos, 4: four, 5: five, UNK: 1e-30}
    for word, p in odds.items():
        model.output.bias[word] = math.log(p)


def all_sentences() -> Tensor:
    """Every one over 4 and 5: those that end within T words, and those cut there."""
    ended = [
        [*words, EOS, *[PAD] * (T - 1 - n)]
        for n in range(T)
        for words in itertools.product((4, 5), repeat=n)
    ]
    return torch.tensor([*ended, *itertools.product((4, 5), repeat=T)])


def test_the_generator_s_loss_by_hand() -> None:
    """G = (1/4 <eos>, 1/2, 1/4), M = (1/4, 1/4, 1/2): at each word KL = 1/2 log 2 - 1/4 log 2; two
    sentences of 2 and 3 words, divided by 2 * T = 6: 5/24 log 2. Its gradient by G's score of 4 is
    5/6 G(4) (log G(4)/M(4) - KL) = 5/6 * 1/2 * 3/4 log 2, and M has none."""
    model = make()
    let_write(model.generator, 1 / 4, 1 / 2, 1 / 4)
    let_write(model.mediator, 1 / 4, 1 / 4, 1 / 2)
    written = torch.tensor([[4, EOS, PAD], [5, 4, 4]])
    loss = cot.following_loss(model.generator, model.mediator, written, T)
    loss.backward()
    assert loss.item() == pytest.approx(5 / 24 * math.log(2))
    gradient = model.generator.output.bias.grad
    assert gradient is not None
    assert gradient[4].item() == pytest.approx(5 / 16 * math.log(2))
    assert all(weight.grad is None for weight in model.mediator.parameters())


def test_the_generator_s_expected_loss_is_the_divergence_of_sentences() -> None:
    """sum_s G(s) sum_t KL_t = sum_s G(s) (log G(s) - log M(s)), by all sentences of two words."""
    model, sentences = make(), all_sentences()
    with torch.no_grad():
        for network in (model.generator, model.mediator):
            for weight in network.parameters():
                weight.mul_(4)
            network.output.bias[UNK] = -60
    losses = [
        cot.following_loss(model.generator, model.mediator, row[None], T).item()
        for row in sentences
    ]
    g, m = (net.token_log_prob(sentences).sum(1) for net in (model.generator, model.mediator))
    assert g.exp().sum().item() == pytest.approx(1, abs=1e-5)
    divergence = (g.exp() * (g - m)).sum().item()
    assert divergence > 0.01
    assert T * (g.exp() * torch.tensor(losses)).sum().item() == pytest.approx(divergence, rel=1e-4)


def test_the_mediator_s_loss_by_hand() -> None:
    """M = (1/4 <eos>, 1/4, 1/2): a real "4 <eos>" costs 4 log 2, a sample "5 5 <eos>" 4 log 2, over
    their 5 words; rows of other lengths are filled up."""
    model = make(dropout=0.0)
    let_write(model.mediator, 1 / 4, 1 / 4, 1 / 2)
    found = model.m_step(torch.tensor([[4, EOS]]), torch.tensor([[5, 5, EOS]]), rng())
    assert float(found["m_loss"]) == pytest.approx(8 / 5 * math.log(2))
    assert cot.mixed(torch.tensor([[4, EOS]]), torch.tensor([[5, 5, EOS]])).tolist() == [
        [4, EOS, PAD],
        [5, 5, EOS],
    ]


def test_the_mediator_is_the_generator_so_many_times() -> None:
    model = make(times=3, dropout=0.25)
    larger = model.mediator.config
    assert (larger.embedding, larger.hidden, larger.dropout) == (24, 24, 0.25)
    assert larger.tie_weights == CONFIG.generator.tie_weights


def test_the_mediator_is_larger_whatever_its_architecture_is() -> None:
    """The sizes that are not multiplied, and what is no size, are the generator's."""
    g = CONFIG.generator
    mediator = dataclasses.replace(CONFIG.mediator, times=3, dropout=0.25, word_dropout=0.125)
    found = mediator.network(g)
    own, of = found.transformer, g.transformer
    larger = {"width": 3 * of.width, "feed_forward": 3 * of.feed_forward, "dropout": 0.25}
    assert own == dataclasses.replace(of, **larger)
    own, of = found.relational, g.relational
    larger = {"embedding": 3 * of.embedding, "head_size": 3 * of.head_size, "dropout": 0.25}
    assert own == dataclasses.replace(of, **larger)
    lstm = {"embedding": 24, "hidden": 24, "dropout": 0.25, "word_dropout": 0.125}
    others = {"transformer": found.transformer, "relational": found.relational}
    assert found == dataclasses.replace(g, **lstm, **others)


def test_the_mediator_reads_as_many_of_the_samples_as_there_are_real_sentences() -> None:
    """Of 8 that the generator has learned by, beside 3 real ones the first 3."""
    model, seen = make(), list[Tensor]()
    model.plain_samples = lambda n, noise: all_sentences()[:n]  # type: ignore[method-assign]
    model.m_step = lambda real, samples, noise: seen.append(samples) or {}  # type: ignore[method-assign,func-returns-value]
    model.cooperative_step(torch.full((3, T), 4), rng())
    model.mediator_step(torch.full((2, T), 4), rng())
    assert [each.tolist() for each in seen] == [all_sentences()[:n].tolist() for n in (3, 2)]


def test_it_ends_where_the_mediator_forgets_held_out_sentences() -> None:
    """Held out is "5 5 5", to which M gives -log p of log 2, log 3 and log 2 a word, every second
    step: the first is the best, the next two are no better; G goes on as it was at the first."""
    model = make(torch.full((4, T), 5), look_every=2, patience=2)
    seen = []
    for five in (2, 3, 2):
        let_write(model.mediator, (1 - 1 / five) / 2, (1 - 1 / five) / 2, 1 / five)
        let_write(model.generator, 1 / 4, 1 / five, 3 / 4 - 1 / five)
        assert model.stop.waited_in_vain() is None
        seen += [model.stop.step(), model.stop.step()]
    looks = [{}, *({"m_nll_valid": pytest.approx(math.log(five))} for five in (2, 3, 2))]
    assert seen == [looks[0], looks[1], looks[0], looks[2], looks[0], looks[3]]
    assert model.stop.waited_in_vain() == ("m_nll_valid", pytest.approx(math.log(2)), 2, None)
    again = model.log_prob(torch.tensor([[4, 4, 4]]))
    assert again.item() == pytest.approx(3 * math.log(1 / 2))


@pytest.mark.parametrize("values", [{"look_every": 0}, {"patience": 0}])
def test_it_can_be_told_to_make_all_of_its_steps(values: dict[str, int]) -> None:
    model = make(torch.full((4, T), 5), **{"look_every": 1, "patience": 1, **values})
    for _ in range(3):
        found = model.cooperative_step(torch.full((4, T), 4), rng(1))
    assert model.stop.waited_in_vain() is None
    assert ("m_nll_valid" in found) == bool(values.get("look_every", 1))


def test_both_learning_rates_fall_along_a_cosine() -> None:
    """From 1 to 1/2 of .05 and .02 over 4 steps: 1, 1/2 + 1/4 (1 + cos 45 deg), 3/4 after them."""
    model = make(learning_rate=0.02)
    model.config = dataclasses.replace(
        model.config, cooperative=dataclasses.replace(model.config.cooperative, steps=4)
    )
    for share in (1, 0.5 + 0.25 * (1 + math.sqrt(0.5)), 0.75):
        model.cooperative_step(torch.full((4, T), 4), rng(1))
        (g,), (m,) = model.g_optimiser.param_groups, model.m_optimiser.param_groups
        assert (g["lr"], m["lr"]) == pytest.approx((0.05 * share, 0.02 * share))


def test_it_learns_a_distribution_without_likelihood() -> None:
    """Real text is "4 5 <eos>" and "5 <eos>", half and half: the best loss is log 2 a sentence, of
    single words by their frequencies 2.6. G only ever sees the mediator, and comes under 1."""
    real = torch.tensor([[4, 5, EOS], [5, EOS, PAD]]).repeat(2, 1)
    model, noise = make(learning_rate=0.05), rng(5)
    before = -model.log_prob(real).mean().item()
    for _ in range(80):
        model.cooperative_step(real, noise)
    after = -model.log_prob(real).mean().item()
    assert before > 3 and math.log(2) < after < 1
