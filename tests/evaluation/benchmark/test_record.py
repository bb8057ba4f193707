"""Records: written and read back, and what is none."""

from pathlib import Path

import pytest

from gantext.errors import UserError
from gantext.evaluation.benchmark import record as made
from gantext.evaluation.benchmark.record import LIMIT, file_name, kept, read_all, write
from gantext.metrics.score import Score
from tests.evaluation.benchmark.records import record


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """One of the same method, data and seed takes its place; other settings are another method."""
    first, second = record("gan", 1, 0.5), record("gan", 2, 0.6)
    other = record("gan", 1, 0.7, steps=3)
    for one in (record("gan", 1, 0.1), first, second, other):
        assert write(one, tmp_path / "made").stat().st_size < LIMIT
    assert file_name(first) == "scenes-gan-s1.json" != file_name(other)
    assert sorted(map(file_name, read_all(tmp_path / "made"))) == sorted(
        path.name for path in (tmp_path / "made").iterdir()
    )
    assert first in read_all(tmp_path / "made") and other in read_all(tmp_path / "made")


def test_a_record_may_have_just_its_most_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = write(record("gan", 1, 0.5), tmp_path).stat().st_size
    monkeypatch.setattr(made, "LIMIT", size)
    write(record("gan", 1, 0.5), tmp_path)
    monkeypatch.setattr(made, "LIMIT", size - 1)
    with pytest.raises(UserError, match="a record has at most"):
        write(record("gan", 1, 0.5), tmp_path)


def test_what_is_too_large_or_no_record_is_refused(tmp_path: Path) -> None:
    large = {**record("gan", 1, 0.5), "settings": {"model.name": "x" * LIMIT}}
    with pytest.raises(UserError, match="a record has at most 20,000"):
        write(large, tmp_path)
    assert not [*tmp_path.iterdir()]
    (tmp_path / "a.json").write_text('{"method": 3}')
    with pytest.raises(UserError, match=r"a\.json"):
        read_all(tmp_path)


def test_scores_are_kept_with_six_digits_and_their_protocol() -> None:
    """Those that are asked for and that there are, in the order in which they are asked for."""
    signature = {"preset": "x", "seed": None, "run": "r", "sample_seed": 3}
    scores = [
        Score("a", 1.23456789, signature, 0.012345678),
        Score("b", 1234567.8),
        Score("c", 1.0),
    ]
    assert kept(scores, ["b", "missing", "a"]) == [
        {"name": "b", "value": 1234570.0, "signature": {}},
        {"name": "a", "value": 1.23457, "error": 0.0123457, "signature": {"preset": "x"}},
    ]
    assert (made.DIGITS, made.PLACES) == (6, 4)


def test_the_order_of_departures_makes_no_other_file_and_folders_are_made(tmp_path: Path) -> None:
    one, other = record("gan", 1, 0.5, a=1, b=2), record("gan", 1, 0.5, b=2, a=1)
    path = write(one, tmp_path / "deep" / "folder")
    assert path == write(other, tmp_path / "deep" / "folder")
    assert len(path.stem.removeprefix("scenes-gan-").removesuffix("-s1")) == 6


def test_what_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="seed"):
        write({**record("gan", 1, 0.5), "seed": -1}, tmp_path)
    assert not [*tmp_path.iterdir()]
