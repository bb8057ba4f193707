"""Do the tests notice a wrong number? Random changes of the modules that decide numbers.

Each change is made in a copy of the project, where the tests that run the changed line are run
until one fails: of an argument's default those of the function, of a constant those of the module.
Printed are the share that was caught and every change that was not:

    python -m tests.mutation --count 300 --seed 1 --minutes 60

Which test runs which line is watched first, and kept in .mutation: a second round watches only the
tests that are others since, or that run a module which is.
"""

import argparse
import contextlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.changes import Change, changes
from tests.mutation.reached import Known, Reached, Watcher, digest_of, merged, read, stale

ROOT = Path(__file__).parents[2]
# What decides numbers, and the files there that only name, list, load or save time.
DECIDE = ("data/batches.py", "data/corpus.py", "data/vocabulary.py", "data/tokenizers.py",
          "evaluation", "inference", "metrics", "models", "nn")  # fmt: skip
OTHERS = frozenset({"contract.py", "build.py", "memory.py", "once.py", "table.py", "published.py"})
# Where numbers are held once more, for what has no tests of its own name or slips through them.
LAST = {
    "nn": ("models/test_golden.py", "models/test_contract.py"),
    "models": tuple(
        f"models/test_{name}.py" for name in ("declarations", "phases", "gan", "golden", "contract")
    ),
    "evaluation": ("evaluation", "cli/test_eval.py", "cli/test_compare.py", "cli/test_frontier.py"),
    "inference": ("cli/test_score.py", "cli/test_latent_uses.py", "cli/test_latent.py"),
}
NO_NUMBERS = (
    "bench", "config", "docs", "engines", "fuzz", "mutation", "plugins",
    "test_architecture.py", "test_audit.py", "test_files.py", "test_wheel.py",
)  # fmt: skip
WARM = ("torch", "numpy", "pytest", "hydra", "omegaconf", "typer", "rich", "safetensors.torch")
NEEDED = (
    "gantext", "conf", "tests", "bench", "docs", "README.md", "CHANGELOG.md", "Makefile",
    "constraints.txt", "pyproject.toml", "setup.py",
)  # fmt: skip
PATIENCE = 600  # seconds, after which a change is taken as noticed: it never ends
# Seconds of tests that a change is tried by. The quickest are run by themselves: most are caught by
# one of these, and those of all files take as long to import as to run. Of others those come first
# that stand beside the module.
MOST, FIRST = 90.0, 20
PASSED = (0, 5)  # pytest's exit codes: all passed, none was chosen
REACHED = ROOT / ".mutation" / "reached.json"


@dataclass(frozen=True)
class Trial:
    """A change of a module, the files of tests that were run, and whether one of them failed."""

    module: Path
    change: Change
    tests: tuple[str, ...]
    caught: bool
    seconds: float


def modules() -> list[Path]:
    """The modules that decide numbers, from the project's folder."""
    places = [ROOT / "gantext" / name for name in DECIDE]
    found = [
        path for place in places for path in (place.rglob("*.py") if place.is_dir() else [place])
    ]
    return sorted(path.relative_to(ROOT) for path in found if path.name not in OTHERS)


def tests_of(module: Path) -> list[Path]:
    """The files of tests that can notice a change: of its own name first, then what imports it."""
    parts = module.with_suffix("").parts[1:]
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    mirror = ROOT.joinpath("tests", *parts)
    own = [mirror.with_name(f"test_{mirror.name}.py"), *sorted(mirror.glob("test_*.py"))]
    name = ".".join(("gantext", *parts))
    using = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if _uses(path, name)]
    beside = sorted(mirror.parent.glob("test_*.py")) if mirror.parent != ROOT / "tests" else []
    last = [ROOT / "tests" / path for path in LAST.get(parts[0], ())]
    places = (*own, *using, *beside, *last)
    found = [file for place in places for file in _files(place)]
    return list(dict.fromkeys(path.relative_to(ROOT) for path in found))


def _files(place: Path) -> list[Path]:
    """A file of tests, or those of a folder; none where there is nothing."""
    if place.is_dir():
        return sorted(place.rglob("test_*.py"))
    return [place] if place.is_file() else []


def _uses(path: Path, name: str) -> bool:
    package, _, last = name.rpartition(".")
    text = path.read_text(encoding="utf-8")
    return f"{name} import" in text or any(
        line.startswith(f"from {package} import") and last in line.split()[3:]
        for line in text.replace(",", " ").splitlines()
    )


def sample(count: int, seed: int) -> list[tuple[Path, Change]]:
    """`count` changes, a module's share as large as its number of possible ones."""
    every = [(path, change) for path in modules() for change in changes((ROOT / path).read_bytes())]
    return random.Random(seed).sample(every, min(count, len(every)))


@contextlib.contextmanager
def copied() -> Iterator[Path]:
    """A copy of what the tests need."""
    with tempfile.TemporaryDirectory(prefix="gantext-mutation-") as name:
        for part in NEEDED:
            source, place = ROOT / part, Path(name) / part
            if source.is_dir():
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, place)
        yield Path(name)


def passes(
    folder: Path, tests: list[str], log: Path, watch: bool = False, patience: int = PATIENCE
) -> bool:
    """Whether the tests pass there, in a child of this process, which has loaded torch already."""
    child = os.fork()
    if child == 0:
        _run_tests(folder, tests, log, watch)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(patience)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in PASSED
    finally:
        signal.alarm(0)


