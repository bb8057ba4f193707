"""Where every sentence has one length and no end: no model writes or expects one."""

import dataclasses
import itertools

import pytest
import torch
from torch import Tensor

from gantext import data, models
from gantext.config.compose import compose
from gantext.data import Reads
from gantext.data.corpus import Corpus
from gantext.data.vocabulary import SPECIALS, UNK
from gantext.inference.beam import beam_search
from gantext.models.contract import Estimator, Writer
from gantext.nn.text.rollouts import roll_out
from gantext.nn.text.sampling import SamplingOptions
from gantext.runs.folder import RunDir
from tests.conftest import Command
from tests.models.test_contract import Small, made, overrides

LENGTH, WORDS = 3, 4
ORACLE = ["data=oracle", f"data.length={LENGTH}", f"data.vocab_size={WORDS}", "data.hidden=4"]
SIZES = ["data.embedding=4", "data.train_size=24", "data.test_size=9", "data.validation_size=5"]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def words(name: str) -> list[str]:
    """The words for a run of a small model on sequences of an oracle."""
    cut = [word for word in overrides(name) if not word.startswith("data")]
    return [*cut, *ORACLE, *SIZES]


@pytest.fixture(
    scope="module", params=[n for n in models.available() if models.reads(n) is Reads.text]
)
def trained(request: pytest.FixtureRequest) -> Small:
    """A model of text after a step of each of its phases."""
    settings = compose(words(request.param))
    model = made(settings, data.load_for(settings.data, Reads.text))
    for phase in model.phases():
        model.step(phase)
    return model


def is_whole(tokens: Tensor) -> bool:
    """Whether all (N, T) are words, and T is the length."""
    return tokens.shape[-1] == LENGTH and bool((tokens > UNK).all())


def test_all_samples_have_the_length(trained: Small) -> None:
    for options in (
        SamplingOptions(),
        SamplingOptions(temperature=3.0),
        SamplingOptions(temperature=0.1),
        SamplingOptions(temperature=0),
        SamplingOptions(top_k=2, top_p=0.9),
    ):
        assert is_whole(trained.algorithm.sample(40, rng(), options))


def test_rollouts_and_beam_search_have_the_length(trained: Small) -> None:
    if not isinstance(trained.algorithm, Writer):
        pytest.fail("a model of text that does not write word by word needs a check of its own")
    tokens = trained.algorithm.sample(5, rng(), SamplingOptions())
    policy = trained.algorithm.writer(5, rng())
    assert is_whole(roll_out(policy, tokens, 2, 1, rng()).tokens)
    assert is_whole(beam_search(policy, 5, LENGTH, 4).tokens.flatten(0, 1))


def test_probability_is_that_of_the_words_alone(trained: Small) -> None:
    """It sums to 1 over all sentences of the length; <unk> is one of the words that are read."""
    read = [UNK, *range(len(SPECIALS), len(SPECIALS) + WORDS)]
    everything = torch.tensor(list(itertools.product(read, repeat=LENGTH)))
    total = float(trained.algorithm.log_prob(everything).double().exp().sum())
    estimated = isinstance(trained.algorithm, Estimator)
    assert total == pytest.approx(1, abs=0.2 if estimated else 1e-5)


def test_the_data_has_neither_end_nor_other_lengths(trained: Small) -> None:
    corpus: Corpus = trained.data
    assert corpus.vocabulary.fixed_length == corpus.max_length == LENGTH
    assert is_whole(corpus.train.tokens.padded()) and is_whole(corpus.validation.tokens.padded())
    words, text = corpus.vocabulary, corpus.train.text[0]
    assert words.encode(words.tokenize(text)) == corpus.train.tokens.padded()[0].tolist()
    assert type(words).from_json(words.to_json()) == words


def test_another_length_is_another_hash() -> None:
    """Six words are two sentences of three or three of two: the ids behind each other are equal."""
    settings = compose(words("mle"))
    one = data.load_for(settings.data, Reads.text)
    two = data.load_for(dataclasses.replace(settings.data, length=LENGTH - 1), Reads.text)
    assert one.hash != two.hash


def test_a_run_scores_and_writes_by_its_folder_alone(cli: Command, tmp_path) -> None:
    """Its vocabulary says that sentences have no end."""
    assert cli("train", *words("mle"), "name=r").code == 0
    assert RunDir(tmp_path / "runs" / "r").vocabulary.fixed_length == LENGTH
    drawn = cli("sample", "r", "-n", "7").out.splitlines()
    assert [len(line.split()) for line in drawn] == [LENGTH] * 7
    (tmp_path / "f.txt").write_text("0 1 2\n0 1\n0 1 2 3\n")
    found = cli("score", "r", "f.txt")
    assert found.code == 0
    assert (
        f"2 of 3 sentences are not scored: the run takes sentences of exactly {LENGTH} words"
        in found.err
    )
    refused = cli("impute", "r", "0 1 2 ___")
    assert refused.code == 2 and f"sentences of exactly {LENGTH} words" in refused.err
    shown = cli("eval", "likelihood", "r", "--json")
    assert '"eos": false' in shown.out
