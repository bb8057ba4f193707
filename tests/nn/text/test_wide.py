"""Wide products: those of torch's linear, whatever library makes them."""

import pytest
import torch
import torch.nn.functional as F

from gantext.nn.text import wide
from gantext.nn.text.wide import wide_linear


@pytest.mark.parametrize("outputs", [wide.WIDE - 1, wide.WIDE])
@pytest.mark.parametrize("rows", [1, 7])
def test_a_wide_product_is_the_linear_layer_s(outputs, rows):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(rows, 24, generator=generator)
    weight = torch.randn(outputs, 24, generator=generator)
    bias = torch.randn(outputs, generator=generator)
    with torch.no_grad():
        torch.testing.assert_close(wide_linear(x, weight, bias), F.linear(x, weight, bias))
        torch.testing.assert_close(wide_linear(x, weight), F.linear(x, weight))
        with torch.autocast("cpu", torch.bfloat16):
            assert wide_linear(x, weight, bias).dtype == torch.bfloat16
    weight.requires_grad_()
    wide_linear(x, weight, bias).sum().backward()
    assert weight.grad is not None
