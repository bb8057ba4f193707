"""What a request comes to: its words, its protocol, and what it is scored against."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gantext.config.settings import Device
from gantext.data import Reads
from gantext.data.vocabulary import UNK
from gantext.errors import UserError
from gantext.evaluation import request as made
from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Protocol
from gantext.evaluation.request import Asked, check_kind
from gantext.inference.request import Candidates, SamplingRequest
from gantext.metrics.text.preparation import AS_IT_IS, Preparation
from gantext.records.content import Damaged
from gantext.runs.kinds import PICTURES, TEXT

PLAIN: dict[str, Any] = {
    "words": (),
    "samples": (),
    "references": None,
    "preset": "texygen",
    "n": None,
    "asked_temperature": None,
    "asked_seed": None,
    "phase": None,
    "encoder": None,
    "device": Device.cpu,
    "runs_dir": Path("no runs"),
}


def asked(*words: str, **more: Any) -> Asked:
    return Asked(**{**PLAIN, "words": words, **more})


def model(name: str = "one", **brief: Any) -> Any:
    own = {"samples": 50, "temperature": 0.75, "seed": 9, "preset": "texygen"}
    return SimpleNamespace(
        brief={**own, "data": {"name": name}, **brief},
        phase="mle",
        kind=TEXT,
        run=SimpleNamespace(path=Path(name), info={"data": "hash"}, name_in=lambda folder: name),
        preparation=AS_IT_IS,
        vocabulary=None,
    )


@pytest.fixture
def of_runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The models that are asked for."""
    found = [model("one"), model("two", seed=4, temperature=2.0), model("one")]
    monkeypatch.setattr(Asked, "models", lambda self: found)
    return found


