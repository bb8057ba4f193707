"""What sentences are held against: of files and of corpora, prepared and hashed."""

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gantext.data import Reads, lines
from gantext.errors import UserError
from gantext.evaluation import ground as made
from gantext.evaluation.ground import (
    Ground,
    digest_of,
    ground_of_corpus,
    ground_of_file,
    ground_of_gallery,
    sentences_of,
)
from gantext.metrics.text.preparation import AS_IT_IS, Preparation

HIDDEN = Preparation(unknown=True)


def test_by_default_there_is_nothing() -> None:
    empty = Ground(None)
    assert (empty.size, empty.lost, empty.notes, empty.preparation) == (0, False, (), AS_IT_IS)
    assert not empty.references and not empty.training and empty.corpus is empty.gallery is None


def test_the_digest_is_of_the_lines_with_their_ends() -> None:
    assert digest_of(["a b", "c"]) == hashlib.sha256(b"a b\nc\n").hexdigest()


def test_a_file_of_references_is_prepared_and_says_so(tmp_path: Path) -> None:
    """A sentence of which nothing is left is none."""
    path = tmp_path / "a.txt"
    path.write_text(" a <unk> b <unk>\n\n<unk>\nc\n")
    found = ground_of_file(path, HIDDEN)
    assert list(found.references) == ["a b", "c"] and not found.training
    assert found.hash == digest_of(["a b", "c"]) and found.preparation == HIDDEN
    blank, unknown, left_out = found.notes
    assert "1 blank lines" in blank and unknown == f"{path}: <unk> stands 3 times in it, " + (
        "one token each"
    )
    assert "3 times of the references" in left_out
    path.write_text("a b\n")
    plain = ground_of_file(path, HIDDEN)
    assert (plain.preparation, plain.notes) == (AS_IT_IS, ())
    path.write_text("<unk>\n")
    with pytest.raises(UserError, match="there is no sentence, only <unk>"):
        ground_of_file(path, HIDDEN)
    path.write_text(" \n")
    with pytest.raises(UserError, match="there is no sentence, only blank lines"):
        ground_of_file(path, HIDDEN)


def test_sentences_may_come_through_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    given = list[Any]()
    monkeypatch.setattr(lines, "read_lines", lambda *words, **more: given.append(more) or ["a"])
    assert sentences_of(Path("a"), []) == ["a"] and given == [{"pipes": True}]


class Words(SimpleNamespace):
    """A vocabulary that hides `<unk>`."""

    def __contains__(self, word: str) -> bool:
        return False


@pytest.mark.parametrize(
    ("train", "test", "times"),
    [(["b", "a"], ["a <unk>", "<unk>", "c"], 2), (["b <unk>", "a"], ["c"], 0)],
)
def test_one_split_with_unknown_words_is_enough_to_hide_them(
    train: list[str], test: list[str], times: int
) -> None:
    """What is said counts those of the references."""
    splits = (SimpleNamespace(text=text) for text in (train, test))
    vocabulary = Words(tokenizer="nltk", lowercase=False)
    corpus: Any = SimpleNamespace(
        hash="h",
        name="toy",
        vocabulary=vocabulary,
        **dict(zip(("train", "test"), splits, strict=True)),
    )
    found = ground_of_corpus(corpus)
    assert (found.hash, found.size, found.data, found.corpus) == ("h", 2, "toy", corpus)
    assert list(found.training) == ["b", "a"]
    assert list(found.references) == (["a", "c"] if times else ["c"])
    assert found.preparation == HIDDEN and f"{times} times of the references" in found.notes[0]


def test_pictures_are_held_against_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    gallery: Any = SimpleNamespace(hash="h", name="toy")
    found = ground_of_gallery(gallery)
    assert (found.hash, found.data, found.gallery, found.size) == ("h", "toy", gallery, 0)
    monkeypatch.setattr(made.data, "load_for", lambda cfg, reads: gallery)
    assert made.ground_of_data("config", Reads.pictures).gallery is gallery
