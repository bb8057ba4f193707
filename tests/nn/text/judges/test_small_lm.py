"""The small language models that judge: their settings, and what they are fitted to."""

import dataclasses

import numpy as np
import pytest
import torch

from gantext.data.flat import Tokens
from gantext.data.vocabulary import EOS, SPECIALS, Vocabulary
from gantext.nn.text.fitting import MLETrainer
from gantext.nn.text.judges import small_lm
from gantext.nn.text.judges.lm_ratio import BACKWARD, RATIO, backward_rows, ratio, rows_of
from gantext.nn.text.judges.small_lm import LM, LMConfig, fit_lm, log_prob, untrained
from gantext.nn.text.language_model import LanguageModel

CPU = torch.device("cpu")
VOCABULARY = Vocabulary((*SPECIALS, "a", "b", "c"), (0, 0, 3, 0, 3, 2, 1), "whitespace", True)
TOKENS = Tokens.of([[4, 5, EOS], [4, EOS], [4, 5, 6, EOS]])
SMALL = LMConfig(
    dataclasses.replace(LM.network, embedding=6, hidden=5),
    dataclasses.replace(LM.training, batch_size=2),
    steps=3,
)


def test_kept_scores_are_of_these_settings() -> None:
    """Scores that are kept are compared with new ones: their judges are fitted in one way. What
    their signatures do not say is said here."""
    network, training = dataclasses.asdict(LM.network), dataclasses.asdict(LM.training)
    assert (network.pop("init").value, training.pop("weighting").value) == ("mixed", "none")
    assert network == {
        "embedding": 128, "hidden": 192, "layers": 1, "tie_weights": True, "dropout": 0.5,
        "word_dropout": 0.1,
    }  # fmt: skip
    assert training == {
        "epochs": 1, "batch_size": 32, "learning_rate": 0.015, "final_rate": 0.02,
        "warmup_steps": 50, "weight_decay": 0.01, "beta2": 0.99, "clip": 5.0, "unk_rate": 0.5,
        "tailr_gamma": 1.0, "tailr_least": 0.0, "mixce_eta": 1.0,
    }  # fmt: skip
    assert LM.steps == BACKWARD.steps == 800 and LM.name == "lstm-192x1 steps=800x32"
    assert dataclasses.asdict(RATIO) == {
        "embedding": 128, "hidden": 256, "dropout": 0.3, "batch_size": 128, "learning_rate": 0.006,
    }  # fmt: skip
    wide = dataclasses.replace(LM.network, hidden=256, dropout=0.3)
    fast = dataclasses.replace(LM.training, batch_size=128, learning_rate=0.006)
    assert BACKWARD == LMConfig(wide, fast, 800)


def test_it_is_fitted_to_shuffled_batches_of_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three steps of two sentences; words seen once may be hidden, but not the end."""
    seen: list[torch.Tensor] = []
    begun, seeds = list[int](), list[int]()
    trainers: list[MLETrainer] = []

    class Watched(MLETrainer):
        def step(self, batch: torch.Tensor, rng: torch.Generator) -> object:
            trainers.append(self)
            seeds.append(rng.initial_seed())
            seen.append(batch)
            return super().step(batch, rng)

    monkeypatch.setattr(small_lm, "MLETrainer", Watched)
    model = fit_lm(TOKENS, VOCABULARY, 7, CPU, SMALL, begun.append)
    assert begun == [0, 1, 2] and seeds == [7, 7, 7] and [len(batch) for batch in seen] == [2, 2, 2]
    assert {tuple(row[row > 0].tolist()) for batch in seen for row in batch} == {
        (4, 5, EOS), (4, EOS), (4, 5, 6, EOS),
    }  # fmt: skip
    assert trainers[0].singletons.nonzero()[:, 0].tolist() == [6]
    assert trainers[0].total == 3 and trainers[0].config is SMALL.training
    again, other = (
        fit_lm(TOKENS, VOCABULARY, 7, CPU, SMALL),
        fit_lm(TOKENS, VOCABULARY, 8, CPU, SMALL),
    )
    assert torch.equal(model.output.weight, again.output.weight)
    assert not torch.equal(model.output.weight, other.output.weight)
    first = LanguageModel(7, SMALL.network, torch.Generator().manual_seed(7))
    assert torch.equal(untrained(VOCABULARY, 7, CPU, SMALL).output.weight, first.output.weight)
    one = fit_lm(Tokens.of([[4, EOS]]), VOCABULARY, 0, CPU, SMALL)
    assert not trainers[-1].singletons[EOS] and one.output.weight.isfinite().all()


def test_where_sentences_have_one_length_the_end_is_no_word() -> None:
    fixed = Vocabulary(VOCABULARY.words, VOCABULARY.counts, "whitespace", True, 2)
    for vocabulary, likely in ((VOCABULARY, True), (fixed, False)):
        bias = untrained(vocabulary, 0, CPU, SMALL).output_layer().bias
        assert bool(bias[EOS].isfinite()) is likely


def test_likelihoods_are_in_the_order_of_the_sentences() -> None:
    model = untrained(VOCABULARY, 0, CPU, SMALL)
    found, words = log_prob(model, TOKENS)
    assert words.tolist() == [3, 2, 4] and words.dtype == found.dtype == np.float64
    for place in range(3):
        rows = TOKENS.batch(torch.tensor([place]))
        assert found[place] == pytest.approx(model.token_log_prob(rows).double().sum().item())


def test_a_ratio_by_hand() -> None:
    """Of the sentences turned round by the backward model, less what the generator gives them."""
    model = untrained(VOCABULARY, 0, CPU, SMALL)
    tokens = torch.tensor([[4, 5, 6, EOS, 0], [4, EOS, 0, 0, 0], [5, 4, 4, 6, 5]])
    turned = torch.tensor([[6, 5, 4, EOS, 0], [4, EOS, 0, 0, 0], [5, 6, 4, 4, 5]])
    assert torch.equal(backward_rows(tokens), turned)
    assert [row.tolist() for row in rows_of(tokens).padded()] == tokens.tolist()
    found = ratio(model, lambda rows: -rows.sum(1).float(), tokens)
    wanted = model.token_log_prob(turned).double().sum(1) + tokens.sum(1)
    torch.testing.assert_close(found, wanted)
    assert found.dtype == torch.float64
