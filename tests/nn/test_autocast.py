"""How numbers are rounded: what is known of it, and where bf16 is off."""

import pytest
import torch

from gantext.nn.autocast import in_tf32, without_autocast


@pytest.mark.parametrize("allowed", [True, False])
def test_products_are_tf32_on_a_gpu_that_may(
    allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.backends.cuda.matmul.allow_tf32
    try:
        torch.backends.cuda.matmul.allow_tf32 = allowed
        assert in_tf32(torch.device("cuda")) is allowed
        assert in_tf32(torch.device("cpu")) is False
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def test_within_autocast_it_is_off_where_it_is_not_wanted() -> None:
    one = torch.ones(2, 2)
    with torch.autocast("cpu", torch.bfloat16):
        assert (one @ one).dtype == torch.bfloat16
        with without_autocast(torch.device("cpu")):
            assert (one @ one).dtype == torch.float32
        with without_autocast(torch.device("meta")):
            assert (one @ one).dtype == torch.bfloat16
    with without_autocast(torch.device("cpu")):
        assert (one @ one).dtype == torch.float32
