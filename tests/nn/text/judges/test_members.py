"""Members of a judge: the rows of their steps, when they are refreshed, what calibrates them."""

import dataclasses
from unittest import mock

import pytest
import torch
from torch import Tensor

from gantext.data.vocabulary import UNK
from gantext.metrics.two_classes import fit
from gantext.nn.rng import generator
from gantext.nn.text.held_out import LOSS
from gantext.nn.text.judges import encoder, members
from gantext.nn.text.judges.config import Kind
from gantext.nn.text.judges.members import CnnMember, EncoderMember
from tests.nn.text.judges.characters import Characters
from tests.nn.text.judges.test_training import CONFIG, CPU, judge, others, sentences, written
from tests.nn.threaded_ranks import of_ranks


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of a pretrained encoder."""
    monkeypatch.setattr(encoder, "load_encoder", lambda folder, device: Characters())


def test_its_first_state_and_the_rows_of_a_step() -> None:
    """32 are given at least; a ratio's and an encoder's own if they are more. Refreshing takes the
    rows of its steps, where an encoder leads."""
    for kind, rows, beside, places in (
        (Kind.encoder, 32, 8, 4),
        (Kind.lm_ratio, 32, 0, 40),
        (Kind.mean, 32, 8, 4),
    ):
        trainer = judge(dataclasses.replace(CONFIG, kind=kind))
        assert (trainer.rows, trainer.beside_rows, trainer.places) == (rows, beside, places)
        assert trainer.calibrations.tolist() == [[0, 0]] * len(trainer.members)
        assert trainer.calibrations.dtype == torch.float64
        state = trainer.state_dict()
        assert (state["calibrated"], state["beside"]) == (False, 0)
        assert trainer.held_out.rules.patience == (2 if kind is Kind.encoder else 0)
        assert trainer.held_out.puts_back is (kind is not Kind.lm_ratio)
    wide = dataclasses.replace(CONFIG.encoder, batch_size=50)
    trainer = judge(dataclasses.replace(CONFIG, encoder=wide, refresh_steps=3))
    assert (trainer.rows, trainer.beside_rows) == (50, 150)
    assert judge(dataclasses.replace(CONFIG, refresh_every=0)).beside_rows == 0
    both = dataclasses.replace(CONFIG.lm_ratio, batch_size=64)
    assert judge(dataclasses.replace(CONFIG, kind=Kind.mean, lm_ratio=both)).rows == 64


def test_an_encoder_is_made_to_be_read_unless_it_goes_on_training(monkeypatch) -> None:
    """Its moments are twice as large as it is, and who only asks it needs none."""
    asked: list[bool] = []
    monkeypatch.setattr(members, "restore", lambda *_, to_train: asked.append(to_train))
    state = judge(CONFIG).members["encoder"].state_dict()
    made = judge(CONFIG).members["encoder"]
    made.make()
    kept = made.state_dict()
    for use in (lambda one: one.tuning, lambda one: one.make(to_train=True)):
        one = judge(CONFIG).members["encoder"]
        one.load_state_dict(kept)
        use(one)
    assert not state and asked == [False, True]


def test_each_member_is_calibrated_on_held_out_sentences_and_samples() -> None:
    trainer, drawn = judge(dataclasses.replace(CONFIG, kind=Kind.mean)), []

    def sample(n: int, rng: torch.Generator) -> Tensor:
        drawn.append(others(n, rng))
        return drawn[-1]

    trainer.sample = sample
    trainer.calibrate(generator(3, "noise", CPU))
    real = trainer.facts.held_out
    assert trainer.calibrated and real is not None and [len(rows) for rows in drawn] == [60]
    for member, (slope, bias) in zip(
        trainer.members.values(), trainer.calibrations.tolist(), strict=True
    ):
        wanted = fit(member.logits(real).numpy(), member.logits(drawn[0]).numpy())
        assert (slope, bias) == pytest.approx((wanted.slope, wanted.bias), rel=1e-5)
    never = judge(dataclasses.replace(CONFIG, look_every=0))
    never.calibrate(generator(3, "noise", CPU))
    assert not never.calibrated


def test_refreshing_is_due_each_so_many_steps_and_takes_rows_of_its_own() -> None:
    """Every third of six, two steps of the encoder on eight rows each."""
    trainer = judge(dataclasses.replace(CONFIG, refresh_every=3, refresh_steps=2))
    (member,), rng = trainer.members.values(), generator(0, "noise", CPU)
    with mock.patch.object(member, "step", return_value={"judge_loss": 0.0}) as step:
        due = [bool(trainer.refresh(sentences(16, rng), rng)) for _ in range(6)]
    assert due == [False, False, True] * 2 and trainer.beside == 6
    assert [len(call.args[0]) for call in step.call_args_list] == [8] * 4
    never = judge(dataclasses.replace(CONFIG, refresh_every=0))
    assert never.refresh(sentences(16, rng), rng) == {} and never.beside == 1


def test_sentences_with_unknown_words_are_no_part_of_a_step() -> None:
    """As many samples as there are others; where none is left there is no step."""
    trainer, rng = judge(), generator(0, "noise", CPU)
    (member,) = trainer.members.values()
    assert isinstance(member, EncoderMember)
    real = sentences(9, rng)
    real[2, 1] = real[5, 0] = UNK
    with mock.patch.object(type(member.tuning), "step", return_value={}) as step:
        member.step(real, rng)
        assert step.call_args.args[0] == written(real[[0, 1, 3, 4, 6, 7]])
        assert len(step.call_args.args[1]) == 6
        real[:, 2] = UNK
        assert member.step(real, rng) == {} and step.call_count == 1
        real = sentences(9, rng)
        real[1:, 2] = UNK
        member.step(real, rng)
        assert step.call_count == 2 and len(step.call_args.args[0]) == 1


def test_another_run_s_encoder_is_taken_without_its_moments() -> None:
    one, other = (judge(CONFIG).members["encoder"] for _ in range(2))
    assert isinstance(one, EncoderMember) and isinstance(other, EncoderMember)
    rng = generator(0, "noise", CPU)
    other.make()
    one.step(sentences(9, rng), rng)
    assert all(each.stepped for each in one.tuning.optimisers.values())
    other.take(one.state_dict())
    assert not any(each.stepped for each in other.tuning.optimisers.values())
    for name, weight in one.weights().items():
        assert torch.equal(weight, other.weights()[name]), name


def test_the_phase_ends_with_its_last_step() -> None:
    """Then what only steps need is dropped, and members are calibrated; not before."""
    trainer, rng = judge(dataclasses.replace(CONFIG, steps=3)), generator(0, "noise", CPU)
    for left in (2, 1, 0):
        found = trainer.step(sentences(32, rng), rng)
        assert trainer.calibrated is (left == 0)
    assert LOSS in found and trainer.held_out.steps == 3
    (member,) = trainer.members.values()
    assert isinstance(member, EncoderMember)
    assert not any(one.stepped for one in member.tuning.optimisers.values())


def test_ranks_share_the_sentences_that_are_scored() -> None:
    """Of one sentence the second has none to read."""
    for rows in (5, 1):
        tokens = others(rows, generator(1, "rows", CPU))
        wanted = judge().log_odds(tokens)
        assert wanted.shape == (rows,) and wanted.dtype == torch.float32
        for found in of_ranks(2, lambda: judge().log_odds(tokens)):  # noqa: B023
            torch.testing.assert_close(found, wanted)
        torch.testing.assert_close(judge().score(tokens), wanted.sigmoid())


def test_a_discriminator_s_logit_is_its_own() -> None:
    trainer = judge(dataclasses.replace(CONFIG, kind=Kind.mean))
    member, rows = trainer.members["cnn"], others(5, generator(1, "rows", CPU))
    assert isinstance(member, CnnMember)
    torch.testing.assert_close(member.logits(rows), member.discriminator.log_odds(rows).double())
    assert member.step(rows, generator(1, "rows", CPU)) == {}
    assert member.weights().keys() == member.discriminator.state_dict().keys()


def test_kept_weights_are_in_its_state_only_where_they_are_others() -> None:
    """Put back, they are the judge's own; behind its phase there are none."""
    trainer, rng = judge(), generator(0, "noise", CPU)
    trainer.step(sentences(32, rng), rng)
    held = trainer.held_out
    kept = held.state_dict()["kept"]
    assert kept.keys() == trainer.weights().keys() and held.best is not None
    held.judge.load_state_dict(kept)
    state = held.state_dict()
    assert state["kept"] == {} and held._kept.keys() == kept.keys()
    held._kept = {}
    held.load_state_dict(state)
    assert all(torch.equal(held._kept[name], kept[name]) for name in kept) and held._kept
    held.learned(last=True)
    assert held._kept == {}
