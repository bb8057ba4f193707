"""What is scored: samples of a model, files, and real text in the place of samples."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gantext.config.settings import Device
from gantext.data import Reads
from gantext.data.vocabulary import Vocabulary
from gantext.errors import UserError
from gantext.evaluation import subjects
from gantext.evaluation.ground import Ground, Real, digest_of
from gantext.evaluation.keepers import CachedScores
from gantext.evaluation.subjects import Subject, blank_origin, chosen, of_file, of_model, of_real
from gantext.inference import sampling
from gantext.inference.request import Candidates, SamplingRequest
from gantext.metrics.text.preparation import AS_IT_IS, Preparation
from gantext.metrics.text.texts import Texts
from gantext.runs import trained
from gantext.runs.kinds import PICTURES, TEXT


@pytest.mark.parametrize(
    ("n", "taken", "said"),
    [
        (None, 3, None),
        (3, 3, None),
        (2, 2, "the first 2 of 3 sentences are scored"),
        (4, 3, "only 3 sentences, not 4"),
    ],
)
def test_the_first_sentences_of_a_file(
    n: int | None, taken: int, said: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a b\nc\nd\n")
    found = of_file(path, n)
    lines = ["a b", "c", "d"][:taken]
    assert (found.name, list(found.lines), found.size) == ("a.txt", lines, taken)
    assert found.notes == (() if said is None else (f"{path}: {said}",))
    assert found.origin == {"samples": "a.txt", "samples_hash": digest_of(lines)[:8]} == found.key
    assert found.path == path and found.drawn[1] is None


def test_sentences_without_a_word_are_counted() -> None:
    assert blank_origin(["a", " ", "", "b"]) == {"blank_samples": 2} and blank_origin(["a"]) == {}


def subject(size: int, *keepers: Any) -> Subject:
    return Subject("run", {}, {}, lambda: ((), None), size, keepers)


def test_real_text_stands_beside_as_many_samples_as_the_most() -> None:
    """A seeded choice in its order; all where there are no more. It is kept by the first run's
    folder and in the cache."""
    lines = Texts([f"line {n}" for n in range(30)])
    ground = Ground("h", lambda: Real(training=lines), size=30)
    beside = [subject(3), subject(8, "first", "second"), subject(5, "third")]
    found = of_real(ground, beside)
    places = sorted(np.random.default_rng(0).permutation(30)[:8])
    assert list(found.lines) == [lines[place] for place in places] == list(chosen(lines, 8))
    assert (found.name, found.size) == ("real", 8)
    assert found.origin == {"samples": "training text"}
    assert found.key == {"samples": "training text", "sentences": 8}
    assert found.keepers[0] == "first" and isinstance(found.keepers[1], CachedScores)
    assert len(found.keepers) == 2 and found.drawn[1] is None
    whole = of_real(ground, [subject(30), subject(31)])
    assert whole.lines is lines and whole.size == 30 and len(whole.keepers) == 1


def test_sentences_are_prepared_once_as_the_real_text_was() -> None:
    lines = Texts(["A b"])
    one = Subject("run", {}, {}, lambda: (lines, None), 1)
    assert one.prepared(AS_IT_IS) is one
    lower = one.prepared(Preparation(lowercase=True))
    assert list(lower.lines) == ["a b"]
    assert one.prepared(Preparation(lowercase=True)).lines is lower.lines


def test_words_are_the_models_own_or_the_corpuss_cut() -> None:
    corpus: Any = SimpleNamespace(vocabulary=Vocabulary.build([["a"]], tokenizer="whitespace"))
    own = Subject("run", {}, {}, lambda: (["a b"], [["a b"]]), 1)
    assert own.words(corpus) == [["a b"]]
    cut = Subject("run", {}, {}, lambda: (["a b"], None), 1)
    assert cut.words(corpus) == [["a", "b"]]


class Sampled(SimpleNamespace):
    """A model whose judge, where there is one, says that it judges."""

    def __init__(self, folder: str = "runs/one") -> None:
        run = SimpleNamespace(
            path=Path(folder), info={"data": "datahash"}, name_in=lambda within: folder[5:]
        )
        super().__init__(
            run=run,
            phase="mle",
            checkpoint=(7, "0123456789", "whole"),
            brief={"model": "mle"},
            kind=TEXT,
            key={"weights": "whole", "device": "cpu"},
            trained="trained",
        )

    def chooser(self, request: SamplingRequest, say: Any) -> Any:
        return SimpleNamespace(signature={"judge_auc": 0.75})


def test_samples_of_a_model_say_where_they_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name decides nothing; they are drawn once, and with a judge where one is asked for."""
    drawn = list[Any]()

    def draw(own: Any, request: Any, chooser: Any = None) -> tuple[Sequence[str], Any]:
        drawn.append((own, chooser and chooser.signature))
        return ["a b"], [["a", "b"]]

    monkeypatch.setattr(sampling, "draw", draw)
    model: Any = Sampled()
    request = SamplingRequest(5, 0.5, seed=3, phase="mle")
    found = of_model(model, request, Path("runs"))
    assert (found.name, found.size, found.keepers) == ("one@mle", 5, (model.run,))
    assert (found.model, found.path) == (model, model.run.path)
    assert (
        found.origin.items()
        >= {
            **{"run": "one", "model": "mle", "step": 7, "phase": "mle", "weights": "01234567"},
            **{"sampled": 5, "temperature": 0.5, "sample_seed": 3, "run_data": "datahash"},
        }.items()
    )
    assert "version" not in found.origin and "run" not in found.key
    assert found.key == {
        **{key: value for key, value in found.origin.items() if key != "run"},
        **model.key,
    }
    assert found.source() is found.source() and drawn == [("trained", None)]
    assert list(found.lines) == ["a b"] and isinstance(found.lines, Texts)
    assert found.ready(print) == {}
    judged = of_model(model, SamplingRequest(5, candidates=Candidates(3)), Path("runs"))
    assert judged.key["judge_forced"] is False and "judge_forced" not in judged.origin
    assert judged.ready(print) == {"judge_auc": 0.75}
    assert judged.drawn and drawn[1] == ("trained", {"judge_auc": 0.75})


