"""SentiGAN: its losses and penalties by hand and by enumeration, and what it does with classes."""

import dataclasses
import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from gantext.config.compose import compose
from gantext.data.labelled import LabelledBatch
from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.errors import UserError
from gantext.models import sentigan
from gantext.models.contract import Task
from gantext.models.sentigan import Baseline
from gantext.nn.text.adversary import ByLooks
from gantext.nn.text.rollouts import valid_lengths
from gantext.nn.text.sampling import SamplingOptions, decode

CPU = torch.device("cpu")
WORDS, T = 6, 3  # the words 4 and 5, <eos>, and <unk>, which gets no probability here
CONFIG = compose(
    [
        "model=sentigan",
        "model.generator.embedding=8",
        "model.generator.hidden=8",
        "model.discriminator.filters=[4,4,4,4]",
        "model.mle.epochs=100",
        "model.mle.warmup_steps=0",
        "model.mle.learning_rate=0.05",
        "model.adversarial.batch_size=8",
        "model.d_training.batch_size=8",
    ]
).model


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(counts: tuple[int, ...] = (9, 3), **adversarial: Any) -> sentigan.SentiGAN:
    changed = dataclasses.replace(CONFIG.adversarial, **adversarial)
    rare = torch.zeros(WORDS, dtype=torch.bool)
    task = Task(WORDS, T, sum(counts), rare, CPU, class_counts=counts)
    return sentigan.build(dataclasses.replace(CONFIG, adversarial=changed), task, rng(3))


@torch.no_grad()
def let_write(model: Any, eos: float, four: float, five: float) -> None:
    """Let a model write <eos>, 4 and 5 with these probabilities, whatever it has read."""
    for weight in model.parameters():
        weight.zero_()
    for word, p in {EOS: eos, 4: four, 5: five, UNK: 1e-30}.items():
        model.output.bias[word] = math.log(p)


def all_sentences() -> Tensor:
    """Every one over 4 and 5: those that end within T words, and those cut there."""
    ended = [
        [*words, EOS, *[PAD] * (T - 1 - n)]
        for n in range(T)
        for words in itertools.product((4, 5), repeat=n)
    ]
    return torch.tensor([*ended, *itertools.product((4, 5), repeat=T)])


def test_the_discriminator_s_loss_by_hand() -> None:
    """Two classes and generated, logits log 1, log 2, log 1: a real sentence of the second costs
    -log 2/4, a generated one -log 1/4; half the sum is 3/2 log 2. Real: log (1 + 2) / 1."""
    logits = torch.tensor([[1.0, 2.0, 1.0]]).log()
    loss = sentigan.discriminator_loss(logits, torch.tensor([1]), logits)
    assert loss.item() == pytest.approx(1.5 * math.log(2))
    assert sentigan.real_logit(logits).item() == pytest.approx(math.log(3))
    assert sentigan.real_logit(logits[0]).item() == pytest.approx(math.log(3))


def test_the_generator_s_loss_by_hand() -> None:
    """G = (1/4 <eos>, 1/2, 1/4), "4 5 <eos>" with penalties .2, .4, .8: by 4's score (3) has the
    gradient G(4) (1 - G(4)) .2 - G(4) G(5) .4 - G(4) G(<eos>) .8 = .05 - .05 - .1, divided by
    2 rows of at most 3 words. <unk>, which no sample has, has no share of these."""
    model = make().model_of(0)
    let_write(model, 1 / 4, 1 / 2, 1 / 4)
    with torch.no_grad():
        model.output.bias[UNK] = 0.0
    written, penalties = torch.tensor([[4, 5, EOS]]), torch.tensor([[0.2, 0.4, 0.8]])
    sentigan.penalty_loss(model, written, penalties, 2, T).backward()
    gradient = model.output.bias.grad
    assert gradient is not None
    assert gradient[4].item() == pytest.approx(-0.1 / 6)


def test_equal_penalties_without_a_baseline_make_all_words_alike() -> None:
    """The expectation of (3)'s gradient at equal V is V/2 that of sum_x G(x)^2: by 4's score
    V G(4) (G(4) - sum_x G(x)^2), for G = (1/4, 1/2, 1/4) and V = 1 .5 (.5 - .375) a word."""
    model = make().model_of(0)
    let_write(model, 1 / 4, 1 / 2, 1 / 4)
    total = 0.0
    for word, p in ((EOS, 1 / 4), (4, 1 / 2), (5, 1 / 4)):
        model.zero_grad()
        sentigan.penalty_loss(model, torch.tensor([[word]]), torch.ones(1, 1), 1, T).backward()
        assert model.output.bias.grad is not None
        total += p * model.output.bias.grad[4].item()
    assert total == pytest.approx(0.0625 / T)


