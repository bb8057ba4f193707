"""What is scored at the end of a phase."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from gantext import data
from gantext.config.settings import Device, Stream
from gantext.data import Reads
from gantext.evaluation.phase import score_text
from gantext.runs.folder import RunDir
from gantext.runs.trained import restore


def test_scores_of_other_random_numbers_are_none_that_eval_would_find(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With eval.stream=eval the samples are drawn by numbers of their own, and nothing is stored;
    else they are what `gantext eval` draws and finds."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run = Path(shutil.copytree(trained, tmp_path / "runs" / "one"))
    at_end = json.loads((run / "scores" / "phase-adversarial.json").read_text())["scores"]
    shutil.rmtree(run / "scores")
    held = restore(RunDir(run), Device.cpu)
    corpus = data.load_for(held.settings.data, Reads.text)
    own = dataclasses.replace(held.settings.eval, stream=Stream.eval)
    apart = dataclasses.replace(held, settings=dataclasses.replace(held.settings, eval=own))
    wanted = {one["name"]: float(one["value"]) for one in at_end}
    found = {one.name: one.value for one in score_text(apart, corpus, "adversarial")[1]}
    assert not list(run.glob("scores/*"))
    assert found.keys() == wanted.keys() and found["bleu-2"] != wanted["bleu-2"]
    assert found["nll-test"] == wanted["nll-test"]  # which is of no samples
    plain = score_text(held, corpus, "adversarial")[1]
    again = {one.name: one.value for one in plain}
    assert again == pytest.approx(wanted, rel=0, abs=0, nan_ok=True)
    assert list(run.glob("scores/bleu-*"))
