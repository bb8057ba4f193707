"""The relational memory: a step worked by hand, and word by word as all at once."""

import math

import pytest
import torch

from gantext.nn.text.relational import RelationalConfig, RelationalMemory, RelationalModel

TANH1 = math.tanh(1)


def test_a_step_by_hand() -> None:
    """One row m = (1, 0), one head of size 2, x = 2: u = (2, 0).

    q, k and v are (1, -1) of m (norm leaves (1, -1, 1, -1, 1, -1)) and of u, so a = (1, -1).
    norm((1, 0) + a) = norm((2, -1)) = (1, -1). The perceptron gives (0, 4 relu(1)): norm((1, 3)) =
    (-1, 1). Gates: enter sigmoid(ln 3), sigmoid(0) = 3/4, 1/2; keep sigmoid(1 - 1) = 1/2 by the
    word, 1/2 by tanh(m). The memory is (1/2 - 3/4 tanh 1, 1/2 tanh 1).
    """
    memory = RelationalMemory(RelationalConfig(1, 1, 1, 2, 0.0))
    with torch.no_grad():
        for weight in (p for name, p in memory.named_parameters() if "norm" not in name):
            weight.zero_()
        memory.read.weight[0] = 1
        memory.qkv.weight[:, 0] = torch.tensor([1.0, -1.0] * 3)
        memory.inner.weight.copy_(torch.eye(2))
        memory.outer.weight[1, 0] = 4
        memory.word_gates.weight[0, 0], memory.word_gates.weight[2, 0] = math.log(3) / 2, -0.5
        memory.memory_gates.weight[3, 0] = -1 / TANH1
        found = memory(torch.tensor([[[1.0, 0.0]]]), memory.told(torch.tensor([[2.0]])))
    assert found[0, 0].tolist() == pytest.approx([0.5 - 0.75 * TANH1, TANH1 / 2], abs=1e-4)


@pytest.mark.parametrize("tied", [True, False])
def test_word_by_word_is_as_all_at_once(tied: bool) -> None:
    """Of two rows and two heads: the state after t words is what scores word t + 1."""
    rng = torch.Generator().manual_seed(1)
    model = RelationalModel(9, RelationalConfig(4, 2, 2, 3, 0.0), tied, 0.0, rng)
    tokens = torch.tensor([[4, 5, 8, 2], [7, 7, 2, 0]])
    with torch.no_grad():
        log_prob = model.token_log_prob(tokens, written=True)
        state = model.start(2)
        for t in range(4):
            scores = model.logits(state)[:, :9].log_softmax(1)
            wanted = scores.gather(1, tokens[:, t : t + 1])[:, 0]
            here = tokens[:, t] != 0
            torch.testing.assert_close(log_prob[here, t], wanted[here], rtol=1e-4, atol=1e-5)
            state = model.advance(state, tokens[:, t])
