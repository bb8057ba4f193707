"""What is known of data without reading it: as long as its files are as they were."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gantext import data
from gantext.config.compose import compose_data
from gantext.config.schema import plain
from gantext.data import Reads
from gantext.errors import UserError
from gantext.evaluation import known_data
from gantext.evaluation.ground import Ground
from gantext.metrics.text.preparation import AS_IT_IS, Preparation

Find = Callable[..., tuple[Ground, int]]


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of sentences that has long been there, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GANTEXT_DATA", raising=False)
    monkeypatch.setattr(known_data, "SETTLED", -1)
    path = tmp_path / "t.txt"
    path.write_text("".join(f"a dog sees cat number {n}\n" for n in range(40)))
    return path


@pytest.fixture
def find(text: Path, monkeypatch: pytest.MonkeyPatch) -> Find:
    """Gives what is known of the file's sentences, and how often they have been loaded for it."""
    loads: list[object] = []
    real = data.load_for

    def counted(*words: Any) -> Any:
        loads.append(words)
        return real(*words)

    monkeypatch.setattr(data, "load_for", counted)

    def found(*words: str, beside: Preparation = AS_IT_IS) -> tuple[Ground, int]:
        cfg = compose_data(["data=text", f"data.train={text}", *words])
        loads.clear()
        return known_data.ground(plain(cfg), Reads.text, beside, lambda: cfg), len(loads)

    return found


def test_it_is_loaded_once_and_again_when_a_score_needs_it(find: Find) -> None:
    (first, loads), (second, again) = find(), find()
    assert (loads, again) == (1, 0)
    assert (second.hash, second.size, second.data) == (first.hash, first.size, "text")
    assert (second.preparation, second.notes) == (first.preparation, first.notes)
    assert second.size == len(second.training)
    for mine, theirs in ((second.training, first.training), (second.references, first.references)):
        assert list(mine) == list(theirs)


def test_how_text_is_prepared_is_known_too(find: Find) -> None:
    asked = Preparation(lowercase=True)
    (first, loads), (second, again) = (find(beside=asked) for _ in range(2))
    assert (loads, again) == (1, 0)
    assert first.preparation == second.preparation and second.preparation.lowercase


def test_one_of_two_files_that_changed_just_now_is_enough(find: Find, text: Path) -> None:
    test = text.with_name("test.txt")
    test.write_text("a dog sees cat number 3\n")
    later = time.time() + 1000  # than now, as by a clock that goes ahead
    os.utime(test, (later, later))
    assert [find(f"data.test={test}")[1] for _ in range(2)] == [1, 1]


def test_a_file_that_has_changed_is_loaded_again(find: Find, text: Path) -> None:
    before = find()[0]
    text.write_text(text.read_text() + "one more\n")
    after, loads = find()
    assert loads == 1 and after.hash != before.hash


def test_a_file_that_changed_just_now_may_change_again(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_data, "SETTLED", 10**13)
    assert [find()[1], find()[1]] == [1, 1]


def test_what_is_damaged_or_cannot_be_kept_is_loaded_again(find: Find, tmp_path: Path) -> None:
    find()
    (place,) = (tmp_path / "cache" / "gantext" / "known").iterdir()
    place.write_text("{")
    assert find()[1] == 1 and find()[1] == 0
    place.unlink()
    place.parent.rmdir()
    place.parent.write_text("no folder")
    assert [find()[1], find()[1]] == [1, 1]


def test_data_that_is_other_than_known_is_said(find: Find, tmp_path: Path) -> None:
    find()
    (place,) = (tmp_path / "cache" / "gantext" / "known").iterdir()
    place.write_text(json.dumps({**json.loads(place.read_text()), "hash": "0" * 64}))
    with pytest.raises(UserError, match="has changed meanwhile: run the command again"):
        _ = find()[0].training
    assert find()[1] == 1


def test_files_that_nobody_can_name_are_loaded_each_time(text: Path) -> None:
    pattern = os.path.join(text.parent, "*.txt")
    assert data.sources(compose_data(["data=text", f"data.train={pattern}"])) is None
    assert data.sources(compose_data(["data=text", f"data.train={text}"])) == (text,)
    assert data.sources(compose_data(["data=scenes"])) == ()
    assert data.sources(compose_data(["data=coco"])) is None  # it is not on this machine


def test_what_is_known_has_a_name_that_no_order_of_values_changes(text: Path) -> None:
    places = {
        known_data._place(values, Reads.text, AS_IT_IS)
        for values in ({"name": "text", "train": "a"}, {"train": "a", "name": "text"})
    }
    (place,) = places
    assert place.parent == known_data.folder() and len(place.stem) == 16
    asked = Preparation(lowercase=True)
    assert known_data._place({"name": "text", "train": "a"}, Reads.text, asked) != place


def test_a_file_has_settled_two_seconds_after_its_change(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its change of content or of place, whichever is later."""
    monkeypatch.undo()
    assert known_data.SETTLED == 2_000_000_000
    monkeypatch.setattr(data, "sources", lambda cfg: (text,))
    os.utime(text, ns=(0, 0))
    changed, place = text.stat().st_ctime_ns, tmp_path / "known.json"
    for late, kept in ((-1, False), (0, True)):
        now = changed + known_data.SETTLED + late
        monkeypatch.setattr(known_data.time, "time_ns", lambda now=now: now)
        known_data._keep(place, Ground("hash"), None)
        assert place.exists() == kept


@pytest.mark.parametrize(("sources", "digest"), [(None, "hash"), ((), None)])
def test_nothing_is_kept_of_unknown_files_or_of_nothing(
    sources: tuple[Path, ...] | None,
    digest: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(data, "sources", lambda cfg: sources)
    known_data._keep(tmp_path / "known.json", Ground(digest), None)
    assert not list(tmp_path.iterdir())
