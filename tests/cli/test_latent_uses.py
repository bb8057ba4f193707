"""gantext reconstruct, interpolate, impute and latent, and the scores of two of them."""

import itertools
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gantext import data
from gantext.config.settings import Device
from gantext.data import Reads
from gantext.data.scenes.english import grammar
from gantext.data.vocabulary import EOS
from gantext.inference.latent_plane import tsne
from gantext.nn.text.sampling import SamplingOptions
from gantext.runs.folder import RunDir
from gantext.runs.trained import Trained, restore
from tests.conftest import Command, scores_in

PNG = b"\x89PNG\r\n\x1a\n"
ONE, TWO = "there is a red ring in the sky .", "two blue stars are above a gray circle ."
GREEDY = SamplingOptions(temperature=0.0)
# What every signature says of the run, its data and the version.
SIGNED = {"run", "model", "step", "phase", "weights", "data", "version"}


@pytest.fixture(scope="module")
def model(trained_vae: Path) -> Trained:
    return restore(RunDir(trained_vae), Device.cpu)


def mean(model: Trained, text: str) -> torch.Tensor:
    ids = model.vocabulary.encode(model.vocabulary.tokenize(text))
    return model.algorithm.encode(torch.tensor([ids]))[0]


def document(cli: Command, *words: str) -> dict:
    found = cli(*words, "--json")
    assert found.code == 0, found.err
    return json.loads(found.out)


def scored(cli: Command, *words: str) -> list[dict]:
    found = cli("eval", *words, "--json")
    assert found.code == 0, found.err
    return scores_in(found.out)


# reconstruct


def test_reconstructions_are_those_of_each_sentence_alone(
    cli: Command, trained_vae: Path, model: Trained, tmp_path: Path
) -> None:
    """A plain loop: mean, greedy decode; blank lines are skipped, line numbers kept."""
    lines = [ONE, "", TWO, "a red quux ."]
    (tmp_path / "lines.txt").write_text("\n".join(lines) + "\n")
    found = cli("reconstruct", str(trained_vae), "lines.txt")
    assert found.code == 0, found.err
    header, *rows = [row.split("\t") for row in found.out.splitlines()]
    assert header == ["line", "words", "unknown", "edits", "text", "reconstruction"]
    assert [(row[0], row[2]) for row in rows] == [("1", "0"), ("3", "0"), ("4", "1")]
    for row in rows:
        z = mean(model, row[4])
        tokens = model.algorithm.decode(z, torch.Generator(), GREEDY)[0].tolist()
        assert row[5] == model.vocabulary.text(tokens)
    assert "1 blank lines skipped" in found.err and "read as <unk>" in found.err
    assert "are skipped: the run" not in found.err
    assert "word error rate" in found.errors[-1]


