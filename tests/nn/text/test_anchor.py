"""What holds a generator to its anchor: the sums after a word, by hand."""

import torch

from gantext.nn.text.anchor import later_divergence


def test_what_comes_after_a_word_by_hand() -> None:
    """Divergences 1, 2, 4 / 3, 5: after each word come 6, 4, 0 / 5, 0. Less those of the other
    sentence: 1 and -1 at the first word, 4 and -4 at the second; at the third there is none other,
    and its mean over all words, 5/2, is taken."""
    kl = torch.tensor([[1.0, 2, 4], [3, 5, 0]])
    valid = torch.tensor([[1, 1, 1], [1, 1, 0]], dtype=torch.bool)
    wanted = torch.tensor([[1.0, 4, -2.5], [-1, -4, 0]])
    torch.testing.assert_close(later_divergence(kl, valid), wanted)
