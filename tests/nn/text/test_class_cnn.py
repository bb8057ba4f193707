"""A text CNN with a logit for each class: on words, on vectors in their place, and on many."""

import torch
import torch.nn.functional as F

from gantext.data.vocabulary import EOS, PAD
from gantext.nn.text.class_cnn import ClassCNN
from gantext.nn.text.places import words_at
from gantext.nn.text.text_cnn import DiscriminatorConfig

SIZES = DiscriminatorConfig(
    embedding=6, widths=(1, 2), filters=(5, 4), dropout=0.0, l2=0.0, gate_bias=-1.0
)
TOKENS = torch.tensor([[4, 5, 6, EOS], [6, EOS, PAD, PAD], [5, 5, EOS, PAD]])


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_a_logit_for_each_class_whatever_stands_beside_a_sentence() -> None:
    network = ClassCNN(7, SIZES, 4, rng(), 3)
    logits = network.class_logits(TOKENS)
    assert logits.shape == (3, 3)
    torch.testing.assert_close(network.all_logits(TOKENS), logits.detach())
    torch.testing.assert_close(network.class_logits(TOKENS[1:2, :2]), logits[1:2])
    torch.testing.assert_close(network.logits(TOKENS), logits.logsumexp(1))
    torch.testing.assert_close(network.score(TOKENS), logits.detach().logsumexp(1).sigmoid())
    (one, two) = network.class_logits_of([TOKENS[:1], TOKENS[1:]], rng())
    torch.testing.assert_close(torch.cat([one, two]), logits)


def test_words_as_vectors_are_read_as_words_and_have_a_gradient() -> None:
    """The gradient by a vector is what the loss would change by with another word's embedding."""
    network = ClassCNN(7, SIZES, 4, rng(), 3)
    words = F.one_hot(words_at(TOKENS), 7).float().requires_grad_()
    logits = network.relaxed_logits(TOKENS, words, rng())
    torch.testing.assert_close(logits, network.class_logits(TOKENS))
    logits[0, 1].backward()
    assert words.grad is not None
    assert bool(words.grad[:4].abs().sum(1).gt(0).any()) and not bool(words.grad[4:].any())
    moved = words.detach().clone()
    moved[0, 5] += 1e-3
    change = network.relaxed_logits(TOKENS, moved, rng())[0, 1] - logits[0, 1]
    torch.testing.assert_close(change / 1e-3, words.grad[0, 5], rtol=1e-2, atol=1e-3)
