"""Records: written and read back, and what is none."""

from pathlib import Path

import pytest

from gantext.errors import UserError
from gantext.evaluation.benchmark import record as made
from gantext.evaluation.benchmark.record import LIMIT, file_name, read_all, write
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
