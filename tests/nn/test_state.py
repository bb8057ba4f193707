"""The state of what is made of parts."""

from pathlib import Path
from typing import Any

import pytest
import torch

from gantext.nn.state import Deferred, NamedParts, Unmade, check_like, restore
from gantext.records.shape import Misfit


class Pair(NamedParts):
    """Two layers and a count."""

    counters = ("done",)

    def __init__(self) -> None:
        self.first, self.second, self.done = torch.nn.Linear(1, 2), torch.nn.Linear(2, 1), 0

    def parts(self) -> dict[str, torch.nn.Module]:
        return {"first": self.first, "second": self.second}


def test_a_state_holds_parts_then_counters_and_is_restored() -> None:
    pair, other = Pair(), Pair()
    pair.done = 3
    state = pair.state_dict()
    assert list(state) == ["first", "second", "done"]
    other.load_state_dict(state)
    assert other.done == 3
    assert torch.equal(other.first.weight, pair.first.weight)
    assert torch.equal(other.second.bias, pair.second.bias)


class Late(Deferred):
    """Notes how it was made."""

    def __init__(self) -> None:
        self.made: list[bool] = []

    def make(self, to_train: bool = False) -> None:
        self.made.append(to_train)

    def state_dict(self) -> dict[str, Any]:
        return Unmade()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


@pytest.mark.parametrize(("to_train", "made"), [(True, [True]), (False, [])])
def test_what_is_made_when_it_is_used_is_made_before_it_goes_on_training(to_train, made) -> None:
    """With what training needs, so that a state that does not fit is refused before the first
    step; whoever only samples has none made."""
    pair = Pair()
    late = pair.first = Late()
    restore(pair, pair.state_dict(), Path("state"), "pair", to_train=to_train)
    assert late.made == made


def test_a_number_may_be_any_or_none() -> None:
    """Versions of torch differ in it; what is no number is refused, as is a float for a count."""
    own = {"rate": 0.5, "fused": None, "steps": 3}
    for state in ({"rate": 1, "fused": True, "steps": 4}, {"rate": None, "fused": 0.5, "steps": 0}):
        check_like(own, state)
    for wrong in ({"rate": "fast"}, {"fused": []}, {"steps": 0.5}):
        with pytest.raises(Misfit):
            check_like(own, {**own, **wrong})


def test_what_is_not_made_yet_may_hold_any_tree_of_tensors_and_plain_values() -> None:
    check_like(Unmade(), {"a": [1, None, {"b": torch.ones(2)}], "c": (True, "x")})
    for wrong in ({"a": [1, object()]}, {"a": {"b": object()}}, {"a": (object(),)}):
        with pytest.raises(Misfit):
            check_like(Unmade(), wrong)


def test_moments_are_tensors_or_plain_values() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    optimiser = torch.optim.Adam([weight])
    weight.sum().backward()
    optimiser.step()
    state = optimiser.state_dict()
    state["param_groups"][0]["betas"] = [0.9, 0.999]  # as it is read
    check_like(optimiser.state_dict(), state)
    state["state"][0]["exp_avg"] = [0.0, 0.0]
    with pytest.raises(Misfit, match="a tensor or a plain value"):
        check_like(optimiser.state_dict(), state)
