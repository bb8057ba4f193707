"""The door for Python: what it exports, that it is silent, and that it leaves the process alone."""

import builtins
import inspect
import json
import logging
import re
import shutil
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

import gantext
from gantext.inference.drawing import PictureRequest
from tests.conftest import ROOT, Command, environment

OLD_RUNS = ROOT / "tests" / "old_runs"
SIGNATURES = {
    "compare": "(sources, **choices)",
    "evaluate": "(sources, measures, **choices)",
    "list_runs": "(runs_dir='runs')",
    "load_run": "(run=None, phase=None, *, runs_dir='runs', device=<Device.auto: 'auto'>)",
    "resume": "(run=None, *overrides, runs_dir='runs', progress=False, force=False, threads=None)",
    "train": "(*overrides, name=None, runs_dir=None, config_dir=None, progress=False, "
    "command=None)",
}
OF_A_RUN = {
    "classify": "(self, rows=None)",
    "draw": "(self, request)",
    "evaluate": "(self, *measures, **choices)",
    "export": "(self, folder, force=False)",
    "goals": "(self, sentences=(), *, n=3, temperature=1.0, seed=0)",
    "impute": "(self, text, *, n=5, beam=5, rounds=3, max_words=1)",
    "interpolate": "(self, first, second, *, steps=7, spherical=False, "
    "how=<How.greedy: 'greedy'>, beam=5, temperature=1.0, seed=0)",
    "latent": "(self, *, by=<Colouring.length: 'length'>, method=<Projection.pca: 'pca'>, "
    "n=1000, seed=0)",
    "metrics": "(self, frame=None)",
    "reconstruct": "(self, sentences, *, how=<How.greedy: 'greedy'>, beam=5, temperature=1.0, "
    "seed=0)",
    "sample": "(self, n=None, *, temperature=1.0, top_k=0, top_p=1.0, seed=0, "
    "prompt=None, label=None, likelihood=False, candidates=1, judge=None, force=False)",
    "score": "(self, sentences)",
    "write": "(self, request, likelihood=False)",
}
PROPERTIES = {"model", "name", "painter", "phases", "scores", "settings", "status", "trained"}
CHOICES = {
    *("preset", "n", "temperature", "seed", "seeds", "data", "references", "phase", "encoder"),
    *(
        "draws",
        "sentences",
        "probes",
        "examples",
        "device",
        "runs_dir",
        "candidates",
        "judge",
        "force",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with old runs of a GAN, a VAE and two picture models."""
    for name in ("gan", "vae", "image_gan", "dpr_gan_faithful"):
        shutil.copytree(OLD_RUNS / name, tmp_path / "runs" / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GANTEXT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def bare(function: Any) -> str:
    """A signature without its types."""
    signature = inspect.signature(function)
    empty = inspect.Parameter.empty
    plain = [p.replace(annotation=empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=empty))


def test_the_exported_names_and_their_signatures_stay() -> None:
    functions = {name: bare(getattr(gantext, name)) for name in SIGNATURES}
    assert functions == SIGNATURES
    classes = {"Diverged", "Evaluation", "Run", "Samples", "Stopped", "UserError"}
    assert set(gantext.__all__) == {*SIGNATURES, *classes}
    assert set(gantext.__all__) <= set(dir(gantext))
    public = {name: value for name, value in vars(gantext.Run).items() if name[0] != "_"}
    methods = {name: bare(value) for name, value in public.items() if inspect.isfunction(value)}
    assert methods == OF_A_RUN
    assert public.keys() - methods.keys() == PROPERTIES
    from gantext.api.scores import Choices

    assert set(Choices.__annotations__) == CHOICES
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        _ = gantext.trian


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("dir(gantext)", {"torch", "hydra", "numpy", "rich", "omegaconf"}),
        ("[run.status for run in gantext.list_runs('runs')]", {"torch", "hydra", "omegaconf"}),
        ("gantext.load_run('gan').metrics(frame=False)", {"torch", "hydra", "omegaconf"}),
    ],
)
def test_what_needs_no_torch_loads_none(code: str, absent: set[str], folder: Path) -> None:
    script = f"import sys, gantext; {code}; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    found = subprocess.run(
        command, capture_output=True, text=True, env=environment(), cwd=folder, check=True
    )
    assert not absent & set(found.stdout.split())


def test_training_sampling_and_scoring_print_nothing(
    folder: Path, small_gan: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither to Python's streams nor to the process's; with TensorBoard as users have it."""
    words = [word for word in small_gan if not word.startswith("log.trackers")]
    run = gantext.train(*words, name="a")
    lines = run.sample(20, temperature=0.8, seed=1)
    run.evaluate("bleu", "self-bleu", n=20)
    gantext.resume("a")
    Path("samples.txt").write_text("\n".join(lines))
    sources = ["a@mle", "a", Path("samples.txt")]
    found = gantext.evaluate(sources, measures=["bleu"], preset="relgan", n=20)
    assert capfd.readouterr() == ("", "")
    assert list(found) == ["a@mle", "a", "samples.txt", "real"]
    assert (len(lines), run.status, run.name) == (20, "finished", "a")
    assert run.path == folder / "runs" / "a"
    command = json.loads((run.path / "run.json").read_text())["command"]
    assert command.startswith("gantext.train('model=gan', ") and command.endswith("\"name='a'\")")


def test_progress_is_told_on_stderr(
    folder: Path, small_mle: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    gantext.train(*small_mle, name="a", progress=True)
    out, err = capfd.readouterr()
    assert not out and "mle: 16 steps" in err and "sample: " in err


def test_a_training_leaves_the_process_as_it_was(folder: Path, small_mle: list[str]) -> None:
    """Twice in the main thread and once in another: threads, signals, a Hydra of the caller's."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = [signal.getsignal(number) for number in numbers]
    Path("own").mkdir()
    Path("own/config.yaml").write_text("a: 1\n")
    try:
        with initialize_config_dir(str(folder / "own"), job_name="mine", version_base=None):
            mine = GlobalHydra.instance().hydra
            gantext.train(*small_mle, "threads=1", name="a")
            gantext.train(*small_mle, "threads=1", name="b")
            other = threading.Thread(
                target=gantext.train, args=[*small_mle, "threads=1"], kwargs={"name": "c"}
            )
            other.start()
            other.join()
            assert GlobalHydra.instance().hydra is mine
            assert HydraConfig.instance().cfg is None
            assert compose("config").a == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert [signal.getsignal(n) for n in numbers] == handlers
    runs = [gantext.load_run(name) for name in "abc"]
    assert [run.status for run in runs] == ["finished"] * 3
    weights = [run.model["generator"].state_dict() for run in runs]
    for other_weights in weights[1:]:
        assert all(torch.equal(weights[0][key], other_weights[key]) for key in weights[0])


def test_a_refused_training_leaves_nothing_behind(folder: Path) -> None:
    threads, before = torch.get_num_threads(), set(Path("runs").iterdir())
    with pytest.raises(gantext.UserError, match=r"model=gna: no such model \(did you mean gan\?\)"):
        gantext.train("model=gna", "threads=1")
    with pytest.raises(gantext.UserError, match="holds a run already"):
        gantext.train("data=scenes", "threads=1", name="gan")
    assert (torch.get_num_threads(), set(Path("runs").iterdir())) == (threads, before)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gantext.load_run("gna"), r"no run at 'gna' \(did you mean gan\?\)"),
        (lambda: gantext.load_run("gan@mle", phase="adversarial"), "names the phase mle"),
        (lambda: gantext.load_run("gan", phase="lme").sample(), "no whole checkpoint of phase lme"),
        (lambda: gantext.load_run("gan", device="gpu"), "no such device: gpu"),
        (lambda: gantext.load_run("gan").sample(0), "cannot sample with n=0"),
        (lambda: gantext.load_run("gan").sample(top_p=2), "top_p=2"),
        (lambda: gantext.load_run("gan").evaluate("blue"), "unknown measure 'blue'.*bleu"),
        (lambda: gantext.load_run("gan").evaluate("bleu", preset="x"), "x"),
        (lambda: gantext.load_run("gan").score([]), "the sentences: every line is blank"),
        (lambda: gantext.load_run("gan").score(Path("none.txt")), "none.txt"),
        (lambda: gantext.load_run("gan").draw(PictureRequest()), "writes text"),
        (lambda: gantext.load_run("gan").interpolate("a", "a"), "no latent variable"),
        (lambda: gantext.load_run("vae").reconstruct("a", how="bean"), "no such how: bean.*beam"),
        (lambda: gantext.load_run("image_gan").score("a"), "draws pictures"),
        (lambda: gantext.load_run("image_gan").sample(temperature=0.5), "takes no temperature"),
        (lambda: gantext.resume("gan@mle"), "no run at 'gan@mle'"),
        (lambda: gantext.evaluate([], ["bleu"]), "nothing to score"),
        (lambda: gantext.compare(["gan"]), "compare needs two or more"),
    ],
)
def test_bad_input_is_refused_in_one_line(call: Any, message: str, folder: Path) -> None:
    with pytest.raises(gantext.UserError, match=message) as error:
        call()
    assert len(str(error.value).splitlines()) == 1


def test_samples_and_scores_are_those_of_the_commands(folder: Path, cli: Command) -> None:
    run = gantext.load_run("gan@mle")
    assert (run.phase, run.name) == ("mle", "gan")
    lines = run.sample(7, temperature=0.8, seed=3)
    words = ["sample", "gan", "--phase", "mle", "-n", "7", "--temperature", "0.8", "--seed", "3"]
    said = json.loads(cli(*words, "--json").out)
    assert (lines, lines.signature) == (said["samples"], said["signature"])
    assert run.sample(7, temperature=0.8, seed=3) == lines
    said = json.loads(cli("eval", "bleu", "gan@mle", "-n", "20", "--json").out)
    assert run.evaluate("bleu", n=20).to_json() == said
    (folder / "given.txt").write_text("a red ring .\n\ntwo gray stars .\n")
    said = json.loads(cli("score", "gan", "given.txt", "--phase", "mle", "--json").out)
    assert run.score(folder / "given.txt").to_json() == said
    given = run.score(["a red ring .", "", "two gray stars ."])
    assert [line.to_json() for line in given.lines] == said["sentences"]
    assert given.signature == {**said["signature"], "file": None}


def test_a_run_is_found_from_any_folder(
    folder: Path, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = gantext.train(*small_mle, name="a")
    by_path = gantext.load_run(run.path, phase="mle")
    monkeypatch.chdir("/")
    assert run.sample(3) == by_path.sample(3)
    assert (str(run), str(by_path)) == (str(run.path), f"{run.path}@mle")
    assert gantext.evaluate([by_path], ["bleu"], n=10, runs_dir=run.path.parent)["a@mle"]
    assert [one.path for one in gantext.list_runs(folder / "runs")][-1] == run.path


def test_pictures_are_bytes(folder: Path) -> None:
    run = gantext.load_run("image_gan")
    pictures = run.sample(6, seed=1)
    assert (pictures.dtype, pictures.shape) == (np.uint8, (6, 32, 32, 3))
    drawn = run.draw(PictureRequest(6, seed=1)).pictures  # in [-1, 1]
    exact = (drawn.permute(0, 2, 3, 1).numpy() + 1) * 127.5
    assert np.abs(pictures - exact).max() <= 0.5 + 1e-4
    assert gantext.load_run("dpr_gan_faithful").sample(2).shape == (2, 32, 32, 3)
    assert "generator" in run.model


def test_an_evaluation_prints_as_a_table(folder: Path) -> None:
    found = gantext.load_run("gan").evaluate("bleu", n=20)
    table = str(found).splitlines()
    assert table[0].split() == ["score", "gan", "real"]
    assert table[1].split()[0] == "bleu-2" and f"{found.of('gan')['bleu-2']:.4f}" in table[1]
    assert table[-2].startswith("gan: run:gan|model:gan") and repr(found) == str(found)
    with pytest.raises(gantext.UserError, match=r"no scores of 'gna' \(did you mean gan\?\)"):
        found.of("gna")


def test_metrics_are_rows_or_a_frame(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pandas need not be installed: a stand-in for it here."""
    run = gantext.load_run("gan")
    lines = (run.path / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert run.metrics() == run.metrics(frame=False) == rows
    with pytest.raises(gantext.UserError, match="needs pandas"):
        run.metrics(frame=True)
    stand_in = types.SimpleNamespace(DataFrame=lambda rows: ("frame", rows))
    monkeypatch.setitem(sys.modules, "pandas", stand_in)
    assert run.metrics() == run.metrics(frame=True) == ("frame", rows)
    assert run.metrics(frame=False) == rows


def test_warnings_go_to_the_logger(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And only there: a process that has not asked for them sees none."""
    run = gantext.load_run("gan")
    newest = sorted((run.path / "checkpoints").iterdir())[-1]
    (newest / "state.json").write_text("{}")
    with caplog.at_level(logging.WARNING, "gantext"):
        assert len(run.sample(2)) == 2
    assert "is damaged" in caplog.text
    script = "import gantext; print(len(gantext.load_run('gan').sample(2)))"
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=folder,
    )
    assert (found.stdout, found.stderr) == ("2\n", "")


class ZMQInteractiveShell:
    """What rich takes for the kernel of a notebook, by the name of its class."""


class Widget:
    """A stand-in for ipywidgets.Output."""

    made = 0

    def __init__(self) -> None:
        Widget.made += 1

    def __enter__(self) -> "Widget":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def clear_output(self, wait: bool) -> None:
        assert wait

    def close(self) -> None:
        pass


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a simulated notebook displays, as text. IPython itself is not needed."""
    shown: list[str] = []
    display = types.ModuleType("IPython.display")
    vars(display)["display"] = lambda one: shown.append(getattr(one, "text", repr(one)))
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    yield shown


@pytest.mark.parametrize("widgets", [True, False])
def test_bars_in_a_notebook(
    widgets: bool,
    folder: Path,
    small_mle: list[str],
    cell: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A bar where ipywidgets is, lines where it is not; nothing unless they are asked for."""
    if widgets:
        module = types.ModuleType("ipywidgets")
        module.__spec__ = types.SimpleNamespace(name="ipywidgets")  # what find_spec looks for
        vars(module)["Output"] = Widget
        monkeypatch.setitem(sys.modules, "ipywidgets", module)
    gantext.train(*small_mle, name="quiet")
    assert not cell
    made, streams = Widget.made, (sys.stdout, sys.stderr)
    gantext.train(*small_mle, name="told", progress=True)
    said = "\n".join(cell)
    assert "sample: " in said
    assert ("mle: 16 steps" in said) is not widgets
    assert (Widget.made > made) is widgets
    assert ("16/16" in said) is True
    assert (sys.stdout, sys.stderr) == streams
    assert capfd.readouterr() == ("", "")


def test_the_documentation_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every block of docs/python.md, one after the other in one process."""
    text = (ROOT / "docs" / "python.md").read_text()
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, "docs/python.md", "exec"), names)
    out, err = capfd.readouterr()
    assert out.startswith("score") and "model=gna: no such model (did you mean gan?)" in out
    assert not err
    assert len(names["lines"]) == 20 and names["generator"] is not None
    for name in gantext.__all__:
        assert name in text or name in {"Evaluation", "Run", "Samples"}, name
