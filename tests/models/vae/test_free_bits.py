"""Free bits of the KL term."""

import pytest
import torch

from gantext.models.vae.model import free_bits


def test_free_bits_by_hand() -> None:
    """Means over the two sentences: (.1, 2, .5). Of each dimension, target .4: .4 + 2 + .5 = 2.9;
    of all together: max(2.6, 4) = 4 and max(2.6, 1) = 2.6."""
    kl = torch.tensor([[0.0, 3.0, 0.4], [0.2, 1.0, 0.6]])
    assert free_bits(kl, 0.4, True).item() == pytest.approx(2.9)
    assert free_bits(kl, 4.0, False).item() == pytest.approx(4.0)
    assert free_bits(kl, 1.0, False).item() == pytest.approx(2.6)
    assert free_bits(kl, 0.0, True).item() == pytest.approx(2.6)


def test_free_bits_push_only_what_is_above_the_target() -> None:
    kl = torch.tensor([[0.1, 2.0], [0.1, 1.0]], requires_grad=True)
    free_bits(kl, 0.4, True).backward()
    assert kl.grad is not None and kl.grad.tolist() == [[0.0, 0.5], [0.0, 0.5]]
