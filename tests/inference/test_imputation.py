"""Blanks filled given a latent variable, by a policy, or not at all."""

from types import SimpleNamespace

import pytest
import torch

from gantext.config.compose import compose
from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.inference.beam import FREE, beam_search
from gantext.inference.imputation import fill
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
