"""Beam search against a search of everything, greedy decoding, templates, normalisation."""

import itertools

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.inference.beam import FREE, beam_search
from gantext.models.vae.networks import DecoderConfig, GivenLatent, Injection, LSTMDecoder
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from gantext.nn.text.sampling import SamplingOptions, decode
from tests.nn.text import plain
from tests.nn.text.test_sampling import Counted

WORDS, LENGTH = 7, 4  # three words that can be written


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def policy(rows: int, seed: int = 3) -> GivenLatent:
    """Rows that differ in z; weights large enough that distributions are far from uniform."""
    config = DecoderConfig(6, 5, 1, True, 0.0, 0.0, 0.0, Injection.both)
    model = LSTMDecoder(WORDS, 3, config, rng(seed))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)
    return GivenLatent(model, torch.randn(rows, 3, generator=rng(seed + 1)))


def everything(length: int = LENGTH) -> torch.Tensor:
    """All sentences of words 4 to 6: those that end within `length` and those cut there."""
    rows = []
    for size in range(length + 1):
        for words in itertools.product(range(4, WORDS), repeat=size):
            row = [*words, EOS][:length]
            rows.append(row + [PAD] * (length - len(row)))
    return torch.tensor(rows)


def all_scores(given: GivenLatent, sentences: torch.Tensor) -> torch.Tensor:
    """log p of every sentence under each row's z, (N, S), as the policy writes."""
    return torch.stack(
        [_written(given, sentences, z[None].expand(len(sentences), -1)) for z in given.z]
    )


def _written(given: GivenLatent, sentences: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    valid = sentences != PAD
    with torch.no_grad():
        features = given.decoder.features(sentences, z)[valid]
        table = plain.log_probs(given.decoder.output_layer(written=True), features)
    scores = torch.zeros(sentences.shape)
    scores[valid] = table.gather(1, sentences[valid][:, None])[:, 0]
    return scores.sum(1)


@pytest.mark.parametrize("normalise", [False, True])
def test_a_beam_that_holds_everything_finds_the_best(normalise: bool) -> None:
    """3 + 9 + 27 + 1 sentences that end, 81 cut: with a width of 121 nothing is ever dropped."""
    given, sentences = policy(5), everything()
    scores = all_scores(given, sentences)
    ranks = scores / (sentences != PAD).sum(1) if normalise else scores
    found = beam_search(given, 5, LENGTH, len(sentences), normalise=normalise)
    for row in range(5):
        order = ranks[row].argsort(descending=True)
        torch.testing.assert_close(found.log_prob[row], scores[row][order])
        assert torch.equal(found.tokens[row, :10], sentences[order[:10]])
    if normalise:
        plain = beam_search(given, 5, LENGTH, len(sentences))
        assert not torch.equal(plain.tokens[:, 0], found.tokens[:, 0])


def test_no_word_is_read_that_nothing_follows() -> None:
    """Of four words the first three, where hypotheses are cut; none where the first ends all."""
    for bias, times in ((-100.0, 3), (100.0, 0)):
        model = LanguageModel(WORDS, GeneratorConfig(6, 5, 1, True, 0.0, 0.0, Init.mixed), rng(3))
        with torch.no_grad():
            model.output.bias[EOS] = bias
        counting = Counted(model)
        beam_search(counting, 2, LENGTH, 1)
        assert counting.read == times


def test_width_one_is_greedy() -> None:
    given = policy(40)
    greedy = decode(given, 40, 9, rng(), SamplingOptions(temperature=0.0))
    found = beam_search(given, 40, 9, 1)
    assert torch.equal(found.tokens[:, 0], greedy)
    assert (greedy == EOS).any() and len({tuple(row) for row in greedy.tolist()}) > 3
    scores = [_written(given, row[None], z[None]) for row, z in zip(greedy, given.z, strict=True)]
    torch.testing.assert_close(found.log_prob[:, 0], torch.cat(scores))


def test_a_wider_beam_is_seldom_worse_and_a_batch_changes_nothing() -> None:
    given = policy(30, seed=8)
    one, three = (beam_search(given, 30, 6, width) for width in (1, 3))
    gain = three.log_prob[:, 0] - one.log_prob[:, 0]
    assert gain.mean() > 0 and (gain > -1e-5).float().mean() > 0.8
    assert (three.log_prob.diff(dim=1) <= 1e-6).all()
    for row in range(30):
        alone = GivenLatent(given.decoder, given.z[row : row + 1])
        single = beam_search(alone, 1, 6, 3)
        assert torch.equal(single.tokens[0], three.tokens[row])


def test_templates_force_their_words_and_search_the_others() -> None:
    """5 _ 4 _ <eos>: nine completions, the best by the score of the whole sentence."""
    given = policy(4)
    template = torch.tensor([5, FREE, 4, FREE, EOS, PAD]).expand(4, -1)
    filled = torch.tensor(
        [[5, a, 4, b, EOS, PAD] for a in range(4, WORDS) for b in range(4, WORDS)]
    )
    scores = all_scores(given, filled)
    found = beam_search(given, 4, 6, 9, template=template)
    for row in range(4):
        order = scores[row].argsort(descending=True)
        assert torch.equal(found.tokens[row], filled[order])
        torch.testing.assert_close(found.log_prob[row], scores[row][order])


def test_what_is_given_after_a_blank_decides_the_blank() -> None:
    """The likeliest word at the blank is not always the one that the next word asks for."""
    given = policy(60, seed=5)
    template = torch.tensor([FREE, 6, EOS]).expand(60, -1)
    first = beam_search(given, 60, 3, 1, template=template).tokens[:, 0, 0]
    best = beam_search(given, 60, 3, 3, template=template).tokens[:, 0, 0]
    assert (first != best).any()


def test_an_unknown_word_of_a_template_counts_nothing() -> None:
    """_ <unk> <eos>: the ranking is log p(word) + log p(<eos> | word <unk>)."""
    model = LanguageModel(WORDS, GeneratorConfig(6, 5, 1, True, 0.0, 0.0, Init.mixed), rng(3))
    template = torch.tensor([[FREE, UNK, EOS]])
    found = beam_search(model, 1, 3, 3, template=template)
    assert found.tokens[0, :, 1:].tolist() == [[UNK, EOS]] * 3
    assert sorted(found.tokens[0, :, 0].tolist()) == [4, 5, 6]
    with torch.no_grad():
        start = model.start(3)
        words = found.tokens[0, :, 0]
        expected = model.logits(start).log_softmax(1).gather(1, words[:, None])[:, 0]
        after = model.advance(model.advance(start, words), torch.full((3,), UNK))
        expected = expected + model.logits(after).log_softmax(1)[:, EOS]
    torch.testing.assert_close(found.log_prob[0], expected)


def test_fewer_sentences_than_hypotheses() -> None:
    """Nothing free: one sentence; the rest of the beam has probability 0."""
    found = beam_search(policy(2), 2, 3, 4, template=torch.tensor([[4, EOS, PAD], [5, 6, EOS]]))
    assert found.log_prob[:, 0].isfinite().all()
    assert (found.log_prob[:, 1:] == -torch.inf).all()
    assert found.tokens[:, 0].tolist() == [[4, EOS, PAD], [5, 6, EOS]]


def test_a_free_place_is_no_word() -> None:
    assert FREE < 0
