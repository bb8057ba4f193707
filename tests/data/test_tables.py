"""Sentences and their classes from tables: csv, tsv, jsonl, parquet, and saved data sets."""

import gzip
import json
import sys
from pathlib import Path

import pytest

from gantext import data
from gantext.config.compose import compose_data
from gantext.data.corpus import Corpus
from gantext.errors import UserError
from tests.conftest import Command

ROWS = [("a cat, here", "pos"), ('the "dog"', "neg"), ("a cat", "pos"), ("the end", "10")]
CSV = 'text,kind\n"a cat, here",pos\n"the ""dog""",neg\na cat,pos\nthe end,10\n'
TSV = 'text\tkind\na cat, here\tpos\nthe "dog"\tneg\na cat\tpos\nthe end\t10\n'
JSONL = "".join(json.dumps({"text": text, "kind": kind}) + "\n" for text, kind in ROWS)


def load(path: Path, *words: str) -> Corpus:
    return data.load(
        compose_data(["data=text", f"data.train={path}", "data.tokenizer=whitespace", *words])
    )


def refused(path: Path, content: str | bytes, *words: str) -> str:
    """What is said of a file with this content, less its name, which comes first."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UserError) as caught:
        load(path, *words)
    message = str(caught.value)
    assert "\n" not in message and message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def all_of(corpus: Corpus) -> list[tuple[str, str]]:
    """The sentences of both splits with the names of their classes, in alphabetical order."""
    found = []
    for split in (corpus.train, corpus.test):
        assert split.labels is not None
        names = [corpus.classes[place] for place in split.labels.tolist()]
        found += zip(split.text, names, strict=True)
    return sorted(found)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV.encode()),
        ("a.CSV", b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode()),
        ("a.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("a.csv", CSV.encode("utf-16")),
        ("a.csv", CSV.replace(",", ";").replace("cat;", "cat,", 1).encode()),
        ("a.tsv", TSV.encode()),
        ("a.jsonl", JSONL.encode()),
        ("a.ndjson", JSONL.encode()),
    ],
)
def test_a_column_with_its_classes(tmp_path: Path, name: str, content: bytes) -> None:
    """Numbers come first among the classes: 10, neg, pos."""
    (tmp_path / name).write_bytes(content)
    corpus = load(tmp_path / name, "data.column=text", "data.label_column=kind")
    assert all_of(corpus) == sorted(ROWS)
    assert corpus.classes == ("10", "neg", "pos")


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet is read by pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    columns = {"text": [text for text, _ in ROWS], "kind": [kind for _, kind in ROWS]}
    parquet.write_table(pyarrow.table(columns), path)
    corpus = load(path, "data.column=text", "data.label_column=kind")
    assert all_of(corpus) == sorted(ROWS)
    said = refused(path, path.read_bytes()[:-9], "data.column=text")
    assert said.startswith("no whole Parquet file (")


def test_parquet_whose_text_is_no_utf_8(tmp_path: Path) -> None:
    """Found by damaging files at random: pyarrow decodes texts only when they are asked for."""
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet is read by pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({"text": ["red cat", "old dog"]}), path, compression="none")
    said = refused(path, path.read_bytes().replace(b"old", b"\x83ld"), "data.column=text")
    assert said.startswith("no whole Parquet file ('utf-8' codec")


def test_parquet_without_pyarrow_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    said = refused(tmp_path / "a.parquet", b"PAR1", "data.column=text")
    assert said == "a Parquet file needs pyarrow: pip install 'gantext[parquet]'"


def test_classes_have_a_hash_of_their_own(tmp_path: Path) -> None:
    """A column is the same text as the plain lines, with its classes and without."""
    table, lines = tmp_path / "a.jsonl", tmp_path / "a.txt"
    table.write_text(JSONL)
    lines.write_text("".join(f"{text}\n" for text, _ in ROWS))
    plain = load(table, "data.column=text")
    assert plain.hash == load(lines).hash and plain.classes == () and plain.train.labels is None
    labelled = load(table, "data.column=text", "data.label_column=kind")
    table.write_text(JSONL.replace("neg", "bad"))
    other = load(table, "data.column=text", "data.label_column=kind")
    assert plain.hash == labelled.hash == other.hash
    assert len({plain.labels_hash, labelled.labels_hash, other.labels_hash}) == 3
    assert plain.labels_hash == ""


def test_classes_stay_with_their_sentences(tmp_path: Path) -> None:
    """Long sentences are dropped, validation and test held out; word i is of class i mod 3."""
    rows = [{"t": "long one of it" if i % 5 == 0 else f"w{i} x", "c": i % 3} for i in range(60)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    words = ["column=t", "label_column=c", "max_length=3", "long=drop", "validation=7"]
    corpus = load(tmp_path / "a.jsonl", *(f"data.{word}" for word in words))
    splits = (corpus.train, corpus.validation, corpus.test)
    assert sum(map(len, splits)) == 48 and len(corpus.validation) == 7
    for split in splits:
        assert split.labels is not None
        for text, label in zip(split.text, split.labels.tolist(), strict=True):
            assert corpus.classes[label] == str(int(text.split()[0][1:]) % 3)


def test_rows_without_a_sentence_and_of_several_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('text,n\na b,1\n,2\n" \n",3\n"c\n  d",4\ne f,5\n')
    corpus = load(path, "data.column=text")
    assert sorted((*corpus.train.text, *corpus.test.text)) == ["a b", "c d", "e f"]
    assert f"{path}: 2 rows without text skipped" in corpus.notes
    assert f"{path}: 1 sentences of several lines were joined" in corpus.notes


def test_quotation_marks_that_quote_nothing_in_a_tsv(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('text\tn\n"Well" he said\t1\nhe said "no\t2\n"yes\t3\n')
    corpus = load(path, "data.column=text")
    sentences = sorted((*corpus.train.text, *corpus.test.text))
    assert sentences == ['"Well" he said', '"yes', 'he said "no']
    assert f"{path}: its quotation marks are read as text" in corpus.notes


def test_a_table_as_lines_and_lines_as_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    corpus = load(tmp_path / "a.csv", "data.format=lines")
    assert len(corpus.train) + len(corpus.test) == 5
    (tmp_path / "a.txt").write_text(CSV)
    corpus = load(tmp_path / "a.txt", "data.format=csv", "data.column=text")
    assert len(corpus.train) + len(corpus.test) == 4


@pytest.mark.parametrize(
    ("name", "content", "words", "said"),
    [
        ("a.csv", CSV, "", "a value is needed: data.column=...; the columns are text, kind"),
        ("a.csv", CSV, "column=txt", "no data.column=txt (did you mean text?); the columns are"),
        ("a.csv", CSV, "column=text label_column=class", "no data.label_column=class"),
        ("a.csv", "text,n\na,1\nb\n", "column=text", "line 3: 1 fields where the header has 2"),
        ("a.csv", 'text,n\n"a,1\nb,2\n', "column=text", "line 3: unexpected end of data"),
        ("a.csv", "text,text\na,1\n", "column=text", "two columns of one name: text, text"),
        ("a.csv", "text,n\n", "column=text", "the table has no row"),
        ("a.csv", "text,n\na,1\nb,\n", "column=text label_column=n", "row 3: n is empty"),
        ("a.jsonl", '{"text": "a"}\n{"text"\n', "column=text", "line 2 is not JSON (Expecting"),
        ("a.jsonl", '"a"\n', "column=text", "line 1 is no JSON object, as {'text': '...'} is"),
        ("a.jsonl", '{"text": ["a"]}\n', "column=text", "row 1: text is ['a'], which is no text"),
        ("a.jsonl", '{"t": "a", "c": 0.5}', "column=t label_column=c", "row 1: c is '0.5', not a"),
        ("a.jsonl", "[" * 100_000, "column=t", "line 1 is not JSON ("),
    ],
)
def test_refused(tmp_path: Path, name: str, content: str, words: str, said: str) -> None:
    options = [f"data.{word}" for word in words.split()]
    assert refused(tmp_path / name, content, *options).startswith(said)


def test_a_column_of_lines_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\nb\n")
    with pytest.raises(UserError) as caught:
        load(tmp_path / "a.txt", "data.label_column=kind")
    assert str(caught.value) == (
        f"data.label_column=kind: {tmp_path}/a.txt is read as lines, without columns; "
        "data.format=csv reads it as a table"
    )


# A data set saved on disk


def saved(path: Path, *words: str) -> Corpus:
    return data.load(compose_data(["data=hf", f"data.path={path}", *words]))


def test_a_saved_data_set(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="data=hf is read by the datasets library")
    names = datasets.ClassLabel(names=["neg", "pos"])
    kinds = datasets.Features({"text": datasets.Value("string"), "label": names})
    rows = {"text": ["a cat", "the dog", "a cat here"], "label": [1, 0, 1]}
    one = datasets.Dataset.from_dict(rows, features=kinds)
    test = datasets.Dataset.from_dict({"text": ["a dog"], "label": [0]}, features=kinds)
    datasets.DatasetDict({"train": one, "test": test}).save_to_disk(tmp_path / "both")
    corpus = saved(tmp_path / "both", "data.label_column=label")
    assert tuple(corpus.train.text) == ("a cat", "the dog", "a cat here")
    assert corpus.classes == ("neg", "pos") and tuple(corpus.test.text) == ("a dog",)
    assert corpus.train.labels is not None and corpus.train.labels.tolist() == [1, 0, 1]
    one.save_to_disk(tmp_path / "one")
    corpus = saved(tmp_path / "one")
    assert (len(corpus.train), len(corpus.test)) == (2, 1)
    with pytest.raises(UserError, match=r"no data\.train=trian \(did you mean train\?\)"):
        saved(tmp_path / "both", "data.train=trian")
    with pytest.raises(UserError, match=r"both, train: no data\.column=txt \(did you mean text"):
        saved(tmp_path / "both", "data.column=txt")
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="none: no data set that save_to_disk has saved"):
        saved(tmp_path / "none")


def test_without_the_library_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError) as caught:
        saved(tmp_path)
    assert str(caught.value) == "data=hf needs datasets: pip install 'gantext[hf]'"
    with pytest.raises(UserError, match="nowhere: no such folder"):
        saved(tmp_path / "nowhere")


# Through the command line


def test_a_run_on_a_column(cli: Command, small_mle: list[str], tmp_path: Path) -> None:
    sentences = [f"the {a} sees the {b}" for a in "abcd" for b in "efgh"]
    rows = [f"{sentence},{i % 2}" for i, sentence in enumerate(sentences)]
    (tmp_path / "a.csv").write_text("\n".join(["text,kind", *rows]))
    words = ["data=text", "data.train=a.csv", "data.column=text", "data.label_column=kind"]
    shown = cli("data", "show", "text", *words[1:])
    assert shown.code == 0 and "(0: 7, 1: 7)" in shown.out, shown.out
    found = cli("train", *(w for w in small_mle if not w.startswith("data")), *words, "name=r")
    assert found.code == 0, found.err
    assert cli("eval", "bleu", "r", "-n", "10").code == 0
