"""--dry-run: what a command of training would do, checked and said; nothing is written."""

import json
from pathlib import Path

import pytest

from tests.conftest import SMALL_GAN, SMALL_MLE, Command


def test_a_run_says_what_it_would_do(cli: Command, tmp_path: Path) -> None:
    found = cli("train", *SMALL_GAN, "--dry-run", "name=a")
    assert (found.code, found.err) == (0, "")
    assert found.out.splitlines()[:5] == [
        "# run: runs/a",
        "# model gan, data scenes",
        "# on cpu, 1 thread",
        "# phases: mle 16, discriminator 6, adversarial 8 steps",
        "# curve: nll_test (and nll_oracle, if the truth is known) at 2 points",
    ]
    found = cli("train", *SMALL_GAN, "--dry-run", "--json", "name=a")
    told = json.loads(found.out)
    assert told["phases"][0] == {"name": "mle", "steps": 16} and told["run"] == "runs/a"
    assert told["settings"]["model"]["name"] == "gan"
    # How many steps an epoch has is the data's to say.
    found = cli("train", "--dry-run", "--json", "model=gan", "data=text", "data.train=x.txt")
    steps = {one["name"]: one["steps"] for one in json.loads(found.out)["phases"]}
    assert steps == {"mle": None, "judge": 800, "adversarial": 400}
    assert told["curve_points"] == 2 and json.loads(found.out)["curve_points"] is None
    assert not list(tmp_path.iterdir())


def test_a_sweep_lists_its_jobs(cli: Command, tmp_path: Path) -> None:
    words = ["train", "-m", *SMALL_MLE, "seed=1,2", "name=s", "--dry-run"]
    head, *jobs = cli(*words).out.splitlines()
    assert head == "sweep: runs/s, 2 jobs"
    assert [line.split()[0] for line in jobs] == ["0", "1"] and "seed=2" in jobs[1]
    told = json.loads(cli(*words, "--json").out)
    assert told["sweep"] == "runs/s" and [one["job"] for one in told["jobs"]] == ["0", "1"]
    assert told["jobs"][1]["settings"]["seed"] == 2 and "seed=2" in told["jobs"][1]["overrides"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["model=gan", "name=a/b"], "name"),
        (["model=dpr_gan", "data=coco"], "model=dpr_gan reads"),
        (["model=gan", "model.discriminator.widths=[1,2]", "model.discriminator.filters=[3]"], ""),
        (["model=mle", "from_run=nowhere"], "nowhere"),
        (["model=image_gan", "data=digits", "objective=bleu-3-at-real"], "is none of text"),
        (["model=mle", "eval.samples=1"], "eval.samples=1"),
        (["-m", "model=mle", "seed=1,-1"], "seed"),
        (["--resume", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_begin_is_refused(
    cli: Command, tmp_path: Path, words: list[str], why: str
) -> None:
    found = cli("train", "--dry-run", *words)
    assert found.code == 2 and len(found.errors) == 1 and why in found.err, found
    assert not list(tmp_path.iterdir())


def test_what_goes_on_says_from_where(cli: Command, trained: Path) -> None:
    before = sorted(trained.rglob("*"))
    assert "runs/taken" not in cli("train", *SMALL_MLE, "--dry-run").err
    found = cli("train", "--resume", str(trained), "--dry-run", "--json")
    assert json.loads(found.out)["status"] == "finished"
    assert json.loads(found.out)["from_step"] is None
    longer = cli(
        "train", "--resume", str(trained), "model.adversarial.steps=9", "--dry-run", "--json"
    )
    told = json.loads(longer.out)
    assert told["now"] == {"model.adversarial.steps": 9} and told["from_step"] > 0
    for word, why in (("model.mle.epochz=3", "unknown key"), ("seed=9", "seed")):
        refused = cli("train", "--resume", str(trained), word, "--dry-run")
        assert refused.code == 2 and why in refused.err
    taken = [*SMALL_MLE, f"runs_dir={trained.parent}", f"name={trained.name}"]
    assert "holds a run already" in cli("train", "--dry-run", *taken).err
    assert sorted(trained.rglob("*")) == before


def test_a_search_says_what_it_draws(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gantext.training.study.optuna", lambda: None)  # not everywhere installed
    words = ["tune", "st", "n=5", *SMALL_MLE, "model.mle.learning_rate=interval(0.001,0.1)"]
    told = json.loads(cli(*words, "--dry-run", "--json").out)
    assert told["trials"] == 5 and told["study"].endswith("runs/st")
    assert told["searched"] == {"model.mle.learning_rate": "interval(0.001,0.1)"}
    assert "searched: model.mle.learning_rate=interval(" in cli(*words, "--dry-run").out
    found = cli(*words, "objective=grammar", "--dry-run")
    assert found.code == 2 and "objective=grammar: a search needs one of" in found.err
    assert not list(tmp_path.iterdir())
