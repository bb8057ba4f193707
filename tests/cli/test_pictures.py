"""Runs of picture models by the commands that a user types: sample, eval, compare, report, data."""

import base64
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gantext.config.compose import compose
from gantext.evaluation.table import beside_real
from gantext.metrics.score import Score
from gantext.plots.pictures import SCALE, pixels
from gantext.runs.folder import RunDir
from gantext.training import jobs
from tests.conftest import SMALL_DPR_GAN, SMALL_IMAGE_GAN, Command, scores_in

CAPTION = "a red circle above a blue square ."


@pytest.fixture(scope="module", autouse=True)
def judges() -> Iterator[None]:
    """In the place of the real ones, which take a minute to train."""

    def score(*_: object, samples: int, seed: int, **__: object) -> list[Score]:
        values = {"frechet": 2.5, "frechet-real": 0.25}
        sign = {"samples_scored": samples, "seed": seed}
        return [Score(name, value, sign) for name, value in values.items()]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gantext.evaluation.measures.pictures.scores_of", score)
        yield


def made(folder: Path, words: list[str]) -> Path:
    (folder / "run").mkdir()
    jobs.start(compose([*words, f"runs_dir={folder}"]), folder / "run", {"overrides": words})
    return folder / "run"


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sklearn", reason="data=digits needs scikit-learn")
    return made(tmp_path_factory.mktemp("digits"), SMALL_IMAGE_GAN)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("scenes"), SMALL_DPR_GAN)


# sample


def test_a_grid_of_digits(cli: Command, digits: Path, tmp_path: Path) -> None:
    """6 pictures of 8 x 8 in 3 columns, lines of 1 between: 3 * 9 + 1 wide, 2 * 9 + 1 high."""
    found = cli("sample", str(digits), "-n", "6", "--out", "grid.png", "--columns", "3")
    assert found.code == 0 and "6 pictures of run in grid.png" in found.err and found.out == ""
    assert pixels(tmp_path / "grid.png").shape == (19 * SCALE, 28 * SCALE, 3)
    cli("sample", str(digits), "-n", "6", "--out", "square.png")
    assert pixels(tmp_path / "square.png").shape == (19 * SCALE, 28 * SCALE, 3)  # ceil(sqrt(6)) = 3


