"""The state of what is made of parts."""

import torch

from gantext.nn.state import NamedParts


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
