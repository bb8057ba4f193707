"""What a look at held-out sentences is made of: samples, logits, and the share of each rank."""

import math

import pytest
import torch
from torch import Tensor

from gantext.metrics.two_classes import LEAST
from gantext.nn.ranks import Ranks, joined
from gantext.nn.rng import generator
from gantext.nn.text.held_out import AUC, LOSS, SLOPE, HeldOut, Rules
from tests.nn.text.test_held_out import FAKE, REAL, N, Planted, learn, watched
from tests.nn.threaded_ranks import of_ranks


def test_ranks_share_the_sentences_of_a_look_and_decide_as_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second of two reads every other batch, and goes by the numbers that it is told."""
    monkeypatch.setattr("gantext.nn.text.held_out.ROWS", 10)
    told = [torch.zeros(N), torch.zeros(N), torch.tensor([0.1, 0.01, 0.9, 2.0, 0.5])]
    monkeypatch.setattr("gantext.nn.ranks._summed", lambda values: told.pop(0).double())
    held = watched()
    with joined(Ranks(1, 2)):
        from gantext.nn import ranks

        with ranks.together():
            found = held.enter("adversarial", beside=True)
    assert held.judge.read == [10, 10, 10, 10] and told == []
    assert found == {LOSS: pytest.approx(0.1), AUC: pytest.approx(0.9), SLOPE: 2.0}
    assert held.trusted and math.isclose(held.best or 0, 0.1, rel_tol=1e-6)


def test_logits_in_double_precision_stay_so() -> None:
    """In single precision those of both sides would be the same 1."""

    class Hardly(Planted):
        def logits(self, tokens: Tensor) -> Tensor:
            return 1 + 1e-12 * (tokens[:, 0] == 4).double()

    held = HeldOut(Hardly(), REAL, lambda n, rng: FAKE[:n], Rules(1, 1, decide=False))
    assert held.learned()[AUC] == 1


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_two_ranks_see_what_one_process_sees(
    kind: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads every other batch, and the first alone says what the logits are worth."""
    monkeypatch.setattr("gantext.nn.text.held_out.ROWS", 10)

    class Fine(Planted):
        def logits(self, tokens: Tensor) -> Tensor:
            return super().logits(tokens).to(kind) * (1 + tokens[:, 1] / 97)

    def work() -> tuple[object, list[int]]:
        rules = Rules(1, 2, decide=True)
        held = HeldOut(Fine(), REAL, lambda n, rng: FAKE[:n], rules)
        learn(held, 20)
        return held.enter("adversarial", beside=True), held.judge.read

    found, read = work()
    assert read == [10] * 8
    for told, own in of_ranks(2, work):
        assert told == found and own == [10] * 4


def test_the_samples_of_a_look_are_drawn_by_its_number() -> None:
    """By a generator that nothing else draws from, as those of runs of before."""
    seen: list[float] = []

    def draw(n: int, rng: torch.Generator) -> Tensor:
        seen.append(float(torch.rand((), generator=rng)))
        return FAKE[:n]

    held = HeldOut(Planted(), REAL, draw, Rules(1, 2, decide=False))
    for _ in range(2):
        held.learned()
    noise = [generator(83, f"held-out/{look}", torch.device("cpu")) for look in range(2)]
    assert seen == [float(torch.rand((), generator=rng)) for rng in noise]


def test_so_many_sentences_are_needed_for_looks() -> None:
    for count, looks in ((LEAST - 1, 0), (LEAST, 1)):
        held = HeldOut(Planted(), REAL[:count], lambda n, rng: FAKE[:n], Rules(1, 1, decide=True))
        held.enter("discriminator")
        assert held.looks == looks and held.decides is bool(looks)
    never = HeldOut(Planted(), REAL, lambda n, rng: FAKE[:n], Rules(0, 1, decide=True))
    assert never.enter("discriminator") == never.learned() == never.beside(1, True) == {}
