"""A layer's passes in bf16, where the processor can and where it cannot."""

import pytest
import torch
from torch import Tensor, nn

from gantext.nn.text import lstm


class Given(nn.Module):
    """Gives back what it is given."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, object]:
        """Both."""
        return x, state


@pytest.mark.parametrize("able", [True, False])
def test_under_autocast_it_stays_in_fp32_where_there_is_no_bf16(
    able: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """h and c are its own; without autocast nothing is cast."""
    monkeypatch.setattr(lstm, "_has_bf16_lstm", lambda: able)
    x, h, c = (torch.full((1, 2, 3), value, dtype=torch.bfloat16) for value in (1, 2, 3))
    with torch.autocast("cpu", torch.bfloat16):
        found, (own_h, own_c) = lstm.lstm_pass(Given(), x, (h, c))
        without, none = lstm.lstm_pass(Given(), x)
    wanted = torch.bfloat16 if able else torch.float32
    assert {found.dtype, own_h.dtype, own_c.dtype, without.dtype} == {wanted} and none is None
    assert (found == 1).all() and (own_h == 2).all() and (own_c == 3).all()
    assert lstm.lstm_pass(Given(), x, (h, c))[0].dtype == torch.bfloat16
