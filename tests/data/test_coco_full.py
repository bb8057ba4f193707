"""LeakGAN's protocol for MS-COCO, on small files of the format of its annotations."""

import json
from pathlib import Path
from typing import Any

import pytest

from gantext import data
from gantext.config.compose import compose_data
from gantext.data.corpus import Corpus
from gantext.errors import UserError


def annotations(captions: list[str]) -> dict[str, Any]:
    """As in captions_train2014.json."""
    rows = [{"image_id": 9, "id": i, "caption": text} for i, text in enumerate(captions)]
    return {"info": {"year": 2014}, "images": [{"id": 9}], "licenses": [], "annotations": rows}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """30 captions of frequent words, 9 with a rare word, one of 33 words."""
    frequent = [f"A {colour} dog\n runs. " for colour in ("red", "blue", "green")] * 10
    rare = ["A rare dog runs."] * 9
    (tmp_path / "train.json").write_text(json.dumps(annotations(frequent[:15] + rare)))
    (tmp_path / "val.json").write_text(json.dumps(annotations([*frequent[15:], "dog " * 33])))
    return tmp_path


def load(folder: Path, *words: str) -> Corpus:
    files = [f"data.train2014={folder}/train.json", f"data.val2014={folder}/val.json"]
    return data.load(compose_data(["data=coco_full", *files, *words]))


SIZES = ("data.train_size=20", "data.test_size=10", "data.validation=0")


def test_rare_words_go_with_their_sentences(folder: Path) -> None:
    """Each colour stands in 10 captions, "rare" in 9."""
    corpus = load(folder, *SIZES)
    assert (len(corpus.train), len(corpus.validation), len(corpus.test)) == (20, 0, 10)
    text = [*corpus.train.text, *corpus.test.text]
    assert sorted(text) == sorted(
        f"A {c} dog runs." for c in ("red", "blue", "green") for _ in "1" * 10
    )
    assert set(corpus.vocabulary.words[4:]) == {"a", "red", "blue", "green", "dog", "runs", "."}
    assert corpus.notes[:2] == (
        "captions: 1 lines longer than max_length=32 were dropped",
        "9 of 39 sentences dropped with a word seen fewer than 10 times",
    )


def test_the_seed_decides(folder: Path) -> None:
    one, same, other = (load(folder, *SIZES, f"data.split_seed={seed}") for seed in (0, 0, 1))
    assert one.hash == same.hash != other.hash


def test_too_few_sentences(folder: Path) -> None:
    with pytest.raises(UserError) as caught:
        load(folder)
    assert str(caught.value) == (
        "data.train_size=80000 and data.test_size=5000 are more than the 30 sentences that are "
        "left of 40 captions"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"annotations": [{"caption": 3}]}', "has no captions: annotations of MS-COCO"),
        ('{"images": []}', "has no captions: annotations of MS-COCO"),
        ("[1]", "has no captions: annotations of MS-COCO"),
        ('{"annotations": [', "is not JSON: Expecting value"),
        ("[" * 100_000, "is not JSON: "),
    ],
)
def test_refused(folder: Path, content: str, said: str) -> None:
    (folder / "val.json").write_text(content)
    with pytest.raises(UserError) as caught:
        load(folder, *SIZES)
    message = str(caught.value)
    assert message.startswith(f"{folder}/val.json {said}") and "\n" not in message
