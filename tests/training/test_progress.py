"""How far a run is: one line in 80 columns, times of the phase and of the run, and the probe."""

import io
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gantext.models.contract import Phase
from gantext.runs.folder import RunDir
from gantext.training import console, probe, waiting
from gantext.training.console import Audience, Reporter
from gantext.training.progress import Progress, lines
from gantext.training.terminal import Terminal
from gantext.training.timetable import Left, Timetable
from tests.conftest import Command, environment


def phase(name: str, steps: int, scored: bool = True) -> Phase:
    return Phase(name, steps, 4, lambda batch, rng: {}, scored=scored)


PHASES = (phase("mle", 100), phase("discriminator", 50, scored=False), phase("adversarial", 20))


def test_the_time_of_a_run_is_that_of_its_phases() -> None:
    """mle at 10 steps a second, of which 40 are left: 4 s; the others as was measured or probed."""
    assert Timetable(PHASES).of_run(0, 100) is None
    probed = Timetable(PHASES, probed={"mle": 5.0, "discriminator": 25.0, "adversarial": 0.5})
    assert probed.of_run(0, 100) == Left(20 + 2 + 40, True)
    assert probed.of_run(0, 40, rate=10.0) == Left(4 + 2 + 40, True)
    # Nothing is known of the adversarial steps: they count as the slowest of the others, 0.1 s.
    measured = Timetable(PHASES, {"mle": 10.0, "discriminator": 25.0})
    assert measured.of_run(1, 50) == Left(2 + 20 * 0.1, True)
    measured.measured["adversarial"] = 2.0
    assert measured.of_run(1, 50) == Left(2 + 10, True)  # nobody knows how long the scores take
    measured.scoring = 3.0
    assert measured.of_run(0, 40) == Left(4 + 2 + 10 + 2 * 3, False)
    assert str(Left(3661.0)) == "1:01:01" and str(Left(59.9, True)) == "~0:00:59"


