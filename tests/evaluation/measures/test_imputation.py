"""Blanks of test sentences, and their scores where no grammar is known."""

import dataclasses
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gantext.data import load
from gantext.data.corpus import Split
from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.evaluation.measures import imputation
from gantext.evaluation.measures.imputation import blanked, imputation_scores
from gantext.inference.beam import FREE
from gantext.runs.folder import RunDir
from gantext.runs.trained import restore
from tests.conftest import SMALL_VAE, Command, finished, scores_in
from tests.evaluation.measures.test_likelihood import Some, corpus


@pytest.fixture(scope="module")
def text_vae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the tiny VAE on a file of its own: forty people at twenty places."""
    folder = tmp_path_factory.mktemp("text")
    lines = [f"{who} sits at place {i} ." for i in range(20) for who in ("ann", "bob")]
    (folder / "lines.txt").write_text("\n".join(lines) + "\n")
    words = [word for word in SMALL_VAE if not word.startswith("data")]
    data = ["data=text", f"data.train={folder}/lines.txt", "data.test_share=0.5"]
    return finished(folder, [*words, *data, "data.validation=2"])


def test_elsewhere_the_adversarial_error(cli: Command, text_vae: Path) -> None:
    """Half of the test sentences at most are filled, for as many others stay real."""
    found = cli("eval", "imputation", str(text_vae), "--json")
    assert found.code == 0, found.err
    exact, error = scores_in(found.out)
    assert (exact["name"], error["name"]) == ("imputed-exact", "adversarial-error")
    assert 4 <= 2 * error["signature"]["sentences"] <= 20
    assert -0.5 <= error["value"] <= 0.5 and "classifier" in error["signature"]
    settings = {"run", "blank", "beam", "rounds", "z", "seed", "data", "sentences", "version"}
    assert settings <= exact["signature"].keys() <= error["signature"].keys()


def test_midpoints_need_a_grammar(cli: Command, text_vae: Path) -> None:
    found = cli("eval", "interpolation", str(text_vae))
    assert found.code == 2 and found.errors[-1].startswith("error: eval interpolation: the grammar")
    found = cli("latent", str(text_vae), "--by", "shape")
    assert found.code == 2 and "--by shape needs a run on data=scenes" in found.err


def test_no_grammar_no_column(cli: Command, text_vae: Path) -> None:
    assert "grammatical" not in cli("impute", str(text_vae), "ann ___ at place 3 .").out
    words = ["interpolate", str(text_vae), "ann sits at place 3 .", "bob sits at place 4 ."]
    found = cli(*words)
    assert found.code == 0 and "grammatical" not in found.out


def test_four_sentences_without_unknown_words_are_enough(text_vae: Path) -> None:
    """Two are filled, for two others that stay real; of three too few are left."""
    trained = restore(RunDir(text_vae))
    corpus = load(trained.settings.data)
    for count, enough in ((4, True), (3, False)):
        test = corpus.test.tokens.known().take(slice(count))
        few = dataclasses.replace(corpus, test=Split(test, ["a"] * count))
        if enough:
            exact, error = imputation_scores(trained, few, 100, 0)
            assert exact.signature["sentences"] == error.signature["sentences"] == 2
        else:
            with pytest.raises(UserError, match="at least 4"):
                imputation_scores(trained, few, 100, 0)


def test_a_span_of_a_fifth_to_three_tenths_is_blanked() -> None:
    """Of 20 words 4 to 6, in one piece, anywhere; of 1 word that one; <eos> stays."""
    long = [*range(4, 24), EOS]
    rows = torch.tensor([long, [4, EOS] + [PAD] * 19])
    rng, sizes, starts = np.random.default_rng(0), set(), set()
    for _ in range(300):
        found = blanked(rows, 1, rng)
        places = (found[0] == FREE).nonzero()[:, 0]
        assert torch.equal(places, torch.arange(int(places[0]), int(places[-1]) + 1))
        sizes.add(len(places))
        starts.add(int(places[0]))
        assert torch.equal(found[0][found[0] != FREE], rows[0][found[0] != FREE])
        assert found[1].tolist() == [FREE, EOS] + [PAD] * 19
    assert sizes == {4, 5, 6} and starts == set(range(17)) and EOS in found[0]
    assert (rows != FREE).all()


@pytest.mark.parametrize("known", [True, False])
def test_fillings_are_held_against_as_many_others(
    known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a grammar all test sentences are filled, else half of them; in an order that the seed
    draws. Those of one word come back as they were, the others as the first of the vocabulary."""
    lines = ["a b", "b", "a b c a", "c", "b a", "c b"]
    data, given = corpus(Some() if known else None, lines), list[Any]()
    asked = list[Any]()
    monkeypatch.setattr(imputation, "can_impute", lambda *words: asked.append(words))
    monkeypatch.setattr(imputation, "search_signature", lambda *words: {"beam": 2})

    def completed(trained: Any, templates: torch.Tensor, search: Any) -> torch.Tensor:
        assert ((templates == imputation.FREE).sum(1) == 1).all()
        rows = data.test.tokens.take(order[: len(templates)]).padded(data.max_length)
        lone = (rows != 0).sum(1) == 2  # a word and its end
        return torch.where(lone[:, None], rows, torch.full_like(rows, 4))

    def told(words: Any, real: Any, seed: int) -> tuple[float, float]:
        given.append((words, real, seed))
        return 0.25, 0.125

    monkeypatch.setattr(imputation, "completed", completed)
    monkeypatch.setattr(imputation, "adversarial_error", told)
    trained: Any = SimpleNamespace(vocabulary=data.vocabulary)
    order = np.random.default_rng(3).permutation(6)
    mixed = [lines[place] for place in order]
    size = 6 if known else 3
    exact, other = imputation.imputation_scores(trained, data, 100, 3)
    lone = [len(line) == 1 for line in mixed[:size]]
    assert exact.value == pytest.approx(np.mean(lone))
    assert exact.error == pytest.approx(np.std(lone, ddof=1) / math.sqrt(size))
    common = {"sentences": size, "blank": "span of 20-30%", "beam": 2, "seed": 3}
    for score in (exact, other):
        assert score.signature.items() >= {**common, "data": data.hash}.items()
    if known:
        assert other.name == "imputed-grammatical"
        assert other.value == pytest.approx(1 - np.mean(lone))
        assert other.error == pytest.approx(exact.error)
        fewer, _ = imputation.imputation_scores(trained, data, 4, 3)
        assert fewer.signature["sentences"] == 4
    else:
        ((words, real, seed),) = given
        assert [" ".join(row) for row in real] == mixed[3:] and seed == 3 and len(words) == 3
        assert (other.value, other.error) == (0.25, 0.125)
        assert "logistic" in str(other.signature["classifier"])
        imputation.imputation_scores(trained, data, 2, 3)
        assert [" ".join(row) for row in given[1][1]] == mixed[2:4] and len(given[1][0]) == 2
    assert asked == [(trained, "eval imputation")] * 2


def test_the_best_filling_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of a beam; fewer than four sentences are refused."""
    found = SimpleNamespace(tokens=torch.arange(12).reshape(2, 3, 2))
    asked = list[Any]()
    monkeypatch.setattr(imputation, "fill", lambda *given: asked.append(given[2:]) or found)
    trained: Any = SimpleNamespace(vocabulary=range(9), device="cpu", algorithm=None)
    search = imputation.Search()
    filled = imputation.completed(trained, torch.zeros(2, 2), search)
    assert filled.tolist() == [[0, 1], [6, 7]] and asked == [(search.beam, search.rounds, 9)]
    monkeypatch.setattr(imputation, "can_impute", lambda *words: None)
    with pytest.raises(UserError, match="at least 4 test sentences"):
        imputation.imputation_scores(trained, corpus(None), 2, 3)
