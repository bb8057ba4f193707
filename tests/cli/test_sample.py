"""gantext sample: prompts, log-likelihoods, and the forms that sentences come in."""

import csv
import io
import json
from pathlib import Path

import pytest
import torch

import gantext
from gantext.data.vocabulary import PAD
from tests.conftest import Command


def test_a_prompt_begins_each_sentence_and_stands_in_the_signature(
    cli: Command, trained: Path, trained_vae: Path
) -> None:
    for run in (trained, trained_vae):
        words = ["sample", str(run), "-n", "6", "--prompt", "There is", "--seed", "2"]
        found = json.loads(cli(*words, "--json").out)
        assert all(line.startswith("there is ") for line in found["samples"])
        assert len(set(found["samples"])) > 1
        assert found["signature"]["prompt"] == "There is"
        assert cli(*words).out.splitlines() == found["samples"]  # the same seed


def test_log_likelihoods_are_the_models_of_the_whole_sentence(cli: Command, trained: Path) -> None:
    words = ["sample", str(trained), "-n", "5", "--prompt", "there", "--temperature", "0.8"]
    found = json.loads(cli(*words, "--likelihood", "--json").out)
    signature = found["signature"]
    assert signature["unit"] == "nats" and signature["eos"] and signature["prompt_counted"]
    run = gantext.load_run(trained).trained
    for line, value, count in zip(
        found["samples"], found["log_prob"], found["tokens"], strict=True
    ):
        ids = run.vocabulary.encode(line.split())[:count]
        tokens = torch.tensor([ids])
        assert int((tokens != PAD).sum()) == count
        assert value == pytest.approx(float(run.algorithm.log_prob(tokens)), rel=1e-4)
    rows = list(csv.DictReader(io.StringIO(cli(*words, "--likelihood", "--csv").out)))
    assert [row["text"] for row in rows] == found["samples"]
    assert [float(row["log_prob"]) for row in rows] == pytest.approx(found["log_prob"])
    plain = cli(*words, "--likelihood", "--out", "a.tsv")
    pairs = [line.split("\t") for line in Path("a.tsv").read_text().splitlines()]
    assert plain.code == 0 and [text for _, text in pairs] == found["samples"]
    column = list(csv.reader(io.StringIO(cli(*words, "--csv").out)))
    assert column == [["text"], *([text] for text in found["samples"])]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--prompt", "a gren"], "the prompt's word 'gren' is not in the run's vocabulary (did"),
        (["--prompt", " "], "an empty prompt: give it words"),
        (["--prompt", "red " * 60], "a prompt of 60 words"),
        (["--csv", "--json"], "--csv and --json are two forms of the same: leave one out"),
    ],
)
def test_bad_input_is_one_line(cli: Command, trained: Path, words: list[str], said: str) -> None:
    found = cli("sample", str(trained), *words)
    assert found.code == 2 and len(found.errors) == 1 and said in found.err


def test_unk_may_stand_for_an_unknown_word(cli: Command, trained: Path) -> None:
    found = cli("sample", str(trained), "-n", "2", "--prompt", "a <unk>")
    assert found.code == 0 and found.out.startswith("a <unk> ")
