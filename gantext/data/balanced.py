"""Some of the rows of a split, evenly many of each class.

Legend: N rows, K classes.
"""

import torch
from torch import Tensor


def balanced(labels: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """Places (n,) of n rows, drawn so that the classes have as many each as they can.

    The first of the places are themselves such a choice of fewer rows: a larger n only adds.

    Args:
        labels: (N,) classes, on the CPU.
        n: at most N; the classes' counts differ by one where it is no multiple of K, and by more
            only where a class has too few.
        rng: of the CPU.
    """
    order = torch.randperm(len(labels), generator=rng, device="cpu")
    shuffled = labels[order]
    nth = torch.zeros_like(order)  # of its own class, in this order
    for kind in range(int(labels.max()) + 1):
        rows = shuffled == kind
        nth[rows] = torch.arange(int(rows.sum()), device="cpu")
    return order[nth.argsort(stable=True)[:n]]
