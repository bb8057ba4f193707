"""Scores of next words by a layer that is kept: those of the layer as it is now."""

import copy

import pytest
import torch
import torch.nn.functional as F

from gantext.data.vocabulary import BOS, PAD, UNK
from gantext.nn.text import kept_layer
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init

WORDS, NEVER = 90, [PAD, BOS, UNK]


@pytest.fixture
def model():
    config = GeneratorConfig(
        8, 8, 1, tie_weights=False, dropout=0.0, word_dropout=0.0, init=Init.mixed
    )
    return LanguageModel(WORDS, config, torch.Generator().manual_seed(1))


def features(rows=5):
    return torch.randn(rows, 8, generator=torch.Generator().manual_seed(rows))


def plain(model, read):
    scores = F.linear(read, model.output.weight, model.output.bias)
    return scores.index_fill(1, torch.tensor(NEVER), -torch.inf).detach()


@pytest.mark.parametrize("rows", [1, 70])
def test_scores_are_those_of_the_linear_layer_and_words_that_fill_up_never_come(model, rows):
    scores = model.next_scores(features(rows))
    torch.testing.assert_close(scores[:, :WORDS], plain(model, features(rows)))
    assert bool((scores[:, WORDS:] == -torch.inf).all())
    assert not scores.requires_grad


def test_a_change_of_any_weight_is_seen(model):
    """The new scores lie in the old memory of the layer, where a captured graph reads it."""
    model.next_scores(features())
    kept = model._kept._weight.data_ptr()
    with torch.no_grad():
        model.output.weight[7] += 1
        model.output.bias[9] -= 1
    torch.testing.assert_close(model.next_scores(features())[:, :WORDS], plain(model, features()))
    assert model._kept._weight.data_ptr() == kept
    other = copy.deepcopy(model)
    other.load_state_dict({name: -value for name, value in model.state_dict().items()})
    torch.testing.assert_close(other.next_scores(features())[:, :WORDS], plain(other, features()))
    torch.testing.assert_close(model.next_scores(features())[:, :WORDS], plain(model, features()))


def test_it_is_made_anew_where_products_are_rounded_otherwise(model, monkeypatch):
    """What a training step in TF32 has made of the weights is not what scores are drawn by."""
    made = []
    monkeypatch.setattr(model, "output_layer", lambda written: made.append(written) or layer)
    layer = LanguageModel.output_layer(model, True)
    for rounds in (False, False, True, True, False):
        monkeypatch.setattr(kept_layer, "in_tf32", lambda device, rounds=rounds: rounds)
        model.next_scores(features())
    assert len(made) == 3


def test_under_autocast_products_are_narrow_and_scores_are_not(model):
    exact = model.next_scores(features())
    with torch.autocast("cpu", torch.bfloat16):
        rounded = model.next_scores(features())
    assert rounded.dtype == torch.float32 and not torch.equal(rounded, exact)
    torch.testing.assert_close(rounded, exact, rtol=0.02, atol=0.02)
    assert torch.equal(model.next_scores(features()), exact)
