"""A command reads each run and its data, and draws its samples, once."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gantext import data
from gantext.config.settings import Device
from gantext.evaluation.judges import encoders
from gantext.evaluation.subjects import Model
from gantext.metrics.text import bleu_scores, copying, corpus_bleu, tokens
from gantext.models.image_gan.model import ImageGAN
from gantext.models.mle import MLE
from gantext.report import kept as kept_parts
from gantext.runs import checkpoint, migrations, stored_checkpoint
from gantext.runs.folder import RunDir
from tests.conftest import SMALL_IMAGE_GAN, SMALL_MLE, Command, finished


@pytest.fixture(scope="module")
def text_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(tmp_path_factory.mktemp("text"), SMALL_MLE)


@pytest.fixture(scope="module")
def picture_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(tmp_path_factory.mktemp("pictures"), SMALL_IMAGE_GAN)


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often data is loaded, a config read, a run's checkpoint read, and samples drawn."""
    found: Counter[str] = Counter()

    def counted(owner: Any, name: str, key: Callable[..., str | None]) -> None:
        original = getattr(owner, name)

        def wrapper(*args: Any, **options: Any) -> Any:
            found.update(filter(None, [key(*args)]))
            return original(*args, **options)

        monkeypatch.setattr(owner, name, wrapper)

    counted(data, "load_for", lambda *_: "data")
    counted(migrations, "config_values", lambda path, *_: f"config of {path.parent.name}")
    counted(stored_checkpoint, "stored", weights_of)
    counted(checkpoint, "stored", weights_of)
    counted(MLE, "sample", lambda model, n, *_: f"{n} sentences")
    counted(ImageGAN, "draw", lambda model, n, *_: f"{n} pictures")
    return found


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, int]]:
    """How often the very same texts were cut into words, and indexed, for scores."""
    found: Counter[tuple[str, int]] = Counter()
    kept: list[Any] = []  # alive, so that no other has its id

    def counted(owner: Any, name: str, what: str, place: int = 0) -> None:
        original = getattr(owner, name)

        def wrapper(*args: Any) -> Any:
            kept.append(args[place])
            found.update([(what, id(args[place]))])
            return original(*args)

        monkeypatch.setattr(owner, name, wrapper)

    counted(tokens, "_numbered", "encoded")
    counted(bleu_scores, "ReferenceIndex", "references indexed")
    counted(copying, "CopyIndex", "training text indexed")
    counted(corpus_bleu, "_tokens", "cut as by sacreBLEU", 1)
    counted(kept_parts, "_write", "drawn")
    return found


def weights_of(root: Path, folder: Path, training: bool = False) -> str | None:
    """A checkpoint of a run, which is hashed as it is read; none for one of a judge."""
    return f"weights of {folder.parents[1].name}" if folder.parent.name == "checkpoints" else None


def copies(run: Path, folder: Path, *names: str) -> None:
    for name in names:
        shutil.copytree(run, folder / "runs" / name)


REPORT = ("-n", "30", "--temperatures", "none")


def test_a_report_of_a_text_run(
    cli: Command, counts: Counter[str], text_run: Path, tmp_path: Path
) -> None:
    """The 30 sentences are scored; the 20 that are shown are those of `gantext sample -n 20`."""
    copies(text_run, tmp_path, "a")
    assert cli("report", "a", *REPORT).code == 0
    once = {"data": 1, "config of a": 1, "weights of a": 1}
    assert counts == {**once, "30 sentences": 1, "20 sentences": 1}


def test_a_report_makes_everything_once(
    cli: Command,
    counts: Counter[str],
    made: Counter[tuple[str, int]],
    text_run: Path,
    tmp_path: Path,
) -> None:
    """A second one makes nothing, and is the same page."""
    copies(text_run, tmp_path, "a")
    words = ("report", "a", "-n", "30", "--temperatures", "0.5,1", "--plane", "bleu")
    assert cli(*words).code == 0
    assert set(made.values()) == {1}
    kinds = Counter(what for what, _ in made)
    assert (kinds["references indexed"], kinds["training text indexed"]) == (1, 1)
    # Test and training text, what of it stands beside the samples, three sets of these.
    assert kinds["encoded"] == 6 and kinds["drawn"] == 4
    first = Path("report.html").read_text()
    counts.clear()
    made.clear()
    assert cli(*words).code == 0
    assert counts == {"config of a": 1, "weights of a": 1} and not made
    clock = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
    assert clock.sub("", Path("report.html").read_text()) == clock.sub("", first)


