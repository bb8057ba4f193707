"""The scores of a latent variable against a plain second computation, sentence by sentence."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch.distributions import Independent, Normal

from gantext.data.corpus import Corpus, Sentences, build_corpus
from gantext.data.vocabulary import PAD
from gantext.evaluation.ground import Ground
from gantext.evaluation.measures import imputation, interpolation, latent
from gantext.evaluation.measures.latent import latent_scores
from gantext.nn.latent import sentence_noise
from tests.evaluation.measures.given import PROTOCOL, subject

SIZE, DRAWS, SEED = 3, 4, 7
CPU = torch.device("cpu")
LINES = ["a b", "b", "c a b a", "a a a", "c", "b c a", "a c", "c c b"]


class Known:
    """A latent model whose every number can be written down.

    q(z|x) is normal around (length / 5, its first word / 20, length / 8) with the variance
    e^(-length / 10);
    log p(x|z) = -length - |z|^2.
    """

    latent_size = SIZE

    def encode(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        length = (tokens != PAD).sum(1).float()
        mu = torch.stack([length / 5, tokens[:, 0] / 20, length / 8], 1)
        return mu, (-length / 10)[:, None].expand(-1, SIZE)

    def log_prob_given(self, tokens: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return -(tokens != PAD).sum(1).float() - z.square().sum(1)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    lines = Sentences.of(map(str.split, LINES), LINES)
    vocabulary = lines.vocabulary(tokenizer="whitespace")
    return build_corpus("toy", vocabulary, lines, Sentences.of((), ()), lines)


def by_definition(tokens: torch.Tensor) -> dict[str, float]:
    """Each score as its formula stands in the papers, in plain loops over the sentences."""
    model, prior = Known(), Independent(Normal(torch.zeros(SIZE), 1.0), 1)
    rows = [row[row != PAD][None] for row in tokens]
    q, found = [], {"reconstruction": 0.0, "kl": 0.0, "iw-nll": 0.0, "mutual-information": 0.0}
    for row in rows:
        mu, log_var = model.encode(row)
        q.append(Independent(Normal(mu[0], (log_var[0] / 2).exp()), 1))
    for own, row in zip(q, rows, strict=True):
        noise = sentence_noise(row, DRAWS, SIZE, SEED)[0]
        draws = own.mean + own.stddev * noise
        given = torch.stack([model.log_prob_given(row, z[None])[0] for z in draws])
        weights = (given + prior.log_prob(draws) - own.log_prob(draws)).exp()
        found["iw-nll"] -= math.log(float(weights.mean())) / len(rows)
        found["reconstruction"] -= float(given.mean()) / len(rows)
        # 1/2 sum(mu^2 + sigma^2 - log sigma^2 - 1)
        found["kl"] += float(
            (own.mean**2 + own.variance - own.variance.log() - 1).sum() / 2 / len(rows)
        )
        z = own.mean + own.stddev * sentence_noise(row, 1, SIZE, SEED)[0, 0]
        mixture = sum(float(other.log_prob(z).exp()) for other in q) / len(q)
        found["mutual-information"] += (float(own.log_prob(z)) - math.log(mixture)) / len(rows)
    return {"elbo": -found["reconstruction"] - found["kl"], **found}


def test_errors_are_those_of_the_sentences_values(corpus: Corpus) -> None:
    """That of the ELBO is of both of its parts together. Each sentence by itself has a value."""
    scores = latent_scores(Known(), corpus, CPU, draws=DRAWS, sentences=100, seed=SEED)
    each = [by_definition(row[None]) for row in corpus.test.tokens.padded()]
    for score in scores:
        if score.name in ("mutual-information", "active-units"):
            assert score.error is None
        else:
            values = torch.tensor([one[score.name] for one in each], dtype=torch.float64)
            assert score.error == pytest.approx(float(values.std()) / math.sqrt(8), rel=1e-4)
        assert score.signature.items() >= {"sentences": 8, "seed": SEED}.items()
        assert score.signature["data"] == corpus.hash
    said = {score.name: score.signature for score in scores}
    for name in ("elbo", "reconstruction", "iw-nll"):
        assert said[name].items() >= {"unit": "nats/sentence", "eos": True, "k": DRAWS}.items()
    assert said["iw-nll"]["estimator"] == "iw" and said["kl"]["unit"] == "nats/sentence"
    assert said["active-units"].items() >= {"of": SIZE, "over": 0.01}.items()
    assert said["mutual-information"]["mixture"] == 8


def test_every_score_equals_its_formula(corpus: Corpus) -> None:
    """All eight sentences, of 3 2 5 4 2 4 3 4 tokens: the means of the first unit vary by
    .984 / 25, those of the second, words 4 to 6, by .61 / 400, of the third by .984 / 64 = .015:
    two units are over .01.
    """
    scores = latent_scores(Known(), corpus, CPU, draws=DRAWS, sentences=100, seed=SEED)
    found = {score.name: score.value for score in scores}
    units = found.pop("active-units")
    assert found == pytest.approx(by_definition(corpus.test.tokens.padded()), rel=1e-5)
    assert units == 2
    assert scores[0].signature["sentences"] == 8 and scores[0].signature["k"] == DRAWS
    information = next(score for score in scores if score.name == "mutual-information")
    assert information.signature["cap"] == round(math.log(8), 2)


def test_a_part_of_the_sentences_is_chosen_by_the_seed(corpus: Corpus) -> None:
    """Three of eight in their old order, by the permutation that the seed gives."""
    order = torch.randperm(8, generator=torch.Generator().manual_seed(SEED))[:3].sort().values
    scores = latent_scores(Known(), corpus, CPU, draws=DRAWS, sentences=3, seed=SEED)
    found = {score.name: score.value for score in scores if score.name != "active-units"}
    assert found == pytest.approx(by_definition(corpus.test.tokens.padded()[order]), rel=1e-5)


def test_measures_of_a_models_own_data_are_asked_what_the_protocol_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Hidden(SimpleNamespace):
        latent_size = 1

        def encode(self) -> None: ...

    algorithm = Hidden()
    trained = SimpleNamespace(algorithm=algorithm, device="cpu")
    asked = {"latent_scores": latent, "imputation_scores": imputation}
    asked["midpoint_scores"] = interpolation
    for name, module in asked.items():
        monkeypatch.setattr(module, name, lambda *given, **more: [*given, more])
        monkeypatch.setattr(module, "_tested", lambda *_: (trained, "corpus"))
    monkeypatch.setattr(latent, "Latent", Hidden)
    own = subject("a")
    more = {"draws": 9, "sentences": 8, "seed": 3}
    assert latent.latent(own, Ground("h"), PROTOCOL) == [algorithm, "corpus", "cpu", more]
    for measure in (imputation.imputation, interpolation.interpolation):
        assert measure(own, Ground("h"), PROTOCOL) == [trained, "corpus", 7, 3, {}]
    for module in asked.values():
        monkeypatch.setattr(module, "_tested", lambda *_: None)
    for measure in (latent.latent, imputation.imputation, interpolation.interpolation):
        assert measure(own, Ground("h"), PROTOCOL) == []
