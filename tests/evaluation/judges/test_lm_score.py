"""LM score and reverse LM score, and the small language model behind them, on a toy language."""

import dataclasses
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from gantext import __version__
from gantext.data.corpus import Corpus, Sentences, build_corpus
from gantext.data.flat import Tokens
from gantext.data.vocabulary import EOS, UNK
from gantext.errors import UserError
from gantext.evaluation.judges import lm_score as module
from gantext.evaluation.judges.lm_score import encoded, lm_scores, real_lm_scores
from gantext.inference.judges import real_lm as kept_lm
from gantext.inference.judges.real_lm import real_lm
from gantext.metrics.score import Score, signature_line
from gantext.nn.text.judges.small_lm import LM, LMConfig, fit_lm, log_prob
from gantext.nn.text.lstm import Init
from gantext.nn.text.weighting import Weighting

SMALL = LMConfig(
    dataclasses.replace(LM.network, embedding=16, hidden=24, dropout=0.1),
    dataclasses.replace(LM.training, batch_size=16),
    steps=120,
)
GOLDEN = 1.53857  # nats per token after 30 steps
NOUNS = ("cat", "dog", "cow", "fox", "owl", "bee")


def language(size: int, seed: int) -> list[str]:
    """ "the fox sees a red owl": 6 x 4 x 3 x 6 sentences of 6 words."""
    rng = np.random.default_rng(seed)
    words = [
        ["the"],
        NOUNS,
        ("sees", "eats", "hears", "likes"),
        ["a"],
        ("red", "old", "big"),
        NOUNS,
    ]
    return [" ".join(rng.choice(choice) for choice in words) for _ in range(size)]


def sentences(lines: list[str]) -> Sentences:
    return Sentences.of(map(str.split, lines), lines)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "gantext" / "judges"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    train, test = sentences(language(200, 0)), sentences(language(60, 1))
    vocabulary = train.vocabulary(tokenizer="whitespace")
    return build_corpus("toy", vocabulary, train, sentences([]), test)


def shuffled(lines: list[str]) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.permutation(line.split())) for line in lines]


def values(scores: list[Score]) -> dict[str, float]:
    return {score.name: score.value for score in scores}


def test_held_out_text_is_asked_of_where_there_is_some(corpus: Corpus) -> None:
    """Test text is of one noun, which samples never write; held-out text is as they are."""
    lines = language(60, 3)
    others = [re.sub(rf"\b({'|'.join(NOUNS)})\b", "yak", line) for line in lines]
    held, test = (sentences(some) for some in (lines, others))
    train = sentences([*language(200, 0), *others])
    both = build_corpus("toy", train.vocabulary(tokenizer="whitespace"), train, held, test)
    found = values(lm_scores(language(200, 2), both, config=SMALL))
    assert found["reverse-lm-held-out"] == pytest.approx(0.867, abs=0.12)
    assert found["reverse-lm"] > found["reverse-lm-held-out"] + 1
    assert set(values(real_lm_scores(both, config=SMALL))) == set(found)
    assert "reverse-lm-held-out" not in values(real_lm_scores(corpus, config=SMALL))


def test_real_text_beats_shuffled_words_both_ways(corpus: Corpus) -> None:
    """The language's entropy is log(6 * 4 * 3 * 6) / 7 = 0.867 nats per token, with <eos>."""
    real = values(real_lm_scores(corpus, config=SMALL))
    wrong = values(lm_scores(shuffled(language(200, 2)), corpus, config=SMALL))
    assert real["lm-score"] == real["reverse-lm"] == pytest.approx(0.867, abs=0.12)
    assert wrong["lm-score"] > real["lm-score"] + 1
    assert wrong["reverse-lm"] > real["reverse-lm"] + 0.5


def test_good_samples_come_near_the_real_value(corpus: Corpus) -> None:
    real = values(real_lm_scores(corpus, config=SMALL))
    good = values(lm_scores(language(200, 3), corpus, config=SMALL))
    assert good == pytest.approx(real, abs=0.1)


def test_collapsed_samples_are_fluent_but_cover_nothing(corpus: Corpus) -> None:
    real = values(real_lm_scores(corpus, config=SMALL))
    collapsed = values(lm_scores([language(1, 5)[0]] * 1000, corpus, config=SMALL))
    assert collapsed["lm-score"] < real["lm-score"] + 0.3
    assert collapsed["reverse-lm"] > real["reverse-lm"] + 2


