"""eval class-accuracy: how it is shared out, and that the judge knows real sentences."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from gantext import data
from gantext.config.compose import compose_data
from gantext.data.vocabulary import PAD
from gantext.evaluation.judges import class_judge
from gantext.evaluation.measure import Protocol
from gantext.evaluation.measures import class_accuracy as measure

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("counts", "n", "expected"),
    [
        ((3, 1), 8, [6, 2]),
        ((2, 1), 4, [3, 1]),
        ((1, 0, 1), 3, [2, 0, 1]),
        ((5,), 2, [2]),
        ((9, 41), 5, [1, 4]),
        ((499_999_999, 500_000_001), 1, [0, 1]),
        ((7,) * 40, 60, [2] * 20 + [1] * 20),
    ],
)
def test_classes_as_often_as_in_training(counts: Any, n: int, expected: list[int]) -> None:
    """Of 2 : 1 of 4 sentences 2.67 and 1.33 are asked for: the first is rounded up."""
    found = measure.shared_out(counts, n)
    assert torch.bincount(found, minlength=len(counts)).tolist() == expected


class Copier:
    """Writes real test sentences of the class, or of the one after it."""

    def __init__(self, corpus: Any, off: int) -> None:
        self.corpus, self.off = corpus, off
        self.tokens = corpus.test.tokens.padded(corpus.max_length)

    def sample_of(self, labels: Tensor, rng: torch.Generator, options: Any) -> Tensor:
        of_test = torch.from_numpy(self.corpus.test.labels.copy())
        tokens = torch.full((len(labels), self.corpus.max_length), PAD)
        for row, label in enumerate(labels.tolist()):
            wanted = (label + self.off) % len(self.corpus.classes)
            own = (of_test == wanted).nonzero()[:, 0]
            tokens[row] = self.tokens[own[row % len(own)]]
        return tokens


def test_the_judge_knows_real_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two classes by a word: it agrees with copies of test sentences, never with those of the
    other class; its own accuracy stands in the signature, and it is trained once."""
    table = tmp_path / "a.csv"
    names = {"good": ("nice", "lovely"), "bad": ("nasty", "ugly")}
    lines = [
        f"the {word} {thing} is here,{mood}"
        for mood, words in names.items()
        for word in words
        for thing in ("cat", "dog", "sea", "day", "tree")
    ]
    table.write_text("\n".join(["text,mood", *lines * 3]) + "\n")
    words = [f"data.train={table}", f"data.test={table}", "data.column=text"]
    corpus = data.load(compose_data(["data=text", *words, "data.label_column=mood"]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(class_judge, "STEPS", 60)
    found = {}
    for off in (0, 1):
        trained = SimpleNamespace(algorithm=Copier(corpus, off), device=CPU)
        monkeypatch.setattr(measure, "_tested", lambda *_, trained=trained: (trained, corpus))
        protocol = Protocol(preset="texygen", seed=0, sentences=40)
        (found[off],) = measure.class_accuracy(None, None, protocol)  # type: ignore[arg-type]
        monkeypatch.setattr(class_judge, "_train", None)  # from the cache
    assert (found[0].value, found[1].value) == (1, 0)
    said = found[0].signature
    assert said["judge_accuracy"] == 1 and said["sentences"] == 40
    assert said.items() >= {"classes": 2, "seed": 0, "data": corpus.hash}.items()
    assert said["labels"] == corpus.labels_hash[:8]
    judge = class_judge.load_class_judge(corpus, tmp_path / "cache" / "gantext" / "judges")
    assert said["judge"] == judge.id
    bare = SimpleNamespace(classes=())
    for unknown in (None, (None, bare)):
        monkeypatch.setattr(measure, "_tested", lambda *_, unknown=unknown: unknown)
        assert measure.class_accuracy(None, None, protocol) == []  # type: ignore[arg-type]
