"""Any text file: reading, filtering, splitting, and every kind of bad input."""

import dataclasses
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from gantext import data
from gantext.data.corpus import Split
from gantext.data.tables import Format
from gantext.data.text import Config, load
from gantext.data.vocabulary import UNK, Unk
from gantext.errors import UserError

DEFAULTS = Config(
    name="text",
    train="",
    test="",
    format=Format.auto,
    column="",
    label_column="",
    test_share=0.1,
    validation=0,
    split_seed=0,
    tokenizer="whitespace",
    lowercase=True,
    unk=Unk.hide,
    min_count=1,
    max_vocab=0,
    max_length=0,
    long="cut",
    max_bytes=2**32,
)

Write = Callable[[str, str | bytes], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return put


def config(train: str, test: str = "", **changes: object) -> Config:
    return dataclasses.replace(DEFAULTS, train=train, test=test, **changes)


def refused(cfg: Config) -> str:
    """Return the message of the UserError, which must be one line."""
    with pytest.raises(UserError) as caught:
        load(cfg)
    message = str(caught.value)
    assert "\n" not in message
    return message


def words(split: Split) -> list[str]:
    return list(split.text)


# Good input


def test_lines_become_sentences(write: Write) -> None:
    """The last line lacks its newline; \\r\\n, blanks around and a byte-order mark go."""
    train = write("a.txt", "\ufeffThe Cat\r\n\r\n  a dog \na cat".encode())
    corpus = load(config(train, write("b.txt", "a dog\n")))
    assert tuple(corpus.train.text) == ("The Cat", "a dog", "a cat")
    assert corpus.vocabulary.words[4:] == ("a", "cat", "dog", "the")
    assert corpus.train.tokens.padded().tolist() == [[7, 5, 2], [4, 6, 2], [4, 5, 2]]
    assert tuple(corpus.test.text) == ("a dog",)
    assert len(corpus.validation) == 0
    assert corpus.truth is None
    assert corpus.notes == (
        f"{train}: 1 blank lines skipped",
        "warning: test: 1 of 1 sentences also stand in train",
    )


def test_separators_inside_a_sentence_do_not_break_it(write: Write) -> None:
    corpus = load(config(write("a.txt", "a\x0cb\u2028c\nd\n"), write("b.txt", "a")))
    assert len(corpus.train) == 2


def test_case_is_kept_when_asked(write: Write) -> None:
    corpus = load(config(write("a.txt", "A a\na\n"), write("b.txt", "A"), lowercase=False))
    assert corpus.vocabulary.words[4:] == ("a", "A")


def test_gz_and_plain_give_the_same_corpus(write: Write) -> None:
    plain = write("a.txt", "a b\nb c\n")
    packed = write("a.txt.gz", gzip.compress(b"a b\nb c\n", mtime=0))
    assert load(config(plain, plain)).hash == load(config(packed, packed)).hash


def test_several_files_and_wildcards(write: Write, tmp_path: Path) -> None:
    one, two = write("1.txt", "a\n"), write("2.txt", "b\n")
    assert tuple(load(config(f"{one}:{two}", one)).train.text) == ("a", "b")
    assert tuple(load(config(str(tmp_path / "*.txt"), one)).train.text) == ("a", "b")


def test_seeded_split_holds_out_every_sentence_once(write: Write) -> None:
    """20 lines, a share of 0.25 for test: 5; 3 for validation; 12 to train."""
    train = write("a.txt", "\n".join(f"w{i} x" for i in range(20)))
    corpus = load(config(train, test_share=0.25, validation=3))
    parts = [words(s) for s in (corpus.train, corpus.validation, corpus.test)]
    assert [len(part) for part in parts] == [12, 3, 5]
    assert sorted(line for part in parts for line in part) == sorted(f"w{i} x" for i in range(20))
    assert load(config(train, test_share=0.25, validation=3)).hash == corpus.hash
    other = load(config(train, test_share=0.25, validation=3, split_seed=1))
    assert words(other.test) != parts[2]
    assert "no test file: 5 of 20 sentences held out for test" in corpus.notes


def test_vocabulary_is_of_the_training_split_only(write: Write) -> None:
    """Each line has a word of its own, so each held-out line has exactly one unknown word."""
    train = write("a.txt", "\n".join(f"w{i} x" for i in range(20)))
    corpus = load(config(train, test_share=0.25, validation=3))
    assert len(corpus.vocabulary) == 4 + 1 + 12
    for split in (corpus.validation, corpus.test):
        assert (split.tokens.padded() == UNK).sum(dim=1).tolist() == [1] * len(split)
    assert "test: 5 of 10 tokens (50.0%) are not in the vocabulary" in corpus.notes


def test_two_sentences_are_enough(write: Write) -> None:
    corpus = load(config(write("a.txt", "a\na b\n"), test_share=0.9))
    assert (len(corpus.train), len(corpus.test)) == (1, 1)


def test_min_count_and_max_vocab(write: Write) -> None:
    """a: 3, b: 2, c: 1."""
    train = write("a.txt", "a b\na b\na c\n")
    assert load(config(train, train, min_count=2)).vocabulary.words[4:] == ("a", "b")
    assert load(config(train, train, max_vocab=1)).vocabulary.words[4:] == ("a",)


def test_long_lines_are_cut_or_dropped_and_counted(write: Write) -> None:
    train, test = write("a.txt", "a b c\na b\nb\n"), write("b.txt", "a b c d\na\n")
    cut = load(config(train, test, max_length=2, long="cut"))
    assert cut.train.tokens.padded().tolist()[0] == [4 + 1, 4, 2]  # b is more frequent than a
    assert cut.max_length == 3
    assert cut.train.text[0] == "a b c"  # whole, as a reference
    assert cut.notes[:2] == (
        "train: 1 lines longer than max_length=2 were cut",
        "test: 1 lines longer than max_length=2 were cut",
    )
    drop = load(config(train, test, max_length=2, long="drop"))
    assert tuple(drop.train.text) == ("a b", "b")
    assert tuple(drop.test.text) == ("a",)
    assert drop.notes[0] == "train: 1 lines longer than max_length=2 were dropped"
    assert drop.hash != cut.hash


def test_a_line_of_exactly_max_length_stays(write: Write) -> None:
    train, test = write("a.txt", "a b\nb a\n"), write("b.txt", "b b\n")
    assert load(config(train, test, max_length=2, long="drop")).notes == ()


def test_no_shared_word_is_a_warning(write: Write) -> None:
    corpus = load(config(write("a.txt", "a\nb\n"), write("b.txt", "c\n")))
    assert "warning: the train and test sentences share no word" in corpus.notes


def test_reached_through_the_package(write: Write) -> None:
    train = write("a.txt", "a\nb\n")
    assert data.config_class("text") is Config
    assert data.load(config(train, train)).name == "text"
    assert data.files(config(train, train)) == ()
    with pytest.raises(UserError, match=r"unknown data coko \(did you mean coco\?\)"):
        data.config_class("coko")


# Bad input


def test_missing_file(write: Write, tmp_path: Path) -> None:
    lost = str(tmp_path / "lost.txt")
    assert refused(config(lost)) == f"{lost}: no such file"
    assert refused(config(write("a.txt", "a\nb\n"), lost)) == f"{lost}: no such file"
    assert refused(config(str(tmp_path / "*.csv"))) == f"{tmp_path}/*.csv: no file fits"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert refused(config(str(tmp_path))) == f"cannot read {tmp_path}: Is a directory"


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", b""), ("a.gz", gzip.compress(b"", mtime=0))]
)
def test_empty_file(write: Write, name: str, content: bytes) -> None:
    path = write(name, content)
    assert refused(config(path)) == f"{path}: the file is empty"


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_not_utf8_names_the_line(write: Write, name: str) -> None:
    raw = "one\ntwo\ncaf\xe9\nfour\n".encode("latin-1")
    path = write(name, gzip.compress(raw, mtime=0) if name.endswith("gz") else raw)
    assert refused(config(path)) == (
        f"{path}: line 3 is not UTF-8 text (byte e9): convert the file, "
        "e.g. iconv -f ENCODING -t UTF-8"
    )


