"""Command lines of real words and junk: done, or refused in one line.

A short round of fixed seeds is among the tests; `make fuzz` goes on with seeds of its own, and
prints the command lines that ended otherwise.
"""

import random
import shlex
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from gantext.cli import app
from tests.conftest import Command

OLD_RUNS = Path(__file__).parent.parent / "old_runs"
SHORT = 30
WORDS = (
    *(
        "r",
        "r@mle",
        "r@x",
        "latest",
        "runs/r",
        "./r",
        "s.txt",
        "scenes",
        "data=scenes",
        "data=text",
    ),
    *(
        "model=vae",
        "seed=2",
        "data.train=s.txt",
        "name=x",
        "texygen",
        "greedy",
        "a red circle ___ .",
    ),
    *(
        "",
        " ",
        "-",
        "--",
        "---",
        "-x",
        "--no",
        "=",
        "==",
        "a=b=c",
        "@",
        "r@",
        ",",
        "1,2",
        "[1",
        "{a:",
    ),
    *(
        "${oc.env:HOME}",
        "$(x)",
        "'",
        '"',
        "\\",
        "*",
        "../..",
        "/dev/null",
        "~nobody",
        ".",
        "é\u202e",
    ),
    *("\x1b]52;c;x\x07", "nan", "inf", "-1", "0", "1", "2.5", "1e-45", "0x1", "1e9", "a" * 5000),
)


def commands(group: object, path: tuple[str, ...] = ()) -> Iterator[tuple[list[str], list[str]]]:
    """Each command's words, and its options."""
    for name, command in sorted(getattr(group, "commands", {}).items()):
        options = [option for one in command.params for option in one.opts if option[0] == "-"]
        yield [*path, name], options
        yield from commands(command, (*path, name))


def line(seed: int) -> list[str]:
    """A command, then options of its own and words in any order."""
    draw = random.Random(seed)
    words, options = draw.choice(list(commands(typer.main.get_command(app))))
    for _ in range(draw.randrange(5)):
        words = [*words, *draw.sample([*options, "--json"], draw.randrange(2)), draw.choice(WORDS)]
    # What would train for minutes is only composed; what is scored is little.
    if "train" in words[0]:
        return [words[0], "--cfg", "job", *words[1:]]
    return [*words, "-n", "2"] if "-n" in options else words


def fault(cli: Command, seed: int) -> str | None:
    """What is wrong with how a command line ended; None where nothing is."""
    found = cli(*line(seed))
    foreign = "Traceback" in found.err or "--debug shows it" in found.err
    if found.code in (0, 2) and not foreign:
        return None
    return (
        f"seed {seed}, exit {found.code}: gantext {shlex.join(line(seed))[:300]}\n{found.err[:600]}"
    )


@pytest.fixture
def place(tmp_path: Path) -> None:
    """A run and a text that words name."""
    shutil.copytree(OLD_RUNS / "mle", tmp_path / "runs" / "r")
    (tmp_path / "runs" / "latest").symlink_to("r")
    shutil.copy(OLD_RUNS / "sentences.txt", tmp_path / "s.txt")


def test_any_command_line_is_done_or_refused(cli: Command, place: None) -> None:
    faults = [said for seed in range(SHORT) if (said := fault(cli, seed))]
    assert not faults, "\n".join(faults)


def test_at_length(cli: Command, place: None, request: pytest.FixtureRequest) -> None:
    """`make fuzz`: until the time is over."""
    seconds: float = request.config.getoption("--fuzz")
    if not seconds:
        pytest.skip("takes minutes: make fuzz")
    first = seed = time.time_ns() // 1_000_000
    end, faults = time.monotonic() + seconds / 5, []
    while time.monotonic() < end:
        if said := fault(cli, seed):
            faults.append(said)
        seed += 1
    print(f"\n{seed - first:,} command lines, seeds {first} to {seed - 1}: {len(faults)} wrong")
    assert not faults, "\n".join(faults)
