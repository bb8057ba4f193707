"""Blanks filled given a latent variable, by a policy, or not at all."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gantext.config.compose import compose
from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.errors import UserError
from gantext.inference.beam import FREE, beam_search
from gantext.inference.imputation import (
    Search,
    _distinct,
    _forms,
    fill,
    impute,
    search_signature,
)
from gantext.models import mle
from gantext.models.contract import Task, Writer
from gantext.models.vae import model as vae

WORDS, LENGTH = 9, 6
TEMPLATES = torch.tensor(
    [[4, FREE, 5, FREE, EOS, PAD], [FREE, 6, EOS, PAD, PAD, PAD], [7, 8, FREE, FREE, 4, EOS]]
)
SIZES = {
    "vae": ["latent_size=3", "encoder.embedding=6", "decoder.embedding=6", "decoder.hidden=6"],
    "mle": ["generator.embedding=6", "generator.hidden=6"],
}


def build(name: str):
    """A model with weights large enough that its distributions are far from uniform."""
    words = [f"model={name}", *(f"model.{word}" for word in SIZES[name])]
    task = Task(WORDS, LENGTH, 50, torch.zeros(WORDS, dtype=torch.bool), torch.device("cpu"))
    found = {"vae": vae, "mle": mle}[name].build(
        compose(words).model, task, torch.Generator().manual_seed(2)
    )
    with torch.no_grad():
        for network in found.networks().values():
            for parameter in network.parameters():
                parameter.mul_(3)
    return found


@pytest.mark.parametrize("name", ["vae", "mle"])
def test_together_as_one_by_one_with_the_given_words_kept(name: str) -> None:
    model = build(name)
    found = fill(model, TEMPLATES, 3, 2, WORDS)
    given = TEMPLATES != FREE
    for row in range(3):
        alone = fill(model, TEMPLATES[row : row + 1], 3, 2, WORDS)
        assert torch.equal(alone.tokens[0], found.tokens[row])
        torch.testing.assert_close(alone.log_prob[0], found.log_prob[row])
        for tokens in found.tokens[row]:
            assert torch.equal(tokens[given[row]], TEMPLATES[row][given[row]])
            assert (tokens[~given[row]] > UNK).all()


def test_a_small_chunk_at_a_time_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build("vae")
    whole = fill(model, TEMPLATES, 3, 2, WORDS)
    monkeypatch.setattr("gantext.inference.beam.BEAM_ELEMENTS", {"cpu": WORDS * 3 * 2})
    parts = fill(model, TEMPLATES, 3, 2, WORDS)
    assert torch.equal(whole.tokens, parts.tokens)


def test_rounds_alternate_search_and_the_posterior_s_mean() -> None:
    """By hand: z of the sentence with <unk>, a search, z of its best sentence, a search."""
    model = build("vae")
    for row in TEMPLATES:
        read, template = row[None].where(row[None] != FREE, UNK), row[None]
        for rounds in (1, 2, 3):
            z = model.encode(read)[0]
            expected = beam_search(model.policy(z), 1, LENGTH, 3, template=template)
            read = expected.tokens[:, 0]
            assert torch.equal(fill(model, template, 3, rounds, WORDS).tokens, expected.tokens)


def test_a_policy_s_score_is_the_whole_sentence_s() -> None:
    """Up to <unk>, which the policy never writes: its share of each word is taken off."""
    model = build("mle")
    found = fill(model, TEMPLATES, 3, 1, WORDS)
    flat = found.tokens.flatten(0, 1)
    with torch.no_grad():
        expected = model.generator.token_log_prob(flat, written=True).sum(1)
    torch.testing.assert_close(found.log_prob.flatten(), expected)


def test_a_model_without_words_is_refused() -> None:
    images = SimpleNamespace(networks=lambda: {"generator": torch.nn.Linear(2, 2)})
    assert not isinstance(images, Writer)
    with pytest.raises(ValueError, match="neither"):
        fill(images, TEMPLATES, 3, 1, WORDS)


def a_run(algorithm: object, width: int = 9) -> Any:
    """As much of a run as says what it takes."""
    words = SimpleNamespace(takes=lambda n, most: n <= most, limit=lambda most: f"{most} words")
    run = SimpleNamespace(path=SimpleNamespace(name="r"), info={"max_length": width})
    settings = SimpleNamespace(model=SimpleNamespace(name="m"))
    return SimpleNamespace(algorithm=algorithm, vocabulary=words, run=run, settings=settings)


def test_five_are_searched_in_three_rounds_of_a_word_a_blank_by_default() -> None:
    assert Search() == Search(n=5, beam=5, rounds=3, max_words=1)
    with pytest.raises(UserError, match="r: impute needs a model of text, not m"):
        impute(a_run(None), "no blank", Search())


def test_forms_are_those_that_are_short_enough() -> None:
    """Two words are given, of at most five: the blanks may have three words together."""
    forms = _forms(a_run(None, 5), "", [["a"], [], ["b"]], Search(max_words=3))
    assert forms == [(1, 1), (1, 2), (2, 1)]
    with pytest.raises(UserError, match="has 4 to 4 words: the run takes 3 words"):
        _forms(a_run(None, 3), "", [["a"], [], ["b"]], Search())
    assert len(_forms(a_run(None, 99), "", [[], [], []], Search(max_words=10))) == 100
    with pytest.raises(UserError, match="are 121 forms"):
        _forms(a_run(None, 99), "", [[], [], []], Search(max_words=11))


def test_sentences_that_are_found_twice_count_once_and_impossible_ones_not() -> None:
    tokens = torch.tensor([[4, 5], [4, 6], [4, 5], [7, 8]])
    assert _distinct(tokens, torch.tensor([-1.0, -2.0, -1.0, -torch.inf])) == [0, 1]


def test_how_it_is_searched_is_said() -> None:
    """As many hypotheses as are asked for, if these are more; only a latent variable has rounds."""
    assert search_signature(a_run(build("mle")), Search(n=7, beam=5)) == {"beam": 7}
    found = search_signature(a_run(build("vae")), Search(n=2, beam=5, rounds=4))
    assert (found["beam"], found["rounds"]) == (5, 4) and "<unk>" in str(found["z"])