def _run_tests(folder: Path, tests: list[str], log: Path, watch: bool) -> None:
    code = 1
    try:
        os.setpgid(0, 0)
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        os.environ["PYTHONPATH"] = str(folder)
        with log.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        sys.dont_write_bytecode = True
        words = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
        code = _watched(folder, words) if watch else _pytest(["-x", *words])
    finally:
        os._exit(int(code))


def _pytest(words: list[str], *plugins: object) -> int:
    import pytest

    return int(pytest.main(words, list(plugins)))


def _watched(folder: Path, words: list[str]) -> int:
    """Run tests and keep which of them run which lines of the modules that decide numbers."""
    from coverage import Coverage

    known, files = digests()
    coverage = Coverage(data_file=None, include=[str(folder / name) for name in known["modules"]])
    watcher = Watcher(coverage)
    coverage.start()
    code = _pytest(words, watcher)
    coverage.stop()
    again = {file: files[file] for file in words if file in files}
    found = merged(read(REACHED), watcher.seen(folder, again, known), files)
    REACHED.parent.mkdir(exist_ok=True)
    REACHED.write_text(json.dumps(found))
    return code


def digests() -> tuple[Known, dict[str, str]]:
    """Of the modules that decide numbers, with one of all else that tests run; of tests' files."""
    files, rest = dict[str, str](), dict[str, str]()
    of_modules = {str(path): digest_of((ROOT / path).read_bytes()) for path in modules()}
    for part in ("gantext", "conf", "tests"):
        for path in sorted((ROOT / part).rglob("*.*")):
            name = str(path.relative_to(ROOT))
            if "__pycache__" in name or not path.is_file() or name in of_modules:
                continue
            is_tests = path.name.startswith("test_") and path.suffix == ".py"
            (files if is_tests else rest)[name] = digest_of(path.read_bytes())
    left_out = tuple(f"tests/{name}" for name in NO_NUMBERS)
    kept = {name: digest for name, digest in files.items() if not name.startswith(left_out)}
    return {"modules": of_modules, "rest": digest_of(repr(rest).encode())}, kept


def tried(folder: Path, module: Path, change: Change, reached: Reached) -> Trial:
    """Make a change, run the tests, take it back."""
    source, place = (ROOT / module).read_bytes(), folder / module
    files = [str(file) for file in tests_of(module)]
    tests = reached.nearest(reached.tests(module, source, change), FIRST, files) or files
    left_out = [f"--deselect={test}" for test in reached.seen["failed"]]
    start = time.monotonic()
    place.write_bytes(change.apply(source))
    try:
        turns = reached.turns(tests, FIRST, MOST)
        caught = not all(passes(folder, [*turn, *left_out], folder / "log.txt") for turn in turns)
    finally:
        place.write_bytes(source)
    return Trial(module, change, tuple(tests), caught, time.monotonic() - start)


def watched(folder: Path) -> Reached:
    """Which lines tests run without a change: of those that are not known, by running them."""
    again = stale(read(REACHED), *digests())
    if again:
        print(f"{len(again)} files of tests, first without a change ...", flush=True)
        passes(folder, again, folder / "log.txt", watch=True, patience=7200)
        if left := stale(read(REACHED), *digests()):
            sys.exit(f"{len(left)} files of tests were not run to their end: {left[0]}")
    return Reached(read(REACHED))


def report(trials: list[Trial]) -> None:
    """Print the share that was caught, of each module and in all, and what was not."""
    made, caught = Counter(t.module for t in trials), Counter(t.module for t in trials if t.caught)
    for module in sorted(made, key=lambda path: (caught[path] / made[path], path)):
        print(f"{caught[module]:4} of {made[module]:3}  {module}")
    print(f"\ncaught {sum(caught.values())} of {len(trials)}"
          f" ({sum(caught.values()) / max(len(trials), 1):.1%})")  # fmt: skip
    for trial in sorted(trials, key=lambda t: (t.module, t.change.start)):
        if not trial.caught:
            print(f"not noticed: {trial.module}, {trial.change}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--module", action="append", help="only modules whose path holds this")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in WARM:
        importlib.import_module(name)
    chosen = sample(10**9 if options.module else options.count, options.seed)
    if options.module:
        chosen = [one for one in chosen if any(part in str(one[0]) for part in options.module)]
        chosen = chosen[: options.count]
    end, trials = time.monotonic() + options.minutes * 60, []
    with copied() as folder:
        reached = watched(folder)
        for test in reached.seen["failed"]:
            print(f"left out, since it fails without a change: {test}")
        for number, (module, change) in enumerate(chosen, 1):
            if time.monotonic() > end:
                print(f"{options.minutes:g} minutes are over: {len(trials)} of {len(chosen)} tried")
                break
            trials.append(tried(folder, module, change, reached))
            last = trials[-1]
            state = "caught" if last.caught else "NOT NOTICED"
            state = "no end" if last.seconds > PATIENCE else state
            print(f"{number:3} {last.seconds:5.1f} s  {state:11}  {module}, {change}", flush=True)
    report(trials)


if __name__ == "__main__":
    main()
