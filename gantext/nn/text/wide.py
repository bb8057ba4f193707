"""A product with many columns, the scores of all words, on the library that is quickest at it.

Shapes: N rows, K inputs, V outputs.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

# Columns from which oneDNN outran MKL, which torch takes: 64 to 1,000 rows, AVX2 (64 rows of
# 2048 -> 4,661 numbers 30 and 23 ms, 225 of 128 -> 4,661 6.3 and 4.3). At 1,024 it did not.
WIDE = 2048


def wide_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`F.linear` of (N, K) rows and (V, K) weights, (N, V), up to the rounding of sums.

    Where no gradient is wanted, in fp32 on a CPU, wide products are oneDNN's.
    """
    if weight.shape[0] < WIDE or not _by_onednn(x):
        return F.linear(x, weight, bias)
    scores: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return scores


def _by_onednn(x: Tensor) -> bool:
    fit = x.device.type == "cpu" and x.dtype == torch.float32
    if not fit or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
        return False
    return bool(torch._C._has_mkldnn) and hasattr(torch.ops.mkldnn, "_linear_pointwise")
