"""Readers of captions, and the captions that are near by their words."""

import torch

from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.nn.captions.reader import (
    CaptionReader,
    NearCaptions,
    copy_reader,
    initialise_reader,
    turned,
)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def reader(seed: int = 0) -> CaptionReader:
    made = CaptionReader(9, 6, 5)
    initialise_reader(made, rng(seed))
    return made


def test_turned_captions_end_where_they_began() -> None:
    tokens = torch.tensor([[4, 5, 6, 2], [7, 2, 0, 0]])
    assert tokens.gather(1, turned(tokens)).tolist() == [[2, 6, 5, 4], [2, 7, 0, 0]]


def test_states_are_those_of_each_direction_at_the_words_own_place() -> None:
    """Against the two LSTMs run over the words of one caption without padding."""
    model, tokens = reader(), torch.tensor([[4, 5, EOS, PAD, PAD], [6, 7, 8, 4, EOS]])
    states, features = model.read(tokens)
    for row, length in enumerate((3, 5)):
        words = model.embedding(tokens[row : row + 1, :length])
        there, back = model.forwards(words)[0], model.backwards(words.flip(1))[0].flip(1)
        wanted = torch.cat([there, back], 2)[0]
        torch.testing.assert_close(states[row, :length], wanted)
        torch.testing.assert_close(features[row], wanted.amax(0))


def test_a_word_never_seen_counts_for_nothing_and_copies_are_equal() -> None:
    one, two = reader(1), reader(2)
    assert one.embedding.weight[UNK].abs().max() == 0
    tokens = torch.tensor([[4, 5, EOS]])
    assert not torch.equal(one.features(tokens), two.features(tokens))
    copy_reader(one, two)
    assert torch.equal(one.features(tokens), two.features(tokens))


def test_the_nearest_captions_share_most_words() -> None:
    """Of {4, 5, 6}: {4, 5, 7} has Jaccard index 2/4, {4, 8} 1/4, {8} 0; the caption itself, the
    same words in another order, and one that says all of them and more come last."""
    captions = torch.tensor(
        [[4, 5, 6, 0], [6, 5, 4, 0], [4, 5, 6, 7], [8, 0, 0, 0], [4, 8, 0, 0], [4, 5, 7, 0]]
    )
    near = NearCaptions(captions, 9, 6).nearest(captions[:1])[0].tolist()
    assert near[:3] == [5, 4, 3] and set(near[3:]) == {0, 1, 2}


def test_near_captions_are_drawn_from_the_nearest() -> None:
    captions = torch.tensor([[4, 5, 6], [4, 5, 7], [4, 8, 7], [8, 8, 8]])
    found = NearCaptions(captions, 9, 2).draw(captions[:1], 50, rng(1))
    assert found.shape == (1, 50) and set(found[0].tolist()) == {1, 2}