def shown(progress: Progress, width: int, label: str = "") -> list[str]:
    screen = Terminal(file=io.StringIO(), width=width, color_system=None, force_terminal=True)
    with screen.capture() as captured:
        screen.print(lines(progress, label, screen))
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_all_that_matters_has_room(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    phases = (phase("mle", 1), phase("discriminator", 15000), phase("adversarial", 400))
    progress = Progress(Timetable(phases, probed={"adversarial": 0.05}), "discriminator", 15000, 34)
    now += 100
    progress.move(1234)
    progress.losses = "loss 0.123  " * 20
    now += 36  # amid a long step: the clocks go on
    first, second = shown(progress, width)
    assert max(len(first), len(second)) <= width
    assert second.startswith("  0:02:16 so far  loss 0.123") and second.endswith("…")
    if width >= 80:
        assert first.startswith("2/3 discriminator ")
        assert first.endswith(" 1234/15000 12.0 step/s 0:18:31 left, run ~2:31:51")
    progress.looked = "nll_oracle 8.976  nll_test 8.775  grammatical 0.900"
    assert shown(progress, width)[:2] == [first, second]
    assert shown(progress, width)[2] == f"  {progress.looked}"
    progress.doing = "adversarial: scoring 10,000 samples", now - 65
    assert shown(progress, width, "[1] ")[0].startswith(
        "[1] adversarial: scoring 10,000 samples  0:01:05"
    )


def test_what_a_phase_ended_with_stays_and_a_pipe_hears_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(console, "PLAIN_SECONDS", -1.0)
    said, heard = io.StringIO(), list[Any]()
    timetable = Timetable(PHASES, probed={"discriminator": 1.0, "adversarial": 2.0})
    audience = Audience(Terminal(file=said, width=80), "[0] ", heard.append)
    looks = ("unique", "nll_test")
    with Reporter(audience, tmp_path / "train.log", ("nll",), timetable, looks) as reporter:
        reporter.phase("mle", 0, 100)
        for step in range(1, 101):
            reporter.step(step)
            if step in (40, 45):
                reporter.report({"nll": 3.6, "nll_test": step / 10, "unique": 1.0})
            if step == 50:
                reporter.report({"nll": 3.5, "other": 1.0})
        with reporter.doing("mle: scoring 9 samples"):
            pass
        reporter.end_phase()
        whole = said.getvalue()
        reporter.phase("discriminator", 0, 50)
        reporter.step(50)
        reporter.report({"nll": 3.5})
        reporter.end_phase()
    assert said.getvalue().splitlines()[-1].endswith(" step/s  nll 3.500")  # no looks of before
    begin, *_, middle, scoring, end = whole.splitlines()
    assert begin == "[0] mle: 100 steps, run ~0:02:39"  # as 1 s a step, the slowest
    known = (
        "  nll 3.500  unique 1.000  nll_test 4.500"  # what is looked at stays until the next look
    )
    assert middle.startswith("[0] 1/3 mle 50/100  ") and middle.endswith(known)
    assert " left, run ~0:0" in middle
    assert scoring == "[0] mle: scoring 9 samples"
    assert end.startswith("[0] 1/3 mle 100/100 in 0:00:00  ") and end.endswith(known)
    assert timetable.measured["mle"] > 100
    first = [one for one in heard if one["place"] == "1/3 mle"]
    assert first[-1]["run"] in ("~0:00:59", "~0:01:00")
    assert end[4:] in (tmp_path / "train.log").read_text()


def test_who_waits_sees_what_for_and_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(file=io.StringIO(), width=80, force_terminal=True)
    with waiting.waiting(terminal, "loading") as say:
        say("scoring")
        time.sleep(1.5 / waiting.REFRESHES)
    assert isinstance(terminal.file, io.StringIO)
    assert "loading  0:00:00" in terminal.file.getvalue()
    assert "scoring  0:00:00" in terminal.file.getvalue()
    pipe, silent = io.StringIO(), io.StringIO()
    with waiting.waiting(Terminal(file=pipe), "loading") as say:
        say("scoring")
    with waiting.waiting(Terminal(file=silent), "loading", plain=False) as say:
        say("scoring")
    assert (pipe.getvalue(), silent.getvalue()) == ("scoring\n", "")


def weights(run: Path) -> dict[str, bytes]:
    newest = max(path for path in (run / "checkpoints").iterdir() if path.name[0] != ".")
    return {path.name: path.read_bytes() for path in newest.glob("*.safetensors")}


def test_a_run_is_the_same_bit_for_bit_with_the_probe(
    cli: Command, trained: Path, small_gan: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    probed: dict[str, float] = {}
    rates = probe.rates
    monkeypatch.setattr(probe, "SHARE", 2)
    monkeypatch.setattr(probe, "rates", lambda job: probed.update(rates(job)) or probed)
    found = cli("train", *small_gan, "name=probed")
    assert found.code == 0 and probed.keys() == {"mle", "discriminator", "adversarial"}
    assert weights(Path("runs/probed")) == weights(trained)
    said = "\n".join(found.errors)
    assert "phases: mle 16, discriminator 6, adversarial 8 steps" in said
    assert "expected: ~0:00:0" in said and " of checkpoints" in said
    assert "mle: 16 steps, ~0:00:00 left, run ~0:00:0" in said
    known = RunDir(Path("runs/probed")).info["rates"]
    assert known.keys() == probed.keys() and min(known.values()) > 0


def test_a_short_run_and_one_without_room_are_not_probed(trained: Path) -> None:
    from gantext.training.needs import Needs
    from gantext.training.preparation import Job

    class Refusal:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} is looked at")

    nobody: Any = Refusal()
    import torch

    job = Job(nobody, nobody, nobody, torch.device("cpu"), (phase("mle", 16),))
    assert probe.rates(job) == {}
    large = replace(job, phases=(phase("mle", 1000),), needs=Needs(1 << 60, 0, 0, 1))
    assert probe.rates(large) == {}


@pytest.mark.parametrize(
    ("device", "steps", "rate"), [("cpu", 3, 0.5), ("cuda", 21, 10), ("cuda", 4, 1 / 3.5)]
)
def test_steps_that_set_something_up_do_not_count(
    monkeypatch: pytest.MonkeyPatch, device: str, steps: int, rate: float
) -> None:
    """The first of a CPU, and twelve of a GPU, unless these are over half of all; then the median
    does not know of one in which a new shape was captured."""
    import torch

    later = [3, 1] if device == "cpu" else [*[0.1] * 4, 6, *[0.1] * 4]
    left = [*[9] * (1 if device == "cpu" else 12), *later] if steps != 4 else [9, 9, 6, 1]
    now, stepper = [0.0], SimpleNamespace(device=torch.device(device))
    stepper.take = lambda: now.append(now[-1] + left.pop(0))
    monkeypatch.setattr(probe, "_wait_for", lambda device: None)
    monkeypatch.setattr(probe, "time", SimpleNamespace(monotonic=lambda: now[-1]))
    assert probe._rate(cast(Any, stepper), steps) == pytest.approx(rate)
    assert not left


def test_the_first_word_comes_before_torch_is_loaded(
    cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And goes when there is an error, which is one line."""
    terminal = Terminal(file=io.StringIO(), width=80, force_terminal=True)
    monkeypatch.setattr(console, "console_of", lambda progress: terminal)
    found = cli("train", "modle=gan")
    assert found.code == 2 and len(found.errors) == 1
    assert isinstance(terminal.file, io.StringIO)
    assert re.search(r"gantext \S+: loading  0:00:0", terminal.file.getvalue())
    loads = "import sys, gantext.cli, gantext.api, gantext.training.console as console\n"
    code = f"{loads}sys.exit(bool({{'torch', 'hydra', 'numpy'}} & {{*sys.modules}}))"
    assert subprocess.run([sys.executable, "-c", code], env=environment()).returncode == 0
