"""Another run as a judge: by its discriminator where it has one, else by its likelihood."""

import dataclasses
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

import gantext
from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.inference.judges.discriminator import Discriminator
from gantext.inference.judges.other_run import Likelihood, other_run
from gantext.inference.judges.sides import Sides
from gantext.metrics.two_classes import held_out
from gantext.runs.trained import TrainedText, restore


@pytest.fixture(scope="module")
def run(trained: Path) -> TrainedText:
    return gantext.load_run(trained).trained


def of_words(scores: list[float]) -> Any:
    """A run whose model draws each word by itself, by these scores."""
    words = torch.tensor(scores, dtype=torch.float64).log_softmax(0)

    def log_prob(tokens: Tensor) -> Tensor:
        return (words[tokens] * (tokens != PAD)).sum(1)

    return SimpleNamespace(
        algorithm=SimpleNamespace(log_prob=log_prob),
        device=torch.device("cpu"),
        run=SimpleNamespace(path=Path("words"), info={"data": "d", "max_length": 3}),
        digest="0123456789abcdef",
    )


def test_its_logit_is_how_much_likelier_a_sentence_is_to_the_other_run() -> None:
    """Of sentences of any length, in the order that they came in."""
    own, other = of_words([0.0] * 7), of_words([0.0, 0.0, 0.0, 1.0, 0.5, 2.0, -1.0])
    judge = other_run(other, own)
    assert isinstance(judge, Likelihood) and not judge.stopped_by_half
    assert (judge.name, judge.digest) == ("likelihood of words", "01234567")
    rows = torch.tensor([[5, EOS, PAD], [6, 6, EOS], [5, 6, 4], [EOS, PAD, PAD]])
    found = judge.logits(rows)
    assert found.dtype == torch.float64
    for row, value in zip(rows, found, strict=True):
        there = row[row != PAD][None]
        wanted = other.algorithm.log_prob(there) - own.algorithm.log_prob(there)
        assert float(value) == pytest.approx(float(wanted), abs=1e-12)


def test_by_the_true_distribution_it_tells_what_the_model_does_wrong() -> None:
    """A half of what a uniform model writes has a word that no real sentence has: the best possible
    judge gives the others ln 2, and has an AUC of 3/4."""
    own, real = of_words([-99.0] * 4 + [0.0, 0.0]), of_words([-99.0] * 4 + [0.0, -99.0])
    logits = other_run(real, own).logits(torch.tensor([[4], [5]]))
    assert float(logits[0]) == pytest.approx(math.log(2), abs=1e-9)
    worth = held_out(
        logits[:1].repeat(400).numpy(), logits.repeat_interleave(2).repeat(200).numpy()
    )
    best = (3 * math.log(3) - 2 * math.log(2)) / 4  # -(ln 2/3 + (ln 1/3) / 2) / 2
    assert worth.auc == pytest.approx(0.75) and worth.loss == pytest.approx(best, abs=0.01)


def test_a_run_with_a_trained_discriminator_judges_by_it(run: TrainedText) -> None:
    judge = other_run(run, run)
    assert isinstance(judge, Discriminator) and judge.name == run.run.path.name


def test_before_its_discriminator_is_trained_it_judges_by_its_likelihood(run: TrainedText) -> None:
    """The very run that it judges tells nothing: each sentence is as likely to both."""
    early = restore(run.run, phase="mle")
    judge = other_run(early, early)
    assert isinstance(judge, Likelihood)
    rows = Sides(run).padded(Sides(run).held_out)[:20]
    assert not judge.logits(rows).any()
    later = other_run(early, run).logits(rows)
    assert later.any()
    assert torch.allclose(later, -Likelihood(run, early).logits(rows))


def test_a_run_of_other_data_does_not_judge(run: TrainedText) -> None:
    stranger: Any = SimpleNamespace(info={"data": "other"}, path=Path("stranger"))
    other = dataclasses.replace(run, run=stranger)
    with pytest.raises(UserError, match="stranger and run were trained on different data"):
        other_run(other, run)


def test_an_estimate_of_a_likelihood_does_not_judge(run: TrainedText, trained_vae: Path) -> None:
    vae = gantext.load_run(trained_vae).trained
    same: Any = SimpleNamespace(info=run.run.info, path=Path("vae"))
    with pytest.raises(UserError, match="vae: model=vae has no discriminator, and its likelihood"):
        other_run(dataclasses.replace(vae, run=same), run)
