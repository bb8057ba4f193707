"""The text CNN: prefixes in one pass, padding, scores, hand-worked values."""

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD
from gantext.nn.text import text_cnn
from gantext.nn.text.text_cnn import DiscriminatorConfig, TextCNN
from tests.nn.threaded_ranks import of_ranks
from tests.pretended_gpu import pretended_gpu


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


@pytest.mark.parametrize("shared", [0, 2**27])
def test_ranks_take_turns_at_groups_of_sentences(shared, monkeypatch):
    """All have the scores that one process gives."""
    monkeypatch.setattr(text_cnn, "SHARED_NUMBERS", shared)
    monkeypatch.setattr(text_cnn, "SCORE_ROWS", 7)
    model, tokens = make(), sentences()
    wanted = model.log_odds(tokens)
    torch.testing.assert_close(model.score(tokens), wanted.sigmoid())
    for found in of_ranks(3, lambda: model.log_odds(tokens)):
        torch.testing.assert_close(found, wanted)


def test_a_gpu_reads_what_a_cpu_reads():
    """Windows by convolutions, and prefixes by whole tables."""
    model, tokens = make(), sentences()
    valid = tokens != PAD
    pooled, prefixes = model.pooled(tokens), model.prefix_pooled(tokens)[valid]
    logits, scores = model.prefix_logits(tokens)[valid], model.score(tokens)
    with pretended_gpu():
        model, there = make().to("cuda"), tokens.to("cuda")
        found = model.score(there).cpu()
        near = {"rtol": 1e-4, "atol": 1e-5}
        torch.testing.assert_close(model.pooled(there).cpu(), pooled, **near)
        torch.testing.assert_close(model.prefix_pooled(there).cpu()[valid], prefixes, **near)
        torch.testing.assert_close(model.prefix_logits(there).cpu()[valid], logits, **near)
    torch.testing.assert_close(found, scores, **near)


def test_dropout_is_drawn_for_one_batch_after_the_other():
    """As masks of each batch's features, a quarter dropped, the rest 4/3; without a rate none."""
    config = DiscriminatorConfig(6, (2, 3), (4, 4), 0.25, 0.2, -1.0)
    model, tokens = TextCNN(12, config, 9, rng(1)), sentences()
    one, other = tokens[:25], tokens[25:, :7]
    found, noise = model.features_of([one, other], rng(6)), rng(6)
    for features, batch in zip(found, (one, other), strict=True):
        mask = torch.empty(len(batch), 8).bernoulli_(0.75, generator=noise) / 0.75
        wanted = model.highway(model.convolved(batch)) * mask
        torch.testing.assert_close(features, wanted, rtol=1e-4, atol=1e-5)
    assert torch.equal(model.logits(tokens), model.logits(tokens, None))
    assert not torch.equal(model.logits(tokens), model.logits(tokens, rng(1)))
    drawn = [model.prefix_logits(tokens, rng(seed)) for seed in (1, 1, 2)]
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])
    noise, before = rng(1), rng(1).get_state()
    assert torch.equal(make().logits(tokens, noise), make().logits(tokens))
    assert torch.equal(noise.get_state(), before)  # without a rate nothing is drawn


def test_weights_are_drawn_as_it_says():
    """Embeddings N(0, 1) but for <pad>, others by what one output sums; biases 0, the gate's -1."""
    config = DiscriminatorConfig(32, (1, 3), (60, 40), 0.0, 0.0, -1.5)
    model, other = (TextCNN(100, config, 9, rng(1)) for _ in range(2))
    for (name, weight), same in zip(model.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(weight, same)
        if name.endswith("bias"):
            assert bool((weight == (-1.5 if name == "gate.bias" else 0)).all())
            continue
        fan_in = {"convolutions.0.weight": 32, "convolutions.1.weight": 96}.get(name, 100)
        wanted = 1.0 if name == "embedding.weight" else fan_in**-0.5
        kept = weight[1:] if name == "embedding.weight" else weight
        assert kept.std().item() == pytest.approx(wanted, rel=0.06 if kept.numel() > 999 else 0.25)
        assert abs(kept.mean().item()) < 4 * wanted / kept.numel() ** 0.5
    assert not model.embedding.weight[PAD].any()
