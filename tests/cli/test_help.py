"""Help that is quick and complete, completion that works in a real bash, configs to look at."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from gantext.config import groups, schema
from gantext.config.compose import compose
from gantext.records import yaml_file
from tests.conftest import Command, environment


def cpu_seconds(*words: str) -> float:
    """What a process uses at best; the clock says less on a busy machine."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], check=True, capture_output=True, env=environment())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(once() for _ in range(4))


def test_help_is_quick() -> None:
    """Not four times what the libraries that draw it take by themselves (torch alone: ten)."""
    bare = cpu_seconds("-c", "import typer, rich.console, rich.table, rich.progress")
    assert cpu_seconds("-m", "gantext", "--help") < 4 * bare


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "train --help",
        "eval --help",
        "eval bleu --help",
        "compare --help",
        "report --help",
        "runs list",
        "sample --help",
        "goals --help",
        "impute --help",
        "latent --help",
        "doctor --help",
        "explain bleu-4",
        "explain model.adversarial.rollouts",
    ],
)
def test_light_commands_import_nothing_heavy(words: str, tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "gantext", *words.split()]
    found = subprocess.run(
        command, capture_output=True, text=True, env=environment(), cwd=tmp_path, check=True
    )
    names = {line.rpartition("|")[2].strip().split(".")[0] for line in found.stderr.splitlines()}
    assert "typer" in names
    assert not names & {"torch", "hydra", "omegaconf", "numpy", "nltk", "sacrebleu"}


def test_help_lists_commands_groups_and_options(cli: Command) -> None:
    found = cli("--help").out
    for word in (
        "train",
        "pretrain",
        "adversarial-train",
        "sample",
        "goals",
        "reconstruct",
        "interpolate",
        "impute",
        "latent",
        "eval",
        "data",
        "runs",
        "doctor",
    ):
        assert f" {word} " in found
    found = cli("train", "--help").out
    for group in groups.GROUPS:
        assert f"{group}=" in found
        for name in groups.names(group):
            assert f"{name} " in found
            assert groups.describe(group, name)[:30] in found
    for option in ("--multirun", "-m", "--config-dir", "--cfg", "--dry-run", "--resume", "--json"):
        assert option in found
    assert "gantext train -m model=gan seed=1,2,3" in found
    assert cli("--version").out.startswith("gantext 0.")
    for words in (
        "sample",
        "goals",
        "reconstruct",
        "interpolate",
        "impute",
        "latent",
        "eval bleu",
        "eval self-bleu",
        "eval interpolation",
        "eval imputation",
        "data list",
        "data get",
        "data show",
        "runs list",
        "runs show",
        "runs sweep",
        "doctor",
        "explain",
        "pretrain",
        "adversarial-train",
    ):
        found_here = cli(*words.split(), "-h")
        assert found_here.code == 0 and "Usage" in found_here.out, words


@pytest.mark.parametrize("how", [["--cfg", "job"], ["--dry-run"]])
def test_the_config_that_is_shown_composes_back(
    cli: Command, small_gan: list[str], tmp_path: Path, how: list[str]
) -> None:
    found = cli("train", *small_gan, *how)
    assert found.code == 0 and found.err == ""
    (tmp_path / "shown.yaml").write_text(found.out)
    shown = yaml_file.read_yaml(tmp_path / "shown.yaml", tmp_path)
    assert schema.of_values(shown) == compose(small_gan)
    assert not (tmp_path / "runs").exists()


def test_the_shown_config_can_be_an_experiment_of_ones_own(
    cli: Command, small_mle: list[str], tmp_path: Path
) -> None:
    """`gantext train ... --cfg job > mine/model/my.yaml`, with its model part alone."""
    from omegaconf import OmegaConf

    shown = OmegaConf.create(cli("train", *small_mle, "--cfg", "job").out)
    (tmp_path / "mine" / "model").mkdir(parents=True)
    OmegaConf.save(shown.model, tmp_path / "mine" / "model" / "my.yaml")
    words = [word for word in small_mle if not word.startswith("model")]
    found = cli("train", "model=my", *words, "--config-dir", "mine", "name=r")
    assert found.code == 0, found.err
    again = cli("train", "--config-dir", "mine", "model=my", *words, "--cfg", "job").out
    assert OmegaConf.create(again).model == shown.model


def completions(line: str, cwd: Path) -> list[str]:
    """What bash offers for a line, asked through the script of --show-completion."""
    script = f"#!{sys.executable}\nfrom gantext.cli import main\nmain()\n"  # what pip installs
    (cwd / "gantext").write_text(script)
    (cwd / "gantext").chmod(0o755)
    # COMP_WORDS as readline makes them with the script's COMP_WORDBREAKS: split at spaces.
    script = f"""
    PATH={cwd}:$PATH
    source shown.bash
    function_name=$(complete -p gantext | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    complete -p gantext | grep -q nospace || echo NOSPACE_MISSING
    case "$COMP_WORDBREAKS" in *=*) echo WORDBREAK_AT_EQUALS;; esac
    COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}
    read -ra COMP_WORDS <<< "$COMP_LINE"
    [[ "$COMP_LINE" == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
    $function_name gantext
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    env = environment(PATH=f"{cwd}:/usr/bin:/bin", SHELL="/bin/bash")
    # Typer asks the process tree for the shell: it has to be bash, not the sh of a Makefile. The
    # second command keeps bash from replacing itself by the first.
    shown = subprocess.run(
        ["bash", "--norc", "-c", "gantext --show-completion; exit $?"],
        capture_output=True,
        text=True,
        env=env,
        check=True,
    )
    (cwd / "shown.bash").write_text(shown.stdout)
    found = subprocess.run(
        ["bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        env=env,
        cwd=cwd,
        check=True,
    )
    assert found.stderr == ""
    return [line.strip() for line in found.stdout.splitlines() if line.strip()]


def test_completion_in_a_real_bash(tmp_path: Path, trained: Path) -> None:
    assert {"model=gan", "model=mle"} <= set(completions("gantext train model=", tmp_path))
    assert completions("gantext train seed=2 data=sc", tmp_path) == ["data=scenes"]
    keys = completions("gantext train model=mle model.generator.h", tmp_path)
    assert "model.generator.hidden=" in keys
    assert "train" in completions("gantext tr", tmp_path)
    (tmp_path / "runs").symlink_to(trained.parent)
    assert completions("gantext sample r", tmp_path) == ["run"]
    assert completions("gantext train --resume r", tmp_path) == ["run"]


def test_completion_knows_every_group(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from gantext.cli import completion

    for group in groups.GROUPS:
        expected = [f"{group}={name}" for name in groups.names(group)]
        assert completion.overrides(f"{group}=") == expected
    assert not [word for word in completion.overrides("") if word.startswith("hydra")]
