"""--json: one document on stdout and nothing else there."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command, Result, scores_in


def document(found: Result) -> Any:
    """The one JSON document; NaN and Infinity are no JSON."""
    assert found.code == 0, found.err

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(found.out, parse_constant=refuse)


def test_sample(cli: Command, trained: Path, tmp_path: Path) -> None:
    words = ["sample", str(trained), "-n", "7", "--temperature", "0.8", "--seed", "3", "--json"]
    first, second = document(cli(*words)), document(cli(*words))
    assert first == second and len(first["samples"]) == 7
    assert first["signature"]["temperature"] == 0.8 and first["signature"]["step"] == 30
    found = cli(*words, "--out", "samples.txt")
    assert document(found) == first
    assert (tmp_path / "samples.txt").read_text().splitlines() == first["samples"]
    plain = cli(*words[:-1])
    assert plain.out.splitlines() == first["samples"]
    mle = document(cli(*words, "--phase", "mle"))
    assert mle["signature"]["phase"] == "mle" and mle["signature"]["step"] == 16
    greedy = document(cli("sample", str(trained), "-n", "3", "--greedy", "--json"))["samples"]
    assert len(set(greedy)) == 1


def test_scores(cli: Command, trained: Path) -> None:
    for name in ("bleu", "self-bleu"):
        found = cli("eval", name, str(trained), "-n", "40", "--json")
        assert [set(run) for run in document(found)["runs"]] == [{"run", "path", "scores"}] * 2
        assert Path(document(found)["runs"][0]["path"]) == trained.resolve()
        records = scores_in(found.out)
        names = [record["name"] for record in records]
        assert {f"{name}-2", f"{name}-5", f"real-{name}-4"} <= set(names)
        for record in records:
            assert set(record) == {"name", "value", "error", "signature"} and record["error"] > 0
            order = record["name"].rpartition("-")[2]
            assert not order.isdigit() or record["signature"]["n"] == int(order)
            assert 0 <= record["value"] <= 100
        own = next(record for record in records if record["name"] == f"{name}-2")
        assert own["signature"]["preset"] == "texygen" and own["signature"]["step"] == 30


def test_scores_of_a_file(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a b c d e\nf g h i j\n")
    (tmp_path / "b.txt").write_text("a b c d e\nk l m n o\n")
    words = ["--samples", "a.txt", "--references", "b.txt", "--preset", "texygen", "--json"]
    records = scores_in(cli("eval", "bleu", *words).out)
    values = {record["name"]: record["value"] for record in records}
    # One line is a reference word for word; in the other nothing fits but method1's epsilon.
    assert 0.5 <= values["bleu-2"] < 0.52


def test_train_and_runs(cli: Command, small_mle: list[str], tmp_path: Path) -> None:
    trained = document(cli("train", *small_mle, "name=r", "--json"))
    assert (trained["run"], trained["path"]) == ("r", str(tmp_path.resolve() / "runs" / "r"))
    records = trained["scores"]
    assert {"nll-test", "bleu-4"} <= {record["name"] for record in records}
    assert document(cli("train", "--resume", "--json")) == trained
    (row,) = document(cli("runs", "list", "--json"))
    assert row["run"] == "r" and row["status"] == "finished" and row["steps"] == 16
    assert row["scores"] == records and row["path"] == trained["path"]
    shown = document(cli("runs", "show", "r", "--json"))
    assert (
        shown["scores"] == shown["phases"][0]["scores"] == records
        and "hidden: 8" in shown["config"]
    )
    jobs = document(cli("train", "-m", *small_mle, "seed=1,2", "--json"))["jobs"]
    assert [(job["job"], job["status"]) for job in jobs] == [("0", "finished"), ("1", "finished")]
    assert [Path(job["path"]).name for job in jobs] == ["0", "1"]
    assert jobs[0]["run"].endswith("-sweep/0")


def test_a_run_of_nan_is_json_too(cli: Command, small_mle: list[str]) -> None:
    words = ["model.mle.learning_rate=1e30", "model.mle.clip=1e30", "model.mle.warmup_steps=0"]
    found = cli("train", *small_mle, *words, "--json")
    if found.code == 0:
        assert "nan" in [record["value"] for record in document(found)["scores"]]
    assert document(cli("runs", "list", "--json"))[0]["run"]


def test_data(cli: Command) -> None:
    assert document(cli("data", "get", "scenes", "--json")) == {"data": "scenes", "files": []}
    rows = document(cli("data", "list", "--json"))
    assert {"scenes", "coco", "text", "oracle"} <= {row["name"] for row in rows}
    assert all(set(row) == {"name", "what", "state", "where"} for row in rows)
    shown = document(cli("data", "show", "scenes", "data.train_size=50", "-n", "2", "--json"))
    assert len(shown["examples"]["train"]) == 2


def test_no_runs_yet(cli: Command) -> None:
    assert document(cli("runs", "list", "--json")) == []
    found = cli("runs", "list")
    assert found.code == 0 and found.errors == ["no runs in runs yet"] and found.out == ""


def test_tables_for_people(cli: Command, trained: Path) -> None:
    found = cli("runs", "list", "--runs-dir", str(trained.parent))
    assert found.code == 0 and "finished" in found.out and "adversarial" in found.out
    assert "next: gantext runs show run" in found.err
    found = cli("runs", "show", "run", "--runs-dir", str(trained.parent))
    for word in ("overrides", "model=gan", "hidden: 8", "mle", "adversarial", "nll-test", "status"):
        assert word in found.out
    assert f"gantext sample {trained}" in found.err
    found = cli("eval", "bleu", str(trained), "-n", "30")
    assert "real" in found.out and "preset texygen" in found.out


@pytest.mark.usefixtures("drawn_once")
def test_report(cli: Command, trained: Path, tmp_path: Path) -> None:
    words = ["report", str(trained), "-n", "20", "--temperatures", "none", "--json"]
    found = document(cli(*words))
    assert Path(found["report"]) == (tmp_path / "report.html").resolve()
    assert found["bytes"] == Path(found["report"]).stat().st_size
    assert [run["run"] for run in found["runs"]] == [trained.name, "real"]
    assert "bleu-4" in {one["name"] for one in found["runs"][0]["scores"]}
