"""Overrides to settings, what is refused and how, and the Hydra internals that it rests on."""

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from gantext import data, models
from gantext.config import groups, keys, schema
from gantext.config.compose import (
    BASIC_LAUNCHER,
    BASIC_SWEEPER,
    compose,
    compose_data,
    compose_sweep,
)
from gantext.config.data_file import data_config, named_values
from gantext.config.settings import Device, Phases, Settings
from gantext.config.words import quote
from gantext.errors import UserError
from gantext.runs.folder import RunDir


def refusal(*words: str, config_dir: Path | None = None) -> str:
    with pytest.raises(UserError) as caught:
        compose(words, config_dir)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_hydra_internals_are_where_this_package_needs_them() -> None:
    """Fails first when a new hydra-core moves them; see the top of compose.py."""
    from hydra._internal.core_plugins.basic_launcher import BasicLauncher
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path

    def names(function: Any) -> list[str]:
        return list(inspect.signature(function).parameters)

    assert names(Hydra.create_main_hydra2) == ["task_name", "config_search_path"]
    assert names(BasicSweeper.split_arguments) == ["overrides", "max_batch_size"]
    assert names(create_config_search_path) == ["search_path_dir"]
    wanted = ["self", "config_name", "task_function", "overrides", "with_log_configuration"]
    assert names(Hydra.multirun)[:5] == wanted
    assert {"config_name", "overrides", "run_mode"} <= set(names(Hydra.compose_config))
    for kind, place in ((BasicSweeper, BASIC_SWEEPER), (BasicLauncher, BASIC_LAUNCHER)):
        assert f"{kind.__module__}.{kind.__qualname__}" == place


def test_defaults_compose_with_types() -> None:
    found = compose([])
    assert found.phases is Phases.all and found.device is Device.auto
    assert type(found.checkpoint.every_seconds) is float
    assert type(found.model) is models.config_class(found.model.name)
    assert type(found.data) is data.config_class("scenes")
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.seed = 3


VALUES = {
    "text": ["data.train=a.txt"],
    "hf": ["data.path=a"],
    "pictures": ["data.folder=a"],
    "coco_full": ["data.train2014=a.json", "data.val2014=b.json"],
}


@pytest.mark.parametrize("group", ["model", "data"])
def test_every_yaml_composes_and_its_keys_are_the_fields(group: str) -> None:
    for name in groups.names(group):
        found = compose([f"{group}={name}", *VALUES.get(name, [])])
        values = OmegaConf.to_container(OmegaConf.load(groups.CONF / group / f"{name}.yaml"))
        node = getattr(found, group)
        assert schema.leaves(values) == schema.field_names(type(node)), name
        assert dataclasses.is_dataclass(node) and type(node).__dataclass_params__.frozen
        assert not [
            f.name for f in dataclasses.fields(node) if f.default is not dataclasses.MISSING
        ]
        assert groups.describe(group, name), f"{name}.yaml begins with a line that says what it is"


def test_the_main_yaml_has_the_fields_of_the_settings() -> None:
    values = OmegaConf.to_container(OmegaConf.load(groups.CONF / "config.yaml"))
    assert isinstance(values, dict)
    del values["defaults"], values["hydra"]
    assert {"model", "data", *schema.leaves(values)} == set(schema.field_names(Settings))


@pytest.mark.parametrize("name", groups.names("experiment"))
def test_every_experiment_composes(name: str) -> None:
    assert compose_sweep([f"experiment={name}"]).jobs


def test_an_experiment_may_sweep_over_all_models_of_text_that_there_are() -> None:
    """What the words have comes in the place of what it sweeps."""
    jobs = compose_sweep(["experiment=bench_scenes", "seed=3"]).jobs or ()
    text, labelled = data.Reads.text, data.Reads.labelled
    assert [settings.model.name for _, settings in jobs] == models.readers([text, labelled])
    assert {(settings.seed, settings.threads) for _, settings in jobs} == {(3, 1)}
    jobs = compose_sweep(["experiment=bench_coco"]).jobs or ()
    assert [settings.model.name for _, settings in jobs] == models.readers([text])
    with pytest.raises(UserError, match=r"-m runs it, model=\.\.\. trains one of its jobs"):
        compose(["experiment=bench_scenes", "seed=3"])


