"""The kinds of files that are read, each with a whole one and what a user's commands do with it."""

import gzip
import hashlib
import io
import json
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from gantext.cli import runs as runs_command
from gantext.cli import sweeps as sweeps_command
from gantext.data import tables
from gantext.data.batches import Batches
from gantext.data.lines import read_lines
from gantext.data.mnist import read as read_idx
from gantext.data.oracle import draw_parameters, parameter_shapes, read_parameters
from gantext.inference.sampling import sample_texts
from gantext.metrics.signatures import signature_lines
from gantext.nn.rng import generator
from gantext.nn.state import restore
from gantext.nn.text.sampling import SamplingOptions
from gantext.plots.layouts import series
from gantext.plots.learning import phase_spans
from gantext.plots.pictures import pixels
from gantext.runs.folder import RunDir
from gantext.runs.summary import phase_scores
from gantext.runs.trained import _captions_of, rebuild
from tests.fuzz import mutation
from tests.fuzz.mutation import Mutation

OLD_RUNS = Path(__file__).parent.parent / "old_runs"
SHAPES = parameter_shapes(7, 3, 4)
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Loader:
    """A kind of file.

    Attributes:
        name: of the kind.
        file: in the folder that `place` filled.
        read: does what commands do with it; a damaged file may only raise UserError.
        mutate: changes its content.
        seal: what else has to be written so that the change is not noticed by a checksum.
        share: how often it is read of the others' times, where reading is slow.
    """

    name: str
    file: str
    read: Callable[[Path], object]
    mutate: Mutation = mutation.of_bytes
    seal: Callable[[Path], None] = lambda path: None
    share: float = 1.0


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
    arrays = draw_parameters(SHAPES, torch.Generator().manual_seed(0))
    np.savez(folder / "p.npz", **{name: array.numpy() for name, array in arrays.items()})
    idx = struct.pack(">HBBIII", 0, 8, 3, 2, 4, 4) + bytes(range(32))
    (folder / "idx.gz").write_bytes(gzip.compress(idx, mtime=0))
    text = "a small red circle .\nzwei grüne Sterne <unk>\n\n" * 20
    (folder / "text.txt").write_text(text, encoding="utf-8")
    (folder / "text.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    (folder / "t.csv").write_text('text,label\n"a, b",x\n"c ""d""",y\n' * 9)
    row = '{"text": "a b", "label": "x"}\n{"text": "c", "label": 2}\n'
    (folder / "t.jsonl").write_text(row * 9)


def _row(path: Path) -> None:
    """What `runs list` and a sweep's table say of a run; both must say something."""
    run = RunDir(path.parent)
    assert isinstance(runs_command._row(run, path.parent.parent)["status"], str)
    assert isinstance(sweeps_command._row(run)["status"], str)


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
    algorithm: Any = rebuild(run, checkpoint=found).algorithm
    restore(algorithm, state["algorithm"], path, "algorithm")
    for optimiser in _optimisers(algorithm):
        for group in optimiser.param_groups:
            for weight in group["params"]:
                weight.grad = torch.zeros_like(weight)
        optimiser.step()


def _optimisers(part: Any) -> Iterator[torch.optim.Optimizer]:
    for one in part.parts().values():
        if isinstance(one, torch.optim.Optimizer):
            yield one
        elif hasattr(one, "parts"):
            yield from _optimisers(one)


def _seal(path: Path) -> None:
    """Let the manifest tell of the files as they are."""
    names = ("tensors.safetensors", "state.json")
    sums = {one: hashlib.sha256((path.parent / one).read_bytes()).hexdigest() for one in names}
    (path.parent / "manifest.json").write_text(json.dumps(sums))


def _table(kind: tables.Format) -> Callable[[Path], object]:
    return lambda path: tables.select(tables.read_table(path, kind, []), "text", "label", [])


CHECKPOINT = "gan/checkpoints/000000017"
LOADERS = [
    Loader("run.json", "gan/run.json", _info, mutation.of_json),
    Loader("run.json of pictures", "dpr_gan/run.json", _info, mutation.of_json),
    Loader("result.json", "gan/result.json", _result, mutation.of_json),
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
    Loader("PNG", "grid.png", pixels),
    Loader("npz", "p.npz", lambda path: read_parameters(path, SHAPES)),
    Loader("IDX", "idx.gz", lambda path: read_idx(path, 3)),
    Loader("text", "text.txt", lambda path: read_lines(path, [])),
    Loader("packed text", "text.gz", lambda path: read_lines(path, [])),
    Loader("csv", "t.csv", _table(tables.Format.csv)),
    Loader("jsonl", "t.jsonl", _table(tables.Format.jsonl), mutation.of_rows),
]


def changed(loader: Loader, whole: bytes, seed: int) -> bytes:
    """The content of a kind's file after the change of a seed."""
    return loader.mutate(whole, random.Random(f"{loader.name}/{seed}"))
