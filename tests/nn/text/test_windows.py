"""Largest windows by rows of a table, and their gradients, beside plain convolutions."""

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD
from gantext.nn.text.text_cnn import DiscriminatorConfig, TextCNN
from gantext.nn.text.windows import (
    different_words,
    largest_windows,
    prefix_windows,
    prefix_windows_of,
    tap_table,
)

WORDS, LENGTH = 30, 9
WIDTHS = [(1,), (2, 3), (1, 4, 7), (9,)]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(widths: tuple[int, ...]) -> TextCNN:
    config = DiscriminatorConfig(6, widths, tuple(3 + w % 3 for w in widths), 0.5, 0.2, -1.0)
    model = TextCNN(WORDS, config, LENGTH, rng(1))
    with torch.no_grad():
        for convolution in model.convolutions:
            convolution.bias.normal_(0, 0.5, generator=rng(2))
    return model


def sentences(rows: int = 40) -> torch.Tensor:
    """Ends at every place, also at none; words that come twice in a row, and once a batch."""
    tokens = torch.randint(3, WORDS, (rows, LENGTH), generator=rng(3))
    for row, end in zip(tokens, range(rows), strict=True):
        row[1:3] = row[0]
        row[end % (LENGTH + 1) : end % (LENGTH + 1) + 1] = EOS
        row[end % (LENGTH + 1) + 1 :] = PAD
    return tokens


