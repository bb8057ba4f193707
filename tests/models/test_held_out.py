"""gan and leakgan with looks at held-out sentences: exact, and what is decided is done."""

import copy
import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from gantext import models
from gantext.config.compose import compose
from gantext.data.vocabulary import EOS
from gantext.metrics.two_classes import Calibration, Held
from gantext.models.contract import Task
from gantext.nn.state import check_like
from gantext.nn.text.adversary import Balance
from gantext.nn.text.held_out import LOSS, POLICY_ON
from gantext.training.probe import unjudged

CPU = torch.device("cpu")
WORDS, T = 9, 4
TINY = [
    "model.generator.embedding=4",
    "model.generator.hidden=4",
    "model.discriminator.embedding=3",
    "model.discriminator.widths=[1,2]",
    "model.discriminator.filters=[3,3]",
    "model.mle.epochs=1",
    "model.mle.batch_size=4",
    "model.d_training.batch_size=6",
    "model.d_training.look_every=2",
    "model.judge.kind=cnn",
    "model.adversarial.steps=4",
    "model.adversarial.batch_size=5",
    "model.adversarial.rollouts=1",
]
OF_CNN = ("model.discriminator", "model.judge", "model.adversarial.rollouts")
OF_MODEL = {
    "gan": ["model=gan", *TINY, "model.d_training.pretrain_steps=5"],
    "leakgan": [
        *("model=leakgan", *TINY, "model.generator.manager_hidden=4"),
        *("model.generator.goal_size=2", "model.d_training.pretrain_steps=5"),
        *("model.d_training.pretrain_batch_size=4", "model.d_training.alone_steps=4"),
    ],
    "dpgan": [
        *["model=dpgan", *(word for word in TINY if not word.startswith(OF_CNN))],
        *("model.d_training.pretrain_steps=5", "model.d_training.steps=1"),
    ],
}
both = pytest.mark.parametrize("name", ["gan", "leakgan"])
each = pytest.mark.parametrize("name", OF_MODEL)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sentences(count: int, seed: int) -> Tensor:
    """Of three words that rise, and their ends."""
    words = torch.randint(4, WORDS, (count, T - 1), generator=rng(seed)).sort(1).values
    return torch.cat([words, torch.full((count, 1), EOS)], 1)


@functools.cache
def config_of(name: str) -> Any:
    return compose(OF_MODEL[name]).model


def make(name: str, watched: bool = True, **values: Any) -> Any:
    """A model; `values` are of d_training, or of `adversarial`."""
    config = config_of(name)
    for group in ("d_training", "adversarial"):
        old = getattr(config, group)
        own = {key: value for key, value in values.items() if hasattr(old, key)}
        config = dataclasses.replace(config, **{group: dataclasses.replace(old, **own)})
    rare = torch.zeros(WORDS, dtype=torch.bool)
    task = Task(WORDS, T, 24, rare, CPU, held_out=sentences(12, 1))
    return models.module(name).build(config, task if watched else unjudged(task), rng(3))


Steps = Iterator[tuple[str, int, dict[str, Any]]]


def steps(model: Any, noise: torch.Generator, skipped: int = 0) -> Steps:
    """The steps of all phases but the first so many: the phase, the number of all, the metrics."""
    number = 0
    for phase in model.phases():
        for _ in range(phase.steps):
            if number >= skipped:
                yield phase.name, number, phase.step(sentences(phase.rows, 10 + number), noise)
            number += 1


def weights(model: Any) -> dict[str, Tensor]:
    return {
        f"{role}.{key}": value.clone()
        for role, network in model.networks().items()
        for key, value in network.state_dict().items()
    }


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert not [key for key, value in one.items() if not torch.equal(value, other[key])]


@both
def test_with_balance_fixed_looks_change_no_bit(name: str) -> None:
    ends, noises, losses = [], [], []
    for every in (0, 2):
        noise = rng(5)
        model = make(name, balance=Balance.fixed, look_every=every)
        seen = [metrics for _, _, metrics in steps(model, noise)]
        losses.append([found[LOSS] for found in seen if LOSS in found])
        assert not any(POLICY_ON in found for found in seen)
        ends.append(weights(model))
        noises.append(noise.get_state())
    assert_same(*ends)
    assert torch.equal(*noises) and losses[0] == [] and len(losses[1]) > 3


@both
def test_a_resume_amid_any_phase_is_exact(name: str) -> None:
    """With looks that decide: what was kept, waited for and trusted is part of the state."""
    straight, noise = make(name, patience=2), rng(5)
    kept: dict[int, tuple[Any, Tensor]] = {}
    seen = []
    for _, number, metrics in steps(straight, noise):
        seen.append(metrics)
        kept[number + 1] = copy.deepcopy(straight.state_dict()), noise.get_state()
    for begun in (4, 9, len(kept) - 3):
        again, after = make(name, patience=2), rng()
        state, drawn = kept[begun]
        check_like(again.held_out.state_dict(), straight.held_out.state_dict())
        again.load_state_dict(copy.deepcopy(state))
        after.set_state(drawn)
        rest = [metrics for *_, metrics in steps(again, after, begun)]
        assert_same(weights(straight), weights(again))
        assert [found.get(LOSS) for found in rest] == [found.get(LOSS) for found in seen[begun:]]
    assert len([found for found in seen if LOSS in found]) > 6


def shuffle(model: Any) -> None:
    """Let D learn from sentences whose kind is not the one that it is told."""
    for trainer in {
        getattr(model, key) for key in ("d_trainer", "d_pretrainer") if hasattr(model, key)
    }:
        trainer.step = _of_shuffled(trainer.step)


