"""Copies of networks: weights of their own, which lie as they are read."""

import pytest
import torch
from torch import nn

from gantext.nn.copies import copied


def test_a_copy_has_weights_of_its_own_in_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each LSTM of the copy is asked to lay them so, which a GPU's does."""
    asked = list[nn.RNNBase]()
    whole = nn.ModuleList([nn.LSTM(2, 3), nn.Linear(2, 3), nn.LSTM(3, 2)])
    monkeypatch.setattr(nn.RNNBase, "flatten_parameters", lambda part: asked.append(part))
    made = copied(whole)
    assert asked == [made[0], made[2]]
    for own, other in zip(made.parameters(), whole.parameters(), strict=True):
        assert torch.equal(own, other) and own.data_ptr() != other.data_ptr()
