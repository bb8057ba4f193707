"""What the networks of pictures are built from: norms of activations, and how weights are drawn."""

import enum
import math

import torch
from torch import nn

SLOPE = 0.2  # of the LeakyReLUs, as in DCGAN (Radford et al. 2016, section 3)
GROUP = 8  # channels of a group of GroupNorm
BN_EPS = 1e-5  # torch's own


class Norm(enum.Enum):
    """How activations are normalised."""

    none = "none"
    batch = "batch"
    group = "group"


class Init(enum.Enum):
    """How weights are drawn."""

    uniform = "uniform"
    dcgan = "dcgan"
    kaiming = "kaiming"


def flat_norm(norm: Norm, features: int, bn_eps: float) -> list[nn.Module]:
    """A norm of activations (B, features); no module for `none`."""
    if norm is Norm.batch:
        return [nn.BatchNorm1d(features, bn_eps)]
    return map_norm(norm, features, bn_eps)


def map_norm(norm: Norm, channels: int, bn_eps: float) -> list[nn.Module]:
    """A norm of maps (B, channels, H, W); groups of 8 channels, fewer where that does not go."""
    if norm is Norm.batch:
        return [nn.BatchNorm2d(channels, bn_eps)]
    if norm is Norm.group:
        return [nn.GroupNorm(channels // math.gcd(channels, GROUP), channels)]
    return []


@torch.no_grad()
def initialise(module: nn.Module, init: Init, rng: torch.Generator) -> None:
    """Draw the weights of linear and convolutional layers; norms keep scale 1 and shift 0.

    Fan in is the number of inputs that one output sums.

    - uniform: weights and biases in +-1 / sqrt(fan in), torch's own for linear layers.
    - dcgan: weights N(0, .02) (Radford et al. 2016, section 3), biases 0.
    - kaiming: weights N(0, 2 / ((1 + .2^2) fan in)) (He et al. 2015, eq. 15), biases 0.
    """
    for layer in module.modules():
        if not isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            continue
        weight, bias = layer.weight, layer.bias
        assert bias is not None
        fan_in = weight[0].numel()
        if isinstance(layer, nn.ConvTranspose2d):
            fan_in = weight[:, 0].numel() // math.prod(layer.stride)
        if init is Init.uniform:
            bound = fan_in**-0.5
            nn.init.uniform_(weight, -bound, bound, generator=rng)
            nn.init.uniform_(bias, -bound, bound, generator=rng)
            continue
        std = 0.02 if init is Init.dcgan else (2 / (1 + SLOPE**2) / fan_in) ** 0.5
        nn.init.normal_(weight, 0.0, std, generator=rng)
        nn.init.zeros_(bias)
