"""What is kept of an unexpected failure, so that it can be mended from that alone.

The traceback, versions, platform, device, command and settings, and the end of the run's log. No
variable of the environment, as some hold secrets.
"""

import contextlib
import itertools
import os
import platform
import shlex
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import gantext
from gantext.errors import UserError
from gantext.files import below
from gantext.runs import listing
from gantext.runs.folder import RunDir

PACKAGES = ("torch", "numpy", "hydra-core")  # whose versions decide most
TAIL = 50  # lines of a run's log


def versions() -> dict[str, str]:
    """Of gantext, of Python and of the packages that matter, by their names."""
    found = {"gantext": gantext.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def report(error: BaseException, run: RunDir | None = None) -> str:
    """Everything but the log, which this may be written to; settings are those of the run."""
    lines = [
        "".join(traceback.format_exception(error)).rstrip(),
        *(f"{name} {number}" for name, number in versions().items()),
        f"platform: {platform.platform()}",
        f"device: {_known(lambda: _device(run))}",
        f"command: {shlex.join(['gantext', *sys.argv[1:]])}",
    ]
    if run is not None and run.config.is_file():
        lines.append(f"config of {run.path}:")
        lines.append(_known(lambda: run.config_text))
    return "\n".join(lines).rstrip()


def written(error: BaseException, words: Sequence[str]) -> Path:
    """A new file of the report, with the log of the run that the words of a command name, if any.

    Raises OSError.
    """
    run = _named_run(words)
    text = report(error, run)
    if run is not None and run.log.is_file():
        tail = _known(lambda: "\n".join(_last_lines(run)))
        text += f"\nthe last {TAIL} lines of {run.log}:\n{tail}"
    handle, name = tempfile.mkstemp(prefix="gantext-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(text + "\n")
    return Path(name)


def _last_lines(run: RunDir) -> list[str]:
    opener = below(run.path)
    with open(run.log, encoding="utf-8", errors="replace", opener=opener) as file:
        return [line.rstrip("\n") for line in deque(file, TAIL)]


def _named_run(words: Sequence[str]) -> RunDir | None:
    """The first run among the words of a command."""
    given = [after for word, after in itertools.pairwise(words) if word == "--runs-dir"]
    for word in words:
        with contextlib.suppress(UserError, OSError, ValueError):
            if not word.startswith("-") and word not in given:
                return listing.find_at(word, Path(given[0] if given else "runs"))[0]
    return None


def _device(run: RunDir | None) -> str:
    """That of the run, else the best one that torch sees, where it has been loaded."""
    if run is not None and "device" in run.info:
        return f"{run.info['device']}"
    torch = sys.modules.get("torch")
    if torch is None:
        return "torch was not loaded"
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _known(fact: Callable[[], str]) -> str:
    """A fact for the report: what has failed once may fail here again."""
    try:
        return fact()
    except Exception as error:
        return f"unknown ({type(error).__name__})"
