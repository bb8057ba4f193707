"""What is dropped, by what it is scaled, and that nothing is drawn where nothing is dropped."""

import pytest
import torch

from gantext.nn.text.dropout import hide_words, keep_mask, locked_dropout, word_dropout


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
