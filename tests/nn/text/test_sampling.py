"""Drawing tokens: inverse CDF, filters, decode."""

import contextlib
import math

import pytest
import torch
from scipy.stats import chisquare

from gantext.data.vocabulary import BOS, EOS, PAD, UNK
from gantext.errors import UserError
from gantext.nn.rng import generator
from gantext.nn.text import sampling
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from gantext.nn.text.sampling import (
    ELSEWHERE,
    LogitsNotFinite,
    SamplingOptions,
    bos_column,
    check_drawn,
    decode,
    filtered,
    next_tokens,
)
from gantext.nn.text.word_draw import draw, likeliest
from tests.pretended_gpu import pretended_gpu


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw_each(logits: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """`draw` of rows that have logits of their own."""
    return draw(logits, uniform, torch.arange(len(logits)))


def tiny(words: int = 8, layers: int = 1, tie: bool = True) -> LanguageModel:
    """A language model with weights large enough that its distributions are far from uniform."""
    model = LanguageModel(words, GeneratorConfig(6, 5, layers, tie, 0.0, 0.0, Init.mixed), rng(3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4.0)
    return model


def test_top_k_and_top_p_keep_the_likeliest_words():
    """Probabilities .5 .25 .15 .1: top-k 2 keeps two; top-p .7 needs .5 + .25 = .75 >= .7."""
    logits = torch.tensor([[0.5, 0.25, 0.15, 0.1]]).log()
    kept = torch.isfinite(filtered(logits, SamplingOptions(top_k=2)))
    assert kept.tolist() == [[True, True, False, False]]
    kept = torch.isfinite(filtered(logits, SamplingOptions(top_p=0.7)))
    assert kept.tolist() == [[True, True, False, False]]
    kept = torch.isfinite(filtered(logits, SamplingOptions(top_p=0.76)))
    assert kept.tolist() == [[True, True, True, False]]
    cold = filtered(logits, SamplingOptions(temperature=0.5)).softmax(-1)[0]
    assert cold[0] == pytest.approx(0.25 / (0.25 + 0.0625 + 0.0225 + 0.01))


def test_what_is_filtered_away_has_no_probability_and_the_rest_keeps_its_odds():
    """Unsorted rows of .1 .5 .25 .15, so that of the first two 2/3 and 1/3 are left."""
    logits = torch.tensor([[0.1, 0.5, 0.25, 0.15], [0.5, 0.1, 0.15, 0.25]]).log()
    two = [[0.0, 2 / 3, 1 / 3, 0], [2 / 3, 0, 0, 1 / 3]]
    best = [[0.0, 1, 0, 0], [1, 0, 0, 0]]
    for options, wanted in (
        (SamplingOptions(top_k=2), two),
        (SamplingOptions(top_k=1), best),
        (SamplingOptions(top_p=0.6), two),
        (SamplingOptions(top_p=0.1), best),
        (SamplingOptions(top_k=3, top_p=0.7), two),
    ):
        torch.testing.assert_close(filtered(logits, options).softmax(1), torch.tensor(wanted))
    halves = filtered(torch.zeros(1, 2), SamplingOptions(top_p=0.5))
    assert sorted(halves[0].tolist()) == [-math.inf, 0.0]  # .5 is reached by one of two
    for options in (SamplingOptions(top_k=4), SamplingOptions(top_k=9), SamplingOptions()):
        assert torch.equal(filtered(logits, options), logits)


def test_top_p_1_keeps_a_word_that_is_hardly_there():
    """All before it is 1 in single precision."""
    logits = torch.tensor([[0.0, -40.0]])
    assert torch.equal(filtered(logits, SamplingOptions(temperature=2.0)), logits / 2)


def test_nothing_after_eos_and_greedy_ignores_the_seed():
    model = tiny()
    tokens = decode(model, 300, 9, rng(1), SamplingOptions())
    for row in tokens.tolist():
        if EOS in row:
            end = row.index(EOS)
            assert all(t == PAD for t in row[end + 1 :])
            assert PAD not in row[:end]
        else:
            assert PAD not in row
        assert not {BOS, UNK} & set(row)
    greedy = SamplingOptions(temperature=0.0)
    one, two = (decode(model, 4, 9, rng(seed), greedy) for seed in (1, 2))
    assert torch.equal(one, two)


def test_the_same_seed_gives_the_same_sentences():
    model = tiny()
    one, two = (decode(model, 50, 9, rng(4), SamplingOptions()) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, decode(model, 50, 9, rng(5), SamplingOptions()))


@pytest.mark.parametrize(("layers", "tie"), [(1, True), (2, False)])
def test_log_prob_equals_a_step_by_step_decode(layers, tie):
    """Teacher forcing in one pass gives the same log-probabilities as reading word by word."""
    model = tiny(layers=layers, tie=tie)
    tokens = decode(model, 60, 7, rng(2), SamplingOptions())
    together = model.token_log_prob(tokens, written=True)
    state = model.start(len(tokens))
    for t in range(tokens.shape[1]):
        step = model.logits(state).log_softmax(-1).gather(1, tokens[:, t : t + 1])[:, 0]
        valid = tokens[:, t] != PAD
        torch.testing.assert_close(together[valid, t], step[valid], rtol=1e-5, atol=1e-5)
        assert (together[~valid, t] == 0).all()
        state = model.advance(state, tokens[:, t])


def test_samples_have_the_frequencies_of_log_prob():
    """Chi-square over all sentences of at most 2 words from a vocabulary of 3, 40,000 samples."""
    model = tiny(words=7)
    n, length = 40_000, 3
    tokens = decode(model, n, length, rng(7), SamplingOptions())
    sentences, counts = torch.unique(tokens, dim=0, return_counts=True)
    with torch.no_grad():
        expected = model.token_log_prob(sentences, written=True).sum(1).double().exp() * n
    kept = expected > 5
    rest_seen = n - counts[kept].sum().item()
    rest_expected = n - expected[kept].sum().item()
    observed = [*counts[kept].tolist(), rest_seen]
    wanted = [*expected[kept].tolist(), rest_expected]
    assert chisquare(observed, torch.tensor(wanted) * sum(observed) / sum(wanted)).pvalue > 1e-3


def test_probabilities_of_all_sentences_sum_to_one():
    """Over a vocabulary of 3 words and T = 3: all sentences that end, and all that are cut."""
    model = tiny(words=7)
    words = range(4, 7)
    rows = [[EOS, PAD, PAD]]
    rows += [[a, EOS, PAD] for a in words]
    rows += [[a, b, c] for a in words for b in words for c in (EOS, *words)]
    with torch.no_grad():
        total = model.token_log_prob(torch.tensor(rows), written=True).sum(1).double().exp().sum()
    assert total.item() == pytest.approx(1.0, abs=1e-5)


def test_the_order_and_padding_of_a_batch_do_not_matter():
    model = tiny()
    tokens = decode(model, 20, 6, rng(1), SamplingOptions())
    order = torch.randperm(20, generator=rng(2))
    wide = torch.nn.functional.pad(tokens, (0, 5))
    plain = model.token_log_prob(tokens).sum(1)
    torch.testing.assert_close(model.token_log_prob(wide[order]).sum(1), plain[order])


@pytest.mark.parametrize("compact", [True, False])
def test_with_and_without_shrinking_samples_have_the_model_s_distribution(compact):
    """20,000 samples of at most 2 words over a vocabulary of 4 writable ones, against log_prob."""
    model, n = tiny(words=7), 20_000
    words = [4, 5, 6]
    rows = [[EOS, PAD]] + [[a, b] for a in words for b in (EOS, *words)]
    with torch.no_grad():
        expected = model.token_log_prob(torch.tensor(rows), written=True).sum(1).double().exp()
    tokens = decode(model, n, 2, rng(5), SamplingOptions(), compact)
    counts = [int((tokens == torch.tensor(row)).all(1).sum()) for row in rows]
    assert sum(counts) == n
    likely = expected * n >= 5
    found = torch.tensor(counts, dtype=torch.float64)[likely]
    wanted = expected[likely] / expected[likely].sum() * found.sum()
    assert chisquare(found.numpy(), wanted.numpy()).pvalue > 1e-4


@pytest.mark.parametrize("length", [1, 2, 9])
def test_without_shrinking_greedy_sentences_are_the_same(length):
    """Eight rows that have read different words: they end after 1, 2 or 9."""
    model = tiny(words=12, layers=2)
    with torch.no_grad():
        model.output.bias[EOS] = 0.45
    policy = Started(model, torch.arange(4, 12))
    greedy = SamplingOptions(temperature=0.0)
    one = decode(policy, 8, length, rng(1), greedy, compact=True)
    two = decode(policy, 8, length, rng(2), greedy, compact=False)
    assert torch.equal(one, two)
    if length == 9:
        assert len({tuple(row) for row in one.tolist()}) > 2
        assert set((one != PAD).sum(1).tolist()) == {1, 2, 9}


class Started:
    """A policy whose rows have read different words already."""

    def __init__(self, model: LanguageModel, first: torch.Tensor) -> None:
        self.model, self.first, self.vocab_size = model, first, model.vocab_size
        self.advance, self.logits = model.advance, model.logits

    def start(self, rows: int):
        return self.model.advance(self.model.start(rows), self.first)


@pytest.mark.parametrize(("bias", "read"), [(-100.0, (4, 4)), (100.0, (0, 4))])
def test_no_word_is_read_that_nothing_follows(bias, read):
    """Of five words the first four, if no sentence ends before; none once all have ended, but where
    every row goes on to the last step."""
    model = tiny()
    with torch.no_grad():
        model.output.bias[EOS] = bias
    for compact, times in zip((True, False), read, strict=True):
        policy = Counted(model)
        decode(policy, 3, 5, rng(), SamplingOptions(), compact)
        assert policy.read == times


class Counted:
    """A policy that counts how often it reads words."""

    def __init__(self, model: LanguageModel) -> None:
        self.model, self.vocab_size, self.read = model, model.vocab_size, 0
        self.start, self.logits = model.start, model.logits

    def advance(self, state, tokens):
        self.read += 1
        return self.model.advance(state, tokens)


def test_rows_are_drawn_alike_in_chunks(monkeypatch):
    """Chunks of 2 rows (16 numbers of 8 words) draw what one chunk does, the last short one too."""
    model = tiny()
    whole = decode(model, 7, 9, rng(4), SamplingOptions())
    monkeypatch.setitem(sampling.CHUNK_ELEMENTS, "cpu", 16)
    assert torch.equal(decode(model, 7, 9, rng(4), SamplingOptions()), whole)
    greedy = SamplingOptions(temperature=0.0)
    assert torch.equal(
        decode(model, 7, 9, rng(4), greedy)[0], decode(model, 1, 9, rng(5), greedy)[0]
    )


@pytest.mark.parametrize("on_gpu", [False, True])
def test_no_more_rows_are_scored_together_than_fit(monkeypatch, on_gpu):
    """Seven prefixes in chunks of 2 rows: as one by one, and each is scored once."""
    model, options, scored = tiny(), SamplingOptions(top_k=3), []
    words = torch.tensor([4, 5, 6, 7, 2, 5, 3])
    with pretended_gpu() if on_gpu else contextlib.nullcontext():
        place = torch.device("cuda" if on_gpu else "cpu")
        noise, policy = generator(1, "a", place), Logged(model.to(place), scored)
        state = model.advance(model.start(7), words.to(place))
        whole = next_tokens(policy, state, noise, SamplingOptions(temperature=0.0)).tolist()
        monkeypatch.setitem(sampling.CHUNK_ELEMENTS, "cpu", 16)
        monkeypatch.setattr(sampling, "GPU_CHUNK_ELEMENTS", 16)
        found = next_tokens(policy, state, noise, SamplingOptions(temperature=0.0)).tolist()
        drawn = next_tokens(policy, state, noise, options).tolist()
        four = next_tokens(policy, tuple(part[:4] for part in state), noise, options).tolist()
    assert found == whole and len(set(found)) > 1 and scored == [7, *[2, 2, 2, 1] * 2, 2, 2]
    assert len(drawn) == 7 and len(four) == 4 and all(EOS <= word < 8 for word in [*drawn, *four])


class Logged:
    """A policy that writes down how many rows it scores together."""

    def __init__(self, model: LanguageModel, rows: list[int]) -> None:
        self.model, self.vocab_size, self.rows = model, model.vocab_size, rows

    def logits(self, state):
        self.rows.append(len(state[0]))
        return self.model.logits(state)


def test_the_likeliest_word_and_what_teacher_forcing_reads_by_hand():
    logits = torch.tensor([[0.0, 3.0, 1.0], [2.0, -1.0, 1.0], [0.0, math.inf, 0.0]])
    assert likeliest(logits).tolist() == [1, 0, PAD]
    tokens = torch.tensor([[4, 5, EOS], [6, EOS, PAD]])
    assert bos_column(tokens).tolist() == [[BOS, 4, 5], [BOS, 6, EOS]]


def test_words_that_are_never_written_have_no_probability():
    model = tiny()
    logits = model.logits(model.start(1))[0]
    assert [bool(torch.isneginf(logits[word])) for word in (PAD, BOS, UNK, EOS, 4)] == [
        True, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("temperature", [1e-300, 1e-45, 9e-4, 1001, math.inf, math.nan, -1.0])
def test_a_temperature_that_nothing_can_be_drawn_at_is_refused(temperature):
    with pytest.raises(
        UserError, match=r"^temperature=.*: it must be (finite|0 or at (least 0\.001|most 1,000))"
    ):
        SamplingOptions(temperature)


@pytest.mark.parametrize("temperature", [0.0, 1e-3, 1e3])
def test_at_the_last_temperatures_words_are_drawn(temperature):
    check_drawn(decode(tiny(), 50, 9, rng(4), SamplingOptions(temperature)))


@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("bias", [math.nan, math.inf])
def test_logits_that_are_not_finite_draw_no_word(temperature, compact, bias):
    """One broken word of 8 is enough; a model without it writes no <pad> before <eos>."""
    model = tiny()
    with torch.no_grad():
        model.output.bias[5] = bias
    tokens = decode(model, 4, 9, rng(4), SamplingOptions(temperature), compact)
    with pytest.raises(LogitsNotFinite, match="the model's logits at word 1 are not finite"):
        check_drawn(tokens)


def test_the_first_word_that_cannot_be_drawn_is_named():
    check_drawn(torch.tensor([[4, EOS, PAD], [4, 5, 6], [EOS, PAD, PAD]]))
    with pytest.raises(LogitsNotFinite, match="at word 2 "):
        check_drawn(torch.tensor([[4, EOS, PAD], [4, 5, 6], [4, PAD, PAD], [4, 5, PAD]]))


def test_words_are_drawn_by_uniforms_in_double_precision():
    model, state = tiny(), tiny().start(5)
    found = next_tokens(model, state, rng(3), SamplingOptions())
    uniform = torch.rand(5, generator=rng(3), dtype=torch.float64)
    assert torch.equal(found, draw_each(model.logits(state), uniform))
    assert sampling._uniform(5, rng(3)).tolist() == uniform.tolist()


def test_no_prefix_has_the_number_of_one_that_is_elsewhere():
    """Prefixes are numbered from 0."""
    assert ELSEWHERE < 0
