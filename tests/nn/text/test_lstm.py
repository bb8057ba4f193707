"""A layer's passes in bf16, where the processor can and where it cannot."""

import pytest
import torch
from torch import Tensor, nn

from gantext.nn.text import lstm
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from tests.pretended_gpu import pretended_gpu


class Given(nn.Module):
    """Gives back what it is given."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, object]:
        """Both, and whether they come under autocast."""
        self.autocast = torch.is_autocast_enabled("cpu")
        return x, state


@pytest.mark.parametrize("able", [True, False])
def test_under_autocast_it_stays_in_fp32_where_there_is_no_bf16(
    able: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """h and c are its own; without autocast nothing is cast."""
    monkeypatch.setattr(lstm, "_has_bf16_lstm", lambda: able)
    x, h, c = (torch.full((1, 2, 3), value, dtype=torch.bfloat16) for value in (1, 2, 3))
    with torch.autocast("cpu", torch.bfloat16):
        found, (own_h, own_c) = lstm.lstm_pass(layer := Given(), x, (h, c))
        assert layer.autocast == able
        without, none = lstm.lstm_pass(Given(), x)
    wanted = torch.bfloat16 if able else torch.float32
    assert {found.dtype, own_h.dtype, own_c.dtype, without.dtype} == {wanted} and none is None
    assert (found == 1).all() and (own_h == 2).all() and (own_c == 3).all()
    assert lstm.lstm_pass(Given(), x, (h, c))[0].dtype == torch.bfloat16


def test_mixed_weights_are_drawn_as_it_says() -> None:
    """Embeddings and scores N(0, .1); recurrent matrices orthogonal; others within Xavier's bounds;
    biases 0, but the forget gates' own, the second quarter, 1."""
    config = GeneratorConfig(50, 40, 2, False, 0.0, 0.0, Init.mixed)
    model, other = (LanguageModel(60, config, torch.Generator().manual_seed(1)) for _ in range(2))
    for (name, weight), same in zip(model.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(weight, same)
        if name in ("embedding.weight", "output.weight"):
            assert weight.std().item() == pytest.approx(0.1, rel=0.08)
            assert abs(weight.mean().item()) < 0.01
        elif "bias_ih" in name:
            assert weight.tolist() == [0.0] * 40 + [1.0] * 40 + [0.0] * 80
        elif "bias" in name:
            assert not weight.any()
        elif "weight_hh" in name:
            torch.testing.assert_close(weight.T @ weight, torch.eye(40), rtol=0, atol=1e-5)
        else:
            bound = (6 / sum(weight.shape)) ** 0.5
            assert 0.98 * bound < weight.abs().max().item() <= bound
    lstm.initialise(other, torch.Generator().manual_seed(2))
    again = LanguageModel(60, config, torch.Generator().manual_seed(2))
    assert torch.equal(other.embedding.weight, again.embedding.weight)


def test_normal_weights_are_drawn_by_the_generator_given() -> None:
    """N(0, .1), and of the two biases of a gate one 0."""
    one, two = (nn.LSTM(30, 20) for _ in range(2))
    for made in (one, two):
        lstm.initialise(made, torch.Generator().manual_seed(4), Init.normal)
    for name, weight in one.named_parameters():
        assert torch.equal(weight, two.get_parameter(name)), name
        spread = 0.0 if "bias_hh" in name else 0.1
        assert weight.std().item() == pytest.approx(spread, rel=0.25), name


@pytest.mark.parametrize("fixed", [False, True])
def test_words_that_are_never_read_or_written_have_no_probability(fixed: bool) -> None:
    """<pad> and <bos>, <eos> too where all sentences have one length; <unk> is read alone."""
    config = GeneratorConfig(4, 4, 1, True, 0.0, 0.0, Init.mixed)
    model = LanguageModel(7, config, torch.Generator().manual_seed(1), fixed)
    read = {0, 1, 2} if fixed else {0, 1}
    for written, never in ((False, read), (True, read | {3})):
        bias = model.output_layer(written).bias
        assert set(bias.isneginf().nonzero()[:, 0].tolist()) == never
        assert model.output.bias.isfinite().all()
    scores = model.logits(model.start(1))[0, :7]
    assert set(scores.isneginf().nonzero()[:, 0].tolist()) == read | {3}
    assert "never" not in model.state_dict()


def test_likelihoods_of_sentences_are_0_where_there_is_no_word() -> None:
    tokens = torch.tensor([[4, 5, 2], [6, 0, 0]])
    found = lstm.at_words(torch.tensor([1.0, 2, 3, 4]), tokens)
    assert found.tolist() == [[1, 2, 3], [4, 0, 0]]
    with pretended_gpu():
        there = lstm.at_words(torch.arange(1.0, 7).to("cuda"), tokens.to("cuda"))
        assert there.cpu().tolist() == [[1, 2, 3], [4, 0, 0]]
    one, more = torch.ones(2, 4), torch.tensor([[1.0] * 4, [2.0] * 4])
    assert lstm.with_added(one, None) is one
    assert lstm.with_added(one, more)[:, 0].tolist() == [2, 3]
    assert lstm.with_added(torch.ones(2, 3, 4), more)[:, :, 0].tolist() == [[2] * 3, [3] * 3]
