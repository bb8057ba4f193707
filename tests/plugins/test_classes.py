"""A model of text from outside that tells classes apart and writes of them: classify, augmentation.

Its data are reviews of four words, of which one says the class; its model knows these words.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gantext.evaluation.table import worth
from gantext.metrics.score import Score
from tests.conftest import Command, finished
from tests.plugins.installation import add_metadata, importable
from tests.plugins.test_toy import blocks

DATA = '''
"""data=reviews: a review is good or bad by one of its words."""

import random
from dataclasses import dataclass

from gantext.data.corpus import Corpus, Sentences, build_corpus

WHERE = "made from a seed"


@dataclass(frozen=True)
class Config:
    name: str
    seed: int


def load(cfg: Config) -> Corpus:
    rng = random.Random(cfg.seed)
    train, none, test = (reviews(n, rng) for n in (80, 0, 60))
    return build_corpus(cfg.name, train.vocabulary(tokenizer="whitespace"), train, none, test)


def reviews(n: int, rng: random.Random) -> Sentences:
    labels = ["good" if i % 3 else "bad" for i in range(n)]
    words = [["it", "was", f"{label}{rng.randrange(6)}", "."] for label in labels]
    return Sentences.of(words, map(" ".join, words), labels)
'''
MODEL = '''
"""model=told: the toy, with the words that say a class known to it."""

import torch

from gantext.models.contract import Ability
from gantext_toy.toy import CURVES, READS, SHOWN, Config, Toy

CAN = frozenset({Ability.write, Ability.classify, Ability.of_class})


class Told(Toy):
    def words(self, name):
        ids = range(4, self.task.vocab_size)
        return [i for i in ids if self.task.lines(torch.tensor([[i]]))[0].startswith(name)]

    def class_log_prob(self, tokens):
        """.8 for the class whose word is there."""
        good = torch.isin(tokens, torch.tensor(self.words("good"))).any(1).float()
        p = 0.2 + 0.6 * good
        return torch.stack([1 - p, p], 1).log()

    def sample_of(self, labels, rng, options):
        """The word alone, and the end."""
        rows = []
        for label in labels.tolist():
            own = self.words(("bad", "good")[label])
            rows.append([own[int(torch.randint(len(own), (1,), generator=rng))], 2, 0])
        return torch.tensor(rows)


def build(config, task, rng):
    return Told(config, task, rng)
'''


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    files = blocks()
    project = files.pop("pyproject.toml")
    project = project.replace(
        '[project.entry-points."gantext.data"]',
        'told = "gantext_toy.told"\n\n[project.entry-points."gantext.data"]\n'
        'reviews = "gantext_toy.reviews"',
    )
    add_metadata(folder, project)
    conf = "gantext_toy/conf"
    toy = files[f"{conf}/model/toy.yaml"]
    files[f"{conf}/model/told.yaml"] = toy.replace("name: toy", "name: told")
    files[f"{conf}/data/reviews.yaml"] = "# reviews\nname: reviews\n# of the words\nseed: 0\n"
    files |= {"gantext_toy/told.py": MODEL, "gantext_toy/reviews.py": DATA}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


WORDS = ["data=reviews", "model.steps=2", "eval.samples=100", "log.trackers=[]", "threads=1"]


@pytest.fixture(scope="module")
def run(plugin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with importable(plugin):
        return finished(tmp_path_factory.mktemp("told"), ["model=told", *WORDS])


@pytest.fixture
def installed(plugin: Path, cli: Command) -> Iterator[Command]:
    with importable(plugin):
        yield cli


def test_sentences_of_a_file_have_classes(installed: Command, run: Path, tmp_path: Path) -> None:
    """Blank lines are left out, and what is longer than the run reads has no class."""
    (tmp_path / "a.txt").write_text(
        "it was good1 .\n\nit was bad2 .\nit was good1 . it was good2 .\n"
    )
    found = installed("classify", str(run), "a.txt")
    assert found.code == 0, found.err
    assert [row.split("\t") for row in found.out.splitlines()] == [
        ["line", "class", "probability", "text"],
        ["1", "good", "0.8", "it was good1 ."],
        ["3", "bad", "0.8", "it was bad2 ."],
        ["4", "", "", "it was good1 . it was good2 ."],
    ]
    assert "a.txt: 1 of 3 sentences are without a class: the run takes at most" in found.err
    document = json.loads(installed("classify", str(run), "a.txt", "--json").out)
    assert document["classes"] == ["bad", "good"]
    assert document["rows"][1]["probabilities"] == pytest.approx({"bad": 0.8, "good": 0.2})
    assert document["rows"][2]["class"] is None
    assert document["signature"]["model"] == "told"


def test_without_a_file_the_test_split_is_told(installed: Command, run: Path) -> None:
    """Two of three reviews are good, so 40 of 60; all are told right."""
    found = installed("classify", str(run), "--out", "all.tsv")
    assert found.code == 0, found.err
    assert "1.000 ± 0.000 right" in found.out
    assert "always saying good, its largest class, is right 0.667" in found.out
    rows = Path("all.tsv").read_text().splitlines()
    assert rows[0].split("\t") == ["line", "class", "probability", "label", "text"]
    assert len(rows) == 61 and all(r.split("\t")[1] == r.split("\t")[3] for r in rows[1:])


def test_what_cannot_be_read_is_refused_in_a_line(
    installed: Command, run: Path, tmp_path: Path, trained: Path
) -> None:
    (tmp_path / "blank.txt").write_text("\n \n")
    (tmp_path / "long.txt").write_text("it was good1 . it was good2 .\n")
    for words, said in (
        ([str(run), "none.txt"], "none.txt: no such file"),
        ([str(run), "blank.txt"], "every line is blank"),
        ([str(run), "long.txt"], "no sentence is one that the run takes: at most the 5 tokens"),
        ([str(trained), "blank.txt"], "run is a run of model=gan, which tells no classes apart"),
        ([str(trained)], "model=image_gan, "),
    ):
        found = installed("classify", *words)
        assert found.code == 2 and len(found.errors) == 1 and said in found.errors[0], words


def test_samples_of_a_class_teach_what_few_examples_do_not(installed: Command, run: Path) -> None:
    """Two examples hold two of twelve words, so that naive Bayes is right of few; the samples hold
    all of them, and are enough alone."""
    asked = ("eval", "augmentation", str(run), "-n", "100", "--examples", "2,60", "--json")
    found = installed(*asked)
    assert found.code == 0, found.err
    (scored,) = json.loads(found.out)["runs"]
    values = {one["name"]: one for one in scored["scores"]}
    assert values["accuracy-samples"]["value"] == 1.0
    assert 0.3 < values["accuracy@2"]["value"] < 0.8 and values["accuracy@60"]["value"] == 1.0
    assert values["accuracy-both@2"]["value"] == 1.0 and values["gain@60"]["value"] == 0.0
    assert values["gain@2"]["value"] == pytest.approx(1 - values["accuracy@2"]["value"])
    sign = values["gain@2"]["signature"]
    assert (sign["examples"], sign["samples_taught"], sign["seeds"]) == (2, 100, 3)
    assert sign["samples_of_class"] == "asked for" and sign["classifier"] == "nb-2gram-1"
    assert json.loads(installed(*asked).out) == json.loads(found.out)  # stored
    assert "at 60 examples no gain by samples shows: +0.000" in installed(*asked[:-1]).err


def test_examples_that_make_no_sense_are_refused(installed: Command, run: Path) -> None:
    for examples, said in (("81", "the training split has 80"), ("a,3", "whole numbers")):
        found = installed("eval", "augmentation", str(run), "-n", "9", "--examples", examples)
        assert found.code == 2 and said in found.errors[-1]


def test_what_does_not_help_is_said() -> None:
    """t = .02 / .01 of 3 seeds is p = .18, of test rows alone p = .046; -.05 / .01 harms."""
    gain = Score("gain@50", 0.02, {"seeds": 3}, 0.01)
    (line,) = worth({"a": [gain]})
    assert (
        line == "a: at 50 examples no gain by samples shows: +0.020, standard error 0.010, p 0.18"
    )
    assert not worth({"a": [Score("gain@50", 0.02, {}, 0.01), Score("accuracy@50", 0.1, {}, 1.0)]})
    (line,) = worth({"a": [Score("gain@200", -0.05, {"seeds": 3}, 0.01)]})
    assert line == "a: at 200 examples samples do harm: -0.050, standard error 0.010, p 0.038"