def test_a_penalty_is_the_expected_one_of_what_may_follow() -> None:
    """V of a first word is the mean of 1 - D_c over its continuations by their probabilities."""
    model = make(rollouts=4000)
    let_write(model.model_of(1), 1 / 4, 1 / 2, 1 / 4)
    with torch.no_grad():
        model.discriminator.output.weight.mul_(20)
    sentences = all_sentences()
    p = model.model_of(1).token_log_prob(sentences).sum(1).exp()
    d = model.discriminator.all_logits(sentences).softmax(1)[:, 1]
    begins = sentences[:, 0] == 4
    expected = ((1 - d) * p)[begins].sum() / p[begins].sum()
    tokens = torch.tensor([[4, 5, 4]])
    found = model.penalties(tokens, torch.tensor([1]), valid_lengths(tokens), rng(1))
    assert found[0, 0].item() == pytest.approx(expected.item(), abs=0.01)
    last = model.discriminator.all_logits(tokens).softmax(1)[0, 1]
    assert found[0, 2].item() == pytest.approx(1 - last.item())


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        (Baseline.none, [[0.5, 0.7, 0.1], [0.3, 0.2, 0.0]]),
        (Baseline.mean, [[0.2, 0.5, -0.15], [-0.2, -0.5, 0.0]]),
        (Baseline.previous, [[0.2, 0.2, -0.6], [-0.2, -0.1, 0.0]]),
    ],
)
def test_penalties_less_their_baseline(baseline: Baseline, expected: list[list[float]]) -> None:
    """mean: of the other sentence at that step, or all of its words where it has ended, .25;
    previous: the word before, at the first word as mean."""
    model = make(baseline=baseline, standardise=False, rollout_every=1)
    penalties = torch.tensor([[0.5, 0.7, 0.1], [0.3, 0.2, 0.0]])
    valid = torch.tensor([[True, True, True], [True, True, False]])
    found = model.less_baseline(penalties, valid)
    torch.testing.assert_close(found, torch.tensor(expected))


def test_each_class_is_written_by_its_own_generator() -> None:
    model = make()
    let_write(model.model_of(0), 0.01, 0.98, 0.01)
    let_write(model.model_of(1), 0.01, 0.01, 0.98)
    labels = torch.tensor([1, 0, 0, 1] * 50)
    tokens = model.sample_of(labels, rng(), SamplingOptions())
    assert (tokens[labels == 0] == 4).float().mean() > 0.9
    assert (tokens[labels == 1] == 5).float().mean() > 0.9
    drawn = model.sample(2000, rng(), SamplingOptions())[:, 0]
    assert (drawn == 4).float().mean().item() == pytest.approx(0.74, abs=0.03)


def test_the_likelihood_is_that_of_the_mixture() -> None:
    """3/4 of one class, that writes 4 with .6, and 1/4 of one that does with .2: .75 .6^3 +
    .25 .2^3 of "4 4 4"; all sentences together have 1. Written word by word it is the same."""
    model = make()
    let_write(model.model_of(0), 0.2, 0.6, 0.2)
    let_write(model.model_of(1), 0.2, 0.2, 0.6)
    found = model.log_prob(torch.tensor([[4, 4, 4]]))
    assert found.exp().item() == pytest.approx(0.75 * 0.6**3 + 0.25 * 0.2**3)
    sentences = all_sentences()
    total = model.log_prob(sentences)
    assert total.exp().sum().item() == pytest.approx(1, abs=1e-5)
    policy, by_word = model.writer(len(sentences), rng()), torch.zeros(len(sentences))
    state = policy.start(len(sentences))
    for words in sentences.unbind(1):
        step = policy.logits(state).gather(1, words[:, None])[:, 0]
        by_word += step.masked_fill(words == PAD, 0)
        state = policy.advance(state, words)
    torch.testing.assert_close(by_word, total)
    first = decode(policy, 4000, T, rng(), SamplingOptions())[:, 0]
    assert (first == 4).float().mean().item() == pytest.approx(0.5, abs=0.03)


def test_a_class_without_training_sentences_is_never_drawn() -> None:
    model = make((3, 0, 3))
    let_write(model.model_of(1), 0.01, 0.98, 0.01)
    for label in (0, 2):
        let_write(model.model_of(label), 0.49, 1e-9, 0.51)
    assert not bool((model.sample(300, rng(), SamplingOptions()) == 4).any())
    assert math.isfinite(float(model.log_prob(torch.tensor([[5, 5, 5]]))))


def test_the_discriminator_says_the_class() -> None:
    """Log-probabilities of the real classes alone, whatever it thinks of being real."""
    found = make().class_log_prob(all_sentences())
    assert found.shape == (15, 2)
    torch.testing.assert_close(found.exp().sum(1), torch.ones(15))


