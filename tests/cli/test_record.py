"""gantext record: what the benchmark keeps of finished runs."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gantext.evaluation.benchmark.record import LIMIT, read_all
from tests.conftest import Command


class Letters:
    """Encodes a sentence by how often some letters stand in it."""

    id = "letters 1"

    def encode(self, lines: Sequence[str]) -> NDArray[np.float32]:
        return np.array([[line.count(x) for x in "abcde"] for line in lines], dtype=np.float32)


def sweep_of(run: Path, folder: Path) -> Path:
    """A sweep whose first job is a finished run, and whose second was stopped."""
    for name in ("0", "1"):
        shutil.copytree(run, folder / name, symlinks=True)
    facts = json.loads((folder / "1/run.json").read_text())
    (folder / "1/run.json").write_text(json.dumps({**facts, "status": "stopped"}))
    (folder / "1/result.json").unlink()
    return folder


@pytest.mark.usefixtures("brief_judge")
def test_finished_jobs_of_a_sweep_have_a_record(
    cli: Command, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gantext.evaluation.judges.embedded.load_encoder", lambda *_: Letters())
    monkeypatch.setattr("gantext.evaluation.frontier.TEMPERATURES", (0.7, 1.3))
    sweep = sweep_of(trained, tmp_path / "sweep")
    found = cli("record", str(sweep), "--out", "made")
    assert found.code == 0, found.err
    assert "no record of jobs: 1 is stopped" in found.err
    (made,) = read_all(Path("made"))
    (path,) = Path("made").iterdir()
    assert path.stat().st_size < LIMIT and found.out == f"{path}\n"
    assert (made["method"], made["data"], made["seed"], made["threads"]) == ("gan", "scenes", 1, 1)
    assert made["departures"]["model.adversarial.steps"] == 8
    assert made["settings"]["model.generator.hidden"] == 8
    assert made["command"].startswith("gantext train model=gan") and made["seconds"] > 0
    run, start = made["run"], made["start"]
    assert start is not None and (run["phase"], start["phase"]) == ("adversarial", "mle")
    assert run["weights"] != start["weights"]
    names = {one["name"] for one in run["scores"]}
    assert {"grammatical", "forward-kl", "nll-test", "reverse-lm", "ms-jaccard-4"} <= names
    assert [point["temperature"] for point in run["curve"]] == [0.7, 1.3]
    assert made["beside_start"] is not None and made["beside_start"]["sentences"] == 30
    assert {"bleu-4", "self-bleu-4", "lm-score"} <= {one["name"] for one in made["real"]}
    assert not [
        key for one in run["scores"] for key in one["signature"] if key in ("run", "weights")
    ]


def test_what_has_not_finished_is_refused(cli: Command, trained: Path, tmp_path: Path) -> None:
    sweep = sweep_of(trained, tmp_path / "sweep")
    found = cli("record", str(sweep / "1"), "--out", "made")
    assert found.code == 2 and not Path("made").exists()
    assert found.errors[-1].endswith("is stopped: only a finished run has a record")
