"""What tests of whole runs share: a tiny model, and the command line as a user calls it."""

import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.audit import WATCH

ROOT = Path(__file__).parent.parent
# Workers of pytest-xdist say 80; tables that go to a pipe are wider.
os.environ.pop("COLUMNS", None)
# What a shell runs beside itself (`make test &`) ignores Ctrl-C, and so would tests' processes.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# 16 steps of mle, 6 of the discriminator, 8 adversarial ones: a second.
SMALL = [
    "data=scenes",
    "data.train_size=64",
    "data.test_size=30",
    "data.validation_size=10",
    "model.generator.embedding=8",
    "model.generator.hidden=8",
    "model.mle.epochs=2",
    "model.mle.batch_size=8",
    "eval.samples=50",
    "log.trackers=[]",
    "log.every_steps=1",
    "log.sample_every_steps=5",
    "log.curve.samples=20",
    "checkpoint.every_steps=3",
    "threads=1",
    "device=cpu",
]
SMALL_MLE = ["model=mle", *SMALL]
SMALL_GAN = [
    "model=gan",
    *SMALL,
    "model.discriminator.embedding=8",
    "model.discriminator.widths=[2,3]",
    "model.discriminator.filters=[4,4]",
    "model.d_training.pretrain_steps=6",
    "model.d_training.batch_size=8",
    "model.d_training.balance=fixed",
    "model.judge.kind=cnn",
    "model.adversarial.steps=8",
    "model.adversarial.batch_size=8",
    "model.adversarial.rollouts=1",
]
# 16 steps of pretraining, 4 adversarial ones.
SMALL_LEAKGAN = [
    "model=leakgan",
    *SMALL,
    "model.generator.manager_hidden=8",
    "model.generator.goal_size=4",
    "model.discriminator.embedding=8",
    "model.discriminator.widths=[2,3]",
    "model.discriminator.filters=[4,4]",
    "model.d_training.pretrain_steps=6",
    "model.d_training.pretrain_batch_size=8",
    "model.d_training.alone_steps=5",
    "model.d_training.balance=fixed",
    "model.judge.kind=cnn",
    "model.d_training.batch_size=8",
    "model.adversarial.steps=4",
    "model.adversarial.batch_size=8",
    "model.adversarial.rollouts=1",
]
# 16 steps of mle, 2 of the mediator, 6 cooperative ones.
SMALL_COT = [
    "model=cot",
    *SMALL,
    "model.mediator.steps=2",
    "model.mediator.look_every=2",
    "model.cooperative.steps=6",
    "model.cooperative.batch_size=8",
]
# 16 steps of mle, 6 of the divergence.
SMALL_JSDGAN = [
    *("model=jsdgan", *SMALL, "model.divergence.steps=6", "model.divergence.batch_size=8"),
    "model.divergence.look_every=2",
]
# 16 steps of mle, 4 of the discriminator, 6 adversarial ones.
SMALL_DPGAN = [
    *("model=dpgan", *SMALL, "model.d_training.pretrain_steps=4", "model.d_training.batch_size=8"),
    *("model.d_training.look_every=3", "model.adversarial.steps=6"),
    "model.adversarial.batch_size=8",
]
# 8 steps of the autoencoder, 16 of the VAE, some of them aggressive.
SMALL_VAE = [
    "model=vae",
    *(word for word in SMALL if not word.startswith("model.generator")),
    "model.latent_size=3",
    "model.encoder.embedding=8",
    "model.encoder.hidden=8",
    "model.decoder.embedding=8",
    "model.decoder.hidden=8",
    "model.pretrain_ae=1",
    "model.aggressive.enabled=true",
    "model.aggressive.inner_steps=4",
    "model.aggressive.window=2",
    "model.aggressive.information_every=4",
    "model.aggressive.information_sentences=10",
    "model.eval_samples=2",
]
WHEN = [word for word in SMALL if word.startswith(("log.", "checkpoint.", "threads", "device"))]
# 8 steps of perceptrons on pictures of 8 x 8.
SMALL_IMAGE_GAN = [
    "model=image_gan",
    "data=digits",
    *WHEN,
    "eval.samples=40",
    "model.arch=mlp",
    "model.generator.hidden=[8,8]",
    "model.discriminator.hidden=[8]",
    "model.latent_size=4",
    "model.steps=8",
    "model.batch_size=6",
]
# 4 steps of the dual encoder, 8 adversarial ones, on pictures of 32 x 32.
SMALL_DPR_GAN = [
    "model=dpr_gan",
    *(word for word in SMALL if word.startswith("data")),
    *WHEN,
    "eval.samples=40",
    "model.encoder.embedding=6",
    "model.encoder.hidden=5",
    "model.encoder.channels=[8,8]",
    "model.encoder.projection=7",
    "model.fitting.steps=4",
    "model.fitting.batch_size=6",
    "model.generator.noise=3",
    "model.generator.coarse=16",
    "model.generator.fine=8",
    "model.generator.style=12",
    "model.decoding.steps=4",
    "model.decoding.batch_size=6",
    "model.composing.steps=4",
    "model.composing.batch_size=6",
    "model.candidates=2",
    "model.discriminator.channels=[4,4]",
    "model.discriminator.hidden=9",
    "model.adversarial.steps=8",
    "model.adversarial.batch_size=6",
]