def test_seed_and_phase_decide(cli: Command, digits: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        cli("sample", str(digits), "-n", "4", "--seed", seed, "--out", f"{name}.png")
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b != c
    words = ["-n", "4", "--seed", "1", "--phase", "adversarial", "--out", "d.png"]
    assert cli("sample", str(digits), *words).code == 0
    assert (tmp_path / "d.png").read_bytes() == a
    found = cli("sample", str(digits), "--phase", "mle")
    assert found.code == 2 and "no whole checkpoint of phase mle" in found.err


def test_without_out_the_grid_lies_in_the_run(cli: Command, digits: Path) -> None:
    """25 by default, in a file that says so, and no preview in a pipe."""
    found = cli("sample", str(digits))
    path = Path(found.out.strip())
    assert found.code == 0 and path.parent == digits / "samples" and path.is_file()
    assert pixels(path).shape == (46 * SCALE, 46 * SCALE, 3)  # 5 * 9 + 1
    document = json.loads(cli("sample", str(digits), "--json", "--seed", "4").out)
    assert Path(document["path"]) != path and document["pictures"] == 25
    sign = document["signature"]
    assert (sign["model"], sign["sample_seed"], sign["step"]) == ("image_gan", 4, 8)
    assert "temperature" not in sign


def test_captions(cli: Command, scenes: Path, tmp_path: Path) -> None:
    """Two captions of 3 pictures each: each above a row of its own. Their noise differs."""
    words = ["--caption", CAPTION, "--caption", "a green star .", "-n", "3", "--out", "x.png"]
    found = cli("sample", str(scenes), *words)
    assert found.code == 0 and "6 pictures" in found.err
    line = 32 // 14
    whole = pixels(tmp_path / "x.png")
    assert whole.shape[1] == (3 * (32 + line) + line) * SCALE
    row = (32 + 2 * line) * SCALE
    heading = (len(whole) - 2 * row) // 2
    for start in (0, heading + row):
        said = whole[start : start + heading]
        assert (said[0] == 255).all() and (said < 99).any()  # dark letters on white
    grid = whole[heading : heading + row : SCALE, ::SCALE]
    first, second = (grid[line : line + 32, x : x + 32] for x in (line, 2 * line + 32))
    assert (first != second).any()
    document = json.loads(cli("sample", str(scenes), "--caption", CAPTION, "--json").out)
    assert document["pictures"] == 25 and document["signature"]["captions"] == CAPTION


def test_captions_that_are_odd(cli: Command, scenes: Path) -> None:
    found = cli("sample", str(scenes), "--caption", "zebra a of red .", "-n", "1", "--out", "x.png")
    assert found.code == 0
    assert "warning: not in the run's vocabulary, read as <unk>: zebra" in found.err
    found = cli("sample", str(scenes), "--caption", " ")
    assert found.code == 2 and "an empty text" in found.err and len(found.errors) == 1
    found = cli("sample", str(scenes), "--caption", "red " * 90)
    assert found.code == 2 and "the run takes at most the" in found.err and len(found.errors) == 1


def test_without_captions_training_captions_are_drawn(cli: Command, scenes: Path) -> None:
    """The run's folder alone is enough: its captions lie in it."""
    run = RunDir(scenes)
    assert len(run.pictures.captions) == run.info["train_size"] == 64
    assert cli("sample", str(scenes), "-n", "2", "--out", "x.png").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--temperature", "1.0"], "--temperature is for models of text: run is a run of model="),
        (["--greedy"], "--greedy is for models of text"),
        (["--caption", "a red circle ."], "draws without captions; --caption needs model=dpr_gan"),
        (["--out", "grid.jpg"], "has to end in .png"),
    ],
)
def test_wrong_options_are_refused(cli: Command, digits: Path, words: list[str], said: str) -> None:
    found = cli("sample", str(digits), *words)
    assert found.code == 2 and len(found.errors) == 1 and said in found.err


def test_options_of_pictures_are_refused_for_text(cli: Command, trained: Path) -> None:
    for words in (["--caption", "a dog"], ["--columns", "3"]):
        found = cli("sample", str(trained), *words)
        assert found.code == 2 and len(found.errors) == 1
        assert f"{words[0]} is for models of pictures: run is a run of model=gan" in found.err


# eval, compare