def test_signatures(corpus: Corpus) -> None:
    """Of 500 samples all are scored, and 200 train the reverse LM: as many as there are real."""
    fluency, reverse = lm_scores(language(500, 3), corpus, seed=3, config=SMALL)
    rest = f"lm:lstm-24x1 steps=120x16|seed:3|tok:whitespace|data:{corpus.hash[:8]}|v:{__version__}"
    assert signature_line(fluency) == f"unit:nats/token|trained:200|scored:500|{rest}"
    assert signature_line(reverse) == f"unit:nats/token|trained:200|scored:60|{rest}"


def test_the_seed_decides(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = language(50, 3)
    first = lm_scores(lines, corpus, config=SMALL)
    assert first == lm_scores(lines, corpus, config=SMALL)
    monkeypatch.setattr(kept_lm, "_REAL", {})
    assert first == lm_scores(lines, corpus, config=SMALL)
    other = values(lm_scores(lines, corpus, seed=1, config=SMALL))
    assert all(other[name] != value for name, value in values(first).items())


def test_the_seed_decides_both_values_of_real_text(corpus: Corpus) -> None:
    """Of 5 sentences: their choice, the judge's weights and its batches hang on the seed."""
    config = dataclasses.replace(SMALL, steps=20)
    first, second = (
        values(real_lm_scores(corpus, sentences=5, seed=seed, config=config)) for seed in (0, 1)
    )
    assert all(first[name] != second[name] for name in first)
    for seed, found in ((0, first), (1, second)):
        order = torch.randperm(200, generator=torch.Generator().manual_seed(seed))[:5]
        judge = fit_lm(corpus.train.tokens.take(order), corpus.vocabulary, seed, config=config)
        log_p, tokens = log_prob(judge, corpus.test.tokens)
        assert found["reverse-lm"] == pytest.approx(-log_p.sum() / tokens.sum(), rel=1e-12)


def test_the_judge_is_the_one_that_was_tuned(corpus: Corpus) -> None:
    """Its settings, and what 30 steps of it give: a change of either changes published scores."""
    assert dataclasses.astuple(LM.network) == (128, 192, 1, True, 0.5, 0.1, Init.mixed)
    assert dataclasses.astuple(LM.training)[:9] == (1, 32, 0.015, 0.02, 50, 0.01, 0.99, 5.0, 0.5)
    assert LM.training.weighting is Weighting.none
    assert LM.steps == 800
    judge = fit_lm(corpus.train.tokens, corpus.vocabulary, config=dataclasses.replace(LM, steps=30))
    log_p, tokens = log_prob(judge, corpus.test.tokens)
    assert -log_p.sum() / tokens.sum() == pytest.approx(GOLDEN, rel=1e-4)


def test_the_real_lm_is_kept_for_other_commands(
    corpus: Corpus, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_lm, "_REAL", {})
    brief = dataclasses.replace(SMALL, steps=2)
    trained = real_lm(corpus, config=brief)
    (folder,) = (path for path in cache.iterdir() if path.is_dir())
    kept_lm._REAL.clear()
    monkeypatch.setattr(kept_lm, "fit_lm", None)  # it would fail
    read = real_lm(corpus, config=brief)
    tokens = corpus.test.tokens
    assert read is not trained
    assert np.array_equal(log_prob(read, tokens)[0], log_prob(trained, tokens)[0])
    (folder / "manifest.json").unlink()
    kept_lm._REAL.clear()
    with pytest.raises(TypeError):
        real_lm(corpus, config=brief)


def test_the_real_lm_is_trained_once(corpus: Corpus) -> None:
    kept = real_lm(corpus, config=SMALL)
    assert real_lm(corpus, config=SMALL) is kept
    assert real_lm(corpus, seed=1, config=SMALL) is not kept
    assert real_lm(corpus, config=dataclasses.replace(SMALL, steps=1)) is not kept
    assert real_lm(dataclasses.replace(corpus, hash="other"), config=SMALL) is not kept


def test_real_value_from_fewer_sentences(corpus: Corpus) -> None:
    whole = real_lm_scores(corpus, config=SMALL)
    fluency, reverse = real_lm_scores(corpus, sentences=5, config=SMALL)
    assert fluency == whole[0]
    assert reverse.signature["trained"] == 5
    assert reverse.value > whole[1].value + 0.5
    assert real_lm_scores(corpus, sentences=10_000, config=SMALL) == whole


def test_log_prob_is_a_loop_over_single_steps(corpus: Corpus) -> None:
    """Each word's probability is read off the state after the words before it, <unk> included;
    "zebra" is not in the vocabulary. Lengths in tokens: 2 + <eos> = 3, 6 + 1 = 7, 4 + 1 = 5.
    """
    lines = ["the cat", "the fox sees a red owl", "the zebra eats a"]
    found, tokens = log_prob(real_lm(corpus, config=SMALL), encoded(lines, corpus))
    assert tokens.tolist() == [3, 7, 5]
    model = real_lm(corpus, config=SMALL)
    for line, total in zip(lines, found, strict=True):
        ids = corpus.vocabulary.encode(line.split())
        state, expected = model.start(1), 0.0
        for word in ids:
            features = model.projection(state[0][:, -1])
            scores = model.ban(model.output(features), written=False)
            expected += scores.log_softmax(-1)[0, word].item()
            state = model.advance(state, torch.tensor([word]))
        assert total == pytest.approx(expected, rel=1e-5)
    assert UNK in corpus.vocabulary.encode(lines[2].split())
    fluency = lm_scores(lines, corpus, config=SMALL)[0]
    assert fluency.value == pytest.approx(-found.sum() / 15, rel=1e-12)


def test_an_lm_that_knows_nothing(corpus: Corpus) -> None:
    """All weights 0: each of the V - 2 words that may stand (no <pad>, no <bos>) is as likely, so
    a sentence of 6 words and <eos> has log p = -7 log(V - 2).
    """
    model = fit_lm(
        corpus.train.tokens, corpus.vocabulary, config=dataclasses.replace(SMALL, steps=0)
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    found, tokens = log_prob(model, corpus.test.tokens)
    assert tokens.tolist() == [7] * 60
    np.testing.assert_allclose(found, -7 * math.log(len(corpus.vocabulary) - 2), rtol=1e-6)


def test_long_sentences_are_cut(corpus: Corpus) -> None:
    """The corpus's longest has 6 words and <eos>: of 9 words the first 6 are read."""
    line = language(1, 0)[0]
    cut = encoded([line + " the old bee"], corpus)
    assert torch.equal(cut.padded(), encoded([line], corpus).padded())


@pytest.mark.parametrize("lines", [["the cat"], ["x y z"] * 3, [""], ["", "the dog likes a"]])
def test_degenerate_samples_have_finite_scores(corpus: Corpus, lines: list[str]) -> None:
    config = dataclasses.replace(SMALL, steps=20)
    assert all(math.isfinite(s.value) for s in lm_scores(lines, corpus, config=config))


def test_the_end_of_a_single_sentence_is_not_hidden(corpus: Corpus) -> None:
    """<eos> stands once there, like a rare word; shown as <unk> half the time, its log p would
    be about -log 2 = -0.69.
    """
    held = Tokens.of([corpus.vocabulary.encode(["the", "cat"])])
    model, tokens = fit_lm(held, corpus.vocabulary, config=SMALL), held.padded()
    assert tokens[0, -1] == EOS
    assert model.token_log_prob(tokens)[0, -1] > -0.2


def test_no_samples_are_refused(corpus: Corpus) -> None:
    with pytest.raises(UserError, match="no sentences"):
        lm_scores([], corpus, config=SMALL)


@pytest.mark.slow
def test_coco(coco: Corpus) -> None:
    """The full model=mle reaches 3.65 nats per token."""
    assert real_lm_scores(coco)[0].value < 3.95


@pytest.fixture
def coco() -> Corpus:
    if "GANTEXT_DATA" not in os.environ:
        pytest.skip("set GANTEXT_DATA to a folder with coco/image_coco.txt")
    from gantext import data
    from gantext.config.compose import compose_data

    return data.load(compose_data(["data=coco"]))


def test_influences_are_kept_of_what_all_models_are_asked_of(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 3, 1 and 2 nats over 1, 1 and 2 tokens: 1.5 a token, over the mean length of 4/3. Real
    text of all training sentences needs no second model, nor one that stands for samples."""
    nats, sizes = np.array([-3.0, -1.0, -2.0]), np.array([1.0, 1.0, 2.0])
    fits = list[int]()
    monkeypatch.setattr(module, "log_prob", lambda model, tokens: (nats, sizes))
    monkeypatch.setattr(module, "real_lm", lambda *given, **more: "model")
    monkeypatch.setattr(module, "fit_lm", lambda tokens, *more: fits.append(len(tokens)))
    for size in (None, len(corpus.train)):
        fluency, reverse = real_lm_scores(corpus, sentences=size)
        assert not fits and fluency.each is None
        assert reverse.value == 1.5 and reverse.signature["seed"] == 0
        assert reverse.each == pytest.approx([1.125, -0.375, -0.75])
        assert reverse.error == pytest.approx(np.std(reverse.each, ddof=1) / math.sqrt(3))
        assert reverse.signature["trained"] == len(corpus.train)
    real_lm_scores(corpus, sentences=len(corpus.train) - 1)
    assert fits == [len(corpus.train) - 1]
    assert {one.signature["seed"] for one in lm_scores(["the cat"], corpus)} == {0}
    tokens = corpus.train.tokens
    assert module._choose(tokens, len(tokens), 0) is tokens
