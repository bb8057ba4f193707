"""A measure of an installed package: it appears wherever our own do."""

import json
from pathlib import Path

import pytest

from tests.conftest import Command

TOY = '''"""The share of letters that are vowels."""

from gantext.evaluation.measure import Command, Measure


def vowels(subject, ground, protocol):
    from gantext.metrics.score import Score, signed

    letters = [c for line in subject.lines for c in line if c.isalpha()]
    share = sum(c in "aeiou" for c in letters) / len(letters)
    return [Score("vowels", share, signed(sentences=len(subject.lines), data=ground.hash))]


ROW = Measure(
    name="vowels",
    compute="toy_measure:vowels",
    command=Command(title="vowels", about="The share of vowels."),
    after_phase=True,
    columns=("vowels",),
    summary=("vowels",),
)
'''


@pytest.fixture
def site(tmp_path: Path) -> str:
    """A folder as pip leaves it, with the toy measure in it."""
    folder = tmp_path / "site"
    facts = folder / "toy_measure-1.0.dist-info"
    facts.mkdir(parents=True)
    (folder / "toy_measure.py").write_text(TOY)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-measure\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[gantext.measures]\nvowels = toy_measure:ROW\n")
    return str(folder)


def test_a_measure_from_outside(
    shell: Command, site: str, small_mle: list[str], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        found = shell("train", *small_mle, f"name={name}", PYTHONPATH=site)
        assert found.code == 0, found.err

    listed = shell("eval", "--help", PYTHONPATH=site).out
    assert "The share of vowels." in listed and listed.index("frechet") < listed.index("vowels")
    assert "--temperature" in shell("eval", "vowels", "--help", PYTHONPATH=site).out
    assert "--preset" not in shell("eval", "vowels", "--help", PYTHONPATH=site).out

    (row, _) = json.loads(shell("runs", "list", "--json", PYTHONPATH=site).out)
    assert 0.2 < row["scores"]["vowels"] < 0.6
    assert "vowels" in shell("runs", "list", PYTHONPATH=site).out

    found = shell("eval", "vowels", "a", "--json", PYTHONPATH=site)
    own, real = json.loads(found.out)
    assert (own["name"], real["name"]) == ("vowels", "real-vowels"), found.err
    assert own["signature"]["run"] == "a" and own["signature"]["sentences"] == 50
    assert list((tmp_path / "runs" / "a" / "scores").glob("vowels-*.json"))

    assert "vowels" in shell("compare", "a", "b", PYTHONPATH=site).out
    found = shell("report", "a", "--temperatures", "none", PYTHONPATH=site)
    assert found.code == 0, found.err
    assert "vowels" in (tmp_path / "report.html").read_text()


def test_without_the_package_there_is_no_such_measure(shell: Command) -> None:
    found = shell("eval", "vowels")
    assert found.code == 2 and "No such command 'vowels'" in found.err


def test_one_that_cannot_be_imported_is_named(shell: Command, site: str) -> None:
    (Path(site) / "toy_measure.py").write_text("import there_is_no_such_module\n")
    found = shell("eval", "bleu", PYTHONPATH=site)
    assert found.code == 2 and len(found.errors) == 1
    assert "the measure toy_measure:ROW cannot be imported" in found.err
    assert shell("--help", PYTHONPATH=site).code == 0
