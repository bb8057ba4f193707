"""The kinds of files of a run, each with a whole one and what a user's commands do with it."""

import contextlib
import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from gantext.cli import runs_list, tables
from gantext.cli import sweeps as sweeps_command
from gantext.config import schema
from gantext.data.batches import Batches
from gantext.inference.sampling import sample_texts
from gantext.metrics.signatures import signature_lines
from gantext.nn.optim import Optimiser
from gantext.nn.rng import generator
from gantext.nn.state import restore
from gantext.nn.text.sampling import SamplingOptions
from gantext.plots.layouts import series
from gantext.plots.learning import phase_spans
from gantext.plots.pictures import pixels
from gantext.runs import bad_step, checkpoint
from gantext.runs.folder import RunDir
from gantext.runs.migrations import FORMAT
from gantext.runs.overview import read
from gantext.runs.summary import phase_scores
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_job import SweepJob
from gantext.runs.sweep_state import state_of
from gantext.runs.trained import _captions_of, rebuild
from gantext.training.sweeps import resumable
from tests.fuzz import mutation
from tests.fuzz.loader import Loader

OLD_RUNS = Path(__file__).parent.parent / "old_runs"


def place(folder: Path) -> None:
    """Put whole files of all kinds into a folder: two runs and their data."""
    for name in ("gan", "dpr_gan"):
        shutil.copytree(OLD_RUNS / name, folder / name)
    run = folder / "gan"
    scores = json.loads((run / "scores" / "phase-mle.json").read_bytes())["scores"]
    result = {"status": "finished", "overrides": ["seed=1"], "scores": scores, "warnings": ["w"]}
    (run / "result.json").write_text(json.dumps(result))
    picture = io.BytesIO()
    Image.fromarray(np.arange(3 * 64, dtype=np.uint8).reshape(8, 8, 3)).save(picture, "PNG")
    (folder / "grid.png").write_bytes(picture.getvalue())
    sweep = folder / "sweep"
    for job in ("0", "1"):
        shutil.copytree(run, sweep / job)
        plan = {"format": FORMAT, "gantext": "0.1.0", "words": ["seed=1"], "config_dir": None}
        (sweep / job / "job.json").write_text(json.dumps(plan))
        text = schema.to_yaml(RunDir(run).settings)
        (sweep / job / "job.yaml").write_text(text)
        headway = {"phase": "mle", "step": 2, "steps": 4, "rate": 1.5, "left": 1.25}
        (sweep / job / "progress.json").write_text(json.dumps(headway))
    asked = {"created": "2026", "command": "train -m seed=1,1", "jobs": 2}
    (sweep / "sweep.json").write_text(json.dumps({**plan, **asked}))
    bad = {"phase": "mle", "step": 2, "total": 2, "what": "loss is nan"}
    checkpoint.write(folder / "diverged", {**bad, "batch": {"tokens": torch.ones(2, 3)}}, folder)
    info = json.loads((run / "run.json").read_bytes())
    (folder / "run.json").write_text(json.dumps({**info, "status": "diverged"}))


def _row(path: Path) -> None:
    """What `runs list` and a sweep's table say of a run; both must say something."""
    run = RunDir(path.parent)
    overview = read(run)
    assert isinstance(overview["status"], str)
    for column in (*runs_list.FACTS, *runs_list.MORE, "bleu-2"):
        (cell,) = runs_list._column({"run": overview}, column)
        assert isinstance(cell, str)
    assert runs_list._csv({"run": overview}, None)
    json.dumps(
        tables._finite(runs_list._record(run.path.name, run.path.parent, overview)), allow_nan=False
    )
    assert isinstance(state_of(SweepJob(run.path))["status"], str)


def _info(path: Path) -> None:
    _row(path)
    run = RunDir(path.parent)
    json.dumps(run.info, allow_nan=False)
    assert isinstance(run.status, str) and run.kind


def _result(path: Path) -> None:
    _row(path)
    result = RunDir(path.parent).result
    assert result is None or json.dumps(result, allow_nan=False)


def _vocabulary(path: Path) -> None:
    words = RunDir(path.parent).vocabulary
    assert words is None or words.decode(words.encode(words.tokenize("a red circle"))) is not None


def _metrics(path: Path) -> None:
    rows = [row for row in RunDir(path.parent).metrics() if "total" in row]
    phase_spans(rows)
    for key in {key for row in rows for key in row}:
        series(rows, key)


def _scores(path: Path) -> None:
    scores = phase_scores(RunDir(path.parent.parent))
    signature_lines(scores)


