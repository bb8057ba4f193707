"""Every score has a meaning, and the arrows of docs/scores.md are those of the table."""

import ast
import json
import re
from pathlib import Path

import pytest

from gantext.evaluation import measures
from gantext.metrics.meaning import numbered
from gantext.metrics.meanings import MEANINGS, better, names, read

ROOT = Path(__file__).parents[2]
ARROWS = {"↑": "higher", "↓": "lower", "≈": "real"}
# The rows of docs/scores.md: | `name`, `name` ... `name` | what it is | arrow |
ROWS = re.compile(r"^\| (`.+?`) \| .+ \| ([↑↓≈]) ?\|$", re.M)


def test_names_are_numbered_from_the_first_to_the_last() -> None:
    assert numbered("bleu", 2, 4) == ("bleu-2", "bleu-3", "bleu-4")


def stored_names() -> set[str]:
    """The scores of `eval all` of trained runs, and those that the old runs hold."""
    golden = [json.loads(path.read_text()) for path in ROOT.glob("tests/golden/signatures*.json")]
    paths = ROOT.glob("tests/old_runs/*/scores/*.json")
    kept = [json.loads(path.read_text())["scores"] for path in paths]
    return {score["name"] for scores in [*golden, *kept] for score in scores}


def written_names() -> set[str]:
    """The first words of every `Score("...")` of the code; "..." stands where a name is made."""
    calls = [
        node
        for folder in ("evaluation", "metrics")
        for path in (ROOT / "gantext" / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Score", "_score")
    ]
    found = set()
    for first in [call.args[0] for call in calls if call.args]:
        parts = first.values if isinstance(first, ast.JoinedStr) else [first]
        texts = [str(part.value) if isinstance(part, ast.Constant) else "..." for part in parts]
        found.add("".join(texts))
    return {name for name in found if name.strip(".")}


def documented() -> dict[str, str]:
    """The arrow of each score that docs/scores.md gives one."""
    found = {}
    for cell, arrow in ROWS.findall((ROOT / "docs/scores.md").read_text()):
        for name in re.findall("`(.+?)`", cell):
            found[name] = arrow
    return found


def test_every_score_that_runs_have_got_has_a_meaning() -> None:
    stored = stored_names()
    assert {"bleu-4[9-12]", "real-bleu-4", "iw-nll", "retrieval-1-seen-real"} <= stored
    assert not [name for name in stored if read(name) is None]
    rows = measures.table().values()
    declared = {name for row in rows for name in (*row.columns, *row.summary)}
    assert not [name for name in declared if read(name) is None]


def test_every_score_that_the_code_names_has_a_meaning() -> None:
    written = written_names()
    assert {
        "nll-test",
        "imputed-exact",
        "adversarial-error",
        "ms-jaccard-...",
        "lm-score",
    } <= written
    for name in written - {"...[...]", "......"}:
        pattern = re.escape(name).replace(re.escape("..."), ".*")
        assert any(re.fullmatch(pattern, own) or read(name) for own in names()), name


def test_the_arrows_of_the_page_of_scores_are_those_of_the_table() -> None:
    found = documented()
    assert len(found) > 30
    assert {name: ARROWS[arrow] for name, arrow in found.items()} == {
        name: better(name) for name in found
    }


def test_a_best_state_is_never_chosen_against_the_better_way() -> None:
    for row in measures.table().values():
        assert not [name for name in row.rising if better(name) == "lower"]
        assert not [name for name in row.falling if better(name) == "higher"]


def test_each_entry_says_all_that_is_asked_of_it() -> None:
    commands = {f"eval {row.name}" for row, _ in measures.commanded()} | {"eval frontier"}
    for one in MEANINGS:
        assert one.says.endswith(".") and one.formula and one.scale and one.computed, one.names
        assert one.command in commands, one.names
    assert len(names()) == len({*names()})


@pytest.mark.parametrize(
    "name, way, of",
    [
        ("bleu-4", "real", ()),
        ("bleu-4[9-12]", "real", ("of sentences of 9-12 tokens",)),
        ("bleu-5[17+]", "real", ("of sentences of 17+ tokens",)),
        ("retrieval-1-seen", "higher", ("of captions that the model was trained on",)),
        ("frechet", "lower", ()),
        ("kl", None, ()),
    ],
)
def test_a_name_is_read(name: str, way: str | None, of: tuple[str, ...]) -> None:
    known = read(name)
    assert known is not None and known.of == of and better(name) == way


def test_of_a_floor_neither_way_is_better_and_an_unknown_name_has_none() -> None:
    assert better("real-bleu-4") is None and read("real-bleu-4") is not None
    assert better("frechet-real") is None and read("frechet-real") is not None
    known = read("retrieval-1-seen-real")
    assert known is not None and len(known.of) == 2 and known.better is None
    assert read("bleu-6") is None and better("bleu-6") is None and read("real-") is None


def test_two_scores_of_one_name_are_both_given() -> None:
    known = read("frechet")
    assert known is not None
    assert [one.command for one in known.meanings] == ["eval frechet", "eval pictures"]
    assert len({one.better for one in known.meanings}) == 1