def test_the_summary_is_that_of_the_rows(cli: Command, trained_vae: Path, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text(f"{ONE}\n{TWO}\n")
    found = document(cli, "reconstruct", str(trained_vae), "lines.txt", "--how", "beam")
    edits = [one["edits"] for one in found["sentences"]]
    assert found["summary"]["word_error_rate"] == pytest.approx(sum(edits) / (9 + 9))
    assert found["summary"]["exact"] == sum(number == 0 for number in edits) / 2
    sign = found["signature"]
    assert {*sign} == SIGNED | {"file", "z", "how", "beam"}
    assert (sign["file"], sign["how"], sign["beam"]) == ("lines.txt", "beam", 5)


def test_beam_one_is_greedy_and_samples_follow_their_seed(
    cli: Command, trained_vae: Path, tmp_path: Path
) -> None:
    (tmp_path / "lines.txt").write_text(f"{ONE}\n{TWO}\n")
    base = ["reconstruct", str(trained_vae), "lines.txt"]
    assert cli(*base).out == cli(*base, "--how", "beam", "--beam", "1").out
    sampled = [cli(*base, "--how", "sample", "--seed", seed).out for seed in ("1", "1", "2")]
    assert sampled[0] == sampled[1] != sampled[2]


def test_long_sentences_keep_their_place(cli: Command, trained_vae: Path, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text(" ".join(["red"] * 60) + f"\n{ONE}\n")
    found = cli("reconstruct", str(trained_vae), "lines.txt", "--out", "back.tsv")
    assert (
        found.code == 0
        and found.out == ""
        and "1 of 2 are skipped: the run takes at most the" in found.err
    )
    rows = [row.split("\t") for row in (tmp_path / "back.tsv").read_text().splitlines()]
    assert rows[1][3] == rows[1][5] == "" and rows[2][5]


# interpolate


def test_the_steps_are_decoded_between_the_means(
    cli: Command, trained_vae: Path, model: Trained
) -> None:
    found = document(cli, "interpolate", str(trained_vae), ONE, TWO, "--steps", "5")["steps"]
    assert [step["t"] for step in found] == [None, 0, 0.25, 0.5, 0.75, 1, None]
    assert (found[0]["text"], found[-1]["text"]) == (ONE, TWO)
    first, second = mean(model, ONE), mean(model, TWO)
    for step in found[1:-1]:
        z = (1 - step["t"]) * first + step["t"] * second
        tokens = model.algorithm.decode(z, torch.Generator(), GREEDY)
        assert step["text"] == model.vocabulary.text(tokens[0].tolist())
        given = model.algorithm.log_prob_given(tokens, z)
        assert step["log_prob_given"] == pytest.approx(float(given), abs=1e-3)
        marginal = model.algorithm.log_prob(tokens)
        assert step["log_prob"] == pytest.approx(float(marginal), abs=1e-3)
        words = model.vocabulary.decode(tokens[0].tolist())
        assert step["grammatical"] == bool(np.isfinite(grammar().log_prob([words])[0]))
    assert found[0]["grammatical"] and found[-1]["grammatical"]


def test_the_table_of_the_way(cli: Command, trained_vae: Path) -> None:
    found = cli("interpolate", str(trained_vae), ONE, TWO, "--spherical")
    assert found.code == 0, found.err
    for said in (ONE, TWO, "log p(x|z)", "grammatical", "given", "0.50", "k=2"):
        assert said in found.out, said
    sign = document(cli, "interpolate", str(trained_vae), ONE, TWO, "--spherical")["signature"]
    assert {*sign} == SIGNED | {"path", "how", "estimator", "k"} and sign["path"] == "spherical"


def test_the_share_of_grammatical_midpoints_is_stored(
    cli: Command, trained_vae: Path, model: Trained, tmp_path: Path
) -> None:
    """And is that of a plain loop over 20 pairs of two test sentences each."""
    run = shutil.copytree(trained_vae, tmp_path / "runs" / "one")
    found = scored(cli, "interpolation", str(run), "-n", "20")
    test, rng = data.load_for(model.settings.data, Reads.text).test.text, np.random.default_rng(20)
    pairs = [[mean(model, test[i]) for i in rng.choice(30, 2, replace=False)] for _ in range(20)]

    def grammatical(z: torch.Tensor) -> bool:
        tokens = model.algorithm.decode(z, torch.Generator(), GREEDY)[0].tolist()
        return bool(np.isfinite(grammar().log_prob([model.vocabulary.decode(tokens)])[0]))

    between = sum(grammatical((one + other) / 2) for one, other in pairs)
    ends = sum(grammatical(z) for pair in pairs for z in pair)
    assert [one["value"] for one in found] == pytest.approx([between / 20, ends / 40])
    how = {"how": "greedy", "seed": 20, "pairs": 20, "path": "linear"}
    assert [one["name"] for one in found] == ["grammatical-midpoints", "grammatical-ends"]
    for one in found:
        assert one["signature"].items() >= how.items()
    assert list((run / "scores").glob("interpolation-*"))
    assert scored(cli, "interpolation", str(run), "-n", "20") == found


# impute


def test_one_blank_is_the_search_of_all_words(cli: Command, trained: Path) -> None:
    """The language model of a GAN: the best fillings of 1 or 2 words, found by trying them all."""
    back = restore(RunDir(trained), Device.cpu)
    words = back.vocabulary
    text = "there is a ___ ring ."
    wide = ["--beam", str(len(words)), "-n", "4"]
    found = document(cli, "impute", str(trained), text, *wide)["completions"]
    tried = [words.encode(f"there is a {word} ring .".split()) for word in words.words[4:]]
    scores = back.algorithm.log_prob(torch.tensor(tried))
    best = scores.argsort(descending=True)[:4]
    assert [one["words"] for one in found] == [[[words.words[i + 4]]] for i in best]
    assert [one["log_prob"] for one in found] == pytest.approx(scores[best].tolist(), abs=1e-3)
    assert all(one["text"].startswith("there is a ") for one in found)


def test_forms_of_several_words_are_ranked_together(
    cli: Command, trained_vae: Path, model: Trained
) -> None:
    base = ["impute", str(trained_vae), "there is ___ ring ___ .", "--max-words", "2", "-n", "12"]
    found = document(cli, *base)["completions"]
    assert len(found) == 12 and len({one["text"] for one in found}) == 12
    scores = [one["log_prob"] for one in found]
    assert scores == sorted(scores, reverse=True)
    assert {len(words) for one in found for words in one["words"]} <= {1, 2}
    for one in found:
        filled = itertools.chain(["there", "is"], one["words"][0], ["ring"], one["words"][1], ["."])
        ids = torch.tensor([model.vocabulary.encode(list(filled))])
        assert float(model.algorithm.log_prob(ids)) == pytest.approx(one["log_prob"], abs=1e-3)


def test_unknown_words_stay_as_they_were_written(cli: Command, trained_vae: Path) -> None:
    found = cli("impute", str(trained_vae), "___ quux is a ___ .", "--json")
    assert found.code == 0 and "read as <unk>: quux" in found.err
    for one in json.loads(found.out)["completions"]:
        assert one["text"].split()[1] == "quux" and not one["grammatical"]
    assert "filled in" in cli("impute", str(trained_vae), "a ___ ring .").out
    latest = cli("impute", "a ___ ring .", "--runs-dir", str(trained_vae.parent))
    assert latest.code == 0 and "completions by run" in latest.out


@pytest.mark.parametrize("which", ["trained", "trained_vae"])
def test_scores_of_imputation(
    cli: Command, which: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run = shutil.copytree(request.getfixturevalue(which), tmp_path / "runs" / "one")
    found = scored(cli, "imputation", str(run), "-n", "10")
    assert [one["name"] for one in found] == ["imputed-exact", "imputed-grammatical"]
    assert all(one["value"] * 10 == pytest.approx(round(one["value"] * 10)) for one in found)
    assert found[0]["value"] <= found[1]["value"]
    assert ("rounds" in found[0]["signature"]) == (which == "trained_vae")
    assert list((run / "scores").glob("imputation-*"))


# latent


@pytest.mark.parametrize("by", ["length", "shape", "colour"])
def test_the_picture_and_its_numbers(
    cli: Command, trained_vae: Path, model: Trained, tmp_path: Path, by: str
) -> None:
    """Distances in the plane are at most those of the means; the properties are the words'."""
    words = ["latent", str(trained_vae), "--by", by, "-n", "12", "--out", f"{by}.png"]
    found = document(cli, *words)
    assert (tmp_path / f"{by}.png").read_bytes().startswith(PNG)
    points = np.array([[one["x"], one["y"]] for one in found["points"]])
    means = torch.cat([mean(model, one["text"]) for one in found["points"]]).numpy()
    far = np.linalg.norm(points - points[0], axis=1)
    assert (far <= np.linalg.norm(means - means[0], axis=1) + 1e-4).all() and far.max() > 0
    for one in found["points"]:
        own = one["text"].split()
        if by == "length":
            assert one["length"] == len(own)
        else:
            assert one[by] == "none" or any(word.startswith(one[by]) for word in own)
    assert len(points) == 12


def test_without_scikit_learn_one_line_says_so(
    cli: Command, trained_vae: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    found = cli("latent", str(trained_vae), "--method", "tsne")
    assert found.code == 2 and found.errors == [
        "error: --method tsne needs scikit-learn: pip install scikit-learn"
    ]
    assert not list(tmp_path.glob("*.png"))


def test_tsne_keeps_groups_apart() -> None:
    """Two far groups of ten in six dimensions: each point's nearest is of its own group."""
    pytest.importorskip("sklearn")
    means = np.random.default_rng(0).normal(size=(20, 6)) * 0.1
    means[10:] += 5
    points = tsne(means, 0)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert ((distances.argmin(1) >= 10) == (np.arange(20) >= 10)).all()
    np.testing.assert_array_equal(tsne(means, 0), points)


def test_a_report_shows_the_latent_space(cli: Command, trained_vae: Path, tmp_path: Path) -> None:
    found = cli("report", str(trained_vae), "-n", "20", "--temperatures", "none")
    assert found.code == 0, found.err
    page = (tmp_path / "report.html").read_text()
    for by in ("words in the sentence", "first shape named", "first colour named"):
        assert f"Latent space by {by}" in page, by


# What is refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("reconstruct", "GAN", "FILE"), "model=gan has no latent variable; reconstruct needs"),
        (("interpolate", "GAN", ONE, TWO), "model=gan has no latent variable; interpolate needs"),
        (("latent", "GAN"), "model=gan has no latent variable; latent needs model=vae"),
        (("eval", "interpolation", "GAN"), "only a model with a latent variable has this score"),
        (("reconstruct", "VAE", "nowhere.txt"), "nowhere.txt: no such file"),
        (("reconstruct", "VAE", "BLANK"), "every line is blank"),
        (("interpolate", "VAE", ONE, " "), "an empty text"),
        (("interpolate", "VAE", ONE, "red " * 60), "the run takes at most the"),
        (("impute", "VAE", "a red ring ."), "has no blank: write ___"),
        (("impute", "VAE", "red " * 60 + "___"), "the run takes at most the"),
        (("impute", "VAE", "___ " * 5, "--max-words", "4"), "at most 100 are searched"),
        (("latent", "VAE", "--out", "latent.svg"), "its name has to end in .png"),
        (("eval", "imputation", "--samples", "FILE"), "No such option"),
    ],
)
def test_refusals_are_one_line_and_write_nothing(
    cli: Command,
    trained: Path,
    trained_vae: Path,
    tmp_path: Path,
    words: tuple[str, ...],
    said: str,
) -> None:
    names = {"GAN": str(trained), "VAE": str(trained_vae), "FILE": "f.txt", "BLANK": "b.txt"}
    (tmp_path / "f.txt").write_text(f"{ONE}\n")
    (tmp_path / "b.txt").write_text(" \n\n")
    before = {path for path in tmp_path.rglob("*") if "cache" not in path.parts}
    found = cli(*(names.get(word, word) for word in words))
    assert found.code == 2 and found.out == "", found.err
    assert found.errors[-1].startswith("error: ") and said in found.errors[-1]
    assert {path for path in tmp_path.rglob("*") if "cache" not in path.parts} == before


def test_the_end_token_is_never_filled_in(cli: Command, trained_vae: Path) -> None:
    found = document(cli, "impute", str(trained_vae), "a ___ ring ___ .", "-n", "8")
    assert EOS == 2
    filled = {word for one in found["completions"] for words in one["words"] for word in words}
    assert not {"<eos>", "<unk>", "<pad>"} & filled and filled