@dataclass(frozen=True)
class Result:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines on stderr."""
        return self.err.splitlines()


Command = Callable[..., Result]


def environment(**changes: str) -> dict[str, str]:
    """This process's environment for a child that finds the package; no real data, no home."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GANTEXT")}
    path = os.pathsep.join(filter(None, [str(ROOT), changes.pop("PYTHONPATH", "")]))
    return {**kept, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "160", **changes}


@pytest.fixture
def shell(tmp_path: Path) -> Command:
    """`shell(*words)`: the real command in a process of its own, in an empty folder."""

    def run(*words: str, cwd: Path = tmp_path, **changes: str) -> Result:
        found = subprocess.run(
            [sys.executable, "-m", "gantext", *words],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=environment(**changes),
            timeout=120,
            check=False,
        )
        return Result(found.returncode, found.stdout, found.stderr)

    return run


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """`cli(*words)`: the same entry point in this process, which has torch already."""
    from gantext.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GANTEXT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr("gantext.training.warm.LOADED", ())  # for which a sweep would not wait

    def run(*words: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["gantext", *words])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        said = capfd.readouterr()
        code = left.value.code
        return Result(code if isinstance(code, int) else 1, said.out, said.err)

    yield run


@pytest.fixture(scope="session")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the figures of reports are kept, by the numbers that are drawn."""
    return tmp_path_factory.mktemp("figures")


@pytest.fixture
def drawn_once(figures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure that a report before has drawn of the same numbers is not drawn again."""
    monkeypatch.setattr("gantext.report.kept.cache_folder", lambda: figures)


@pytest.fixture
def small_mle() -> list[str]:
    """Overrides of a tiny language model."""
    return list(SMALL_MLE)


@pytest.fixture
def small_gan() -> list[str]:
    """Overrides of a tiny GAN with all three phases."""
    return list(SMALL_GAN)


@pytest.fixture
def small_leakgan() -> list[str]:
    """Overrides of a tiny LeakGAN with both phases."""
    return list(SMALL_LEAKGAN)


@pytest.fixture
def small_vae() -> list[str]:
    """Overrides of a tiny VAE with both phases."""
    return list(SMALL_VAE)


@pytest.fixture
def brief_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """The language models that judge text are trained for two steps, which takes no minute."""
    from gantext.evaluation.judges.lm_score import lm_scores, real_lm_scores
    from gantext.nn.text.judges.small_lm import LM

    judge = replace(LM, steps=2)
    for measured in (lm_scores, real_lm_scores):
        name = f"gantext.evaluation.measures.lm.{measured.__name__}"
        monkeypatch.setattr(name, functools.partial(measured, config=judge))


def finished(folder: Path, overrides: list[str], name: str = "run") -> Path:
    """Train a run, in this process; its folder."""
    from gantext.cli import main

    words = [*overrides, f"runs_dir={folder}", f"name={name}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("GANTEXT_DATA", raising=False)
        patch.setattr(sys, "argv", ["gantext", "train", *words])
        with pytest.raises(SystemExit) as left:
            main()
    assert not left.value.code
    return folder / name


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the tiny GAN; not to be changed."""
    return finished(tmp_path_factory.mktemp("trained"), SMALL_GAN)


@pytest.fixture(scope="session")
def trained_vae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the tiny VAE; not to be changed."""
    return finished(tmp_path_factory.mktemp("vae"), SMALL_VAE)


def pytest_addoption(parser):
    parser.addoption("--golden", action="store_true", help="write the golden losses anew")
    parser.addoption("--fuzz", type=float, default=0, help="seconds of damaged files at random")


# What a test may change: tests/audit.py.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Watch what the test changes, from its first fixture on; temporary files are pytest's."""
    base = item.config._tmp_path_factory.getbasetemp()
    tempfile.tempdir = str(base)
    os.environ["TMPDIR"] = str(base)
    WATCH.begin(base)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Fail a test that changed or fetched something elsewhere."""
    result = yield
    trespasses = WATCH.end()
    assert not trespasses, f"outside of the folders that the test named: {trespasses}"
    return result


@pytest.fixture
def changes() -> Callable[[Path], None]:
    """`changes(folder)`: the test may change what lies there, besides temporary folders."""
    return lambda folder: WATCH.named.append(folder.resolve())


def scores_in(text: str) -> list[dict[str, Any]]:
    """The scores of a JSON document, run after run; those of real text named "real-..."."""
    return [
        {**one, "name": f"real-{one['name']}" if run["run"] == "real" else one["name"]}
        for run in json.loads(text)["runs"]
        for one in run["scores"]
    ]