def test_a_short_experiment_is_its_full_one_with_fewer_steps() -> None:
    """It changes counts alone; what it builds on builds on another."""
    counts = {"mle.epochs", "d_training.pretrain_steps", "d_training.steps", "adversarial.steps"}
    found = keys.experiments()
    for name, experiment in found.items():
        if name.endswith("_short"):
            assert experiment.builds_on == (name.removesuffix("_short"),)
            assert set(experiment.values) <= {f"model.{count}" for count in counts}, name
            assert experiment.options == found[experiment.builds_on[0]].options, name
    model = compose(["experiment=seqgan_synthetic_released_short"]).model
    assert (model.generator.hidden, model.discriminator.l2, model.mle.epochs) == (32, 0.1, 25)


def test_every_value_has_a_comment() -> None:
    """A comment stands above a value, or above the first of some values that share it."""
    for path in groups.CONF.rglob("*.yaml"):
        if path.parent.name in ("model", "data"):
            lines = path.read_text().splitlines()
            share = sum(line.strip().startswith("#") for line in lines) / len(lines)
            assert lines[0].startswith("# ") and share > 0.25, path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sed=2"], "unknown key 'sed' (did you mean seed?)"),
        (
            ["model.generator.hiden=3"],
            "'model.generator.hiden' (did you mean model.generator.hidden?",
        ),
        (["checkpoint.every_stps=3"], "(did you mean checkpoint.every_steps?)"),
        (["data=coco", "data.tran=x"], "unknown key 'data.tran' (did you mean data.train?)"),
        (["+model.foo=3"], "unknown key 'model.foo'"),
        (["++data.foo=3"], "unknown key 'data.foo'"),
        (["+checkpoint.foo=3"], "unknown key 'checkpoint.foo'"),
        (["+foo=3"], "unknown key 'foo'"),
        (["model=gna"], "model=gna: no such model (did you mean gan?)"),
        (["data=scene"], "data=scene: no such data (did you mean scenes?)"),
        (["experiment=nonsense"], "experiment=nonsense: no such experiment"),
        (["model=null"], "model=null: no such model"),
        (["~model"], "model: a config with a name is needed"),
        (["~seed"], "a value is needed: seed="),
        (["~model.generator.hidden"], "a value is needed: model.generator.hidden="),
        (["data=text"], "a value is needed: data.train="),
        (["seed=abc"], "seed=abc: a whole number is needed"),
        (["model.mle.learning_rate=1e"], "model.mle.learning_rate=1e: a number is needed"),
        (["seed=null"], "seed: Incompatible value 'None' for field of type 'int'"),
        (["seed=1,2"], "several values are a sweep, which needs -m"),
        (["checkpoint=3"], "checkpoint: a group of values is needed, not 3"),
        (["checkpoint.every_steps=1.5"], "checkpoint.every_steps=1.5: a whole number is needed"),
        (["device=gpu"], "expected one of [auto, cpu, cuda, mps]"),
        (["phases=adv"], "expected one of [all, pretrain, adversarial]"),
        (["model.adversarial.reward=x"], "expected one of [rollout, sentence, prefix, constant]"),
        (
            ["model.discriminator.widths=[a]"],
            "model.discriminator.widths[0]=a: a whole number is needed",
        ),
        (["model.discriminator.widths=[0]"], "widths=0: it must be at least 1"),
        (["model.mle.batch_size=0"], "model.mle.batch_size=0: it must be at least 1"),
        (["model.mle.learning_rate=-1"], "learning_rate=-1.0: it must be at least 0"),
        (["model.mle.learning_rate=nan"], "learning_rate=nan: it must be finite"),
        (["eval.samples=0"], "eval.samples=0: it must be at least 1"),
        (["eval.preset=foo"], "no preset 'foo'"),
        (["model.name=vea"], "unknown model 'vea'"),
        (["model.name=../secrets"], "unknown model '../secrets'"),
        (["data.name=os"], "unknown data os"),
        (["gan"], "'gan' is not an override: write key=value (did you mean model=gan?)"),
        (["--foo"], "no such option: --foo"),
        (["--seed=3"], "no such option: --seed (did you mean seed=3?)"),
        (["name=[1"], "cannot read the overrides"),
        (["name='a"], "cannot read the overrides"),
        (["hydra/launcher=nonsense"], "is its plugin installed?"),
        (["hydra.mode=MULTIRUN"], "hydra.mode is set by -m"),
    ],
)
def test_a_refusal_names_the_key_and_the_nearest_one(words: list[str], said: str) -> None:
    base = [] if any(word.startswith(("model=", "~model")) for word in words) else ["model=gan"]
    assert said in refusal(*base, *words)


