"""docs/benchmark.md and the methods' lines of it are what the records give."""

from pathlib import Path

import pytest

from docs import benchmark
from gantext.evaluation.benchmark.record import write
from tests.conftest import ROOT
from tests.evaluation.benchmark.records import record


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return benchmark.pages()


def test_what_is_generated_is_not_stale(pages: dict[str, str]) -> None:
    """`make benchmark-docs` writes it anew."""
    for name, text in pages.items():
        assert (ROOT / "docs" / name).read_text() == text, name


def test_pages_are_made_of_records_alone(tmp_path: Path) -> None:
    write(record("gan", 1, 0.5, 0.02), tmp_path)
    write(record("gan", 2, 0.7, 0.04), tmp_path)
    made = benchmark.pages(tmp_path)
    page = made["benchmark.md"]
    (row,) = [
        line for line in page.splitlines() if line.startswith("| [`gan`]") and "not" not in line
    ]
    assert "| 2 | 0.6000 ± 0.1414 |" in row
    assert "+0.0300, **below its start** in 2 of 2 seeds | 2 |" in row
    assert "| real text | - |" in page and "- `grammatical`: `sentences:10`" in page
    assert "[`mle`](methods/mle.md) | not run |" in page
    line = "- [Scenes](../benchmark.md#scenes) (2 seeds): grammatical 0.6000 ± 0.1414;"
    assert line in made["methods/gan.md"]
    assert "#coco-captions): not run." in made["methods/gan.md"]
    assert benchmark.figures(tmp_path).keys() == {"benchmark-scenes.png"}


def test_bleus_room_is_said(pages: dict[str, str]) -> None:
    assert "room on COCO captions is .009" in pages["benchmark.md"]
