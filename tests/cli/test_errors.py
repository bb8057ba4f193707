"""Whatever goes wrong ends in one line on stderr, an exit code, and nothing half-made."""

import contextlib
import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gantext.cli import tables
from gantext.runs.folder import RunDir
from tests.conftest import ROOT, Command, Result, environment

EXPERIMENTS = len(list((ROOT / "conf/experiment").glob("*.yaml")))


def assert_refused(found: Result, said: str, folder: Path) -> None:
    """Exit code 2, one line, nothing on stdout, no run folder."""
    assert found.code == 2, found.err
    assert len(found.errors) == 1 and found.errors[0].startswith("error: "), found.err
    assert said in found.err
    assert found.out == ""
    assert not list(folder.glob("runs/*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train sed=2", "did you mean seed?"),
        (f"train model.mle.learning_rate={'9' * 400}", 'learning_rate": found a huge number'),
        (f"train model.mle.learning_rate={'9' * 5000}", "learning_rate=inf: it must be finite"),
        (f"train --resume threads={'9' * 5000}", "threads is a number from 1 to 1,024"),
        ("data show pictures data.colour=${oc.env:HOME}", "expected one of [auto, grey, rgb]"),
        ("data show text data.train=${nosuch}", "Interpolation key 'nosuch' not found"),
        ("train model=gna", "did you mean gan?"),
        ("train modle=gan", "unknown key 'modle' (did you mean model?)"),
        ("train model=GAN", "did you mean gan?"),
        ("train Model=gan", "did you mean model?"),
        ("train model = gan", "write model=gan, without spaces"),
        ("train model.mle.epochs 3", "write model.mle.epochs=3, without spaces"),
        ("train =gan", "'=gan' is not an override"),
        ("train --model gan", "did you mean model=gan?"),
        ("train --seed 3", "did you mean seed=3?"),
        ("train --resumee", "did you mean --resume?"),
        ("train --jobz=3", "did you mean --jobs?"),
        ("train --resume x --forse", "did you mean --force?"),
        ("train --from x", "no run at 'x'"),
        ("train epochs=3", "did you mean model.mle.epochs?"),
        (
            "train steps=3",
            "did you mean model.d_training.steps, model.judge.steps, model.adversarial.steps?",
        ),
        ("train lr=3", "unknown key 'lr' (all keys: gantext train --cfg job)"),
        ("train data.column=x", "(it is one of data=hf, data=text)"),
        ("train data=my/x.txt", "a file of your own is data=text data.train=my/x.txt"),
        ("train experiment=", f"there are: {EXPERIMENTS}, which gantext train --help lists"),
        ("train model.mle.learning_rate=0,01", "decimals follow a point; several values are a"),
        ("train seed=range(1,3", "range(1,3: a ')' is missing; if that is one text, write \"seed="),
        ("train name=a/b", "so no path; runs_dir=FOLDER says where that lies"),
        ("train name=.a", "so it does not begin with '.' or '-'"),
        ("tune s --jobz 3", "did you mean --jobs?"),
        ("train seed=abc", "seed=abc: a whole number is needed"),
        ("train data=text", "a value is needed: data.train="),
        ("train model=gan +model.foo=3", "unknown key 'model.foo'"),
        ("train gan", "'gan' is not an override"),
        ("train --foo", "no such option: --foo"),
        ("train --foo model=gan", "no such option: --foo"),
        ("train model=gan --foo=3", "no such option: --foo"),
        ("train --cfg all", "--cfg all: only 'job' can be shown"),
        ("train --cfg", "requires an argument"),
        ("train --config-dir nowhere", "config folder not found: nowhere"),
        ("train seed=1,2", "which needs -m"),
        ("train -m seed=1,x", "seed=x: a whole number is needed"),
        ("train seed=1,x -m", "seed=x: a whole number is needed"),
        ("train model=gan -m sed=1,2 seed=3", "did you mean seed?"),
        ("train --dry-run model=gna", "did you mean gan?"),
        ("train --resume nowhere", "no run at 'nowhere'"),
        ("train --resume", "there is no run in runs yet"),
        ("train --resume model=mle", "there is no run in runs yet"),
        ("train --resume x y", "--resume takes one run, and key=value; y is neither"),
        ("train --resume --from x", "leave one out"),
        ("pretrain sed=2", "did you mean seed?"),
        ("adversarial-train", "there is no run in runs yet"),
        ("adversarial-train --from nowhere", "no run at 'nowhere'"),
        ("sample", "there is no run in runs yet"),
        ("sample nowhere", "no run at 'nowhere'"),
        ("sample -n 0", "Invalid value for '-n'"),
        ("sample --top-p 2", "--top-p 2.0"),
        ("sample --device gpu", "'gpu' is not one of"),
        ("eval bleu nowhere", "no run at 'nowhere'"),
        ("eval bleu --preset foo", "no preset 'foo'"),
        ("eval bleu a b", "no run at 'a'"),
        ("sample --temperature nan", "--temperature nan: it must be finite"),
        ("sample --temperature 1e-45", "it must be 0 or at least 0.001"),
        ("sample --temperature 2000", "--temperature 2000.0: it must be 0 or at most 1,000"),
        ("sample --seed -1", "--seed -1: it must be at least 0"),
        ("eval bleu -n 0", "-n 0: it must be at least 1"),
        ("eval frontier --temperatures hot", "--temperatures hot: numbers with commas between"),
        ("eval frontier --seeds ,", "--seeds ,: numbers with commas between"),
        ("eval lm --preset texygen", "No such option: --preset"),
        ("compare", "Missing argument"),
        ("report nowhere", "no run at 'nowhere'"),
        ("report --out missing/r.html", "cannot write missing/r.html"),
        ("eval bleu --samples missing.txt data=scenes", "missing.txt: no such file"),
        ("eval bleu data=scnes --samples missing.txt", "did you mean scenes?"),
        ("runs show nowhere", "no run at 'nowhere'"),
        (f"sample {'a' * 300}", f"{'a' * 40}...: File name too long"),
        ("data show nowhere", "no such data"),
        ("data show scenes n=3", "unknown key 'n'"),
        ("trian", "Did you mean 'train'"),
        ("ls", "Did you mean 'gantext data list' or 'gantext runs list'?"),
        ("sweep", "Did you mean 'gantext runs sweep'?"),
        ("resume", "Did you mean 'gantext train --resume'?"),
        ("runs train", "Did you mean 'gantext train'?"),
        ("nothing", "No such command 'nothing'. All: gantext --help"),
        ("help eval blue", "Did you mean 'bleu'?"),
        ("--resume", "No such option: --resume (of gantext train)"),
        ("-v", "did you mean --version?"),
        ("sample --temp 0.7", "did you mean --temperature?"),
        ("sample --n 5", "did you mean -n?"),
        ("sample --seeds 3", "did you mean --seed?"),
        ("sample --number 5", "No such option: --number; all there are: gantext sample --help"),
        ("sample -n many", "Invalid value for '-n': it must be a whole number"),
        ("sample a b", "it is written: gantext sample [OPTIONS] ["),
        ("runs rm", "it is written: gantext runs rm [OPTIONS] RUN..."),
        ("runs sweep nothing", "no sweep at 'nothing' (there are: none)"),
        ("data frob", "No such command 'frob'"),
    ],
)
def test_bad_words_are_refused_in_one_line(
    cli: Command, tmp_path: Path, words: str, said: str
) -> None:
    assert_refused(cli(*words.split()), said, tmp_path)


