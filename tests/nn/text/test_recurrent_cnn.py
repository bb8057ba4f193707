"""The text CNN whose windows read what came before: plain loops, prefixes, padding, scores."""

import pytest
import torch
import torch.nn.functional as F

from gantext.data.vocabulary import PAD
from gantext.nn.text.recurrent_cnn import RecurrentCNN
from gantext.nn.text.text_cnn import DiscriminatorConfig
from tests.nn.text.test_text_cnn import rng, sentences
from tests.pretended_gpu import pretended_gpu


def make(widths=(1, 2, 3, 5), length=9) -> RecurrentCNN:
    config = DiscriminatorConfig(6, tuple(widths), tuple(4 for _ in widths), 0.0, 0.2, -1.0)
    model = RecurrentCNN(12, config, length, rng(1))
    with torch.no_grad():
        for convolution in model.convolutions:
            convolution.bias.normal_(0, 0.5, generator=rng(2))
        for parameter in model.reader.parameters():
            parameter.normal_(0, 0.7, generator=rng(6))
    return model


def plain_states(model: RecurrentCNN, words: list[int]) -> list[torch.Tensor]:
    """The LSTM's equations, a word at a time (with forget gates: Gers et al. 2000)."""
    reader, size = model.reader, 6
    state, memory, found = torch.zeros(size), torch.zeros(size), []
    for word in words:
        gates = reader.weight_ih_l0 @ model.embedding.weight[word] + reader.bias_ih_l0
        gates = gates + reader.weight_hh_l0 @ state + reader.bias_hh_l0
        enter, keep, new, out = gates.split(size)
        memory = keep.sigmoid() * memory + enter.sigmoid() * new.tanh()
        state = out.sigmoid() * memory.tanh()
        found.append(state)
    return found


def plain_pooled(model: RecurrentCNN, words: list[int]) -> torch.Tensor:
    """Each filter's largest window over a sentence, which may reach past its end, where 0 is."""
    read = [
        torch.cat([model.embedding.weight[word], state])
        for word, state in zip(words, plain_states(model, words), strict=True)
    ]
    read += [torch.zeros(12)] * 9
    found = []
    for width, convolution in zip(model.widths, model.convolutions, strict=True):
        sums = [
            sum(convolution.weight[:, :, j] @ read[i + j] for j in range(width))
            for i in range(len(words))
        ]
        found.append((torch.stack(sums).amax(0) + convolution.bias).relu())
    return torch.cat(found)


@pytest.mark.parametrize("widths", [(1,), (2, 3), (1, 4, 7), (9,)])
def test_it_reads_what_plain_loops_read(widths):
    model, tokens = make(widths), sentences()
    pooled, prefixes = model.pooled(tokens), model.prefix_pooled(tokens)
    for row, sentence in enumerate(tokens[:12]):
        words = sentence[sentence != PAD].tolist()
        torch.testing.assert_close(pooled[row], plain_pooled(model, words), rtol=1e-5, atol=1e-5)
        for t in range(1, len(words) + 1):
            torch.testing.assert_close(
                prefixes[row, t - 1], plain_pooled(model, words[:t]), rtol=1e-5, atol=1e-5
            )


def test_a_word_counts_by_what_stood_long_before():
    """Its windows see two words, and yet sentences that differ in their first alone differ after
    all of its windows are left out."""
    model = make((2,))
    one, other = torch.tensor([[4, 6, 7, 8, 9]]), torch.tensor([[5, 6, 7, 8, 9]])
    late = [model.vectors(tokens)[:, 3:] for tokens in (one, other)]
    assert (late[0] - late[1]).abs().amax() > 1e-3


def test_the_gradient_of_a_window_that_won_is_that_of_a_convolution():
    tokens = sentences()
    found = []
    for way in ("pooled", "convolved"):
        model = make()
        weights = torch.randn(40, 16, generator=rng(7))
        (getattr(model, way)(tokens) * weights).sum().backward()
        grads = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        assert {"embedding.weight", "reader.weight_hh_l0", "reader.bias_ih_l0"} <= set(grads)
        found.append(grads)
    for name, gradient in found[0].items():
        torch.testing.assert_close(gradient, found[1][name], rtol=1e-4, atol=1e-5, msg=name)


def test_features_do_not_depend_on_padding():
    model, tokens = make(), sentences()
    wide = F.pad(tokens, (0, 7))
    torch.testing.assert_close(model.pooled(wide), model.pooled(tokens), rtol=1e-5, atol=1e-6)
    prefixes = model.prefix_pooled(wide)[:, : tokens.shape[1]]
    valid = tokens != PAD
    torch.testing.assert_close(prefixes[valid], model.prefix_pooled(tokens)[valid])


def test_score_of_repeated_rows_equals_the_plain_pass():
    model, tokens = make(), sentences()
    many = tokens[torch.randint(0, 40, (3000,), generator=rng(5))]
    plain = model.output(model.highway(model.convolved(many))).squeeze(1).detach()
    torch.testing.assert_close(model.score(many), plain.sigmoid())
    torch.testing.assert_close(model.log_odds(many), plain, rtol=1e-4, atol=1e-5)


def test_a_gpu_reads_what_a_cpu_reads():
    model, tokens = make(), sentences()
    expected = [model.pooled(tokens), model.prefix_logits(tokens), model.score(tokens)]
    with pretended_gpu() as gpu:
        there, words = make().to("cuda"), tokens.to("cuda")
        found = [there.pooled(words), there.prefix_logits(words), there.score(words)]
        waits = gpu.waits
    assert set(waits) == {"copy to the device"}  # of weights and sentences
    valid = tokens != PAD
    for place, each in enumerate(found):
        own, one = each.cpu(), expected[place]
        if place == 1:
            own, one = own[valid], one[valid]
        torch.testing.assert_close(own, one, rtol=1e-4, atol=1e-5)


def test_its_reader_is_drawn_by_its_own_generator():
    """Equal generators, equal weights; forget gates begin open, other biases at 0."""
    config = DiscriminatorConfig(6, (2,), (4,), 0.0, 0.2, -1.0)
    one, same = (RecurrentCNN(12, config, 9, rng(1)) for _ in range(2))
    other = RecurrentCNN(12, config, 9, rng(2))
    for name, weight in one.named_parameters():
        assert torch.equal(weight, dict(same.named_parameters())[name]), name
    assert not torch.equal(one.reader.weight_hh_l0, other.reader.weight_hh_l0)
    opened = torch.zeros(24)
    opened[6:12] = 1
    assert torch.equal(one.reader.bias_ih_l0, opened) and not one.reader.bias_hh_l0.any()
    assert one.convolutions[0].weight.shape == (4, 12, 2)
