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
    (-1, 1). Gates: enter sigmoid(ln 3), sigmoid(0) = 3/4, 1/2; keep sigmoid(1 - 1/2 - 1/2) = 1/2,
    by word and tanh(m), 1/2 by tanh(m) alone. The memory is (1/2 - 3/4 tanh 1, 1/2 tanh 1).
    """
    memory = RelationalMemory(RelationalConfig(1, 1, 1, 2, 0.0))
    with torch.no_grad():
        for weight in (p for name, p in memory.named_parameters() if "norm" not in name):
            weight.zero_()
        memory.read.weight[0] = 1
        memory.qkv.weight[:, 0] = torch.tensor([1.0, -1.0] * 3)
        memory.inner.weight.copy_(torch.eye(2))
        memory.outer.weight[1, 0] = 4
        memory.word_gates.weight[0, 0], memory.word_gates.weight[2, 0] = math.log(3) / 2, -0.25
        memory.memory_gates.weight[2:, 0] = torch.tensor([-0.5, -1.0]) / TANH1
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


SIZES = RelationalConfig(embedding=32, slots=2, heads=2, head_size=20, dropout=0.0)


@pytest.mark.parametrize("tied", [True, False])
def test_weights_are_drawn_as_it_says(tied: bool) -> None:
    """Embeddings N(0, .1), scores of deviation 1, other matrices uniform in Xavier's bounds, whose
    deviation is the bound over the root of 3; biases 0, norms 1."""
    model, other = (
        RelationalModel(90, SIZES, tied, 0.0, torch.Generator().manual_seed(1)) for _ in range(2)
    )
    for (name, weight), same in zip(model.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(weight, same)
        if name.endswith("bias"):
            assert not weight.any()
        elif "norm" in name:
            assert bool((weight == 1).all())
        elif name == "embedding.weight":
            assert weight.std().item() == pytest.approx(0.1, rel=0.08)
            assert abs(weight.mean().item()) < 0.01
        elif name == "output.weight":
            assert weight.std().item() == pytest.approx(80**-0.5, rel=0.08)
            assert abs(weight.mean().item()) < 0.01
        else:
            bound = (6 / sum(weight.shape)) ** 0.5
            assert bound * 0.95 < weight.abs().max().item() <= bound, name
    memory = {
        *("read.weight", "read.bias", "qkv.weight", "inner.weight", "inner.bias"),
        *("outer.weight", "outer.bias", "word_gates.weight", "memory_gates.weight"),
        *(f"{norm}_norm.{kind}" for norm in ("qkv", "attended", "changed") for kind in KINDS),
    }
    own = {"embedding.weight", *(f"output.{kind}" for kind in KINDS)}
    own |= {f"projection.{kind}" for kind in KINDS} if tied else set()
    assert set(model.state_dict()) == own | {f"memory.{name}" for name in memory}
    assert (model.output.weight is model.embedding.weight) is tied


KINDS = ("weight", "bias")


def test_it_begins_with_the_rows_of_the_identity_matrix() -> None:
    """What is added to a word's embedding is added to that of each, the first too."""
    model = RelationalModel(9, SIZES, True, 0.0, torch.Generator().manual_seed(1))
    added = torch.randn(3, 32, generator=torch.Generator().manual_seed(2))
    first = torch.eye(2, 40).expand(3, -1, -1)
    (found,) = model.start(3, added)
    wanted = model.memory(first, model.memory.told(model.embedding.weight[1] + added))
    torch.testing.assert_close(found, wanted)
    (plain,) = model.start(3)
    torch.testing.assert_close(plain, model.start(3, torch.zeros(3, 32))[0])
    tokens = torch.tensor([[4, 5, 8, 2]] * 3)
    features, state = model.features(tokens, None, added), (found,)
    for t in range(4):
        torch.testing.assert_close(features[:, t], model.projection(state[0].flatten(1)))
        state = model.advance(state, tokens[:, t], added)


def test_its_state_is_fp32_within_autocast_and_dropout_is_by_the_generator() -> None:
    sizes = RelationalConfig(6, 2, 2, 3, dropout=0.4)
    model = RelationalModel(9, sizes, True, 0.3, torch.Generator().manual_seed(1))
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        (state,) = model.advance(model.start(2), torch.tensor([4, 5]))
        assert state.dtype == model.logits((state,)).dtype == torch.float32
    tokens = torch.tensor([[4, 5, 8, 2], [7, 7, 2, 0]])
    one, two, other = (
        model.features(tokens, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert not torch.equal(one, model.features(tokens))
