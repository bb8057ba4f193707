"""The news of EMNLP 2017 WMT: found, missing, and of other sizes."""

from pathlib import Path

import pytest

from gantext import data
from gantext.config.compose import compose_data
from gantext.data import catalogue, emnlp_news
from gantext.data.corpus import Corpus
from gantext.errors import UserError
from tests.conftest import Command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANTEXT_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "emnlp_news").mkdir()
    return tmp_path / "emnlp_news"


def load() -> Corpus:
    return data.load(compose_data(["data=emnlp_news", "data.validation=0"]))


def test_files_of_other_sizes_are_read_with_notes(folder: Path) -> None:
    (folder / "emnlp_news.txt").write_text("the vote was n't held .\nhe said so .\n")
    (folder / "emnlp_news_test.txt").write_text("the vote\n")
    corpus = load()
    assert (len(corpus.train), len(corpus.test), corpus.vocabulary.tokenizer) == (
        2,
        1,
        "whitespace",
    )
    assert corpus.notes == (
        "2 training sentences, where the papers have 278,586",
        "1 test sentences, where the papers have 10,000",
        "6 words in the longest one, where the papers have 51",
        "9 different words, where the papers have 5,728",
    )


def test_files_of_the_papers_sizes_need_no_note(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in {"TRAIN": 2, "TEST": 1, "LONGEST": 2, "WORDS": 3}.items():
        monkeypatch.setattr(emnlp_news, name, size)
    (folder / "emnlp_news.txt").write_text("a b\na c\n")
    (folder / "emnlp_news_test.txt").write_text("b c\n")
    assert load().notes == ()


def test_what_is_missing_is_said_with_its_sizes(cli: Command, folder: Path) -> None:
    with pytest.raises(UserError) as caught:
        load()
    assert str(caught.value).endswith(
        "put the file by hand at "
        f"{folder.parent}/cache/gantext/emnlp_news/emnlp_news.txt; it should hold 278,586 "
        "sentences of at most 51 words, 5,728 different ones"
    )
    (folder / "emnlp_news.txt").write_text("a b\nc d\n")
    with pytest.raises(UserError, match=r"emnlp_news_test\.txt; it should hold 10,000 sentences"):
        load()
    entry = catalogue.entry("emnlp_news", compose_data(["data=emnlp_news"]))
    assert (entry.state, entry.where) == (
        "missing",
        "put emnlp_news/emnlp_news_test.txt there by hand",
    )
    found = cli("train", "data=emnlp_news")
    assert found.code == 2 and len(found.errors) == 1 and "10,000" in found.err
