"""gantext report: one page of one or several runs, assembled from their folders."""

import html
import re
import shutil
from pathlib import Path

import pytest

from gantext.data.scenes.english import grammar
from gantext.runs.folder import RunDir
from gantext.runs.sweep import SweepDir
from tests.conftest import Command

pytestmark = pytest.mark.usefixtures("drawn_once")


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "runs" / "one"))


def words(page: str) -> str:
    """The page's text without its tags."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def test_a_report_of_one_run(cli: Command, run: Path, tmp_path: Path) -> None:
    found = cli("report", str(run), "-n", "30", "--temperatures", "0.5,1.0")
    assert found.code == 0 and "report in report.html" in found.err, found.err
    page = (tmp_path / "report.html").read_text()
    said = words(page)
    for part in ("one@mle", "Samples of one", "Signatures", "preset:texygen", "model:gan"):
        assert part in said, part
    titles = ("Quality and diversity", "by sentence length", "Discriminator", "nll_oracle and nll")
    for figure in (*titles, "Training time", "Learning rate"):
        assert figure.lower() in said.lower(), figure
    assert "leaked features" not in said  # a GAN's generator has no goals
    assert 'src="http' not in page and "url(http" not in page


def test_its_samples_are_those_of_the_command_that_it_names(
    cli: Command, run: Path, tmp_path: Path
) -> None:
    """And it shows where the grammar can read no further."""
    cli("report", str(run), "-n", "30", "--temperatures", "none")
    page = (tmp_path / "report.html").read_text()
    said = " ".join(words(page).split())
    sampled = cli("sample", str(run), "-n", "20", "--seed", "20").out.splitlines()
    squeezed = said.replace(" ", "")
    assert all(line.replace(" ", "") in squeezed for line in sampled)
    assert f"gantext sample {tmp_path / 'runs' / 'one'} -n 20 --seed 20" in said
    own = page[page.index("<h4>Samples of one</h4>") :]
    wrong = [grammar().error_at(line.split()) for line in sampled]
    faults = [(line.split(), place) for line, place in zip(sampled, wrong, strict=True)]
    shown = [(line[n], n) for line, n in faults if n is not None and n < len(line)]
    assert [*re.findall("<u>(.*?)</u>", own)] == [word for word, _ in shown]
    assert [int(n) - 1 for n in re.findall(r"Ungrammatical from word (\d+) on", own)] == [
        n for _, n in shown
    ]
    assert f"{20 - wrong.count(None)} of the 20 are ungrammatical" in own


@pytest.mark.usefixtures("brief_judge")
def test_slow_scores_are_shown_once_they_are_stored(
    cli: Command, run: Path, tmp_path: Path
) -> None:
    quick = ["-n", "30", "--temperatures", "none"]
    assert cli("report", str(run), *quick).code == 0
    assert "reverse-lm" not in (tmp_path / "report.html").read_text()
    assert cli("eval", "lm", str(run), "-n", "30").code == 0
    assert cli("report", str(run), *quick).code == 0
    assert "reverse-lm" in (tmp_path / "report.html").read_text()


def test_several_runs_are_compared(cli: Command, run: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(run, tmp_path / "runs" / "two"))
    text = (other / "config.yaml").read_text()
    (other / "config.yaml").write_text(text.replace("seed: 1\n", "seed: 2\n"))
    found = cli("report", "one", "two", "-n", "30", "--temperatures", "none")
    assert found.code == 0, found.err
    said = words((tmp_path / "report.html").read_text())
    assert "Settings that differ" in said and "mean of one and 1 more" in said


def test_a_run_that_has_not_finished(cli: Command, run: Path, tmp_path: Path) -> None:
    """Stopped after its first phase, before it was scored: no generator to compare with."""
    for path in (run / "checkpoints").iterdir():
        if not path.name.endswith("-mle"):
            shutil.rmtree(path)
    (run / "result.json").unlink()
    for path in (run / "scores").iterdir():
        path.unlink()
    RunDir(run).update(status="stopped")
    found = cli("report", str(run), "-n", "30", "--temperatures", "1")
    assert found.code == 0, found.err
    said = words((tmp_path / "report.html").read_text())
    assert "stopped" in said and "one@mle" not in said


@pytest.fixture
def sweep(trained: Path, tmp_path: Path) -> SweepDir:
    """A sweep of four jobs that have finished, two seeds of two rates each; runs of the same."""
    found = SweepDir(tmp_path / "runs" / "s")
    for number, (seed, rate) in enumerate([(1, 0.1), (2, 0.1), (1, 0.2), (2, 0.2)]):
        run = RunDir(Path(shutil.copytree(trained, found.path / str(number))))
        words = [f"seed={seed}", f"model.rate={rate}"]
        scores = [{"name": "nll-test", "value": seed + 10 * rate, "signature": {}}]
        run.update(overrides=words)
        result = {"status": "finished", "overrides": words, "scores": scores}
        run.save_result({**result, "objective": "nll-test"})
    found.save_plan("train -m seed=1,2 model.rate=0.1,0.2", ["seed=1,2"], None, 4)
    return found


def test_a_sweep_has_a_section(cli: Command, sweep: SweepDir, tmp_path: Path) -> None:
    """Of scores 2 and 3: mean 2.5, standard deviation sqrt(.5)."""
    found = cli("report", "s")
    assert found.code == 0, found.err
    page = (tmp_path / "report.html").read_text()
    said = " ".join(words(page).split())
    for part in (
        "Sweep s",
        "4, 4 finished",
        "gantext train -m seed=1,2 model.rate=0.1,0.2",
        "Means over seeds \N{PLUS-MINUS SIGN} their standard deviation",
        "model.rate=0.1 (2 seeds)",
        "2.5000 \N{PLUS-MINUS SIGN} 0.7071",
        "nll-test \N{DOWNWARDS ARROW}",
        f"gantext report {sweep.path / 'NUMBER'}",
    ):
        assert part in said, part
    assert "nll-test over model.rate" in page and "Samples of" not in said


def test_a_job_leads_to_its_sweep(cli: Command, sweep: SweepDir, tmp_path: Path) -> None:
    found = cli("report", "s/1", "-n", "30", "--temperatures", "none")
    assert found.code == 0, found.err
    page = (tmp_path / "report.html").read_text()
    assert 'A job of the sweep <a href="#s">' in page
    assert '<th scope="row"><a href="#s-1">' in page