def _of_shuffled(step: Callable[..., Any]) -> Callable[..., Any]:
    def shuffled(real: Tensor, fake: Tensor, noise: torch.Generator) -> Any:
        half = min(len(real), len(fake)) // 2
        mixed = torch.cat([real[:half], fake[half:]]), torch.cat([fake[:half], real[half:]])
        return step(*mixed, noise)

    return shuffled


@both
def test_a_judge_that_knows_nothing_rewards_nothing(name: str) -> None:
    """Labels shuffled: without likelihood beside it the generator stays as it is, D learns on."""
    model = make(name, mle_weight=0.0, mle_every=0)
    shuffle(model)
    before: dict[str, Tensor] = {}
    learned = []
    for phase, _, metrics in steps(model, rng(5)):
        if phase != "adversarial":
            before = weights(model)
            model.held_out.news()
            continue
        assert metrics[POLICY_ON] == 0 and "reward" not in metrics and "d_loss" in metrics
        moved = {k.partition(".")[0] for k, v in weights(model).items() if (v != before[k]).any()}
        learned.append(moved)
    # Where a look finds it worse than it was, that goes on.
    assert learned[0] == learned[2] == {"discriminator"} and learned[1] | learned[3] <= learned[0]
    said = model.held_out.news()
    assert len(said) == 1 and said[0].startswith("the policy gradient is off: ")
    assert model.held_out.share == 0


def plant(model: Any, losses: list[float]) -> None:
    """What the looks to come find, of the present and, from a phase's second look on, of the kept
    weights."""
    values = iter(losses)
    model.held_out._worth = lambda samples: Held(next(values), 0.01, 0.7, Calibration(1, 0), 9, 9)


@each
def test_it_is_looked_at_where_a_phase_begins_every_second_step_and_after_the_last(
    name: str,
) -> None:
    """D makes five steps: of gan and dpgan one in each, of leakgan none in the first of six."""
    model = make(name, patience=0)
    phase = model.phases()[0 if name == "leakgan" else 1]
    seen = [LOSS in phase.step(sentences(phase.rows, i), rng(i)) for i in range(phase.steps)]
    assert seen == [False] * (name == "leakgan") + [True, True, False, True, True]


@each
def test_planted_losses_turn_the_policy_off_and_on(name: str) -> None:
    """Looks before the phase, and after its steps 2 and 4: .69 is too near to ln 2, .6 is not."""
    model = make(name)
    adversarial = model.phases()[-1]
    plant(model, [0.69, 0.60, 0.69, 0.68, 0.69])
    found = [adversarial.step(sentences(adversarial.rows, i), rng(i)) for i in range(4)]
    assert [metrics[POLICY_ON] for metrics in found] == [0, 0, 1, 1]
    assert ["reward" in metrics for metrics in found] == [False, False, True, True]
    said = model.held_out.news()
    assert [line.partition(":")[0] for line in said] == [
        f"the policy gradient is {turned}" for turned in ("off", "on again", "off")
    ]
    assert model.held_out.share == 0.5


def test_gan_stops_its_discriminator_by_planted_losses() -> None:
    """Looks at steps 0, 2 and 4: with a patience of 1 the second better one of the kept ends it."""
    model = make("gan", patience=1, pretrain_steps=9)
    phase = model.phases()[1]
    plant(model, [0.7, 0.6, 0.7, 0.65, 0.61])
    stopped_at = {}
    for step in range(1, 5):
        assert phase.ended() is None
        phase.step(sentences(phase.rows, step), rng(step))
        stopped_at[step] = weights(model)
    assert phase.ended() == (LOSS, 0.6, 2, None)
    own = {key: value for key, value in stopped_at[2].items() if "discriminator" in key}
    assert_same(own, {key: stopped_at[4][key] for key in own})


def test_a_discriminator_that_knows_nothing_yet_goes_on_learning() -> None:
    """It was worth as little before its first step: there is nothing to keep."""
    model = make("gan", patience=1, pretrain_steps=9)
    phase = model.phases()[1]
    plant(model, [0.69, 0.7, 0.69, 0.7, 0.69])
    for step in range(1, 5):
        phase.step(sentences(phase.rows, step), rng(step))
        assert phase.ended() is None


def test_leakgan_stops_its_discriminator_and_keeps_what_the_generator_reads() -> None:
    """In pretraining: 5 steps of D beside 6 of the generator. The kept weights go on in D, those
    that the generator reads stay as they were at its last step, and D makes no other steps."""
    model = make("leakgan", patience=1, look_every=1)
    phase = model.phases()[0]
    plant(model, [0.7, 0.6, 0.7, 0.65, 0.61])
    found, discriminators = [], []
    for step in range(phase.steps):
        found.append(phase.step(sentences(phase.rows, step), rng(step)))
        discriminators.append(weights(model))
    made = [step for step, metrics in enumerate(found) if "d_loss" in metrics]
    assert len(made) == 2 and len(found) == 6 and "nll" in found[-1]
    own = {key: value for key, value in discriminators[made[0]].items() if "discriminator" in key}
    assert_same(own, {key: discriminators[-1][key] for key in own})
    read, judging = model.leak.state_dict(), model.discriminator.state_dict()
    assert any(not torch.equal(value, judging[key]) for key, value in read.items())
    assert model.held_out.news()[0].startswith("the discriminator stops after 2 of its steps in")


@both
def test_a_probe_times_steps_with_a_policy_gradient(name: str) -> None:
    model = make(name, watched=False)
    phase = model.phases()[-1]
    assert "reward" in phase.step(sentences(phase.rows, 1), rng())
    assert "does what fixed does" in model.notes()[0]
