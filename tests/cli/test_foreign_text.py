"""Sentences, names and values from elsewhere cannot steer the terminal that they are shown on."""

import ast
import io
import json
import os
import pty
import re
import shutil
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from gantext.files import is_steering, visible
from gantext.training.terminal import Terminal
from tests.conftest import ROOT, Command

# Sets the clipboard; turns what follows around; begins a colour by one character (C1).
EVIL = "\x1b]52;c;aGk=\x07\u202e\x9b31m"
SHOWN = r"\x1b]52;c;aGk=\x07\u202e\x9b31m"
# How the line that says that training is loaded comes and goes: the cursor hidden and shown, the
# line erased, dim text. None of it is in EVIL.
OWN = re.compile(r"\x1b\[(?:\?25[lh]|2K|1A|[02]m)|\r")


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> str:
    """A run with such a name, such words and such overrides."""
    folder = tmp_path / "runs" / f"a{EVIL}"
    shutil.copytree(trained, folder)
    vocabulary = json.loads((folder / "vocabulary.json").read_text())
    vocabulary["words"][4:] = [f"{word}{EVIL}" for word in vocabulary["words"][4:]]
    (folder / "vocabulary.json").write_text(json.dumps(vocabulary))
    info = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**info, "overrides": [f"name={EVIL}"]}))
    (tmp_path / "x.txt").write_text(f"one {EVIL} .\ntwo {EVIL} .\nthree {EVIL} .\n")
    return f"runs/{folder.name}"


def steering(text: str) -> set[str]:
    return {c for c in text if is_steering(c)} - {"\n", "\t"}


@pytest.mark.parametrize(
    "words",
    [
        ("sample", "RUN", "-n", "3"),
        ("runs", "list"),
        ("runs", "show", "RUN"),
        ("score", "RUN", "x.txt"),
        ("data", "show", "text", "data.train=x.txt"),
        ("eval", "diversity", "RUN", "-n", "20"),
        ("impute", "RUN", "one ___ ."),
    ],
)
def test_a_terminal_is_not_steered(
    cli: Command, run: str, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    words = tuple(run if word == "RUN" else word for word in words)
    piped = cli(*words)
    assert piped.code == 0, piped.err
    assert "\x1b]52;c;" in piped.out and SHOWN not in piped.out  # every byte as it is
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    shown = cli(*words)
    assert shown.code == 0 and steering(shown.out) == set() and SHOWN in shown.out


def test_an_error_does_not_steer_it_either(
    cli: Command, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for words in (("sample", f"no{EVIL}"), ("train", f"nonsense{EVIL}=1"), (f"x{EVIL}",)):
        found = cli(*words)
        err = OWN.sub("", found.err) if words[0] == "train" else found.err
        assert found.code == 2 and steering(err) == set() and r"\x1b]52" in err


def test_json_holds_it_as_escapes(cli: Command, run: str) -> None:
    found = cli("sample", run, "-n", "3", "--json")
    assert steering(found.out) == set() and EVIL in json.loads(found.out)["samples"][0]


def test_a_terminal_named_as_output(cli: Command, run: str, tmp_path: Path) -> None:
    """A pseudo-terminal of the test's own."""
    master, slave = pty.openpty()
    try:
        found = cli("sample", run, "-n", "1", "--out", os.ttyname(slave))
        assert found.code == 0, found.err
        assert steering(os.read(master, 10_000).decode()) <= {"\r"}
    finally:
        os.close(master)
        os.close(slave)


def test_bars_are_not_steered() -> None:
    """Bars make their text themselves; their own movements stay."""
    file = io.StringIO()
    console = Terminal(file=file, force_terminal=True, color_system=None, width=200)
    plain = io.StringIO()
    with Progress(TextColumn("{task.description}"), console=console) as bar:
        bar.add_task(EVIL, total=1)
    with Progress(
        TextColumn("{task.description}"),
        console=Console(file=plain, force_terminal=True, color_system=None, width=200),
    ) as bar:
        bar.add_task("x", total=1)
    assert r"\x1b]52;c;" in file.getvalue()  # cut to the width of what it was
    assert steering(file.getvalue()) == steering(plain.getvalue())


def test_what_is_escaped() -> None:
    plain = "plain text, é 数据 🙂 \u0627\u0301\n\tx"
    assert visible(plain) == plain
    odd = ["\0", "\x07", "\x1b", "\r", "\x7f", "\x85", "\x9b", "\u061c", "\u200f", "\u202e"]
    odd += ["\u2028", "\u2066", "\u2069", "\u200b", "\ufeff", "\U000e0041", "\udc80"]
    for character in odd:
        assert visible(f"a{character}b") == f"a{ascii(character)[1:-1]}b"


def test_only_one_module_prints() -> None:
    for path in (ROOT / "gantext").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        called = [node.func for node in nodes if isinstance(node, ast.Call)]
        names = {function.id for function in called if isinstance(function, ast.Name)}
        assert not names & {"print", "Console"}, f"{path}: print by gantext.training.terminal"


def test_markup_is_text(cli: Command, tmp_path: Path) -> None:
    """Rich's own: neither styled nor missing, in sentences, names and errors."""
    (tmp_path / "[b]s.txt").write_text("[red]a[/red] b\n[/] c d\n")
    words = ["data.train=[b]s.txt", "data.tokenizer=whitespace", "data.validation=0"]
    found = cli("data", "show", "text", *words)
    assert found.code == 0 and "[red]a[/red] b" in found.out and "[/] c d" in found.out
    assert cli("sample", "[red]x[/]").err == "error: no run at '[red]x[/]'\n"
