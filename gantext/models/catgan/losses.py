"""Relativistic losses by class: pure functions of the discriminator's logits.

r and f are the logits of the class of a real and of a generated sentence, which have the same one;
r_c and f_c are their means over the sentences of class c in the batch.

    (1)  rsgan:  L_D = mean of -log sigmoid(r - f),    L_G = mean of -log sigmoid(f - r)
    (2)  ragan:  L_D = mean of -log sigmoid(r - f_c) - log sigmoid(r_c - f), halved;
                 L_G the same with r and f exchanged

(Jolicoeur-Martineau 2019, equations 3, 4 and 7, 8), each class by itself, and

    (3)  L_class = mean of -log softmax(logits of a real sentence) at its class
    (4)  quality = sigmoid(f - r_c)

Shapes: B sentences, K classes. Everything is in fp32.
"""

import enum

import torch
import torch.nn.functional as F
from torch import Tensor


class Mutation(enum.Enum):
    """The loss that a child learns by."""

    rsgan = "rsgan"
    ragan = "ragan"


def of_class(logits: Tensor, labels: Tensor) -> Tensor:
    """The logit of each row's class, (B,), of (B, K) and (B,)."""
    return logits.float().gather(1, labels[:, None])[:, 0]


def class_means(values: Tensor, labels: Tensor, classes: int) -> Tensor:
    """For each row the mean of the values (B,) of its class in the batch, (B,)."""
    zeros = values.new_zeros(classes)
    counts = zeros.index_add(0, labels, torch.ones_like(values)).clamp_min(1)
    return (zeros.index_add(0, labels, values) / counts)[labels]


def beaten_loss(kind: Mutation, winner: Tensor, loser: Tensor, labels: Tensor) -> Tensor:
    """(1) or (2): small where `winner` has higher logits than `loser`, (B, K) each, by class.

    D's loss with winner real and loser generated, G's with these exchanged.
    """
    classes = winner.shape[1]
    up, down = of_class(winner, labels), of_class(loser, labels)
    if kind is Mutation.rsgan:
        return F.softplus(down - up).mean()
    above = F.softplus(class_means(down, labels, classes) - up)
    below = F.softplus(down - class_means(up, labels, classes))
    return (above + below).mean() / 2


def class_loss(real: Tensor, labels: Tensor) -> Tensor:
    """(3) of the logits (B, K) of real sentences."""
    return F.cross_entropy(real.float(), labels)


def quality(fake: Tensor, real: Tensor, labels: Tensor) -> Tensor:
    """(4): how real samples look beside real ones of their class, by logits (B, K); (B,)."""
    middle = class_means(of_class(real, labels), labels, real.shape[1])
    return (of_class(fake, labels) - middle).sigmoid()
