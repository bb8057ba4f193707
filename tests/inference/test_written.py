"""The likelihood of sentences as they are written at a temperature, by hand and beside `decode`."""

import math

import pytest
import torch
from torch import Tensor

from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.inference.written import written_log_prob
from gantext.nn.text.sampling import SamplingOptions, State, decode
from tests.nn.text.test_sampling import rng, tiny

A, B = 4, 5


class TwoWords:
    """a, b and <eos> have the odds 1, 4 and 9 whatever stands before; behind b, b has 16."""

    vocab_size = 6

    def start(self, rows: int) -> State:
        return (torch.zeros(rows, 1),)

    def advance(self, state: State, tokens: Tensor) -> State:
        return ((tokens[:, None] == B).float(),)

    def logits(self, state: State) -> Tensor:
        odds = torch.zeros(len(state[0]), 6)
        odds[:, [A, B, EOS]] = torch.tensor([1.0, 4.0, 9.0])
        odds[:, B] += 12 * state[0][:, 0]
        return odds.log()


def test_two_words_at_temperatures_of_a_half_1_and_2() -> None:
    """Of "b a <eos>": odds o become o^(1/T).

    T = 1: 4/14 * 1/26 * 9/14; T = 2: 2/6 * 1/8 * 3/6; T = 1/2: 16/98 * 1/338 * 81/98.
    """
    tokens = torch.tensor([[B, A, EOS], [EOS, PAD, PAD]])
    expected = {
        1.0: [4 / 14, 1 / 26, 9 / 14],
        2.0: [2 / 6, 1 / 8, 3 / 6],
        0.5: [16 / 98, 1 / 338, 81 / 98],
    }
    for temperature, odds in expected.items():
        found = written_log_prob(TwoWords(), tokens, temperature)
        assert found[0].exp().tolist() == pytest.approx(odds)
        assert found[1].tolist() == pytest.approx([math.log(odds[2]), 0, 0])
    unknown = written_log_prob(TwoWords(), torch.tensor([[UNK, EOS]]), 2.0)
    assert unknown[0].tolist() == [-math.inf, pytest.approx(math.log(3 / 6))]


def test_at_temperature_1_it_is_the_likelihood_of_writing() -> None:
    model = tiny()
    tokens = decode(model, 20, 6, rng(1), SamplingOptions())
    found = written_log_prob(model, tokens, 1.0)
    torch.testing.assert_close(found, model.token_log_prob(tokens, written=True))


def test_samples_have_the_frequencies_of_their_temperature() -> None:
    """20,000 sentences of one word or none at T = .5: each share within four standard errors."""
    n, drawn = 20_000, decode(TwoWords(), 20_000, 2, rng(3), SamplingOptions(0.5))
    for row in ([EOS, PAD], [A, EOS], [B, EOS], [B, B]):
        p = float(written_log_prob(TwoWords(), torch.tensor([row]), 0.5).sum().exp())
        share = float((drawn == torch.tensor(row)).all(1).float().mean())
        assert share == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / n))