def _samples(path: Path) -> None:
    "".join(RunDir(path.parent.parent).samples(path.stem)).encode()


def _captions(path: Path) -> None:
    run = RunDir(path.parent)
    _captions_of(run, run.vocabulary, run.info["max_length"])


def _settings(path: Path) -> None:
    run = RunDir(path.parent)
    assert run.settings


def _model(path: Path) -> None:
    """Rebuilds the model, draws sentences and takes up its place in the data."""
    trained = rebuild(RunDir(path.parent.parent.parent))
    rng = generator(1, "sampling", trained.device)
    sample_texts(trained.algorithm, trained.vocabulary, 2, rng, SamplingOptions(), 2)


class _Rows:
    def __init__(self, rows: int) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return self.rows

    def batch(self, chosen: torch.Tensor) -> torch.Tensor:
        return torch.ones(self.rows)[chosen]


def _progress(path: Path) -> None:
    """Where a resumed run goes on, its optimisers' next steps among it."""
    run = RunDir(path.parent.parent.parent)
    found = run.checkpoint()
    state = found.state
    batches: Batches[Any] = Batches(_Rows(48), 0)
    batches.load_state_dict(state["batches"])
    batches.next(7)
    algorithm: Any = rebuild(run).algorithm
    restore(algorithm, state["algorithm"], path, "algorithm")
    for optimiser in _optimisers(algorithm):
        for group in optimiser.param_groups:
            for weight in group["params"]:
                weight.grad = torch.zeros_like(weight)
        optimiser.step()


def _optimisers(part: Any) -> Iterator[Optimiser]:
    for one in part.parts().values():
        if isinstance(one, Optimiser):
            yield one
        elif hasattr(one, "parts"):
            yield from _optimisers(one)


def _seal(path: Path) -> None:
    """Let the manifest tell of the files as they are."""
    files = [path.parent / "state.json", *path.parent.glob("*.safetensors")]
    sums = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in files}
    (path.parent / "manifest.json").write_text(json.dumps({"files": sums}))


def _sweep(path: Path) -> None:
    """The table of a sweep, in which a damaged job is a row."""
    with contextlib.redirect_stdout(io.StringIO()):
        sweeps_command.sweep_report(SweepDir(path.parent.parent), json=False)


def _plan(path: Path) -> None:
    """What a sweep goes on by."""
    sweep = SweepDir(path.parent)
    resumable(sweep)
    _sweep(sweep.path / "0" / "job.json")


def _planned(path: Path) -> None:
    """What a job begins with."""
    assert SweepJob(path.parent).settings.seed >= 0


def _bad_step(path: Path) -> None:
    bad_step.load(RunDir(path.parent.parent))


CHECKPOINT = "gan/checkpoints/000000017"
FILES = [
    Loader("run.json", "gan/run.json", _info, mutation.of_json),
    Loader("run.json of pictures", "dpr_gan/run.json", _info, mutation.of_json),
    Loader("result.json", "gan/result.json", _result, mutation.of_json),
    Loader("results of a sweep", "sweep/1/result.json", _sweep, mutation.of_json),
    Loader("sweep.json", "sweep/sweep.json", _plan, mutation.of_json),
    Loader("job.json", "sweep/1/job.json", _sweep, mutation.of_json),
    Loader("progress.json", "sweep/1/progress.json", _sweep, mutation.of_json),
    Loader("job.yaml", "sweep/1/job.yaml", _planned, mutation.of_yaml),
    Loader("vocabulary.json", "gan/vocabulary.json", _vocabulary, mutation.of_json),
    Loader("metrics.jsonl", "gan/metrics.jsonl", _metrics, mutation.of_rows),
    Loader("scores", "gan/scores/phase-mle.json", _scores, mutation.of_json),
    Loader("samples", "gan/samples/mle.txt", _samples),
    Loader("captions", "dpr_gan/captions.txt", _captions),
    Loader("config.yaml", "gan/config.yaml", _settings, mutation.of_yaml, share=0.5),
    Loader("manifest.json", f"{CHECKPOINT}/manifest.json", _model, mutation.of_json, share=0.2),
    Loader("state.json", f"{CHECKPOINT}/state.json", _model, mutation.of_json, _seal, 0.4),
    Loader("resumed", f"{CHECKPOINT}/state.json", _progress, mutation.of_json, _seal, 0.4),
    Loader("safetensors", f"{CHECKPOINT}/tensors.safetensors", _model, seal=_seal, share=0.2),
    Loader("step that diverged", "diverged/state.json", _bad_step, mutation.of_json, _seal),
    Loader("PNG of a run", "grid.png", pixels),
]