parser = OverridesParser.create()


@example("a\\")
@example("\\'\\\\'")
@example("\\0")
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20))
@settings(max_examples=300, deadline=None)
def test_quote_lets_any_name_through(name: str) -> None:
    if "$" not in name:
        assert str(parser.parse_override(f"name={quote(name)}").value()) == name


def test_a_composed_config_composes_back(tmp_path: Path) -> None:
    words = [
        "model=gan",
        "seed=7",
        "model.adversarial.reward=prefix",
        "name='a, b: c #d'",
        "model.discriminator.widths=[1,2]",
        "model.discriminator.filters=[3,4]",
    ]
    found = compose(words)
    (tmp_path / "config.yaml").write_text(schema.to_yaml(found))
    assert RunDir(tmp_path).settings == found


@pytest.mark.parametrize("text", ["", "- a", "a: [", "a: ${b}", "\0", "seed: 1"])
def test_a_damaged_config_of_a_run_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        _ = RunDir(tmp_path).settings
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", groups.names("data"))
def test_named_data_is_what_hydra_composes(name: str) -> None:
    def composed(compose: Callable[[list[str]], Any]) -> Any:
        try:
            return compose([f"data={name}"])
        except UserError as error:  # data=text needs a file
            return str(error)

    assert named_values([f"data={name}"]) is not None
    assert composed(data_config) == composed(compose_data)


def test_what_only_hydra_can_read_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "own.yaml"
    plain = (groups.CONF / "data" / "scenes.yaml").read_text()
    file.write_text(plain)
    assert data_config(["data=own"], tmp_path) == compose_data(["data=own"], tmp_path)
    for text in (
        "defaults: [scenes]\n",
        plain + "\nmore: ${seed}\n",
        "# @package _global_\n",
        "a: [",
    ):
        file.write_text(text)
        assert named_values(["data=own"], tmp_path) is None
    for words in (["data=nowhere"], ["data=scenes", "data.seed=3"], ["+data=scenes"]):
        assert named_values(words, tmp_path) is None
    assert named_values(["data=scenes"], tmp_path / "no") is None


def test_the_users_own_configs_come_first(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    text = (groups.CONF / "model" / "mle.yaml").read_text()
    (tmp_path / "model" / "tiny.yaml").write_text(text.replace("hidden: 512", "hidden: 7"))
    found = compose(["model=tiny"], tmp_path)
    assert found.model.name == "mle" and found.model.generator.hidden == 7
    assert "did you mean tiny?" in refusal("model=tinny", config_dir=tmp_path)
    assert "config folder not found" in refusal(config_dir=tmp_path / "nowhere")
    (tmp_path / "model" / "bad.yaml").write_text("name: [")
    assert refusal("model=bad", config_dir=tmp_path)
    assert "no such model" in refusal("model=tiny")  # nothing of it is remembered


def test_a_sweep_is_checked_before_its_first_job() -> None:
    found = compose_sweep(["seed=1,2", "model=gan,mle"])
    assert found.folder.name.endswith("-sweep") and not found.hydras_own
    assert found.jobs is not None and [words for words, _ in found.jobs] == [
        ["seed=1", "model=gan"],
        ["seed=1", "model=mle"],
        ["seed=2", "model=gan"],
        ["seed=2", "model=mle"],
    ]
    assert [settings.model.name for _, settings in found.jobs[:2]] == ["gan", "mle"]
    for words, said in (
        (["seed=1,x"], "seed=x: a whole number is needed"),
        (["model=gan,gna"], "model=gna: no such model (did you mean gan?)"),
        (["sed=1,2"], "unknown key 'sed' (did you mean seed?)"),
        (["model.generator.hidden=8,0"], "it must be at least 1"),
        (["seed=range(1"], "cannot read the overrides"),
        (["hydra.sweep.subdir=x"], "the jobs of a sweep lie in its folders 0, 1, 2"),
    ):
        with pytest.raises(UserError) as caught:
            compose_sweep(words)
        assert said in str(caught.value) and "\n" not in str(caught.value)