@pytest.mark.parametrize(
    "damage", [b"not gzip at all", gzip.compress(b"a\nb\n" * 50, mtime=0)[:-12]]
)
def test_damaged_gz(write: Write, damage: bytes) -> None:
    path = write("a.gz", damage)
    assert refused(config(path)).startswith(f"{path}: damaged gzip file (")


def test_no_line_left_after_filtering(write: Write) -> None:
    blank = write("a.txt", "\n  \n\t\n")
    assert refused(config(blank)) == (
        f"{blank}: no line is left after filtering (3 blank, 0 longer than max_length=0)"
    )
    long = write("b.txt", "a b c\n\nd e f\n")
    assert refused(config(long, max_length=2, long="drop")) == (
        f"{long}: no line is left after filtering (1 blank, 2 longer than max_length=2)"
    )


def test_one_sentence_only(write: Write) -> None:
    path = write("a.txt", "a b\n\n")
    assert refused(config(path)) == f"{path}: one sentence only; at least 2 are needed"


def test_validation_that_leaves_nothing(write: Write) -> None:
    train = write("a.txt", "a\nb\n")
    assert refused(config(train, train, validation=2)) == (
        "data.validation=2 leaves none of 2 sentences"
    )


def test_min_count_that_leaves_no_word(write: Write) -> None:
    train = write("a.txt", "a\nb\n")
    assert "leaves no word" in refused(config(train, train, min_count=2))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tokenizer": "nltc"}, "did you mean nltk?"),
        ({"long": "cutt"}, "data.long=cutt: cut or drop (did you mean cut?)"),
        ({"validation": -1}, "data.validation=-1: it must be at least 0"),
        ({"max_length": -5}, "data.max_length=-5: it must be at least 0"),
        ({"test_share": 0.0}, "data.test_share=0.0 must lie between 0 and 1"),
        ({"test_share": 1.0}, "data.test_share=1.0 must lie between 0 and 1"),
    ],
)
def test_settings_without_sense(write: Write, change: dict[str, object], says: str) -> None:
    assert says in refused(config(write("a.txt", "a\nb\n"), **change))
