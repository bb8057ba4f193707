"""Looks at a discriminator on held-out sentences: what they see, decide, say and remember."""

import json
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from gantext.data.vocabulary import EOS
from gantext.metrics.two_classes import KNOWING_NOTHING, held_out
from gantext.nn.text.held_out import AUC, LOSS, POLICY_ON, SLOPE, HeldOut, Rules

N = 40
# Word 4 is real and word 5 generated; the second word is the sentence's number.
REAL, FAKE = (torch.tensor([[word, 6 + i, EOS] for i in range(N)]) for word in (4, 5))


class Planted(nn.Module):
    """It knows of the first `known` sentences of either kind what they are; of the others it says
    what their number decides, whatever they are."""

    def __init__(self) -> None:
        super().__init__()
        self.known = nn.Parameter(torch.zeros(()))
        self.read: list[int] = []

    def logits(self, tokens: Tensor) -> Tensor:
        self.read.append(len(tokens))
        number, side = tokens[:, 1] - 6, (tokens[:, 0] == 4).float() * 2 - 1
        guess = (number // 2 % 2).float() * 2 - 1
        return torch.where(number < self.known, side, guess)


def watched(
    every: int = 1, patience: int = 2, decide: bool = True, put_back: bool = True
) -> HeldOut:
    rules = Rules(every, patience, decide, put_back)
    return HeldOut(Planted(), REAL, lambda n, rng: FAKE[:n], rules)


def learn(held: HeldOut, known: float) -> None:
    """As if steps of the judge had taught it."""
    with torch.no_grad():
        held.judge.known.fill_(known)


def known(held: HeldOut) -> float:
    return held.judge.known.item()


def loss(count: int) -> float:
    """Of one that knows the first `count`."""
    planted = Planted()
    planted.known.data.fill_(count)
    with torch.no_grad():
        sides = [planted.logits(tokens).double().numpy() for tokens in (REAL, FAKE)]
    return held_out(*sides).loss


def test_a_look_is_the_loss_that_candidates_are_judged_by() -> None:
    """Half of either kind is guessed to be real: an AUC of 1/2."""
    held = watched(every=3)
    found = held.enter("discriminator")
    assert found.keys() == {LOSS, AUC, SLOPE}
    assert (
        found[AUC] == 0.5 and found[LOSS] == pytest.approx(loss(0), rel=1e-12) and found[SLOPE] == 0
    )
    learn(held, N)
    assert [held.learned(), held.learned()] == [{}, {}] and held.enter("discriminator") == {}
    found = held.learned()
    assert (
        found[AUC] == 1 and found[LOSS] == pytest.approx(loss(N), rel=1e-12) and found[LOSS] < 0.2
    )
    assert loss(0) >= KNOWING_NOTHING > loss(20) > loss(30) > loss(N)


@pytest.mark.parametrize("stop", [[30, 20, 10], [30, 30, 20]])
def test_it_stops_when_looks_wait_in_vain_and_goes_on_as_it_was_best(stop: Sequence[int]) -> None:
    """The best is that of step 2, also where a later one is only as good."""
    held = watched()
    held.enter("discriminator")
    for count in (10, *stop):
        assert not held.stopped and held.waited_in_vain() is None and held.news() == []
        learn(held, count)
        found = held.learned()
    assert held.stopped and known(held) == 30 and found[LOSS] == pytest.approx(loss(30))
    assert held.waited_in_vain() == (LOSS, pytest.approx(loss(30)), 2, None)
    assert held.news() == [
        "the discriminator stops after 4 of its steps in discriminator: its held-out loss was the "
        f"lowest after 2, {loss(30):.3f}"
    ]
    assert held.news() == []
    held.enter("adversarial", beside=True)  # another phase, in which it learns again
    assert not held.stopped and held.waited_in_vain() is None


def test_the_best_weights_go_on_after_the_last_step() -> None:
    """Without patience it never stops; what it was before the first step counts too."""
    held = watched(every=100, patience=0)
    learn(held, 20)
    held.enter("discriminator")
    learn(held, 10)
    assert held.learned() == {}
    found = held.learned(last=True)
    assert known(held) == 20 and found[LOSS] == pytest.approx(loss(20)) and not held.stopped


def test_the_kept_weights_are_measured_on_the_samples_of_today() -> None:
    """To a generator that has learned they are worth nothing: the present ones are better, though
    their loss is above what that of the kept ones was."""
    held = watched()
    learn(held, 30)
    held.enter("pretraining")
    held.draw = lambda n, rng: torch.where(torch.arange(n)[:, None] < 30, REAL, FAKE)
    learn(held, N)
    found = held.learned()
    assert loss(30) < found[LOSS] < KNOWING_NOTHING
    assert held.waited == 0 and held.best_step == 1 and known(held) == N


def test_the_policy_is_off_while_it_knows_nothing_and_on_again_when_it_does() -> None:
    held = watched(every=2)
    assert held.trusted and held.share is None
    held.enter("adversarial", beside=True)
    assert not held.trusted
    off = held.news()
    assert len(off) == 1 and off[0].startswith(
        "the policy gradient is off: the discriminator's held-out loss 0."
    )
    assert off[0].endswith("AUC 0.500, not under ln 2 = 0.693 by two standard errors")
    assert held.beside(1, rewarded=False) == {POLICY_ON: 0.0} and held.news() == []
    learn(held, N)
    assert held.beside(1, rewarded=False)[AUC] == 1 and held.trusted
    assert held.news()[0].startswith("the policy gradient is on again: ")
    learn(held, 0)  # what it has unlearned is put back, and it may go on rewarding
    assert held.beside(2, rewarded=True)[AUC] == 1
    assert known(held) == N and held.trusted and held.news() == []
    assert held.share == pytest.approx(1 / 3)


def test_weights_that_must_not_jump_are_not_put_back() -> None:
    """Then what it is worth by now decides, and it waits for a loss under the lowest so far."""
    held = watched(patience=1, put_back=False)
    learn(held, 30)
    held.enter("adversarial", beside=True)
    assert held.trusted and held.state_dict()["kept"] == {}
    learn(held, 0)
    held.beside(0, rewarded=True)  # one without steps of its own is looked at all the same
    assert known(held) == 0 and not held.trusted and len(held.news()) == 1
    held.enter("pretraining")
    learn(held, 10)
    held.learned()
    learn(held, 5)
    held.learned()
    assert held.stopped and known(held) == 5 and held.best == pytest.approx(loss(10))


def test_looks_that_decide_nothing_change_nothing() -> None:
    held = watched(decide=False)
    assert held.enter("discriminator") == {} and held.enter("adversarial", beside=True) == {}
    for count in (30, 20, 10, 0):
        learn(held, count)
        assert held.learned()[LOSS] == pytest.approx(loss(count))
        assert held.beside(1, rewarded=True).keys() == {LOSS, AUC, SLOPE}
        assert known(held) == count
    assert held.trusted and not held.stopped and held.news() == held.notes() == []


@pytest.mark.parametrize("real", [None, REAL[:0], REAL[:3]])
def test_without_held_out_sentences_it_is_as_fixed_and_says_so(real: Tensor | None) -> None:
    held = HeldOut(Planted(), real, lambda n, rng: FAKE, Rules(1, 1, decide=True))
    assert held.enter("adversarial", beside=True) == held.learned(last=True) == {}
    assert held.beside(1, rewarded=True) == {} and held.trusted
    assert len(held.notes()) == 1 and "held_out does what fixed does" in held.notes()[0]
    # A run of it is sampled from without its data: its state has the form of any other.
    assert held.state_dict().keys() == watched().state_dict().keys()


def test_a_look_goes_on_where_another_was_kept() -> None:
    """Its samples are drawn by its number alone; the state is JSON but for the weights."""
    drawn: list[float] = []

    def draw(n: int, rng: torch.Generator) -> Tensor:
        drawn.append(float(torch.rand((), generator=rng)))
        return FAKE[:n]

    def run(held: HeldOut, steps: Sequence[int]) -> None:
        held.enter("discriminator")
        for count in steps:
            learn(held, count)
            held.learned()

    rules = Rules(1, 2, decide=True)
    straight, first, second = (HeldOut(Planted(), REAL, draw, rules) for _ in range(3))
    run(straight, [10, 30, 20, 10])
    whole, drawn[:] = list(drawn), []
    run(first, [10, 30, 20])
    state = first.state_dict()
    kept = state.pop("kept")
    second.load_state_dict({**json.loads(json.dumps(state)), "kept": kept})
    second.judge.load_state_dict(first.judge.state_dict())
    run(second, [10])
    assert drawn == whole and len(set(whole)) == 5
    assert second.state_dict() == straight.state_dict() and known(second) == 30


def test_nothing_has_happened_at_first() -> None:
    state = watched().state_dict()
    assert torch.equal(state.pop("kept")["known"], torch.zeros(()))
    assert state == {
        "phase": "", "steps": 0, "looks": 0, "waited": 0, "best_step": 0, "best": None,
        "stopped": False, "trusted": True, "played": 0, "rewarded": 0,
    }  # fmt: skip


def test_without_patience_it_learns_on_whatever_looks_say() -> None:
    held = watched(patience=0)
    for count in (30, 20, 10, 0):
        learn(held, count)
        held.enter("discriminator")
        held.learned()
        assert not held.stopped and known(held) == count
    assert held.best_step == 0 and held.news() == []


def test_it_is_not_stopped_before_it_knew_anything() -> None:
    """Nothing was ever under ln 2 by two standard errors: it may learn late."""
    held = watched(patience=1)
    held.enter("discriminator")
    for _ in range(4):
        held.learned()
    assert held.waited == 4 and not held.stopped
    learn(held, N)
    held.learned()
    assert held.waited == 0
    learn(held, 0)
    held.learned()
    assert held.stopped and known(held) == N


def test_steps_are_counted_as_they_were_made() -> None:
    """Looks each third one: after 2 and 2; one that makes none counts as one."""
    held = watched(every=3, decide=False)
    assert held.learned(2) == {} and held.learned(2) != {} and held.steps == 4
    assert held.beside(0, rewarded=True) == {} and held.steps == 5
    assert held.beside(0, rewarded=False) != {} and held.steps == 6
    assert held.learned() == {} and held.steps == 7
    assert held.share == 0.5


def test_a_better_look_is_one_of_a_lower_loss() -> None:
    """One that is as good is none, and is not kept; the last waits for no other."""
    held = watched(patience=3)
    learn(held, 20)
    held.enter("discriminator")
    held.learned()
    assert held.waited == 1 and held.best_step == 0
    held.learned(last=True)
    assert held.waited == 0 and not held.stopped and held.best == loss(20)
