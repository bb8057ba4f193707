"""Runs that earlier code made: they load, sample, score and resume exactly.

See README.md. Nothing of gantext is used here but its command line and the files of a run.
"""

import hashlib
import json
import math
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
RUNS = sorted(path.parent.name for path in HERE.glob("*/config.yaml"))
WITH_SCORES = ["dpr_gan_faithful", "vae"]  # whose folders hold scores of `gantext eval`
SENTENCES = "sentences.txt"
# How near a number has to be: of the weights as they are, after more training, and in a picture.
EXACT, TRAINED = {"rel_tol": 1e-6, "abs_tol": 1e-6}, {"rel_tol": 1e-4, "abs_tol": 1e-6}
PIXEL = {"rel_tol": 1e-4, "abs_tol": 1.01 / 255}
# On a processor that rounds otherwise: a GAN in training makes a percent of a last bit.
ROUGH = {"rel_tol": 0.05, "abs_tol": 0.05}
ARITHMETIC = "e1bc0f143ca3915f"  # of the machine that the runs were made on
STORED = 12345.0
Command = Callable[..., Any]
Close = dict[str, float]


@pytest.fixture(scope="session")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which judges of pictures are trained once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def gantext(
    tmp_path: Path, judges: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """`gantext(*words)`: the document that a command prints with --json, on one CPU thread."""
    from gantext.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GANTEXT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(judges))
    shutil.copy(HERE / SENTENCES, tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def run(*words: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["gantext", *words, "--json"])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capfd.readouterr()
        assert left.value.code == 0, err
        return of_its_time(json.loads(out))

    yield run
    torch.set_num_threads(threads)


def of_its_time(document: Any) -> Any:
    """Scores stand under their run today; when the runs were made they were one list."""
    if not isinstance(document, dict) or not document.keys() & {"runs", "scores"}:
        return document
    return [
        {**one, "name": f"real-{one['name']}" if run["run"] == "real" else one["name"]}
        for run in document.get("runs", [document])
        for one in run["scores"]
    ]


@pytest.fixture(scope="module")
def same_machine() -> bool:
    """Whether this machine computes to the last bit as the one on which the runs were made."""
    return arithmetic() == ARITHMETIC


def arithmetic() -> str:
    """A hash of what processor and torch make of a network's layers and their gradients."""
    table = filled(1, [64, 64], -1, 1).requires_grad_()
    picture, kernel = filled(2, [4, 16, 32, 32], -1, 1), filled(3, [16, 16, 3, 3], -1, 1)
    words = torch.log_softmax((table @ table).tanh(), 1)
    maps = torch.conv2d(picture, kernel.requires_grad_(), padding=1).sigmoid()
    torch.autograd.backward(words.mean() + maps.mean() + maps.exp().std())
    digest = hashlib.sha256()
    for values in (words, maps, table.grad, kernel.grad):
        digest.update(values.detach().numpy().tobytes())
    return digest.hexdigest()[:16]


# Old runs


def restored(name: str, folder: Path) -> Path:
    """Copy a run to a folder; its large tensors are filled where only their shapes are kept."""
    run = folder / name
    shutil.copytree(HERE / name, run)
    for left_out in run.glob("checkpoints/*/left_out.json"):
        checkpoint = left_out.parent
        tensors = load_file(checkpoint / "kept.safetensors")
        for key, (shape, low, high) in json.loads(left_out.read_text()).items():
            tensors[key] = filled(int(key), shape, low, high)
        save_file(tensors, checkpoint / "tensors.safetensors")
        names = ("tensors.safetensors", "state.json")
        sums = {one: hashlib.sha256((checkpoint / one).read_bytes()).hexdigest() for one in names}
        (checkpoint / "manifest.json").write_text(json.dumps(sums))
        left_out.unlink()
        (checkpoint / "kept.safetensors").unlink()
    return run


def filled(key: int, shape: list[int], low: float, high: float) -> torch.Tensor:
    """Numbers between low and high by splitmix64: on every machine the same."""
    z = np.arange(key << 32, (key << 32) + math.prod(shape), dtype=np.uint64)
    z = (z + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    share = (z >> np.uint64(40)).astype(np.float64) / 2**24
    return torch.tensor((low + (high - low) * share).astype(np.float32)).reshape(shape)


def expected_of(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text())


def words_for(run: Path, words: list[str]) -> list[str]:
    """A command's words with the run's place for RUN."""
    return [str(run) + word[3:] if word.partition("@")[0] == "RUN" else word for word in words]


# What is compared


def picture(path: Path) -> dict[str, Any]:
    """Sizes, mean, deviation and 16 values of a picture, from 0 to 1."""
    pixels = without_captions(np.asarray(Image.open(path).convert("RGB")))
    values = pixels.astype(np.float64) / 255
    some = values.ravel()[:: values.size // 16][:16]
    return {
        "size": list(pixels.shape),
        "mean": values.mean(),
        "deviation": values.std(),
        "some": some.tolist(),
    }


def without_captions(pixels: np.ndarray) -> np.ndarray:
    """The rows of pictures of two captions as they were drawn when captions stood nowhere.

    A line of 8 pixels was between them where each has one of its own today.
    """
    white = (pixels[:, 0] == 255).all(1)
    rows = pixels[~white]
    half = len(rows) // 2
    return np.concatenate([rows[:half], rows[half + 8 :]]) if white.any() else pixels


def samples(run: Path) -> dict[str, list[str]]:
    """The first 12 lines of each file of samples, and how many there are."""
    found = {}
    for path in sorted((run / "samples").glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        found[path.name] = [f"{len(lines)} lines", *lines[:12]]
    return found


def pictures(run: Path) -> dict[str, Any]:
    """What `picture` says of each grid of samples that the training made."""
    paths = sorted((run / "samples").glob("*.png"))
    return {path.name: picture(path) for path in paths if not path.name.startswith("drawn")}


def metrics(run: Path) -> list[Any]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def last_state(run: Path) -> Any:
    """The newest checkpoint's tree, without optimisers and time: a tensor is its sum and size."""
    folder = max((run / "checkpoints").glob("[0-9]*"))
    files = [load_file(file) for file in folder.glob("*.safetensors")]
    tensors = {key: value for file in files for key, value in file.items()}

    def seen(tree: Any) -> Any:
        if isinstance(tree, list):
            return [seen(one) for one in tree]
        if not isinstance(tree, dict):
            return tree
        if "__tensor__" in tree:
            values = tensors[tree["__tensor__"]].double()
            return {"sum": float(values.sum()), "absolute": float(values.abs().sum())}
        left_out = ("seconds", "metrics_size")
        return {k: seen(v) for k, v in tree.items() if k not in left_out and "optimiser" not in k}

    return {"folder": folder.name, **seen(json.loads((folder / "state.json").read_text()))}


def assert_same(expected: Any, found: Any, close: Close, where: str = "") -> None:
    """All that is expected is there: words and whole numbers exactly. More may have come since."""
    if isinstance(expected, dict) and expected.keys() == {"sum", "absolute"}:
        size = expected["absolute"]
        room = close["rel_tol"] * size + close["abs_tol"]
        for name, value in expected.items():
            assert abs(value - found[name]) <= room, f"{where}: {expected} became {found}"
    elif isinstance(expected, dict):
        for name, value in expected.items():
            assert name in found, f"{where}: no {name}"
            assert_same(value, found[name], close, f"{where}/{name}")
    elif isinstance(expected, list):
        if expected and isinstance(expected[0], dict) and "value" in expected[0]:  # scores
            found = [one for one in found if one["name"] in {old["name"] for old in expected}]
        if where.endswith("/warnings"):  # later code warns of more
            found = [one for one in found if one in expected]
        assert len(expected) == len(found), where
        for place, (one, other) in enumerate(zip(expected, found, strict=True)):
            assert_same(one, other, close, f"{where}/{place}")
    elif isinstance(expected, float):
        assert math.isclose(expected, found, **close), f"{where}: {expected} became {found}"
    else:
        assert expected == found, where


def assert_commands(gantext: Command, run: Path, commands: list[Any], close: Close) -> None:
    for one in commands:
        words = one["words"]
        assert_same(one["document"], gantext(*words_for(run, words)), close, " ".join(words))
        if "picture" in one:
            near = ROUGH if close is ROUGH else PIXEL
            assert_same(one["picture"], picture(Path("grid.png")), near, " ".join(words))


# The tests


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_samples_and_scores(
    name: str, gantext: Command, tmp_path: Path, same_machine: bool
) -> None:
    close = EXACT if same_machine else ROUGH
    assert_commands(gantext, restored(name, tmp_path), expected_of(name)["stopped"], close)


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_resumes(
    name: str, gantext: Command, tmp_path: Path, same_machine: bool
) -> None:
    """To the end that the code before the move came to, which is that of a run without a stop."""
    run, expected = restored(name, tmp_path), expected_of(name)["resumed"]
    assert json.loads((run / "run.json").read_text())["status"] == "stopped"
    scores = gantext("train", "--resume", str(run))
    assert json.loads((run / "run.json").read_text())["status"] == "finished"
    # The old code let rounding errors decide cosines of a leakgan's features that do not move.
    exact = same_machine and name != "leakgan"
    close, pixel = (TRAINED, PIXEL) if exact else (ROUGH, ROUGH)
    assert_same(expected["metrics"], metrics(run), close, "metrics")
    assert_same(expected["state"], last_state(run), close, "state")
    assert_same(expected["pictures"], pictures(run), pixel, "pictures")
    assert_same(expected["scores"], scores, close, "scores")
    assert samples(run).keys() == expected["samples"].keys()
    if exact:  # elsewhere a word may be another
        assert samples(run) == expected["samples"]
        assert_commands(gantext, run, expected["commands"], close)


@pytest.mark.parametrize("name", WITH_SCORES)
def test_stored_scores_are_found_again(name: str, gantext: Command, tmp_path: Path) -> None:
    """Their keys are the same: a value that no measure would give is read back."""
    import gantext as package

    run = restored(name, tmp_path)
    for path in (run / "scores").glob("*-*.json"):
        document = json.loads(path.read_text())
        if document["key"]["version"] != package.__version__:
            pytest.skip("scores of another version are computed anew")
        for score in document["scores"]:
            score["value"] = STORED
        path.write_text(json.dumps(document))
    # Scores of samples of lower-case data are computed anew: what they were held against kept its
    # capitals before. `likelihood` shows such scores too.
    anew = ("bleu", "likelihood")
    for words in (words for words in expected_of(name)["stored"] if words[1] not in anew):
        found = gantext(*words_for(run, words))
        assert found and {one["value"] for one in found} == {STORED}


def test_old_runs_are_listed(gantext: Command, tmp_path: Path) -> None:
    for name in RUNS:
        restored(name, tmp_path / "runs")
    found = {row["run"]: row for row in gantext("runs", "list")}
    for name in RUNS:
        listed = expected_of(name)["listed"]
        scores = {score["name"]: score["value"] for score in found[name]["scores"]}
        assert_same(listed, {**found[name], "scores": scores}, EXACT, name)
