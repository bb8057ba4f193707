"""Help that is quick and complete, completion that works in a real bash, configs to look at."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
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


LIGHT = (
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
    "methods",
)
HEAVY = {"torch", "hydra", "omegaconf", "numpy", "nltk", "sacrebleu"}
ONE_AFTER_THE_OTHER = f"""
import contextlib, io, json, sys
loaded = {{}}
for words in {LIGHT}:
    sys.argv = ["gantext", *words.split()]
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()) as out:
        from gantext.__main__ import main
        main()
    loaded[words] = [bool(out.getvalue()), *sorted({HEAVY} & {{*sys.modules}})]
print(json.dumps(loaded))
"""


def test_light_commands_import_nothing_heavy(tmp_path: Path) -> None:
    """In a process that does them all, so that each but the first finds what others have loaded."""
    found = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_THE_OTHER],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=tmp_path,
        check=True,
    )
    prints = {words: [words != "runs list"] for words in LIGHT}  # that there are none: on stderr
    assert json.loads(found.stdout) == prints


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
    case "$COMP_WORDBREAKS" in *[=@]*) echo WORDBREAK_IN_A_WORD;; esac
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
    keys = completions("gantext train model=mle model.generator.h", tmp_path)
    assert "model.generator.hidden=" in keys
    assert "train" in completions("gantext tr", tmp_path)
    (tmp_path / "runs").symlink_to(trained.parent)
    assert completions("gantext sample run@m", tmp_path) == ["run@mle"]
    assert completions("gantext train --resume r", tmp_path) == ["run"]


@pytest.fixture
def offered(cli: Command, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """`offered(line)`: what completion offers for a line, asked of the command line itself."""

    def ask(line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("_GANTEXT_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(words))
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        return cli().out.split()

    return ask


def test_completion_of_overrides(offered: Callable[[str], list[str]]) -> None:
    for group in groups.GROUPS:
        expected = [f"{group}={name}" for name in groups.names(group)]
        assert offered(f"gantext train {group}=") == expected
    assert offered("gantext train seed=2 data=sc") == ["data=scenes"]
    assert not [word for word in offered("gantext train ") if word.startswith("hydra")]
    assert offered("gantext train model.m") == ["model.mle."]
    assert offered("gantext train model=vae model.latent_s") == ["model.latent_size="]
    assert offered("gantext train model=mle model.latent_s") == []
    assert offered("gantext train experiment=vae_none model.latent_s") == ["model.latent_size="]
    assert offered("gantext train device=c") == ["device=cpu", "device=cuda"]
    assert offered("gantext train force=") == ["force=true", "force=false"]
    assert offered("gantext train eval.preset=tex") == [
        "eval.preset=texygen",
        "eval.preset=texygen-fast",
        "eval.preset=textgan",
    ]
    assert offered("gantext train nonsense=") == []
    assert offered("gantext data show text data.tr") == ["data.train="]


def test_completion_of_runs_phases_and_sweeps(
    offered: Callable[[str], list[str]], trained: Path, tmp_path: Path
) -> None:
    (tmp_path / "runs" / "sweep" / "0").mkdir(parents=True)
    (tmp_path / "runs" / "run").symlink_to(trained)
    (tmp_path / "runs" / "sweep" / "sweep.json").write_text("{}")
    name = str(trained)
    assert offered("gantext sample l") == ["latest"]
    ends = ["mle", "discriminator", "adversarial"]
    assert offered(f"gantext eval bleu {name}@") == [f"{name}@{end}" for end in ends]
    assert offered("gantext adversarial-train --from run@m") == ["run@mle"]
    assert offered("gantext sample run --phase ") == ends
    assert offered("gantext sample nowhere@") == []
    for line in ("runs sweep ", "runs rm s", "train --resume s"):
        assert offered(f"gantext {line}") == ["sweep"]
    assert offered("gantext runs rename s") == []


def test_completion_of_scores_commands_and_choices(
    offered: Callable[[str], list[str]],
) -> None:
    names = [f"bleu-{n}{of}" for of in ("", "-at-real") for n in (2, 3, 4, 5)]
    assert offered("gantext runs sweep --score bleu-") == names
    assert offered("gantext eval bl") == ["bleu"]
    assert offered("gantext help eval self") == ["self-bleu"]
    assert offered("gantext help eval bleu ") == []
    assert "adversarial-train" in offered("gantext help ")
    assert offered("gantext eval bleu --preset re") == ["relgan"]
    assert offered("gantext sample --device c") == ["cpu", "cuda"]


def test_completion_imports_nothing_heavy(tmp_path: Path) -> None:
    words = {"COMP_WORDS": "gantext\ntrain\nmodel=vae\nmodel.enc", "COMP_CWORD": "3"}
    code = "import sys; sys.argv[0] = 'gantext'; from gantext.cli import main; main()"
    found = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        capture_output=True,
        text=True,
        env=environment(_GANTEXT_COMPLETE="complete_bash", **words),
        cwd=tmp_path,
        check=True,
    )
    assert found.stdout.split() == ["model.encoder."]
    names = {line.rpartition("|")[2].strip().split(".")[0] for line in found.stderr.splitlines()}
    assert not names & {"torch", "hydra", "omegaconf", "numpy"}


def test_gantext_help_is_the_help_of_a_command(cli: Command) -> None:
    for words in ([], ["train"], ["eval", "bleu"], ["runs"]):
        found = cli("help", *words)
        assert found.code == 0 and found.out == cli(*words, "--help").out


def test_the_lists_of_help_have_no_blank_lines_and_the_users_own(
    cli: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "mine" / "model" / "own.yaml").write_text("# a model [of mine]\nname: gan\n")
    for words in (["--config-dir", "mine", "--help"], ["--help", "--config-dir", "mine"]):
        shown = cli("train", *words).out
        listed = shown[shown.index("\n model=") : shown.index("\n Examples")].rstrip()
        assert "  own             a model [of mine]" in listed and "\n\n" not in listed.strip()
        assert max(map(len, listed.splitlines())) <= 80
    monkeypatch.setenv("GANTEXT_CONFIG_DIR", "mine")
    assert "a model [of mine]" in cli("pretrain", "-h").out
    assert "gan_coco" in cli("tune", "--help").out