def gradients(model: TextCNN, pooled: torch.Tensor) -> dict[str, torch.Tensor]:
    """Of a sum of the features, each with a weight of its own."""
    model.zero_grad()
    (pooled * torch.randn(pooled.shape, generator=rng(4))).sum().backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def assert_equal_gradients(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    """To 5e-6 of each gradient's norm."""
    assert found.keys() == wanted.keys() and "embedding.weight" in wanted
    for name, gradient in wanted.items():
        assert (found[name] - gradient).norm() <= 5e-6 * gradient.norm(), name


@pytest.mark.parametrize("widths", WIDTHS)
def test_features_and_gradients_are_those_of_convolutions(widths: tuple[int, ...]) -> None:
    model, tokens = make(widths), sentences()
    by_rows, plain = model.pooled(tokens), model.convolved(tokens)
    torch.testing.assert_close(by_rows, plain, rtol=1e-5, atol=1e-6)
    assert_equal_gradients(gradients(model, by_rows), gradients(model, plain))


@pytest.mark.parametrize("columns", [1, 3, LENGTH])
def test_prefixes_are_sentences_that_end_there(columns: int) -> None:
    """Also where a filter is wider than the batch."""
    model, tokens = make((1, 4, 7)), sentences()[:, :columns]
    by_rows, plain = model.pooled(tokens), model.convolved(tokens)
    torch.testing.assert_close(by_rows, plain, rtol=1e-5, atol=1e-6)
    assert_equal_gradients(gradients(model, by_rows), gradients(model, plain))


def test_equal_windows_share_a_gradient_or_the_first_has_it_all() -> None:
    """In a sentence of one word all windows but the last are equal: which of them learns is all
    the same."""
    model, tokens = make((2, 3)), torch.tensor([[5, 5, 5, 5, EOS, PAD], [6, 6, 6, 6, 6, 6]])
    found = gradients(model, model.pooled(tokens))
    assert_equal_gradients(found, gradients(model, model.convolved(tokens)))


def test_of_two_words_with_the_same_sum_the_first_learns() -> None:
    """One filter of width 1 and weight 1: words 4 and 5 are both worth 2, and 6 is worth 1. The
    sentence 6 5 4 has 2 by word 5, whose gradient is 1; `amax` gives 1/2 to each of 5 and 4."""
    model = TextCNN(7, DiscriminatorConfig(1, (1,), (1,), 0.0, 0.0, -1.0), 3, rng())
    with torch.no_grad():
        model.embedding.weight.copy_(torch.tensor([0.0, 0, 0, 0, 2, 2, 1])[:, None])
        model.convolutions[0].weight.fill_(1.0)
    pooled = model.pooled(torch.tensor([[6, 5, 4]]))
    assert pooled.item() == 2
    pooled.sum().backward()
    assert model.embedding.weight.grad.flatten().tolist() == [0, 0, 0, 0, 0, 1, 0]
    model.zero_grad()
    model.convolved(torch.tensor([[6, 5, 4]])).sum().backward()
    assert model.embedding.weight.grad.flatten().tolist() == [0, 0, 0, 0, 0.5, 0.5, 0]


def test_the_gradient_of_a_window_by_hand() -> None:
    """Width 2, weights 1 and 10, the embedding of word w is w. Sentence 4 6 5: windows 64, 56, 5.
    The first wins: words 4 and 6 get 1 and 10, the taps 4 and 6, the bias 1."""
    model = TextCNN(7, DiscriminatorConfig(1, (2,), (1,), 0.0, 0.0, -1.0), 3, rng())
    with torch.no_grad():
        model.embedding.weight.copy_(torch.arange(7.0)[:, None])
        model.convolutions[0].weight.copy_(torch.tensor([[[1.0, 10.0]]]))
    model.pooled(torch.tensor([[4, 6, 5]])).sum().backward()
    assert model.embedding.weight.grad.flatten().tolist() == [0, 0, 0, 0, 1, 0, 10]
    assert model.convolutions[0].weight.grad.flatten().tolist() == [4, 6]
    assert model.convolutions[0].bias.grad.tolist() == [1]


def test_no_words_no_features_and_no_gradient() -> None:
    model = make((2, 3))
    pooled = model.pooled(torch.full((2, 4), PAD))
    assert torch.equal(pooled, torch.zeros(2, model.size))
    pooled.sum().backward()
    assert all(not p.grad.any() for p in model.parameters() if p.grad is not None)


def test_a_broken_word_breaks_the_sentences_that_hold_it() -> None:
    """What is no number stays none, whichever window it is in, there and back."""
    model, tokens = make((2,)), torch.tensor([[4, 5, 6], [7, 8, 9]])
    with torch.no_grad():
        model.embedding.weight[6] = torch.nan
    pooled = model.pooled(tokens)
    assert pooled[0].isnan().all() and pooled[1].isfinite().all()
    pooled.sum().backward()


def test_batches_that_share_a_table_have_the_logits_of_each() -> None:
    """Also of other lengths; dropout is drawn for one after the other."""
    model, one, other = make((2, 3)), sentences()[:5], sentences()[5:9, :4]
    together = model.logits_of([one, other], rng(6))
    noise = rng(6)
    for found, tokens in zip(together, (one, other), strict=True):
        torch.testing.assert_close(found, model.logits(tokens, noise), rtol=1e-5, atol=1e-6)


def test_different_words_by_hand() -> None:
    words, places = different_words(torch.tensor([[7, 4, 7], [4, PAD, PAD]]), 9)
    assert words.tolist() == [PAD, 4, 7]
    assert places.tolist() == [[2, 1, 2], [1, 0, 0]]
    assert different_words(torch.tensor([[5]]), 9)[0].tolist() == [PAD, 5]


def test_a_window_that_begins_at_no_word_does_not_count() -> None:
    """Width 2 and weights -1: each window of words is below the 0 of one without any."""
    convolution = torch.nn.Conv1d(1, 1, 2)
    with torch.no_grad():
        convolution.weight.fill_(-1.0)
    table = tap_table(torch.tensor([[0.0], [3.0], [4.0]]), convolution)
    places = torch.tensor([[1, 2, 0, 0]])  # windows -7 and -4
    assert largest_windows(table, places, 2).item() == -4


@pytest.mark.parametrize("columns", [1, 3, LENGTH])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_windows_of_prefixes_and_their_gradients(width: int, columns: int) -> None:
    """Beside torch's own gradients of the plain loop, also where a filter is wider than the batch
    and where words come twice in a row."""
    _, places = different_words(sentences()[:, :columns], WORDS)
    table = torch.randn(int(places.max()) + 1, width, 3, generator=rng(7), requires_grad=True)
    found, plain = prefix_windows_of(table, places), prefix_windows(table[places])
    torch.testing.assert_close(found, plain, rtol=1e-5, atol=1e-6)
    weights = torch.randn(found.shape, generator=rng(8))
    (gradient,) = torch.autograd.grad((found * weights).sum(), table)
    (wanted,) = torch.autograd.grad((plain * weights).sum(), table)
    assert (gradient - wanted).norm() <= 5e-6 * wanted.norm()


def test_a_running_window_of_a_prefix_by_hand() -> None:
    """Width 2, taps 1 and 10, words 4 6 5 worth their number: prefixes 4; 4 + 60; and the same,
    since 6 + 50 and 5 are less. Words 4 and 6 get 1 + 1 + 1 at the first tap (the first prefix ends
    at it) and 1 + 1 at the second."""
    values = torch.tensor([0.0, 4, 6, 5])
    table = torch.stack([values, 10 * values], 1)[:, :, None].requires_grad_()
    found = prefix_windows_of(table, torch.tensor([[1, 2, 3]]))
    assert found.flatten().tolist() == [4, 64, 64]
    found.sum().backward()
    assert table.grad[:, :, 0].tolist() == [[0, 0], [3, 0], [0, 2], [0, 0]]