def test_a_run_elsewhere_is_called_by_its_folder_alone() -> None:
    model: Any = Sampled("runs/../two")
    assert subjects.label(model, Path("runs")) == "two@mle"
    model.phase = None
    assert subjects.label(model, Path("runs")) == "two"


@pytest.mark.parametrize(
    ("data", "began", "known"),
    [("h", True, True), ("h", False, True), ("g", True, True), ("g", False, False)],
)
def test_a_likelihood_is_of_the_data_that_a_run_was_trained_on(
    data: str, began: bool, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trained, "began_on", lambda run, corpus: began)
    model: Any = SimpleNamespace(
        run=SimpleNamespace(info={"data": data}, path=Path("r")), trained="trained"
    )
    corpus: Any = "corpus"
    ground = Ground("h", lambda: Real(corpus=corpus))
    one = Subject("r", {}, {}, lambda: ((), None), 1, model=model)
    if known:
        assert subjects._tested(one, ground) == ("trained", corpus)
    else:
        with pytest.raises(UserError, match="r was trained on other data"):
            subjects._tested(one, ground)
    assert subjects._tested(subject(1), ground) is None
    assert subjects._tested(one, Ground("h")) is None


def test_a_model_reads_what_its_run_or_its_module_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subjects.models, "reads", lambda name: Reads.captioned)
    text = subjects.Model(SimpleNamespace(kind=TEXT, vocabulary=None), None, Device.cpu)  # type: ignore[arg-type]
    assert text.reads is Reads.text and text.preparation == AS_IT_IS
    words = Vocabulary.build([["a"]], tokenizer="char")
    picture: Any = subjects.Model(
        SimpleNamespace(kind=PICTURES, vocabulary=words),
        None,
        Device.cpu,  # type: ignore[arg-type]
    )
    vars(picture)["brief"] = {"model": "toy"}
    assert picture.reads is Reads.captioned and picture.preparation == Preparation.of(words)


def test_a_models_key_is_the_digest_of_all_that_its_checkpoint_holds() -> None:
    model: Any = subjects.Model(SimpleNamespace(), None, Device.cpu)  # type: ignore[arg-type]
    vars(model)["checkpoint"] = (3, "of the weights", "of all")
    assert model.key == {"weights": "of all", "device": "cpu"}
