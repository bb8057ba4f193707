"""The transformer: worked by hand, beside torch's own layers, and word by word."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.inference.beam import beam_search
from gantext.inference.prompt import Prompted
from gantext.nn.rng import generator
from gantext.nn.text.captured_decode import StaticDecode
from gantext.nn.text.fitting import mean_nll
from gantext.nn.text.output_layer import word_log_prob
from gantext.nn.text.rollouts import roll_out, valid_lengths
from gantext.nn.text.sampling import Prefixes, SamplingOptions, decode, next_tokens, select
from gantext.nn.text.transformer import Block, Transformer, TransformerConfig
from tests.graphs import replaying
from tests.models.test_device import Waits
from tests.pretended_gpu import counted, pretended_gpu

CPU = torch.device("cpu")
GREEDY = SamplingOptions(temperature=0.0)
LENGTH = 8


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def transformer(
    words: int = 9, length: int = LENGTH, dropout: float = 0.0, tie: bool = True, layers: int = 2
) -> Transformer:
    """Layers of two heads, with weights so large that its words are far from alike."""
    config = TransformerConfig(width=8, layers=layers, heads=2, feed_forward=12, dropout=dropout)
    model = Transformer(words, length, config, tie, dropout, rng(3))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(0.0, 0.6, generator=rng(len(name)))
    return model


def test_a_worked_sentence() -> None:
    """One layer of one head, W = 2, that attends to all words alike (q = k = 0), adds three times
    the mean of what they read (v = 3 norm(x)) and has no perceptron (W2 = 0).

    <bos> and a are (1, -1), b is (-1, 1), so that norm(x) is the word itself, and x after the layer
    is s (1, -1) with s = own + 3 mean of all so far, own = 1 or -1. Behind the last norm only the
    sign of s is left; the scores are sign, -sign and 0 of a, b and <eos>, whose sum of exponentials
    is e + 1/e + 1 = 4.08616, its logarithm 1.40761.

    After <bos>            s = 1 + 3 = 4            p(a): 1 - 1.40761 = -0.40761
    After <bos> a          s = 1 + 3 = 4            p(a): 1 - 1.40761 = -0.40761
    After <bos> a a        s = 1 + 3 = 4            p(b): -1 - 1.40761 = -2.40761
    After <bos> a a b      s = -1 + 3 / 2 = 0.5     p(b): -1 - 1.40761 = -2.40761
    After <bos> a a b b    s = -1 + 3 / 5 = -0.4    p(<eos>): -1.40761
    and b after <bos> is -2.40761, <eos> after <bos> b, where s = -1 + 0, is -1.40761.
    """
    a, b = 4, 5
    config = TransformerConfig(width=2, layers=1, heads=1, feed_forward=3, dropout=0.0)
    model = Transformer(6, 6, config, False, 0.0, rng())
    layer, sign = next(model.blocks.children()), torch.tensor([1.0, -1.0])
    assert isinstance(layer, Block)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name:
                weight.zero_()
        model.embedding.weight[1], model.embedding.weight[a] = sign, sign
        model.embedding.weight[b] = -sign
        layer.qkv.weight[4:] = 3 * torch.eye(2)
        layer.attended.weight.copy_(torch.eye(2))
        model.output.weight[a], model.output.weight[b] = sign / 2, -sign / 2
    likely, unlikely, end = -0.40761, -2.40761, -1.40761
    rows = torch.tensor([[a, a, b, b, EOS], [b, EOS, PAD, PAD, PAD]])
    wanted = [[likely, likely, unlikely, unlikely, end], [unlikely, end, 0, 0, 0]]
    found = model.token_log_prob(rows, written=True)
    torch.testing.assert_close(found, torch.tensor(wanted), rtol=0, atol=1e-4)
    loss = mean_nll(model, rows, None).item()  # <unk>, which is read, scores 0 as <eos>
    more = math.log(math.e + 1 / math.e + 2) - 1.40761
    assert loss == pytest.approx(-sum(map(sum, wanted)) / 7 + more, abs=1e-4)


def test_it_is_what_torchs_own_layers_compute() -> None:
    """nn.TransformerEncoderLayer, normalised first, with a causal mask."""
    model, tokens = transformer(), sentences()
    config, steps = model.config, torch.arange(LENGTH)
    x = model.embedding(F.pad(tokens[:, :-1], (1, 0), value=1)) + model.positions(steps)
    for block in model.blocks.children():
        own = nn.TransformerEncoderLayer(
            *(config.width, config.heads, config.feed_forward, 0.0, F.gelu),
            batch_first=True,
            norm_first=True,
        )
        own.load_state_dict(
            {
                "self_attn.in_proj_weight": block.qkv.weight,
                "self_attn.in_proj_bias": block.qkv.bias,
                **renamed(block.attended, "self_attn.out_proj"),
                **renamed(block.widened, "linear1"),
                **renamed(block.narrowed, "linear2"),
                **renamed(block.attention_norm, "norm1"),
                **renamed(block.feed_norm, "norm2"),
            }
        )
        x = own(x, nn.Transformer.generate_square_subsequent_mask(LENGTH))
    valid = tokens != PAD
    wanted = model.norm(x)[valid]
    torch.testing.assert_close(model.valid_features(tokens), wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.features(tokens)[valid], wanted, rtol=1e-4, atol=1e-5)


def renamed(module: nn.Module, name: str) -> dict[str, Tensor]:
    return {f"{name}.{key}": value for key, value in module.state_dict().items()}


def sentences(count: int = 20) -> Tensor:
    """Of different lengths, by a model of the tests."""
    found = decode(transformer(), count, LENGTH, rng(2), SamplingOptions())
    assert len(set(valid_lengths(found).tolist())) > 3
    return found


@pytest.mark.parametrize(("tie", "layers"), [(True, 2), (False, 2), (True, 1)])
def test_word_by_word_it_is_the_pass_over_whole_sentences(tie: bool, layers: int) -> None:
    model, tokens = transformer(tie=tie, layers=layers), sentences(60)
    together = model.token_log_prob(tokens, written=True)
    state = model.start(len(tokens))
    with torch.no_grad():
        for t in range(LENGTH):
            step = model.logits(state).log_softmax(-1).gather(1, tokens[:, t : t + 1])[:, 0]
            valid = tokens[:, t] != PAD
            torch.testing.assert_close(together[valid, t], step[valid], rtol=1e-5, atol=1e-5)
            assert (together[~valid, t] == 0).all()
            state = model.advance(state, tokens[:, t])


@pytest.mark.parametrize("compact", [True, False])
def test_it_draws_what_passes_over_whole_prefixes_draw(compact: bool) -> None:
    """By the same random numbers: the cache changes no word."""
    model = transformer()

    class Read:
        """The policy without a cache: its state is the words that a row has read."""

        vocab_size = model.vocab_size

        def start(self, rows: int) -> tuple[Tensor, ...]:
            return (torch.zeros(rows, 0, dtype=torch.long),)

        def advance(self, state: tuple[Tensor, ...], tokens: Tensor) -> tuple[Tensor, ...]:
            return (torch.cat([state[0], tokens[:, None].clamp_min(EOS)], 1),)

        def logits(self, state: tuple[Tensor, ...]) -> Tensor:
            following = F.pad(state[0], (0, 1), value=EOS)
            return model.next_scores(model.features(following)[:, -1])

    options = SamplingOptions(0.9, top_p=0.95)
    found = decode(model, 40, LENGTH, rng(5), options, compact)
    assert torch.equal(found, decode(Read(), 40, LENGTH, rng(5), options, compact))
    assert len({tuple(row) for row in found.tolist()}) > 10


def test_a_later_word_changes_nothing_before_it() -> None:
    model, tokens = transformer(), torch.randint(4, 9, (5, LENGTH), generator=rng(1))
    before = model.features(tokens)
    for place in range(LENGTH):
        other = tokens.clone()
        other[:, place] = (other[:, place] - 3) % 5 + 4
        after = model.features(other)
        assert torch.equal(after[:, : place + 1], before[:, : place + 1])
        assert place == LENGTH - 1 or not torch.equal(after[:, -1], before[:, -1])


def test_probabilities_of_all_sentences_sum_to_one() -> None:
    """Over a vocabulary of 3 words and T = 3: all sentences that end, and all that are cut."""
    words = range(4, 7)
    rows = [[EOS, PAD, PAD], *([a, EOS, PAD] for a in words)]
    rows += [[a, b, c] for a in words for b in words for c in (EOS, *words)]
    total = transformer(7, 3).token_log_prob(torch.tensor(rows), written=True).sum(1)
    assert float(total.double().exp().sum()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("compact", [True, False])
def test_rollouts_of_a_branched_cache_are_those_of_a_prefix_read_anew(compact: bool) -> None:
    """Greedy completions of each prefix of some sentences."""
    model, tokens = transformer(), sentences()[:5]
    made = roll_out(model, tokens, 1, 1, rng(), GREEDY, compact)
    assert len(made.tokens) == int((valid_lengths(tokens) - 1).sum()) > 10
    rows = zip(made.position.tolist(), made.sentence.tolist(), made.tokens.tolist(), strict=True)
    for position, sentence, row in rows:
        prefix = tokens[sentence, : position + 1].tolist()
        rest = decode(Prompted(model, prefix), 1, LENGTH - len(prefix), rng(), GREEDY)
        assert row == prefix + rest[0].tolist()


def test_states_are_chosen_and_shared_as_any() -> None:
    """Rows of seven prefixes, two of them different: a draw of each is that of its own cache."""
    model, words = transformer(), torch.tensor([4, 5, 4, 4, 5, 4, 5])
    shared = Prefixes(model, model.start(7))
    read = shared.read(shared.start, words)
    assert [len(part) for part in shared.state] == [2, 2, 2]
    apart = model.advance(model.start(7), words)
    drawn = shared.draw(read, rng(3), SamplingOptions())
    assert torch.equal(drawn, next_tokens(model, apart, rng(3), SamplingOptions()))
    for part, own in zip(select(apart, torch.tensor([1, 0, 2])), apart, strict=True):
        torch.testing.assert_close(part, own[[1, 0, 2]])


def test_beam_search_finds_the_likeliest_sentence() -> None:
    """Of all 3^3 + 3^2 + 3 + 1 of up to 3 words, with a beam that holds them all."""
    model, words = transformer(7, 4), range(4, 7)
    rows = [[]] + [[a] for a in words] + [[a, b] for a in words for b in words]
    rows += [[a, b, c] for a in words for b in words for c in words]
    full = torch.tensor([[*row, EOS, *[PAD] * (3 - len(row))] for row in rows])
    log_prob = model.token_log_prob(full, written=True).sum(1)
    found = beam_search(model, 1, 4, 200)
    ended = (found.tokens[0] == EOS).any(1)
    assert found.tokens[0][ended][0].tolist() == full[log_prob.argmax()].tolist()
    torch.testing.assert_close(found.log_prob[0][ended][0], log_prob.max())


def test_its_state_is_fp32_within_autocast() -> None:
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        model = transformer()
        state = model.advance(model.start(2), torch.tensor([4, 5]))
        assert {part.dtype for part in (*state, model.logits(state))} == {torch.float32}


def test_every_weight_has_a_gradient() -> None:
    model = transformer(dropout=0.1)
    mean_nll(model, sentences(), rng()).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None and bool((weight.grad != 0).any()), name


def test_dropout_is_by_the_generator_alone() -> None:
    model, tokens = transformer(dropout=0.3), sentences()
    one, two, other = (model.valid_features(tokens, rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert torch.equal(model.valid_features(tokens), model.valid_features(tokens, None))


@pytest.mark.parametrize("options", [SamplingOptions(), SamplingOptions(0.7, 5, 0.9), GREEDY])
def test_a_cache_that_grows_can_be_captured(options: SamplingOptions) -> None:
    """Its shapes are the same at each replay, and the host waits for nothing: the sentences are
    those of `decode`, also after the weights have changed."""
    model = transformer(130)
    static = StaticDecode(model, (7, LENGTH), options, CPU)
    static.run()  # as a capture does
    one, two = generator(1, "a", CPU), generator(1, "a", CPU)
    for _ in range(2):
        found = static.sample(one, replaying(static).replay)
        assert torch.equal(found, decode(model, 7, LENGTH, two, options, compact=False))
        with torch.no_grad():
            model.output.weight.normal_(generator=rng(4))
    with Waits() as waits:
        static.run()
    assert waits.count == 0


def test_on_a_gpu_padding_counts_nothing() -> None:
    """A GPU computes <pad> as well: the losses, the gradients and the greedy words of a CPU."""
    here, tokens = transformer(), sentences()
    nll = mean_nll(here, tokens, None)
    nll.backward()
    with pretended_gpu():
        cuda = torch.device("cuda")
        there, sent = transformer().to(cuda), tokens.to(cuda)
        assert not counted(lambda: mean_nll(there, sent, None))[1]  # the host waits for nothing
        found = mean_nll(there, sent, None)
        found.backward()
        torch.testing.assert_close(found.detach().cpu(), nll.detach())
        for one, other in zip(there.parameters(), here.parameters(), strict=True):
            torch.testing.assert_close(one.grad.cpu(), other.grad, rtol=1e-4, atol=1e-6)
        drawn = decode(there, 3, LENGTH, generator(1, "a", cuda), GREEDY).cpu()
    assert torch.equal(drawn, decode(here, 3, LENGTH, rng(), GREEDY))


def test_heads_share_the_width() -> None:
    with pytest.raises(UserError, match=r"transformer\.heads=3: width=8 is no multiple of it"):
        Transformer(9, 5, TransformerConfig(8, 1, 3, 8, 0.0), True, 0.0, rng())
    layer = transformer().output_layer(written=True)
    total = word_log_prob(layer, torch.randn(1, 8).expand(9, -1), torch.arange(9))
    assert float(total.double().exp().sum()) == pytest.approx(1, abs=1e-5)