def test_a_report_of_a_picture_run(
    cli: Command, counts: Counter[str], picture_run: Path, tmp_path: Path
) -> None:
    copies(picture_run, tmp_path, "a")
    assert cli("report", "a", *REPORT).code == 0
    assert counts == {"data": 1, "config of a": 1, "weights of a": 1, "30 pictures": 1}


def test_a_report_of_two_runs(
    cli: Command, counts: Counter[str], text_run: Path, tmp_path: Path
) -> None:
    """Each is scored for its own part, in the comparison and on the frontier.

    The second has the weights of the first, whose sentences are shown again.
    """
    copies(text_run, tmp_path, "a", "b")
    assert cli("report", "a", "b", "-n", "30", "--temperatures", "1").code == 0
    each = {f"{what} of {run}": 1 for what in ("config", "weights") for run in "ab"}
    assert counts == {"data": 1, **each, "30 sentences": 2, "20 sentences": 1}


def test_compare(cli: Command, counts: Counter[str], text_run: Path, tmp_path: Path) -> None:
    copies(text_run, tmp_path, "a", "b")
    assert cli("compare", "a", "b", "-n", "30").code == 0
    each = {f"{what} of {run}": 1 for what in ("config", "weights") for run in "ab"}
    assert counts == {"data": 1, **each, "30 sentences": 2}


def letters(lines: Sequence[str]) -> np.ndarray:
    """Embeddings by counting letters."""
    return np.array([[line.count("a"), line.count("e")] for line in lines], dtype=np.float32)


def test_eval_all(
    cli: Command,
    counts: Counter[str],
    text_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    brief_judge: None,
    made: Counter[tuple[str, int]],
) -> None:
    """With judges that take no time in the place of those that take a minute."""
    toy = SimpleNamespace(id="toy", encode=letters)
    monkeypatch.setattr(encoders, "load_encoder", lambda *_: toy)
    copies(text_run, tmp_path, "a")
    assert cli("eval", "all", "a", "-n", "30").code == 0
    assert set(made.values()) == {1}
    assert counts == {"data": 1, "config of a": 1, "weights of a": 1, "30 sentences": 1}


def test_eval_frontier(cli: Command, counts: Counter[str], text_run: Path, tmp_path: Path) -> None:
    copies(text_run, tmp_path, "a")
    words = ("-n", "30", "--temperatures", "0.5,1", "--seeds", "0,1")
    assert cli("eval", "frontier", "a", *words).code == 0
    assert counts == {"data": 1, "config of a": 1, "weights of a": 1, "30 sentences": 4}


def test_what_is_stored_needs_no_model_and_no_data(
    cli: Command, shell: Command, counts: Counter[str], text_run: Path, tmp_path: Path
) -> None:
    """Nor torch, numpy or hydra: the score is found by the digests of weights and data."""
    copies(text_run, tmp_path, "a")
    computed = cli("eval", "bleu", "a", "-n", "30")
    counts.clear()
    stored = cli("eval", "bleu", "a", "-n", "30")
    assert stored.out == computed.out
    assert counts == {"config of a": 1, "weights of a": 1}
    folder = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPROFILEIMPORTTIME": "1"}
    alone = shell("eval", "bleu", "a", "-n", "30", COLUMNS="160", **folder)
    imported = {line.rpartition("|")[2].strip() for line in alone.err.splitlines()}
    assert alone.out == computed.out and "gantext.evaluation.scorebook" in imported
    assert imported.isdisjoint({"torch", "numpy", "hydra", "omegaconf", "nltk"})


def test_sample(cli: Command, counts: Counter[str], text_run: Path, tmp_path: Path) -> None:
    copies(text_run, tmp_path, "a")
    assert cli("sample", "a", "-n", "7").code == 0
    assert counts == {"config of a": 1, "weights of a": 1, "7 sentences": 1}


def test_a_model_s_weights_and_digest_are_of_one_reading(
    counts: Counter[str], text_run: Path
) -> None:
    """What was read is let go of, and what is left agrees with the folder's."""
    model = Model(RunDir(text_run), "mle", Device.cpu)
    before, trained = model.checkpoint, model.trained
    assert "_stored" not in vars(model) and counts["weights of run"] == 1
    assert before == model.checkpoint == (trained.step, trained.digest, trained.whole)
    assert trained.phase == "mle" and trained.vocabulary is not None
    again = RunDir(text_run).checkpoint("mle")
    assert (again.step, again.digest, again.whole) == before
