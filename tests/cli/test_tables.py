"""Tables as lines of a terminal: no cell is lost, no line too wide, no name folded."""

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from gantext.cli import tables
from gantext.cli.formats import Format, latex, markdown
from gantext.cli.grid import Cell, Grid, label
from gantext.cli.layout import Table, best, parts_of
from gantext.cli.sweep_table import ranges
from gantext.evaluation.sweep_axis import tails
from gantext.metrics.score import Score, shown_error
from gantext.training.short_names import shortened

NAME, SCORES = "2026-11-25_23-44-46-leakgan-coco-s1", [f"score-{i}" for i in range(8)]
VALUES = [f"0.{i}234" for i in range(8)]
WIDE = st.sampled_from(["a", "of", "leakgan", "seed=1", "\u4e00\u4e8c", "é"])
ODD = ["", "x" * 70, "two\nlines", "[bold]a[/]", ":smile:", "a" * 38 + " b"]
TEXT = st.lists(WIDE, max_size=14).map(" ".join) | st.sampled_from(ODD)
NAMES = st.lists(st.text("abc-\u4e8c", max_size=40), min_size=1, max_size=12)


def lines_of(table: Table, room: int) -> list[str]:
    parts, _ = parts_of(table, room)
    return [line for part in parts for line in (*part.head, *part.body)]


def letters(lines: Sequence[str]) -> Counter[str]:
    return Counter("".join("".join(lines).split()).replace("─", ""))


@pytest.mark.parametrize("width", [60, 80, 160])
def test_every_cell_is_whole(width: int) -> None:
    """Eight scores, each below its head, in each part beside the name that its row is of."""
    table = Table("runs", ["run", *SCORES], [[NAME, *VALUES], ["b", *VALUES[::-1]]])
    parts, whole = parts_of(table, width)
    (name,) = [*whole, *([] if whole else [NAME])]
    assert whole.get(name, NAME) == NAME and (len(parts) == 1) == (width == 160)
    for part in parts:
        assert part.head[0].split()[0] == "run" and part.body[0].split()[0] == name
        for score, value in zip(part.head[0].split()[1:], part.body[0].split()[1:], strict=True):
            assert value == VALUES[SCORES.index(score)]
            end = part.head[0].index(score) + len(score)
            assert end == part.body[0].index(value) + len(value)
    assert sum(len(part.head[0].split()) - 1 for part in parts) == len(SCORES)


@given(rows=st.lists(st.tuples(TEXT, TEXT, st.sampled_from(["-", "0.1234"])), max_size=4))
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("room", [50, 71, 200])
def test_what_folds_loses_nothing(room: int, rows: list[tuple[str, str, str]]) -> None:
    """Letters two cells wide, long words, lines of their own."""
    table = Table("t", ["first", "second", "bleu-2"], rows, texts=range(2), keys=0)
    lines = lines_of(table, room)
    assert max(map(cell_len, lines)) <= room
    assert letters(lines) == letters([*table.columns, *(cell for row in rows for cell in row)])


@given(names=NAMES, room=st.integers(6, 30))
def test_short_names_stay_different(names: list[str], room: int) -> None:
    short = shortened(names, room)
    assert short.keys() == set(names) and len(set(short.values())) == len(short)
    assert all(cell_len(one) <= room for one in short.values())
    assert all(short[name] == name for name in names if cell_len(name) <= room)


def test_a_name_is_cut_in_its_middle() -> None:
    assert shortened([NAME], 16) == {NAME: "2026-1…n-coco-s1"}
    twins = [f"2026-11-{day}-mle-scenes-seed1" for day in range(10, 12)]
    assert list(shortened(twins, 12).values()) == ["2026…s-seed1", "2026…seed1#2"]


def grid(runs: int, error: str = "") -> Grid:
    cells = {f"{NAME}-{i}": {name: Cell("0.1234", error) for name in SCORES} for i in range(runs)}
    return Grid("scores", "run", SCORES, cells)


def test_scores_stand_in_rows_where_that_fits() -> None:
    assert best(grid(2).tables(), 80).columns[0] == "score"
    assert best(grid(9).tables(), 160).columns[0] == "run"
    # The ± of all is there, or of none.
    for room, count in ((40, 16), (36, 0)):
        table = best(grid(2, "±.0031").tables(), room)
        assert sum("±" in cell for row in table.rows for cell in row) == count


def test_arrows_and_errors() -> None:
    assert [label(name) for name in ("nll-test", "grammatical", "bleu-4", "nothing")] == [
        "nll-test ↓",
        "grammatical ↑",
        "bleu-4 ≈",
        "nothing",
    ]
    said = [
        shown_error(Score("x", *one)) for one in ((0.4, {}, 0.0031), (43.0, {}, 1.2), (0.4, {}))
    ]
    assert said == ["±.0031", "±1.20", ""]


def test_an_ascii_terminal_gets_signs_that_it_has(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(tables.out), "encoding", "ascii")
    monkeypatch.setattr(tables.out, "width", 50)
    tables.show(*grid(2, "±.0031").tables())
    tables.show(Table("t", [label("nll-test"), label("grammatical")], [["1 ±.1", "2"]]))
    out = capsys.readouterr().out
    assert out.isascii() and "nll-test v" in out and "grammatical ^" in out and "+-.1" in out
    assert "~" in out


def test_tables_for_elsewhere() -> None:
    table = Table(
        "a|b", ["score", "x_1"], [["bleu-4 ↑", "0.1 ±.2"], ["50% & <b>", "-"]], below=["n"]
    )
    assert markdown(table).splitlines() == [
        r"**a\|b**",
        "",
        "| score | x_1 |",
        "| --- | ---: |",
        "| bleu-4 ↑ | 0.1 ±.2 |",
        r"| 50% & \<b\> | - |",
        "",
        "- n",
    ]
    assert latex(dataclasses.replace(table, title="a\n\\input{b}")).splitlines() == [
        r"% a \input{b}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"score & x\_1 \\",
        r"\midrule",
        r"bleu-4 $\uparrow$ & 0.1 $\pm$.2 \\",
        r"50\% \& <b> & - \\",
        r"\bottomrule",
        r"\end{tabular}",
        "% n",
    ]
    assert Format("md") is Format.md


def test_keys_and_jobs_in_short() -> None:
    keys = ["seed", "eval.seed", "model.encoder.hidden", "model.decoder.hidden", "model.mle.lr"]
    assert list(tails(keys).values()) == [
        "seed",
        "eval.seed",
        "encoder.hidden",
        "decoder.hidden",
        "lr",
    ]
    assert ranges(("0", "1", "2", "5", "7", "8")) == "0-2,5,7-8" and ranges(("a", "b")) == "a,b"


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.floats()
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
)


@settings(max_examples=200)
@given(DOCUMENTS)
def test_json_is_that_of_the_plain_encoder(document: object) -> None:
    """Byte for byte as `json.dumps` writes it, which with an indent is several times as slow."""
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr(tables, "say", printed.append)
        patch.setattr(tables, "is_steering", lambda letter: False)
        tables.print_json(document)
    assert printed == [json.dumps(tables._finite(document), indent=2, ensure_ascii=False)]
