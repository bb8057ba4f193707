"""A folder of one's own configs: named by an option, or once for all by the environment."""

from pathlib import Path

import pytest

from gantext.runs import listing
from tests.conftest import Command


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A data config of one's own beside its text: 18 sentences, of which 2 are held out."""
    lines = [f"the {a} {b} sits on the {c} ." for a in "abc" for b in "def" for c in "gh"]
    (tmp_path / "own.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "mine" / "data").mkdir(parents=True)
    text = (Path(__file__).parents[2] / "conf/data/text.yaml").read_text()
    lines = ["# sentences of one's own", *text.splitlines()[1:]]
    written = "\n".join(lines).replace("train: ???", f"train: {tmp_path / 'own.txt'}")
    (tmp_path / "mine" / "data" / "own.yaml").write_text(written + "\n")
    return tmp_path / "mine"


@pytest.mark.parametrize("how", ["option", "environment"])
def test_own_data_is_shown_and_scored_against(
    cli: Command, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "environment":
        monkeypatch.setenv("GANTEXT_CONFIG_DIR", str(mine))
    words = ["--config-dir", "mine"] if how == "option" else []
    assert "16 sentences" in cli("data", "show", "own", *words).out
    assert "sentences of one's own" in cli("data", "list", *words).out
    found = cli("eval", "bleu", "--samples", "own.txt", "data=own", "-n", "2", *words)
    assert found.code == 0 and "bleu-2" in found.out, found.err
    assert "did you mean own?" in cli("data", "show", "owm", *words).err


def test_a_run_on_own_data_is_sampled_and_remembers_the_folder(
    cli: Command, mine: Path, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANTEXT_CONFIG_DIR", str(mine))
    words = [word for word in small_mle if not word.startswith("data")]
    words += ["data=own", "model.mle.epochs=1", "eval.samples=2", "name=r"]
    assert cli("train", *words).code == 0
    run = listing.find("r", Path("runs"))
    assert run.info["config_dir"] == str(mine) and run.settings.data.name == "text"
    monkeypatch.delenv("GANTEXT_CONFIG_DIR")
    for more in ([], ["--config-dir", "mine"]):
        found = cli("sample", "r", "-n", "2", *more)
        assert found.code == 0 and len(found.out.splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: text\ntrain: [a\n", "line 3: "),
        ("name: text\n\ttrain: a\n", "line 2: "),
        ("name: text\nseed: 1\nseed: 2\n", "line 3: "),
    ],
)
def test_a_damaged_yaml_file_is_named_with_its_line(
    cli: Command, mine: Path, text: str, said: str
) -> None:
    bad = mine / "data" / "bad.yaml"
    bad.write_text(text)
    for words in (["data", "show", "bad"], ["train", "data=bad"], ["train", "-m", "data=bad"]):
        found = cli(*words, "--config-dir", "mine")
        assert found.code == 2 and len(found.errors) == 1, found.err
        assert found.err.startswith(f"error: {bad}, {said}")


def test_a_folder_that_is_not_there_says_who_named_it(
    cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (["data", "show", "scenes"], ["eval", "bleu", "data=scenes", "--samples", "x"]):
        found = cli(*words, "--config-dir", "nowhere")
        assert found.errors == ["error: config folder not found: nowhere"]
    monkeypatch.setenv("GANTEXT_CONFIG_DIR", "lost")
    found = cli("train", "--dry-run")
    assert found.errors == ["error: config folder not found: lost (set by GANTEXT_CONFIG_DIR)"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model:\n  mle:\n    epochs: 3\n", ", line 1: an experiment begins with the line '# @pa"),
        ("# @package _global_\nseed: [1\nthreads: 2\n", ", line 3: "),
        ("# @package _global_\nmodel:\n\tmle: 1\n", ", line 3: a tab: YAML is indented by spaces"),
        ("# @package _global_\nmodel:\n mle:\n    epochs: 3\n   x: 4\n", "line 5: its indentation"),
        ("# @package _global_\n- seed\n", ", line 2: keys with values are needed"),
        ("# @package _global_\n\nsead: 3\n", ", line 3: unknown key 'sead' (did you mean seed?)"),
        (
            "# @package _global_\nmodel:\n  mle:\n    epoks: 3\n",
            ", line 4: unknown key 'model.mle.epoks' (did you mean model.mle.epochs?)",
        ),
        ("# @package _global_\nseed: many\n", ", line 2: seed=many: a whole number is needed"),
        ("# @package _global_\nseed: ${no}\n", ", line 2: seed: Interpolation key 'no' not found"),
        (
            "# @package _global_\ndefaults:\n  - override /model: gna\n",
            ", line 3: model=gna: no such model (did you mean gan?)",
        ),
        (
            "# @package _global_\ndefaults:\n  - override /modle: gan\n",
            ", line 3: no such group 'modle' (did you mean model?)",
        ),
        ("# @package _global_\ndefaults:\n  - /model: gan\n", ": write 'override /model: gan'"),
        (
            "# @package _global_\ndefaults:\n  - gan\n",
            ", line 3: gan: write 'override /GROUP: NAME'",
        ),
        ("# @package _global_\ndefaults:\n  - {}\n", ", line 3: write 'override /GROUP: NAME'"),
        ("# @package _global_\ndefaults:\n  - bad\n", ", line 3: bad: write 'override /GROUP: NAM"),
        (
            "# @package _global_\ndefaults:\n  - mutual\n",
            ", line 3: mutual: write 'override /GROUP: NAME', _self_, or an experiment that does",
        ),
    ],
)
def test_what_is_wrong_in_an_experiment_of_ones_own_has_file_and_line(
    cli: Command, tmp_path: Path, text: str, said: str
) -> None:
    bad = tmp_path / "mine" / "experiment" / "bad.yaml"
    bad.parent.mkdir(parents=True)
    bad.write_text(text)
    (bad.parent / "mutual.yaml").write_text("# @package _global_\ndefaults:\n  - bad\n")
    found = cli("train", "experiment=bad", "--config-dir", "mine")
    assert found.code == 2 and len(found.errors) == 1, found.err
    assert found.err.startswith(f"error: {bad}, line ") and said in found.err
    assert not (tmp_path / "runs").exists()


def test_a_word_of_the_command_line_is_not_laid_to_a_file(cli: Command, tmp_path: Path) -> None:
    own = tmp_path / "mine" / "experiment" / "own.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("# @package _global_\nmodel:\n  mle:\n    epochs: 3\n")
    words = ["train", "experiment=own", "--config-dir", "mine"]
    assert cli(*words, "model.mle.epochs=x").err.startswith("error: model.mle.epochs=x: ")
    assert cli(*words, "model.mle.epoks=1").err.startswith("error: unknown key 'model.mle.epoks' ")


@pytest.mark.parametrize(
    ("text", "said"),
    [("name: gnn\n", "unknown model 'gnn'"), ("size: 1\n", "a config with a name is needed")],
)
def test_a_model_of_ones_own_that_is_none_is_named(
    cli: Command, tmp_path: Path, text: str, said: str
) -> None:
    bad = tmp_path / "mine" / "model" / "bad.yaml"
    bad.parent.mkdir(parents=True)
    bad.write_text(text)
    found = cli("train", "model=bad", "--config-dir", "mine")
    assert found.err.startswith(f"error: {bad}: ") and said in found.err