def test_a_run_where_overrides_are_needed(cli: Command, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").symlink_to(trained.parent)
    for command, ways in (("train", "--resume run"), ("adversarial-train", "--from run")):
        found = cli(command, "run")
        assert found.code == 2 and len(found.errors) == 1, found.err
        assert f"'run' is a run, not an override: write {ways}" in found.err
    assert "; those there are: gantext runs list" in cli("sample", "nowhere").err


def test_the_same_in_a_process_of_its_own(shell: Command, tmp_path: Path) -> None:
    assert_refused(shell("train", "device=cuda", CUDA_VISIBLE_DEVICES=""), "sees none", tmp_path)


def test_bad_combinations_are_refused_before_a_run_is_made(cli: Command, tmp_path: Path) -> None:
    words = ["train", "data.train_size=20", "data.validation_size=0", "data.test_size=5"]
    for more, said in (
        ("phases=adversarial", "needs a pretrained run"),
        ("from_run=nowhere", "no run at 'nowhere'"),
        ("model.discriminator.widths=[2,3,4]", "widths and filters must be as many"),
        ("data.train_size=0", "train_size"),
        ("model.discriminator.widths=[50] model.discriminator.filters=[4]", "widths=[50]: no sent"),
        ("eval.samples=1", "eval.samples=1: the scores at the end of a phase by eval.preset=texyg"),
        ("eval.preset=textgan eval.samples=200", "eval.preset=textgan need at least 201"),
        ("model=image_gan data=digits eval.samples=1", "eval.samples=1: the scores"),
    ):
        found = cli(*words[: None if "digits" not in more else 1], "model=gan", *more.split())
        assert found.code == 2, found.err
        assert said in found.errors[-1] and "Traceback" not in found.err
        assert len(found.errors) <= 2 and found.errors[0].startswith(("error: ", "data scenes: "))
        assert not list((tmp_path / "runs").iterdir())


def test_a_folder_that_cannot_be_made(cli: Command, tmp_path: Path, small_mle: list[str]) -> None:
    (tmp_path / "file").write_text("")
    for words in (["runs_dir=file"], ["runs_dir=file/x"], ["-m", "runs_dir=file", "seed=1,2"]):
        found = cli("train", *small_mle, *words)
        assert found.code == 2 and len(found.errors) == 1, found.err
        assert "cannot make the folder file/" in found.err


def test_a_run_that_is_there_already(cli: Command, trained: Path, small_gan: list[str]) -> None:
    found = cli("train", *small_gan, f"runs_dir={trained.parent}", "name=run")
    assert found.code == 2 and len(found.errors) == 1
    assert f"holds a run already: go on with it by gantext train --resume {trained}" in found.err
    assert RunDir(trained).result is not None


def test_no_words_print_the_help(cli: Command) -> None:
    for words in ([], ["eval"], ["data"], ["runs"]):
        found = cli(*words)
        assert found.code == 2 and "Usage" in found.out and found.err == ""


def test_an_unexpected_failure_names_the_log_that_holds_its_traceback(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from gantext.training.loop import Trainer

    def broken(*_: object) -> None:
        raise ZeroDivisionError("broken\non purpose")

    monkeypatch.setattr(Trainer, "_score", broken)
    found = cli("train", *small_mle, "name=r")
    log = tmp_path / "runs" / "r" / "train.log"
    assert found.code == 1
    assert found.errors[-1] == f"error: ZeroDivisionError: broken (log: {log}; --debug shows it)"
    assert "Traceback" not in found.err
    text = log.read_text()
    assert text.count("Traceback (most recent call last)") == 1
    assert "raise ZeroDivisionError" in text
    for said in ("\ntorch 2", "\nplatform: ", "\ndevice: cpu\n", "\ncommand: gantext train"):
        assert said in text
    assert f"config of {log.parent}:\nmodel:\n  name: mle\n" in text
    assert RunDir(tmp_path / "runs" / "r").status == "failed"
    for words in (["--debug", "train"], ["train", "--debug"]):
        found = cli(*words, *small_mle)
        assert found.code == 1 and "Traceback" in found.err and "broken" in found.errors[-1]
    monkeypatch.undo()
    os.chdir(tmp_path)
    found = cli("train", "--resume", "r")  # mended: it goes on
    assert found.code == 0, found.err


def test_a_failure_without_a_run_has_a_log_too(
    cli: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from gantext.config import groups

    def broken(*_: object) -> None:
        raise ZeroDivisionError("broken")

    monkeypatch.setattr(groups, "names", broken)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    found = cli("data", "list")
    assert found.code == 1 and len(found.errors) == 1
    log = found.err.partition("(log: ")[2].partition(";")[0]
    assert Path(log).parent == tmp_path and "ZeroDivisionError: broken" in Path(log).read_text()
    assert "\ncommand: gantext data list\n" in Path(log).read_text()


def test_a_failure_whose_log_cannot_be_written(
    cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gantext.config import groups
    from gantext.runs import crash

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(groups, "names", lambda *_: 1 // 0)
    monkeypatch.setattr(crash, "written", full)
    found = cli("data", "list")
    assert found.code == 1 and len(found.errors) == 1
    assert "(no log: No space left on device; --debug shows it)" in found.err


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """A limit of 20 kB a file of this process stands for it: a checkpoint does not fit."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_line_and_the_run_goes_on_later(
    cli: Command, small_mle: list[str], tmp_path: Path
) -> None:
    with full_disk():
        found = cli("train", *small_mle, "name=r")
    assert found.code == 2, found.err
    last = found.errors[-1]
    assert "cannot write to" in last and "File too large; make room, then" in last
    assert "Traceback" not in found.err
    assert not list((tmp_path / "runs/r/checkpoints").glob(".*"))
    found = cli("train", "--resume", "r")
    assert found.code == 0, found.err


def test_a_run_without_its_files_is_said(
    cli: Command, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    shutil.copytree(trained, tmp_path / "runs" / "r")
    found = cli("sample", "r", "--phase", "nonsense")
    assert found.code == 2 and "no whole checkpoint of phase nonsense (phases that ended: mle," in (
        found.err
    )
    newest = max((tmp_path / "runs/r/checkpoints").iterdir())
    (newest / "tensors.safetensors").write_bytes(b"\0" * 99)
    found = cli("sample", "r", "-n", "2")
    assert found.code == 0 and len(found.out.splitlines()) == 2
    assert f"warning: checkpoint {newest.name} is damaged" in found.err
    shutil.rmtree(tmp_path / "runs/r/checkpoints")
    for words in (["sample", "r"], ["eval", "bleu", "r"], ["eval", "self-bleu", "r"]):
        found = cli(*words)
        assert found.code == 2 and found.errors[-1].endswith("has no whole checkpoint"), found.err
    (tmp_path / "runs/r/vocabulary.json").unlink()
    assert "is not a whole run" in cli("sample", "r").err
    (tmp_path / "runs/r/config.yaml").write_text("a: [")
    found = cli("sample", "r")
    assert found.code == 2 and len(found.errors) == 1 and "cannot read" in found.err
    (tmp_path / "runs/r/run.json").write_text("{")
    found = cli("runs", "list")
    assert found.code == 0 and "damaged" in found.out


def test_out_that_cannot_be_written(cli: Command, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    for out in ("folder", "file/x.txt"):
        found = cli("sample", str(trained), "-n", "2", "--out", out)
        assert found.code == 2 and len(found.errors) == 1 and f"cannot write {out}" in found.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_reader_that_leaves_early_is_no_failure(
    cli: Command, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`gantext sample -n 1000 | head -1`."""
    for words in ("sample RUN -n 3000", "sample RUN -n 3000 --json", "runs show RUN"):
        reader, writer = os.pipe()
        os.close(reader)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", open(writer, "w"))
            patch.setattr(tables.out, "quiet", False)  # which it is when nobody reads it any more
            found = cli(*words.replace("RUN", str(trained)).split())
            sys.stdout.close()
        assert (found.code, found.err.count("rror")) == (0, 0), found.err


def test_the_same_by_a_pipe_of_a_shell(trained: Path) -> None:
    line = f"{sys.executable} -m gantext runs show {trained}"
    found = subprocess.run(
        ["bash", "-c", f"{line} | head -1 >/dev/null; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert (found.returncode, found.stderr.count("rror")) == (0, 0), found.stderr
