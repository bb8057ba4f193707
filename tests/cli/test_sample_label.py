"""gantext sample --label: sentences of one class of a model that has some."""

import json
from pathlib import Path

import pytest

from gantext import api
from gantext.errors import UserError
from gantext.runs.folder import RunDir
from gantext.training import launch
from tests.conftest import Command
from tests.models.test_contract import overrides


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A few steps of likelihood of a model of classes; not to be changed."""
    folder = tmp_path_factory.mktemp("labels")
    words = [*overrides("catgan"), f"runs_dir={folder}", "name=cat", "phases=pretrain"]
    return launch.single([*words, "model.d_training.pretrain_steps=0"])


def test_sentences_of_a_class(run: RunDir, cli: Command) -> None:
    found = cli("sample", str(run.path), "-n", "3", "--label", "2", "--json")
    assert found.code == 0, found.err
    document = json.loads(found.out)
    assert len(document["samples"]) == 3 and document["signature"]["label"] == "2"
    own = api.load_run(run.path, device="cpu")
    assert list(own.sample(3, label="2")) == document["samples"]
    assert list(own.sample(3, label="3")) != document["samples"]
    plain = cli("sample", str(run.path), "-n", "3", "--json")
    assert "label" not in json.loads(plain.out)["signature"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--label", "22"], "cat has no class '22'"),
        (["--label", "1", "--prompt", "a"], "a label and a prompt: sentences take one of the two"),
    ],
)
def test_what_it_has_not_is_refused_in_one_line(
    run: RunDir, cli: Command, words: list[str], said: str
) -> None:
    found = cli("sample", str(run.path), *words)
    assert found.code == 2 and not found.out
    (line,) = found.err.strip().splitlines()
    assert said in line


def test_a_model_without_classes_takes_no_label(tmp_path: Path) -> None:
    words = [*overrides("mle"), f"runs_dir={tmp_path}", "name=plain"]
    launch.single(words)
    with pytest.raises(UserError, match="model=mle has no classes: it takes no label"):
        api.load_run(tmp_path / "plain", device="cpu").sample(1, label="1")
