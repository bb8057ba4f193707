"""gantext goals: the picture and the numbers of a trained LeakGAN; errors leave nothing."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from gantext.config.settings import Device
from gantext.models.leakgan.manager_worker import goal_cosines
from gantext.runs.folder import RunDir
from gantext.runs.trained import restore
from tests.conftest import SMALL_LEAKGAN, Command, finished

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def leak(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the tiny LeakGAN; not to be changed."""
    return finished(tmp_path_factory.mktemp("leak"), SMALL_LEAKGAN, "leak")


def test_samples_of_the_latest_run(cli: Command, leak: Path, tmp_path: Path) -> None:
    """The sentences are those of `gantext sample` with the same seed."""
    words = ["goals", "--runs-dir", str(leak.parent), "--seed", "5", "-n", "2"]
    found = cli(*words)
    assert found.code == 0, found.err
    assert (tmp_path / "goals.png").read_bytes().startswith(PNG)
    assert "goals of leak in goals.png" in found.err
    sampled = cli("sample", str(leak), "-n", "2", "--seed", "5").out.splitlines()
    assert "mean cosine" in found.out and "4 words later" in found.out
    document = json.loads(cli(*words, "--json").out)
    assert [sentence["text"] for sentence in document["sentences"]] == sampled
    for sentence in document["sentences"]:
        assert f"{sentence['mean_cosine']:.3f}" in found.out


def test_json_holds_the_restored_model_s_own_numbers(
    cli: Command, leak: Path, tmp_path: Path
) -> None:
    """Distances in the plane are at most those of all features, and centred; cosines are exact."""
    texts = ["a red wheel .", "there is a blue tree ."]
    words = [word for text in texts for word in ("--text", text)]
    found = cli("goals", str(leak), *words, "--json", "--out", "own.png")
    assert found.code == 0, found.err
    document = json.loads(found.out)
    assert document["file"] == "own.png" and (tmp_path / "own.png").read_bytes()[:8] == PNG
    back = restore(RunDir(leak), Device.cpu)
    points = np.concatenate([s["features"] for s in document["sentences"]])
    np.testing.assert_allclose(points.mean(0), 0, atol=1e-5)
    everything = []
    for text, said in zip(texts, document["sentences"], strict=True):
        ids = torch.tensor([back.vocabulary.encode(back.vocabulary.tokenize(text))])
        goals, features = back.algorithm.trace(ids)
        assert said["text"] == text and len(said["words"]) == ids.shape[1]
        np.testing.assert_allclose(said["cosines"], goal_cosines(features, goals, 4)[0], atol=1e-5)
        assert said["mean_cosine"] == pytest.approx(np.mean(said["cosines"]))
        lengths = np.linalg.norm(said["goals"], axis=1)
        assert (lengths <= 1 + 1e-5).all() and lengths.max() > 0
        everything.append(features[0].numpy())
    whole = np.concatenate(everything)
    total = float(((whole - whole.mean(0)) ** 2).sum())
    shares = (points**2).sum(0) / total
    assert document["feature_shares"] == pytest.approx(shares, rel=1e-3)
    assert document["goal_steps"] == 4 and "sample_seed" not in document["signature"]


def test_the_end_of_a_phase_and_notes(cli: Command, leak: Path, tmp_path: Path) -> None:
    words = ["--text", "a red quux .", "--text", "a red quux .", "--phase", "pretraining"]
    found = cli("goals", str(leak), *words, "--json")
    assert found.code == 0
    assert "not in the run's vocabulary, read as <unk>: quux" in found.err
    assert "1 of 2 sentences are repetitions" in found.err
    document = json.loads(found.out)
    assert document["signature"]["phase"] == "pretraining" and len(document["sentences"]) == 1
    assert document["sentences"][0]["words"] == ["a", "red", "<unk>", ".", "<eos>"]
    last = json.loads(cli("goals", str(leak), "--text", "a red quux .", "--json").out)
    assert last["sentences"] != document["sentences"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--text", " "], "--text is empty"),
        (["--text", "a " * 99], "has 99 words: the run takes at most the"),
        (["--text", "a"] * 7, "7 sentences: at most 6"),
        (["-n", "7"], "7 sentences: at most 6"),
        (["-n", "0"], "greater than or equal to 1"),
        (["--out", "nowhere/goals.png"], "cannot write nowhere/goals.png"),
        (["--out", "goals.pdf"], "the figure is a PNG"),
        (["--phase", "nope"], "no whole checkpoint of phase nope"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    cli: Command, leak: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    (tmp_path / "goals.png").write_text("mine")
    found = cli("goals", str(leak), *words)
    assert found.code == 2 and found.out == ""
    errors = [line for line in found.errors if line.startswith("error: ")]
    assert len(errors) == 1 and said in errors[0], found.err
    assert "Traceback" not in found.err
    assert [path.name for path in tmp_path.iterdir()] == ["goals.png"]
    assert (tmp_path / "goals.png").read_text() == "mine"


def test_a_run_without_goals(cli: Command, trained: Path, tmp_path: Path) -> None:
    found = cli("goals", str(trained))
    assert found.code == 2 and found.out == ""
    assert found.err == "error: run: model=gan has no goals; goals are leakgan's\n"
    assert not list(tmp_path.iterdir())


def test_a_report_has_the_figure(cli: Command, leak: Path, tmp_path: Path) -> None:
    found = cli("report", str(leak), "-n", "30", "--temperatures", "none")
    assert found.code == 0, found.err
    page = (tmp_path / "report.html").read_text()
    said = html.unescape(re.sub(r"<[^>]+>", " ", page))
    assert "Goals and leaked features" in said and page.count('<figure class="wide">') == 1
    words = ["goals", str(leak), "-n", "3", "--temperature", "1", "--seed", "20"]
    assert f"Drawn by: gantext {' '.join(words)}." in said
    shown = json.loads(cli(*words, "--json").out)["sentences"]
    assert len(shown) == 3
    assert all(f"{sentence['mean_cosine']:.3f}" in said for sentence in shown)
