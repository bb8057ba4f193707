"""What ranks share: rows, sums, means and noise, in threads of one process."""

import pytest
import torch
from torch import Tensor

from gantext.nn import ranks
from gantext.nn.ranks import ALONE, Ranks, joined, together
from tests.nn.threaded_ranks import of_ranks

ROWS = torch.arange(14.0).view(7, 2)


def number() -> int:
    return ranks.current().number


def test_a_process_alone_shares_nothing() -> None:
    """Also in a run of several, outside of its steps, and where each computes by itself."""
    rng, values = torch.Generator(), torch.tensor([3.0])
    for count, within in ((1, True), (2, False)):
        with joined(Ranks(0, count)):
            with together() if within else ranks.apart():
                assert not ranks.shared() and ranks.mine(ROWS) is ROWS
                assert ranks.gathered(ROWS, 9) is ROWS and ranks.total(values) is values
                assert ranks.mean(values) is values and ranks.mean(5) == 5
                assert ranks.own_generator(rng) is rng and ranks.largest(4, 2) == (4, 2)
                assert ranks.noise((2, 3), torch.zeros).shape == (2, 3)
                assert list(ranks.turns("abc")) == ["a", "b", "c"]
                ranks.average([values])
    assert values.item() == 3 and ranks.current() == ALONE == Ranks(0, 1)
    with joined(Ranks(1, 2)):
        assert not ranks.shared() and ranks.current() == Ranks(1, 2)
        with together():
            assert ranks.shared()
            with ranks.apart():
                assert not ranks.shared()
            assert ranks.shared()
        with together(Ranks(0, 3)):
            assert ranks.mine(ROWS)[:, 0].tolist() == [0, 6, 12]


def test_rows_are_dealt_out_in_turns() -> None:
    dealt = of_ranks(3, lambda: (ranks.mine(ROWS)[:, 0].tolist(), list(ranks.turns("abcdefg"))))
    assert dealt == [
        ([0, 6, 12], ["a", "d", "g"]),
        ([2, 8], ["b", "e"]),
        ([4, 10], ["c", "f"]),
    ]


def test_gathered_rows_are_those_of_all_and_send_their_gradients_back() -> None:
    """Rank n weighs the whole by n + 1: a row's gradient is its weight times 1 + 2 + 3."""
    weights = torch.randn(7, 2, generator=torch.Generator().manual_seed(1))

    def work() -> tuple[Tensor, Tensor]:
        own = ranks.mine(ROWS).clone().requires_grad_()
        whole = ranks.gathered(own, 7)
        ((number() + 1) * whole * weights).sum().backward()
        assert own.grad is not None
        return whole.detach(), own.grad

    for place, (whole, gradient) in enumerate(of_ranks(3, work)):
        assert torch.equal(whole, ROWS)
        torch.testing.assert_close(gradient, 6 * weights[place::3])


def test_sums_means_and_the_largest() -> None:
    """Of 1 and 4: 5, 2.5; of (0, 7) and (3, 6): (3, 7). What is given to a mean stays."""

    def work() -> tuple[float, float, float, float, tuple[int, ...]]:
        value = torch.tensor(1.0 + 3 * number(), requires_grad=True)
        mean = ranks.mean(value)
        assert not mean.requires_grad
        total = ranks.total(value.detach().clone())
        most = ranks.largest(3 * number(), 7 - number())
        third = ranks.mean(1 / 3 + number())
        assert isinstance(third, float)
        return mean.item(), third, total.item(), value.item(), most

    for place, found in enumerate(of_ranks(2, work)):
        assert found == (2.5, (1 / 3 + 4 / 3) / 2, 5, 1 + 3 * place, (3, 7))


def test_tensors_of_any_shape_become_their_means() -> None:
    def work() -> list[list[float]]:
        given = [torch.full((2, 2), 2.0 * number()), torch.tensor([1.0, 5.0]) * (1 + number())]
        ranks.average(given)
        ranks.average([])
        assert given[0].shape == (2, 2)
        return [part.flatten().tolist() for part in given]

    assert of_ranks(2, work) == [[[1.0] * 4, [1.5, 7.5]]] * 2


def test_noise_of_all_rows_is_drawn_by_all() -> None:
    """Two rows of each of three: those of the batch of six, and all go on alike."""

    def work() -> tuple[Tensor, float]:
        rng = torch.Generator().manual_seed(4)
        noise = ranks.noise((2, 5), lambda shape: torch.rand(shape, generator=rng))
        return noise, torch.rand((), generator=rng).item()

    rng = torch.Generator().manual_seed(4)
    whole, after = torch.rand(6, 5, generator=rng), torch.rand((), generator=rng).item()
    for place, (noise, later) in enumerate(of_ranks(3, work)):
        assert torch.equal(noise, whole[place::3]) and later == after


def test_generators_of_each_rank_leave_the_common_one_alike() -> None:
    """Their seeds are a number below 2^62 that the common one draws, and those that follow it."""

    def work() -> tuple[int, Tensor]:
        rng = torch.Generator().manual_seed(5)
        return ranks.own_generator(rng).initial_seed(), rng.get_state()

    rng = torch.Generator().manual_seed(5)
    first = int(torch.randint(2**62, (), generator=rng))
    assert first > 2**40
    for place, (seed, state) in enumerate(of_ranks(3, work)):
        assert seed == first + place and torch.equal(state, rng.get_state())


def test_the_first_tells_the_others() -> None:
    def work() -> str:
        ranks.meet()
        return ranks.told("runs/größe" if number() == 0 else "other")

    assert of_ranks(2, work) == ["runs/größe"] * 2


def test_a_rank_that_is_gone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise RuntimeError("connection closed")

    monkeypatch.setattr(ranks.dist, "all_reduce", gone)
    with joined(Ranks(0, 2)), together(), pytest.raises(ranks.Lost, match="has ended"):
        ranks.total(torch.zeros(1))