def test_a_folder_with_an_equals_sign_is_a_run_and_no_override(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here, or among the runs; also where a phase is named."""
    monkeypatch.chdir(tmp_path)
    for folder in ("runs/a=b", "c=d"):
        Path(folder).mkdir(parents=True)
    words = ["a=b", "e", "a=b@mle", "data=scenes", "c=d"]
    found = asked(*words, runs_dir=Path("runs"))
    assert found.overrides == ["data=scenes"] and found.data_name == "scenes"
    assert found.runs == ["a=b", "e", "a=b@mle", "c=d"]
    assert asked().runs == [""] and asked(samples=(Path("a"),)).runs == []
    assert asked().data is None and asked().overrides == []


def test_samples_are_by_default_those_of_the_first_runs_own_scores(of_runs: list[Any]) -> None:
    first = asked("one", "two")
    assert (first.temperature, first.seed) == (0.75, 9)
    given = asked("one", asked_temperature=0.0, asked_seed=0)
    assert (given.temperature, given.seed) == (0.0, 0)
    files = asked(samples=(Path("a"),))
    assert (files.temperature, files.seed) == (1.0, 0)
    assert first.request(of_runs[1]) == SamplingRequest(50, 0.75, seed=9, phase="mle")
    kept = asked("one", n=7, candidates=Candidates(3)).request(of_runs[0])
    assert kept == SamplingRequest(7, 0.75, seed=9, phase="mle", candidates=Candidates(3))
    assert first.data_name == "one two"


@pytest.mark.parametrize(
    ("temperature", "of_likelihood"), [(None, None), (1.0, None), (2.0, 2.0), (0.5, 0.5)]
)
def test_the_protocol_has_all_choices(
    temperature: float | None, of_likelihood: float | None
) -> None:
    """At temperature 1 the likelihood is the model's own."""
    chosen = asked(
        **{"preset": "texygen", "asked_seed": 3, "encoder": "e", "device": Device.cpu, "n": 5},
        **{"draws": 7, "sentences": 8, "probes": 9, "examples": "1,2"},
        asked_temperature=temperature,
    )
    assert chosen.protocol == Protocol(
        **{"preset": "texygen", "seed": 3, "encoder": "e", "device": Device.cpu, "samples": 5},
        **{"draws": 7, "sentences": 8, "probes": 9, "examples": "1,2"},
        temperature=of_likelihood,
    )
    assert asked(asked_seed=0).protocol == Protocol(preset="texygen", seed=0, device=Device.cpu)


def test_seeds_follow_on_the_first() -> None:
    several = asked(asked_seed=5, seeds=3).of_each_seed()
    assert [(one.seed, one.seeds) for one in several] == [(5, 1), (6, 1), (7, 1)]
    alone = asked(asked_seed=5)
    assert alone.of_each_seed() == [alone] and alone.of_each_seed()[0] is alone


def test_what_differs_from_a_runs_own_scores_is_said() -> None:
    """Of pictures the seed alone matters."""
    given = asked(asked_seed=3, asked_temperature=0.5, preset="relgan")
    said = ["seed 3 (own: 9)", "temperature 0.5 (own: 0.75)", "preset relgan (own: texygen)"]
    own = model()
    assert given.unlike_own(own) == said
    own.kind = PICTURES
    assert given.unlike_own(own) == said[:1]
    same = asked(asked_seed=9, asked_temperature=0.75)
    assert same.unlike_own(model()) == []


def test_sentences_are_asked_for_by_a_file_or_one_model_of_text(of_runs: list[Any]) -> None:
    assert asked("one").of_text
    for one in of_runs[1:]:
        one.kind = PICTURES
    assert asked("one").of_text
    of_runs[0].kind = PICTURES
    assert not asked("one").of_text and asked("one", samples=(Path("a"),)).of_text
    assert asked("one").labels() == {"one@mle", "two@mle"}


def test_files_are_read_once_as_far_as_asked_and_said_of_once(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a\nb\nc\n")
    found = asked(samples=(path,), n=2)
    assert found.files()[0] is found.files()[0] and found.files()[0].size == 2
    assert found.notes == [f"{path}: the first 2 of 3 sentences are scored"]
    found.note(["x", *found.notes, "y"])
    assert found.notes[1:] == ["x", "y"]


def test_what_needs_no_real_text_has_none() -> None:
    """Where all that is asked for needs none, and none is named."""
    alone = asked(samples=(Path("a"),))
    assert alone.ground([], ["self-bleu", "unique"]) == Ground(None)
    for names in ([], ["bleu"], ["self-bleu", "bleu"]):
        with pytest.raises(UserError, match="references are needed"):
            alone.ground([], names)


def test_lost_data_leaves_what_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """One such measure is enough; of data or references that are named nothing is lost."""

    def lost(self: Asked, models: Any) -> Ground:
        raise UserError("the data is lost")

    monkeypatch.setattr(Asked, "_ground", lost)
    asked_of = list[str]()
    for name in ("common_reads", "common_data"):
        monkeypatch.setattr(made, name, lambda models, name=name: asked_of.append(name))
    one = model()
    one.preparation = Preparation(unknown=True)
    given = asked("one")
    found = given.ground([one], ["bleu", "self-bleu"])
    assert (found.hash, found.lost, found.size) == ("hash", True, 0)
    assert asked_of == ["common_reads", "common_data"]  # which refuse runs of different data
    assert found.preparation == AS_IT_IS
    assert (
        given.notes
        == [*found.notes]
        == ["the data is lost; what needs no data is scored, and what is stored is read back"]
    )
    for count, hidden in ((0, False), (1, True), (2, True)):
        counts = [0] * 5
        counts[UNK] = count
        one.vocabulary = SimpleNamespace(counts=counts)
        assert asked("one").ground([one], ["self-bleu"]).preparation.unknown == hidden
    refused = (asked("one", references=Path("a")), asked("one", "data=scenes"))
    for one_asked, names in (
        (given, ["bleu"]),
        (given, []),
        *((r, ["self-bleu"]) for r in refused),
    ):
        with pytest.raises(UserError, match="the data is lost"):
            one_asked.ground([one], names)


def test_what_runs_are_scored_against_is_found_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that any of their data does to text is done to it, and to files of references."""
    asked_for = list[Any]()

    def ground(values: Any, reads: Any, prepared: Preparation, config: Any) -> Ground:
        asked_for.append((values, reads, prepared, config()))
        return Ground("h", size=3, preparation=Preparation(characters=True), notes=("noted",))

    monkeypatch.setattr(made, "common_reads", lambda models: Reads.text)
    monkeypatch.setattr(made, "common_data", lambda models: ({"name": "toy"}, lambda: "config"))
    monkeypatch.setattr(made.known_data, "ground", ground)
    models = [model(), model(), model()]
    models[1].preparation = Preparation(lowercase=True)
    given = asked("one")
    assert given.ground(models) is given.ground(models) and given.notes == ["noted"]
    lower = Preparation(lowercase=True)
    assert asked_for == [({"name": "toy"}, Reads.text, lower, "config")]
    path = tmp_path / "a.txt"
    path.write_text("A\n")
    beside = asked("one", references=path)
    assert list(beside.ground(models).references) == ["a"] and len(asked_for) == 1
    assert beside.ground(models) is beside.ground(models)
    named = asked("one", "data=scenes", references=path).ground(models)
    assert asked_for[1][0]["name"] == "scenes" and asked_for[1][3].name == "scenes"
    assert list(named.references) == ["A"] and named.preparation.characters


def test_a_word_names_its_phase_or_takes_the_one_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def find(word: str, folder: Path) -> Any:
        name, _, phase = word.partition("@")
        return SimpleNamespace(path=Path(name)), phase or None

    monkeypatch.setattr(made.listing, "find_trained_at", find)
    given = asked("a@mle", "b", "a", phase="ae")
    first, second, third = given.models()
    assert [one.phase for one in (first, second, third)] == ["mle", "ae", "ae"]
    assert first.run is third.run and first is given.models()[0]
    assert given.at(third, "mle") is first and first.device is Device.cpu
    assert asked("a").models()[0].phase is None


def test_damaged_runs_are_left_out_and_said_unless_all_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Read:
        preparation, checkpoint = AS_IT_IS, (1, "", "")

        def __init__(self, word: str) -> None:
            self.word = word

        @property
        def settings(self) -> Any:
            if self.word.startswith("bad"):
                raise Damaged(Path(self.word) / "config.yaml", "no text")

    monkeypatch.setattr(Asked, "_model", lambda self, word: Read(word))
    given = asked("a", "bad", "b", asked_seed=1)
    left, status = given.readable()
    assert left.words == ("a", "b") and status == {"bad": "damaged: config.yaml: no text"}
    assert given.notes == ["bad: damaged: config.yaml: no text"] and left.notes is given.notes
    assert dataclasses.replace(left, words=given.words) == given
    whole, none = asked("a").readable()
    assert (whole.words, none) == (("a",), {})
    for words in (("bad",), ("bad", "bad2")):
        with pytest.raises(Damaged):
            asked(*words).readable()


def test_measures_of_text_alone_are_refused_to_pictures() -> None:
    check_kind(model(), ["pictures", "bleu"])
    one = model()
    one.run.refusal = UserError
    with pytest.raises(UserError, match="needs a model of pictures"):
        check_kind(one, ["pictures"])
