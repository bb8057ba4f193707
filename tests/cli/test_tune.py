"""gantext tune and --ray as far as they go without Optuna and Ray; the score of a whole curve."""

import sys
from pathlib import Path

import pytest

from gantext.config.settings import Settings
from gantext.errors import UserError
from gantext.evaluation.at_real import order_of
from gantext.evaluation.scorebook import Say
from gantext.metrics.score import Score
from gantext.runs.folder import RunDir
from gantext.training import cluster
from tests.conftest import SMALL_MLE, Command

SEARCH = [*SMALL_MLE, "model.mle.learning_rate=interval(0.1,0.2)", "n=2"]


@pytest.mark.parametrize(
    ("words", "package", "error"),
    [
        (["tune", "s", *SEARCH], "optuna", "pip install 'gantext[tune]'"),
        (["train", "-m", *SMALL_MLE, "seed=1,2", "--ray"], "ray", "pip install 'gantext[ray]'"),
        (["train", "-m", *SMALL_MLE, "seed=1,2", "--ray", "a.b:6379"], "ray", "gantext[ray]"),
        (["train", "-m", *SMALL_MLE, "seed=1,2", "--ray=a b"], None, "--ray a b: HOST:PORT"),
        (["train", *SMALL_MLE, "--ray"], None, "which needs -m"),
        (["train", "-m", "seed=1,2", "--ray", "--jobs", "2"], None, "no --jobs"),
        (["tune", "s", *SEARCH[:-1]], None, "say so by n=50"),
        (["tune", "s", *SEARCH, "--gpus", "a b"], None, "--gpus a b"),
        (["tune", "s", *SEARCH, "--ray", "--gpus", "0"], None, "no --gpus"),
        (["tune", "s", *SEARCH, "--slurm", "array=1-9"], None, "left to gantext"),
    ],
)
def test_what_is_missing_or_wrong_is_one_line(
    cli: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    package: str | None,
    error: str,
) -> None:
    if package is not None:
        monkeypatch.setitem(sys.modules, package, None)
    found = cli(*words)
    assert found.code == 2 and error in found.err and found.err.count("\n") == 1, found.err
    assert not (tmp_path / "runs").exists()


def test_help_names_the_ready_searches(cli: Command) -> None:
    assert "gan_coco" in cli("tune", "--help").out


def test_an_address_is_a_host_and_a_port() -> None:
    for address in ("", "auto", "10.0.0.1:6379", "ray://head:10001"):
        cluster.check_address(address)
    for address in ("head", "a:b", "x;y:1", "ray://"):
        with pytest.raises(UserError):
            cluster.check_address(address)


def test_a_run_ends_with_the_score_of_the_whole_curve(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def at_real(run: RunDir, settings: Settings, order: int, say: Say) -> list[Score]:
        asked.append(order)
        return [Score("bleu-3-at-real", 0.25)]

    monkeypatch.setattr("gantext.training.loop.at_real", at_real)
    assert cli("train", *SMALL_MLE, "objective=bleu-3-at-real", "name=a").code == 0
    result = RunDir(tmp_path / "runs" / "a").result or {}
    assert result["objective"] == result["scores"][-1]["name"] == "bleu-3-at-real"
    assert result["scores"][0]["name"] == "nll-test" and asked == [3]


def test_names_of_scores_of_the_whole_curve() -> None:
    assert [order_of(name) for name in ("bleu-4-at-real", "bleu-6-at-real", "bleu-4", None)] == [
        4,
        None,
        None,
        None,
    ]
