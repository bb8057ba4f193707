"""The discriminator of many views, by hand and beside torch's convolution."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gantext.models.relgan.config import DiscriminatorConfig
from gantext.models.relgan.discriminator import MultiViewCNN, largest_windows


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_logits_of_two_views_by_hand() -> None:
    """Words with the embeddings (1, -1), (3, -2), (2, 0); a filter (1, -1) of width 2, its bias .5.

    View 0: windows 1 - 3, 3 - 2, 2 - 0, the largest and the bias 2.5; view 1: -1 + 2, -2 - 0, 0,
    so 1.5. A gate of 1/2 and nothing to change halve them; 2 x + 1 is 3.5 and 2.5, less 3: .5 and
    -.5, the sentence's logit 0, and .25 below a centre of .25.
    """
    found = MultiViewCNN(7, DiscriminatorConfig(2, 2, (2,), (1,), 1, 0.5), 4, rng())
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.zero_()
        found.embedding.weight[4:] = torch.tensor([[1.0, -1.0], [3.0, -2.0], [2.0, 0.0]])
        convolution = found.convolutions[0]
        convolution.get_parameter("weight").copy_(torch.tensor([[[1.0, -1.0]]]))
        convolution.get_parameter("bias").fill_(0.5)
        found.hidden.weight.fill_(2.0)
        found.hidden.bias.fill_(1.0)
        found.output.weight.fill_(1.0)
        found.output.bias.fill_(-3.0)
        for tokens in (torch.tensor([[4, 5, 6]]), torch.tensor([[4, 5, 6, 0]])):
            logits = found.view_logits(tokens)
            assert logits.tolist() == [pytest.approx([0.5, -0.5])]
            assert found.logits(tokens).item() == pytest.approx(0.0)
        found.centre.fill_(0.25)
        assert found.logits(tokens).item() == pytest.approx(-0.25)
        assert found.score(tokens).item() == pytest.approx(0.437823, abs=1e-6)


def test_highway_layers_have_no_biases() -> None:
    """Only the layers behind them have."""
    found = MultiViewCNN(7, DiscriminatorConfig(2, 2, (2,), (1,), 1, 0.5), 4, rng())
    assert found.transform.bias is None and found.gate.bias is None
    assert found.hidden.bias is not None and found.output.bias is not None


def test_a_word_is_its_vector_of_0_and_1() -> None:
    """Words are read by tables, vectors window by window: the same logits and gradients."""
    found = MultiViewCNN(9, DiscriminatorConfig(6, 3, (2, 3), (4, 5), 3, 0.0), 5, rng())
    tokens = torch.tensor([[4, 8, 2, 0], [5, 2, 0, 0], [7, 7, 3, 2]])
    words = F.one_hot(tokens[tokens != 0], 9).float()
    torch.testing.assert_close(found.embedded(tokens, words), found.embedded(tokens))
    both = found.view_logits(tokens), found.view_logits(tokens, words)
    torch.testing.assert_close(*both)
    gradients = [torch.autograd.grad(each.square().sum(), found.parameters()) for each in both]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_the_largest_windows_and_their_gradient_are_those_of_a_convolution() -> None:
    """Of 300 rows, more than are looked at together, some of which end early."""
    convolution = nn.Conv1d(2, 64, 3)
    x = torch.randn(300, 16, 2, generator=rng(1))
    ended = torch.arange(16) >= torch.randint(2, 17, (300, 1), generator=rng(2))
    given = x.masked_fill(ended[:, :, None], 0.0).requires_grad_()
    weights = torch.randn(300, 64, generator=rng(3))
    gradients = []
    for fast in (True, False):
        if fast:
            found = largest_windows(given, ended, convolution)
        else:
            windows = convolution(F.pad(given.transpose(1, 2), (0, 2)))
            found = windows.masked_fill(ended[:, None], -torch.inf).amax(2)
        inputs = given, convolution.weight, convolution.bias
        gradients.append((found, *torch.autograd.grad((found * weights).sum(), inputs)))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
