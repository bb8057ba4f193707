"""From words to a run: composed once, and what its folder remembers of the words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl

from gantext.config import groups
from gantext.config.compose import compose, task_words
from gantext.config.words import quote
from gantext.runs import listing
from gantext.training import launch


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The overrides of each composition that Hydra makes."""
    seen: list[list[str]] = []
    whole: Callable[..., Any] = ConfigLoaderImpl.load_configuration

    def load(
        self: ConfigLoaderImpl, config_name: str, overrides: list[str], *rest: Any, **more: Any
    ) -> Any:
        seen.append(list(overrides))
        return whole(self, config_name, overrides, *rest, **more)

    monkeypatch.setattr(ConfigLoaderImpl, "load_configuration", load)
    return seen


def test_a_single_run_is_composed_once(
    small_mle: list[str], composed: list[list[str]], tmp_path: Path
) -> None:
    words = [*small_mle, f"runs_dir={quote(str(tmp_path))}", "name=a"]
    run = launch.single([*words, "hydra.job.chdir=true"])
    assert composed == [[*words, "hydra.job.chdir=true"]]
    assert run.info["status"] == "finished" and run.info["overrides"] == words
    assert run.info["config_dir"] is None and listing.find("latest", tmp_path).path == run.path


def test_runs_of_one_second_have_folders_of_their_own(
    small_mle: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch.time, "strftime", lambda form: "now")
    settings = compose([*small_mle, f"runs_dir={quote(str(tmp_path))}"])
    for name in ("now-mle-scenes-s1", "now-mle-scenes-s1-2", "now-mle-scenes-s1-3"):
        assert launch._name(settings) == name
        (tmp_path / name).mkdir()


def test_a_run_remembers_the_users_configs_wherever_it_is_read(
    small_mle: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine" / "model").mkdir(parents=True)
    text = (groups.CONF / "model" / "mle.yaml").read_text()
    (tmp_path / "mine" / "model" / "tiny.yaml").write_text(text)
    words = [word.replace("model=mle", "model=tiny") for word in small_mle]
    run = launch.single([*words, "name=a"], Path("mine"))
    assert run.info["config_dir"] == str(tmp_path / "mine")


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        ("seed=1", True),
        ("model=hydra", True),
        ("hydrant=1", True),
        ("hydra.verbose=true", False),
        ("+hydra.job.env_set.A=b", False),
        ("hydra/launcher=joblib", False),
        ("~hydra/sweeper", False),
    ],
)
def test_words_for_hydra_are_not_the_runs(word: str, kept: bool) -> None:
    assert task_words([word]) == ([word] if kept else [])
