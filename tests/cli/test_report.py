"""gantext report: one page of one or several runs, assembled from their folders."""

import html
import re
import shutil
from pathlib import Path

import pytest

from gantext.runs.folder import RunDir
from tests.conftest import Command


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
    for figure in ("Quality and diversity", "by sentence length", "Discriminator"):
        assert figure.lower() in said.lower(), figure
    assert "leaked features" not in said  # a GAN's generator has no goals
    assert 'src="http' not in page and "url(http" not in page


def test_its_samples_are_those_of_the_command_that_it_names(
    cli: Command, run: Path, tmp_path: Path
) -> None:
    cli("report", str(run), "-n", "30", "--temperatures", "none")
    said = " ".join(words((tmp_path / "report.html").read_text()).split())
    sampled = cli("sample", str(run), "-n", "20", "--seed", "0").out.splitlines()
    squeezed = said.replace(" ", "")
    assert all(line.replace(" ", "") in squeezed for line in sampled)
    assert f"gantext sample {tmp_path / 'runs' / 'one'} -n 20 --seed 0" in said


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
