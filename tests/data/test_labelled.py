"""Sentences with classes: batches that have both, and what data says of having them."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from gantext import data
from gantext.config.compose import compose, compose_data
from gantext.data import Reads
from gantext.data.batches import Batches
from gantext.data.labelled import LabelledBatch
from gantext.data.resident import ResidentLabelled, in_steps
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.models.build import task_of
from gantext.training.preparation import check_reads

SCENES = ["data=scenes", "data.train_size=40", "data.validation_size=4", "data.test_size=8"]


def test_a_batch_has_each_sentence_s_class() -> None:
    cfg = compose_data([*SCENES, "data.label=count"])
    corpus, plain = data.load_for(cfg, Reads.labelled), data.load(cfg)
    assert corpus.hash == plain.hash
    batch = Batches(corpus.train, 3).next(12)
    assert isinstance(batch, LabelledBatch) and len(batch) == 12
    assert torch.equal(batch.tokens, Batches(plain.train, 3).next(12))
    label_of = dict(zip(plain.train.text, plain.train.labels.tolist(), strict=True))
    lines = plain.vocabulary.lines(batch.tokens.tolist())
    assert batch.labels.tolist() == [label_of[line] for line in lines]
    assert batch.part(2, 5).labels.tolist() == batch.labels[2:5].tolist()
    counts = task_of(corpus, torch.device("cpu")).class_counts
    assert sum(counts) == 40 and len(counts) == len(corpus.classes)
    assert counts[0] == plain.train.labels.tolist().count(0)


def test_a_device_s_batch_is_the_split_s() -> None:
    """Its sentences have a few columns of <pad> more."""
    corpus = data.load_for(compose_data([*SCENES, "data.label=shape"]), Reads.labelled)
    chosen = torch.tensor([7, 0, 3])
    own = corpus.train.batch(chosen)
    held = ResidentLabelled(corpus.train, torch.device("cpu")).batch(chosen)
    more = in_steps(own.tokens.shape[1], 99) - own.tokens.shape[1]
    assert torch.equal(F.pad(own.tokens, (0, more), value=PAD), held.tokens) and more
    assert torch.equal(own.labels, held.labels)


def test_data_without_classes_is_refused_before_it_is_read() -> None:
    cfg = compose_data(SCENES)
    assert Reads.labelled in data.offers("scenes") and Reads.labelled not in data.offered(cfg)
    with pytest.raises(
        UserError, match=r"data=scenes: its sentences have no classes .*data\.label"
    ):
        data.load_for(cfg, Reads.labelled)
    with pytest.raises(UserError, match=r"no classes unless data\.label_column names them"):
        check_reads(compose(["model=sentigan", "data=text", "data.train=nothing.txt"]))
    with pytest.raises(UserError, match="model=catgan reads sentences with classes"):
        check_reads(compose(["model=catgan", "data=coco"]))


def test_one_class_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("text,mood\n" + "".join(f"line {n} here,good\n" for n in range(20)))
    words = [f"data.train={table}", "data.column=text", "data.label_column=mood"]
    with pytest.raises(UserError, match="all of one class"):
        data.load_for(compose_data(["data=text", *words]), Reads.labelled)
