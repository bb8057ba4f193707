"""Readers of captions."""

import torch

from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.nn.captions.reader import CaptionReader, initialise_reader, turned


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


def test_a_word_never_seen_counts_for_nothing() -> None:
    assert reader(1).embedding.weight[UNK].abs().max() == 0