def test_scores_are_stored_and_read_back(
    cli: Command, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = cli("eval", "pictures", str(digits), "-n", "30", "--json")
    records = scores_in(found.out)
    assert [one["name"] for one in records] == ["frechet", "frechet-real"]
    record = records[0]
    assert record["value"] == 2.5
    assert record["signature"]["samples_scored"] == 30
    assert record["signature"]["run"] == "run"

    def never(*_: object, **__: object) -> list[Score]:
        raise AssertionError("computed again")

    monkeypatch.setattr("gantext.evaluation.measures.pictures.scores_of", never)
    again = cli("eval", "all", str(digits), "-n", "30", "--json")
    assert scores_in(again.out) == records, again.err
    table = cli("eval", "pictures", str(digits), "-n", "30").out
    rows = [line.split() for line in table.splitlines()]
    at = rows.index(["run", "frechet", "↓"])
    assert rows[at + 2 : at + 4] == [["run", "2.5000"], ["real", "0.2500"]]
    assert "preset" not in table and "frechet-real" not in table


@pytest.mark.parametrize(
    "words", ["eval bleu RUN", "eval frontier RUN", "eval latent RUN", "goals RUN", "latent RUN"]
)
def test_text_commands_refuse_pictures(cli: Command, digits: Path, words: str) -> None:
    found = cli(*words.replace("RUN", str(digits)).split())
    assert found.code == 2 and len(found.errors) == 1, found.err
    assert "run is a run of model=image_gan, which draws pictures" in found.err


def test_score_refuses_pictures(cli: Command, digits: Path, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("a dog .\n")
    found = cli("score", str(digits), "lines.txt")
    assert found.code == 2 and "this needs a model of text" in found.err


def test_eval_pictures_refuses_text(cli: Command, trained: Path) -> None:
    found = cli("eval", "pictures", str(trained))
    assert found.code == 2 and len(found.errors) == 1
    assert "model=gan, which writes text: gantext eval pictures needs" in found.err


def test_text_and_pictures_have_no_scores_in_common(
    cli: Command, digits: Path, trained: Path
) -> None:
    found = cli("eval", "all", str(digits), str(trained))
    assert found.code == 2 and "(pictures)" in found.err and "score them apart" in found.err


def test_compare_and_runs_list(cli: Command, digits: Path, tmp_path: Path) -> None:
    other = shutil.copytree(digits, tmp_path / "runs" / "other")
    config_file = other / "config.yaml"
    config_file.write_text(config_file.read_text().replace("latent_size: 4", "latent_size: 5"))
    found = cli("compare", str(digits), f"{digits}@adversarial")
    assert found.code == 0 and "frechet" in found.out and "bleu" not in found.out, found.err
    found = cli("runs", "list")
    assert "frechet" in found.out and "bleu-2" not in found.out
    assert "gantext sample" in found.err
    found = cli("runs", "show", str(digits))
    assert "gantext eval pictures" in found.err


def test_real_pictures_stand_in_a_column_of_their_own() -> None:
    """Unless they are not the same for all runs."""
    scores = [Score("recall", 0.5, {}), Score("recall-real", 0.9, {})]
    other = [Score("recall", 0.4, {}), Score("recall-real", 0.9, {})]
    found = beside_real({"a": scores, "b": other})
    assert {name: [s.value for s in own] for name, own in found.items()} == {
        "a": [0.5],
        "b": [0.4],
        "real": [0.9],
    }
    assert [one.name for one in found["real"]] == ["real-recall"]
    differing = {"a": scores, "b": [*other[:1], Score("recall-real", 0.8, {})]}
    assert beside_real(differing) == differing
    assert beside_real({"a": scores[:1]}) == {"a": scores[:1]}


# report


def test_a_report_of_digits(
    cli: Command, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gantext.evaluation.judges.picture_classifier.STEPS", 5)
    found = cli("report", str(digits), "--out", "r.html")
    assert found.code == 0, found.err
    html = (tmp_path / "r.html").read_text()
    for title in ("Losses", "Discriminator accuracy", "Discriminator outputs"):
        assert title in html
    # Looks at the steps 5 and 8: the first, and the last.
    assert re.findall(r"Samples at step (\d+)", html)[0] == "5" and "Samples at step 8" in html
    assert "Nearest training pictures" in html and "Classes, by the classifier" in html
    assert "BLEU" not in html


def test_a_report_of_captions(cli: Command, scenes: Path, tmp_path: Path) -> None:
    found = cli("report", str(scenes), "--out", "r.html")
    assert found.code == 0, found.err
    html = (tmp_path / "r.html").read_text()
    assert "Test captions" in html and "Retrieval" in html and "Nearest training" not in html
    drawn = re.findall(r'class="light" alt="(\w+).*?base64,(.*?)"', html)
    for title in ("Samples", "Test"):
        svgs = [base64.b64decode(text).decode() for name, text in drawn if name == title]
        assert svgs and all("</text>" in svg and svg.count("<image") >= 25 for svg in svgs)


# data


def test_data_that_a_model_cannot_read(cli: Command) -> None:
    found = cli("train", "model=mle", "data=digits")
    assert found.code == 2 and len(found.errors) == 1
    assert "model=mle reads text, and data=digits has pictures: try data=scenes" in found.err
    assert "model=image_gan" in found.err
    found = cli("train", "model=dpr_gan", "data=digits")
    assert "model=dpr_gan reads pictures with captions" in found.err
    assert "try data=scenes, data=pictures, or model=image_gan on this data" in found.err
    found = cli("train", "model=image_gan", "data=oracle")
    assert "data=oracle has text: try data=scenes, data=mnist, data=pictures, " in found.err


def test_data_show(cli: Command) -> None:
    pytest.importorskip("sklearn", reason="data=digits needs scikit-learn")
    found = cli("data", "show", "digits")
    assert found.code == 0 and "8 x 8 pixels, grey" in found.out and "1437 pictures" in found.out
    assert json.loads(cli("data", "show", "digits", "--json").out)["facts"][0] == ["data", "digits"]
