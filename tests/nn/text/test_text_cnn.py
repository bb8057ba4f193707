"""The text CNN: prefixes in one pass, padding, scores, hand-worked values."""

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD
from gantext.nn.text import text_cnn
from gantext.nn.text.text_cnn import DiscriminatorConfig, TextCNN


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(widths=(1, 2, 3, 5), length=9) -> TextCNN:
    config = DiscriminatorConfig(6, tuple(widths), tuple(4 for _ in widths), 0.0, 0.2, -1.0)
    model = TextCNN(12, config, length, rng(1))
    with torch.no_grad():
        for convolution in model.convolutions:
            convolution.bias.normal_(0, 0.5, generator=rng(2))
    return model


def sentences(rows=40, length=9) -> torch.Tensor:
    tokens = torch.randint(3, 12, (rows, length), generator=rng(3))
    for row, end in zip(tokens, torch.randint(0, length, (rows,), generator=rng(4)), strict=True):
        row[end] = EOS
        row[end + 1 :] = PAD
    return tokens


@pytest.mark.parametrize("widths", [(1,), (2, 3), (1, 4, 7), (9,)])
def test_prefix_features_equal_each_prefix_on_its_own(widths):
    """One pass over (B, T) gives what a sentence cut at t gives, for widths above t too."""
    model, tokens = make(widths), sentences()
    together = model.prefix_pooled(tokens)
    for t in range(tokens.shape[1]):
        valid = tokens[:, t] != PAD
        alone = model.pooled(tokens[valid, : t + 1])
        torch.testing.assert_close(together[valid, t], alone, rtol=1e-5, atol=1e-5)


def test_features_do_not_depend_on_padding():
    model, tokens = make(), sentences()
    wide = torch.nn.functional.pad(tokens, (0, 7))
    torch.testing.assert_close(model.pooled(wide), model.pooled(tokens), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shared", [0, 2**27])
def test_score_of_repeated_rows_equals_the_plain_pass(shared, monkeypatch):
    """With tables that all sentences share, or one a group of sentences."""
    monkeypatch.setattr(text_cnn, "SHARED_NUMBERS", shared)
    model, tokens = make(), sentences()
    many = tokens[torch.randint(0, 40, (3000,), generator=rng(5))]
    plain = model.output(model.highway(model.convolved(many))).squeeze(1)
    torch.testing.assert_close(model.score(many), plain.detach().sigmoid())


def test_pooled_value_by_hand():
    """One filter of width 2, weights 1 (first tap) and 10 (second), bias -3, embedding of word w
    is w. Sentence 4 5 <eos=2>: windows 4 + 50 - 3 = 51, 5 + 20 - 3 = 22, 2 + 0 - 3 = -1; the
    largest is 51. Prefix 4: 4 + 0 - 3 = 1. Prefix 4 5: max(51, 5 - 3) = 51."""
    model = TextCNN(12, DiscriminatorConfig(1, (2,), (1,), 0.0, 0.2, -1.0), 5, rng())
    with torch.no_grad():
        model.embedding.weight.copy_(torch.arange(12.0)[:, None])
        model.convolutions[0].weight.copy_(torch.tensor([[[1.0, 10.0]]]))
        model.convolutions[0].bias.fill_(-3.0)
    tokens = torch.tensor([[4, 5, EOS, PAD]])
    assert model.pooled(tokens).item() == 51
    assert model.prefix_pooled(tokens)[0, :3, 0].tolist() == [1, 51, 51]


def test_highway_by_hand():
    """x = 2, W_h = 3, b_h = 0, W_t = 0, b_t = 0: t = 1/2, so y = 6/2 + 2/2 = 4."""
    model = TextCNN(12, DiscriminatorConfig(1, (2,), (1,), 0.0, 0.2, -1.0), 5, rng())
    with torch.no_grad():
        model.transform.weight.fill_(3.0)
        model.gate.weight.zero_()
        model.gate.bias.zero_()
    assert model.highway(torch.tensor([[2.0]])).item() == 4.0


def test_l2_penalty_by_hand():
    """l2 = 0.2, weights (1, 2), bias 3: 0.2 * (1 + 4 + 9) / 2 = 1.4; no other layer counts."""
    model = TextCNN(12, DiscriminatorConfig(3, (1,), (2,), 0.0, 0.2, -1.0), 5, rng())
    with torch.no_grad():
        model.output.weight.copy_(torch.tensor([[1.0, 2.0]]))
        model.output.bias.fill_(3.0)
    assert model.penalty().item() == pytest.approx(1.4)


def test_widths_above_the_length_are_dropped():
    assert make((2, 3, 20), length=9).widths == [2, 3]
