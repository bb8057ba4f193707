"""Blanks of test sentences, and their scores where no grammar is known."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from gantext.data import load
from gantext.data.corpus import Split
from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.evaluation.measures.imputation import blanked, imputation_scores
from gantext.inference.beam import FREE
from gantext.runs.folder import RunDir
from gantext.runs.trained import restore
from tests.conftest import SMALL_VAE, Command, finished, scores_in


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
