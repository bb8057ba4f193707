"""The transformer's places and weights: how they are drawn, and taken from other lengths."""

import pytest
import torch

from gantext.data.vocabulary import PAD
from gantext.nn.text.transformer import Block, Transformer, TransformerConfig
from tests.nn.text.test_transformer import LENGTH, rng, sentences, transformer


def test_behind_its_places_every_word_has_the_last_one_s() -> None:
    """Places 0, 1, 2 and then 2 on, of whole sentences and word by word, and what is added to each
    word of a sentence stands beside them."""
    model, tokens = transformer(length=3), sentences()[:4, :6]
    added = torch.randn(4, 8, generator=rng(1))
    longer = transformer(length=6)
    with torch.no_grad():
        longer.positions.weight.copy_(model.positions.weight[[0, 1, 2, 2, 2, 2]])
    wanted = longer.valid_features(tokens, None, added)
    torch.testing.assert_close(model.valid_features(tokens, None, added), wanted)
    state, valid = model.start(4, added), tokens != PAD
    on_grid = longer.features(tokens, None, added)
    for t in range(6):
        torch.testing.assert_close(state[0][valid[:, t]], on_grid[valid[:, t], t])
        assert [part.shape for part in state[1:]] == [(4, t + 1, 16)] * 2
        state = model.advance(state, tokens[:, t], added)


def test_what_stands_before_a_sentence_is_read_by_all_its_words() -> None:
    """Keys and values of a sentence's first words, as if these stood before the rest."""
    model, tokens = transformer(layers=1), torch.randint(4, 9, (3, 6), generator=rng(1))
    (block,) = model.blocks.children()
    assert isinstance(block, Block)
    x = torch.randn(3, 6, 8, generator=rng(2))
    whole = block(x.flatten(0, 1), tokens, None).view(3, 6, 8)
    keys = block.qkv(block.attention_norm(x[:, :2]))[..., 8:]
    rest = block(x[:, 2:].flatten(0, 1), tokens[:, 2:], None, keys).view(3, 4, 8)
    torch.testing.assert_close(rest, whole[:, 2:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 8])
def test_weights_are_drawn_as_gpt_2_has_it(layers: int) -> None:
    """N(0, .02), but .02 / sqrt(2 layers) of what ends in the sum; of 4,096 numbers and more the
    deviation is known to 1.1 %."""
    config = TransformerConfig(width=64, layers=layers, heads=2, feed_forward=64, dropout=0.0)
    model, other = (Transformer(100, 70, config, False, 0.0, rng(1)) for _ in range(2))
    for (name, weight), same in zip(model.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(weight, same)
        if name.endswith("bias"):
            assert not weight.any()
        elif "norm" in name:
            assert bool((weight == 1).all())
        else:
            adds = name.endswith(("attended.weight", "narrowed.weight"))
            wanted = 0.02 / (2 * layers) ** 0.5 if adds else 0.02
            assert weight.std().item() == pytest.approx(wanted, rel=0.06), name
            assert abs(weight.mean().item()) < 4 * wanted / weight.numel() ** 0.5, name
    assert sorted(model.state_dict()) == sorted(dict(model.named_parameters()))


def test_a_dropped_feature_is_dropped_at_each_place_apart() -> None:
    """With every word alike and all sums 0, what is left of the embeddings is their mask."""
    model, tokens = transformer(dropout=0.25), torch.full((40, LENGTH), 5)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.positions.weight.fill_(1.0)
    found = model.entered(tokens, tokens, rng(1))
    assert sorted(set(found.flatten().tolist())) == pytest.approx([0, 4 / 3])
    assert 0.2 < float((found == 0).float().mean()) < 0.3


def test_weights_of_sentences_of_another_length_are_taken() -> None:
    """The places that both have; further ones stay as they were drawn."""
    six, ten = transformer(length=6), transformer(length=10)
    with torch.no_grad():
        ten.positions.weight.copy_(torch.arange(80).view(10, 8))
    kept = ten.positions.weight[6:].clone()
    ten.load_state_dict(six.state_dict())
    assert torch.equal(ten.positions.weight[:6], six.positions.weight)
    assert torch.equal(ten.positions.weight[6:], kept)
    six.load_state_dict(ten.state_dict())
    assert torch.equal(six.positions.weight, ten.positions.weight[:6])
    tokens = sentences(10)
    torch.testing.assert_close(six.token_log_prob(tokens[:, :6]), ten.token_log_prob(tokens[:, :6]))


def test_weights_that_it_does_not_have_are_refused() -> None:
    model = transformer()
    with pytest.raises(RuntimeError, match="Unexpected key"):
        model.load_state_dict({**model.state_dict(), "more": torch.ones(1)})
