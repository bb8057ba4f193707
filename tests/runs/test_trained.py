"""What a run says of the data that it learned from."""

import dataclasses
from pathlib import Path
from typing import Any

from gantext.data.corpus import Corpus, Sentences, build_corpus, content_hash
from gantext.runs.folder import RunDir
from gantext.runs.trained import began_on, data_facts

WORDS = [["a"], ["b"], ["c", "b"]]


def corpus(labels: str = "", words: list[list[str]] = WORDS) -> Corpus:
    train = Sentences.of(words, [" ".join(one) for one in words], tuple(labels))
    test = Sentences.of([["a"]], ["a"], tuple(labels[:1]))
    return build_corpus("made", train.vocabulary(), train, test, test)


def run_of(tmp_path: Path, data: Corpus, facts: dict[str, Any]) -> RunDir:
    return RunDir.create(tmp_path / "run", "seed: 1\n", data.vocabulary.to_json(), facts)


def test_the_text_of_a_run_is_known_by_one_hash_whatever_its_classes(tmp_path: Path) -> None:
    plain, labelled = corpus(), corpus("xyx")
    assert data_facts(labelled)["data"] == data_facts(plain)["data"] == plain.hash
    assert "labels" not in data_facts(plain)
    assert corpus(words=[["a"], ["b"], ["c", "c"]]).hash != plain.hash
    run = run_of(tmp_path, labelled, data_facts(labelled))
    assert began_on(run, labelled)
    for other in (corpus("xyy"), corpus("xzx"), plain, corpus("xyx", [["a"], ["b"], ["c"]])):
        assert not began_on(run, other)


def test_a_run_without_classes_began_on_text_without_classes(tmp_path: Path) -> None:
    run = run_of(tmp_path, corpus(), data_facts(corpus()))
    assert began_on(run, corpus())
    assert not began_on(run, corpus("xyx"))


def test_an_earlier_run_has_its_classes_in_the_hash_of_its_text(tmp_path: Path) -> None:
    data = corpus("xyx")
    known = content_hash(data.vocabulary, data.splits, data.classes)
    facts = {**data_facts(data), "data": known}
    del facts["labels"]
    run = run_of(tmp_path, data, facts)
    assert began_on(run, data)
    assert not began_on(run, corpus("xyy"))
    assert not began_on(run, dataclasses.replace(data, classes=("x", "w")))
