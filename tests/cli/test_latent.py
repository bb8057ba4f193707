"""gantext eval latent, and the other commands on a VAE's run."""

import json
import math
import shutil
from pathlib import Path

import pytest

from gantext.evaluation import measures
from tests.conftest import Command, scores_in

NAMES = ["elbo", "reconstruction", "kl", "iw-nll", "mutual-information", "active-units"]


@pytest.fixture
def run(trained_vae: Path, tmp_path: Path) -> Path:
    """A copy of its own."""
    return Path(shutil.copytree(trained_vae, tmp_path / "runs" / "one"))


def records(cli: Command, *words: str) -> dict[str, dict]:
    found = cli("eval", *words, "--json")
    assert found.code == 0, found.err
    return {record["name"]: record for record in scores_in(found.out)}


def test_the_measures_and_what_always_holds(cli: Command, run: Path) -> None:
    """-ELBO = reconstruction + KL; 20 draws give a bound no worse than -ELBO; MI is at most KL (but
    for noise: both are near 0 here) and log N."""
    found = records(cli, "latent", str(run), "--k", "20", "-n", "25")
    assert list(found) == NAMES
    value = {name: record["value"] for name, record in found.items()}
    assert value["elbo"] == pytest.approx(-(value["reconstruction"] + value["kl"]))
    assert value["iw-nll"] <= -value["elbo"] + 1e-6
    assert value["mutual-information"] <= min(value["kl"] + 0.2, math.log(25))
    assert value["active-units"] in range(4)
    assert (
        found["iw-nll"]["signature"].items()
        >= {"estimator": "iw", "k": 20, "sentences": 25}.items()
    )
    assert found["mutual-information"]["signature"]["mixture"] == 25


def test_the_table_has_signatures(cli: Command, run: Path) -> None:
    found = cli("eval", "latent", str(run), "--k", "3", "--n", "10", "--signatures")
    assert found.code == 0, found.err
    assert "iw-nll: estimator:iw|unit:nats/sentence|eos:yes|k:3|sentences:10|" in found.out
    assert "real" not in found.err


def test_scores_are_stored_by_draws_sentences_and_seed(cli: Command, run: Path) -> None:
    base = ["latent", str(run), "--k", "3", "--n", "10"]
    first = records(cli, *base)
    files = set((run / "scores").iterdir())
    assert records(cli, *base) == first and set((run / "scores").iterdir()) == files
    for changed in (["--k", "4"], ["--n", "11"], ["--seed", "1"]):
        assert records(cli, *base, *changed)["iw-nll"] != first["iw-nll"]
    assert len(set((run / "scores").iterdir()) - files) >= 3


def test_other_models_are_refused_in_one_line(cli: Command, trained: Path) -> None:
    found = cli("eval", "latent", str(trained))
    assert found.code == 2 and found.errors == [
        "error: latent: only a model with a latent variable has these scores, such as model=vae"
    ]


def test_beside_a_vae_another_model_is_left_out_and_named(
    cli: Command, run: Path, trained: Path
) -> None:
    found = cli("eval", "latent", str(run), str(trained), "--k", "3", "--n", "10", "--json")
    assert found.code == 0, found.err
    assert len(scores_in(found.out)) == len(NAMES)
    assert f"{trained.name} is left out: only a model with a latent variable" in found.err


def test_options_that_say_nothing_are_not_there(cli: Command, run: Path) -> None:
    assert "--temperature" not in cli("eval", "latent", "--help").out
    assert "--k" not in cli("eval", "bleu", "--help").out
    assert cli("eval", "latent", str(run), "--temperature", "2").code == 2


def test_the_estimate_is_in_the_signature_of_likelihoods(cli: Command, run: Path) -> None:
    found = records(cli, "likelihood", str(run), "-n", "10")
    assert found["nll-test"]["signature"].items() >= {"estimator": "iw", "k": 2}.items()


def test_samples_bleu_and_scores_of_sentences(cli: Command, run: Path, tmp_path: Path) -> None:
    found = cli("sample", str(run), "-n", "7")
    assert found.code == 0 and len(found.out.splitlines()) == 7
    assert cli("sample", str(run), "-n", "7").out == found.out
    assert records(cli, "bleu", str(run), "-n", "20")["bleu-4"]["value"] >= 0
    file = tmp_path / "lines.txt"
    file.write_text("a red wheel.\nthere is a blue tree.\n")
    scored = json.loads(cli("score", str(run), str(file), "--json").out)
    assert scored["signature"]["estimator"] == "iw"
    assert all(line["log_prob"] < 0 for line in scored["sentences"])


def test_all_scores_have_the_latent_ones(cli: Command, run: Path) -> None:
    """They are listed; the slow ones beside them are not computed here."""
    assert "latent" in [measure.name for measure in measures.of_all()]
    assert "--k " in cli("eval", "all", "--help").out
