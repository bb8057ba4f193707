"""The COCO captions: the two files, their checks, and the real ones where they are."""

import dataclasses
import hashlib
import os
from pathlib import Path

import pytest
import yaml

from gantext import data
from gantext.data import catalogue
from gantext.data.coco import Config, files, load
from gantext.data.vocabulary import Unk
from gantext.errors import UserError

TRAIN = b"a red wheel.\nThe man's dog\na red car"
TEST = b"a blue wheel.\n"
CONFIG = Config(
    name="coco",
    train="coco/image_coco.txt",
    train_url="http://127.0.0.1:1/train",
    train_sha256=hashlib.sha256(TRAIN).hexdigest(),
    test="coco/test_coco.txt",
    test_url="http://127.0.0.1:1/test",
    test_sha256=hashlib.sha256(TEST).hexdigest(),
    validation=0,
    split_seed=0,
    tokenizer="nltk",
    lowercase=True,
    unk=Unk.hide,
    min_count=1,
    max_vocab=0,
    max_length=0,
    long="cut",
    max_bytes=2**32,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANTEXT_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "coco").mkdir()
    (tmp_path / "coco" / "image_coco.txt").write_bytes(TRAIN)
    (tmp_path / "coco" / "test_coco.txt").write_bytes(TEST)
    return tmp_path


def test_small_files(folder: Path) -> None:
    corpus = data.load(CONFIG)
    assert tuple(corpus.train.text) == ("a red wheel.", "The man's dog", "a red car")
    assert corpus.vocabulary.words[4:6] == ("a", "red")
    assert [corpus.vocabulary.text(row) for row in corpus.train.tokens.padded().tolist()] == [
        "a red wheel.",
        "the man's dog",
        "a red car",
    ]
    assert corpus.max_length == 5  # a red wheel . <eos>
    assert corpus.notes == ("test: 1 of 4 tokens (25.0%) are not in the vocabulary",)
    assert len(load(dataclasses.replace(CONFIG, validation=1)).validation) == 1


def test_another_file_in_its_place_is_refused(folder: Path) -> None:
    path = folder / "coco" / "test_coco.txt"
    path.write_bytes(TEST + b"one line more\n")
    with pytest.raises(UserError, match=r"test_coco\.txt is not the expected file"):
        load(CONFIG)
    assert len(load(dataclasses.replace(CONFIG, test_sha256="")).test) == 2


def test_catalogue_says_where_it_is(folder: Path) -> None:
    assert catalogue.entry("coco", CONFIG) == catalogue.Entry("coco", str(folder / "coco"), "ready")
    assert data.fetch(CONFIG) == [folder / file.path for file in files(CONFIG)]
    (folder / "coco" / "test_coco.txt").unlink()
    lost = catalogue.entry("coco", CONFIG)
    assert (lost.where, lost.state) == ("downloaded on first use", "missing")
    by_hand = catalogue.entry("coco", dataclasses.replace(CONFIG, test_url=""))
    assert (by_hand.where, by_hand.state) == ("put coco/test_coco.txt there by hand", "missing")
    with pytest.raises(UserError, match="by hand"):
        data.fetch(CONFIG)


def test_catalogue_shows_a_corpus(folder: Path) -> None:
    """Sentences of 4, 4 and 3 tokens: 11 / 3 = 3.7 on average."""
    facts = dict(catalogue.facts(load(CONFIG)))
    assert facts["train"] == "3 sentences, 3.7 tokens on average, 4 at most"
    assert facts["validation"] == "none"
    assert facts["vocabulary"] == "13 with the 4 special words"
    assert facts["known truth"] == "no"
    assert len(facts["hash"]) == 64


def test_catalogue_without_files() -> None:
    assert catalogue.entry("text").state == "ready"
    assert "data.train=" in catalogue.entry("text").where


def test_real_captions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 and 10,000: the last line of each file has no newline and counts all the same."""
    if not os.environ.get("GANTEXT_DATA"):
        pytest.skip("GANTEXT_DATA is not set: no real captions here")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    conf = Path(__file__).parents[2] / "conf" / "data" / "coco.yaml"
    config = Config(**yaml.safe_load(conf.read_text("utf-8")))
    assert config.validation == 1000
    corpus = load(dataclasses.replace(config, validation=0))
    assert (len(corpus.train), len(corpus.validation), len(corpus.test)) == (10_000, 0, 10_000)
    assert len(corpus.vocabulary) == 4 + 4659
    assert corpus.max_length == 38
    assert corpus.vocabulary.words[4:8] == ("a", ".", "with", "the")