def test_it_learns_classes() -> None:
    """4s of the first class and 5s of the other: after some steps each phase knows them."""
    model = make((8, 8), steps=5)
    tokens = torch.tensor([[4, 4, EOS], [5, 5, EOS]] * 4)
    batch = LabelledBatch(tokens, torch.tensor([0, 1] * 4))
    for _ in range(60):
        found = model.mle_step(batch, rng())
        model.d_step(batch, rng())
    assert float(found["nll"]) < 0.7
    assert model.class_log_prob(tokens).argmax(1).tolist() == [0, 1] * 4
    for _ in range(3):
        metrics = model.adversarial_step(
            LabelledBatch(tokens.repeat(2, 1), batch.labels.repeat(2)), rng()
        )
    assert math.isfinite(float(metrics["g_loss"]))


TOKENS = torch.tensor([[4, 4, EOS], [5, EOS, PAD], [EOS, PAD, PAD], [5, EOS, PAD]])
BATCH = LabelledBatch(TOKENS.repeat(2, 1), torch.tensor([0, 1] * 4))


@pytest.mark.parametrize("counts", [(), (9,), (0, 0)])
def test_without_two_classes_of_sentences_it_is_refused(counts: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="needs sentences of 2 classes at least"):
        make(counts)


def test_a_class_s_rows_are_cut_at_its_longest_sentence() -> None:
    found = sentigan._of_classes(TOKENS, torch.tensor([1, 0, 1, 0]), valid_lengths(TOKENS))
    seen = [(label, rows.tolist(), own.tolist()) for label, rows, own in found]
    assert seen == [(0, [1, 3], [[5, EOS], [5, EOS]]), (1, [0, 2], [[4, 4, EOS], [EOS, PAD, PAD]])]


def test_samples_are_cut_at_the_longest_before_they_are_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, seen = make(), []
    monkeypatch.setattr(model, "penalties", lambda tokens, *rest: seen.append(tokens) or tokens * 0)
    model.g_loss(TOKENS[1:], torch.tensor([0, 1, 1]), rng())
    assert torch.equal(seen[0], TOKENS[1:, :2])


def norm(trusted: bool = True, **adversarial: Any) -> float | None:
    """Of the gradient of a generator's step; None: there is none."""
    model = make(**{"mle_weight": 0.0, "penalty_weight": 0.0, **adversarial})
    model.held_out.trusted = trusted
    found = model.g_step(BATCH, rng(1))
    penalised = trusted and bool(model.config.adversarial.penalty_weight)
    assert ("g_loss" in found) == ("reward" in found) == penalised
    return float(found["g_grad_norm"]) if found else None


def test_each_part_of_the_generator_s_loss_has_its_weight_and_may_be_left_out() -> None:
    """Penalties are left out, too, while the discriminator is worth nothing."""
    assert norm() is None and norm(False, penalty_weight=1.0) is None
    for part in ("penalty_weight", "mle_weight"):
        once, thrice = norm(**{part: 1.0}), norm(**{part: 3.0})
        assert once and thrice == pytest.approx(3 * once, rel=1e-3)
    alone = norm(mle_weight=1.0)
    assert norm(False, penalty_weight=1.0, mle_weight=1.0) == alone
    assert norm(penalty_weight=1.0, mle_weight=1.0) != alone


def test_each_step_has_real_sentences_of_its_own() -> None:
    """The generator's come first, then those of the discriminator's steps."""
    config = dataclasses.replace(CONFIG.d_training, batch_size=2, steps=3)
    rare = torch.zeros(WORDS, dtype=torch.bool)
    task = Task(WORDS, T, 9, rare, CPU, class_counts=(6, 3))
    model = sentigan.build(dataclasses.replace(CONFIG, d_training=config), task, rng(3))
    seen: list[list[int]] = []
    for name in ("g_step", "d_step"):
        setattr(model, name, lambda batch, noise: seen.append(batch.labels.tolist()) or {})
    model.adversarial_step(LabelledBatch(TOKENS[:1].expand(14, -1), torch.arange(14)), rng())
    assert seen == [list(range(8)), [8, 9], [10, 11], [12, 13]]
    assert model.adversarial_steps == 1 and model.held_out.played == 1


def test_decisions_by_looks_need_looks() -> None:
    training = dataclasses.replace(CONFIG.d_training, balance=ByLooks.held_out, look_every=0)
    config = dataclasses.replace(CONFIG, d_training=training)
    task = Task(WORDS, T, 12, torch.zeros(WORDS, dtype=torch.bool), CPU, class_counts=(9, 3))
    with pytest.raises(UserError, match="look_every=0: balance=held_out decides by looks"):
        sentigan.build(config, task, rng(3))
