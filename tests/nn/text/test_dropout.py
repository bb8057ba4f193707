"""What is dropped, by what it is scaled, and that nothing is drawn where nothing is dropped."""

import pytest
import torch

from gantext.data.vocabulary import BOS, PAD, UNK
from gantext.nn.text.dropout import (
    hide_words,
    keep_mask,
    locked_dropout,
    place_dropout,
    word_dropout,
)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_mask_keeps_the_mean() -> None:
    """1/4 of 40,000 is dropped, the rest is 4/3: the mean's standard error is .0029."""
    mask = keep_mask((200, 200), 0.25, torch.zeros(1), rng())
    assert sorted(set(mask.flatten().tolist())) == pytest.approx([0, 4 / 3])
    assert mask.mean().item() == pytest.approx(1, abs=0.012)


def test_features_are_dropped_at_all_steps_and_words_with_all_their_features() -> None:
    """In each row other features; in the table whole rows."""
    kept = locked_dropout(torch.ones(30, 5, 40), 0.5, rng())
    assert torch.equal(kept, kept[:, :1].expand_as(kept)) and set(kept.flatten().tolist()) == {0, 2}
    assert not torch.equal(kept[0], kept[1])
    table = word_dropout(torch.ones(60, 7), 0.5, rng())
    assert torch.equal(table, table[:, :1].expand_as(table)) and set(table[:, 0].tolist()) == {0, 2}


@pytest.mark.parametrize("drop", [locked_dropout, word_dropout, hide_words])
def test_without_a_rate_or_a_generator_nothing_is_drawn(drop: object) -> None:
    given, draws = torch.ones(2, 3, 4), rng()
    before = draws.get_state()
    assert drop(given, 0.0, draws) is drop(given, 0.5, None) is given
    assert torch.equal(draws.get_state(), before)


def test_a_rate_of_1_hides_every_word() -> None:
    """Those of <bos>, 1, stay."""
    assert hide_words(torch.tensor([[1, 5, 6]]), 1.0, rng()).tolist() == [[1, 3, 3]]


def test_words_are_hidden_at_their_rate_but_never_the_first() -> None:
    """A quarter of 40,000, whose standard error is .0022; without a generator at rate 1 alone."""
    read = torch.full((200, 201), 7)
    read[:, 0] = BOS
    found = hide_words(read, 0.25, rng())
    assert bool((found[:, 0] == BOS).all()) and set(found[:, 1:].unique().tolist()) == {UNK, 7}
    assert (found[:, 1:] == UNK).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert torch.equal(hide_words(read[:1, :3], 1.0, None), torch.tensor([[BOS, UNK, UNK]]))
    assert hide_words(read, 0.99, None) is read


def test_places_are_dropped_each_by_itself_at_words_alone() -> None:
    """As a mask of all places, of which those of <pad> are left out."""
    tokens, x = torch.tensor([[4, 5, 2], [6, PAD, PAD]]), torch.ones(4, 50)
    found = place_dropout(x, 0.2, tokens, rng(1))
    mask = keep_mask((2, 3, 50), 0.2, x, rng(1))
    assert torch.equal(found, mask[tokens != PAD]) and 0.7 < found.mean() < 1.3
    assert place_dropout(x, 0.0, tokens, rng(1)) is place_dropout(x, 0.2, tokens, None) is x


def test_a_mask_is_of_the_type_of_what_it_is_for() -> None:
    assert keep_mask((2,), 0.5, torch.zeros(1, dtype=torch.float64), rng()).dtype == torch.float64
