"""gantext explain: what scores, keys, models and all else that has a name mean."""

import json
import re
from pathlib import Path

import pytest

from gantext.cli import explain, explanations, tables
from gantext.config import groups, keys
from gantext.evaluation import measures
from gantext.evaluation.measure import Measure
from gantext.training.terminal import Terminal
from tests.conftest import Command


def test_a_score_is_explained(cli: Command) -> None:
    found = cli("explain", "bleu-4")
    assert found.code == 0 and found.err == ""
    for word in ("exp((log p_1", "nearer to the value of real text", "Papineni", "0 to 1"):
        assert word in found.out
    assert "gantext eval bleu" in found.out and "equal to nltk's" in found.out
    assert "the share of samples that" in cli("explain", "grammatical").out.lower()
    assert "of sentences of 9-12 tokens" in cli("explain", "bleu-4[9-12]").out
    assert (
        "classifier" in cli("explain", "frechet").out and "encoder" in cli("explain", "frechet").out
    )
    assert cli("explain", "self-bleu").out.count("(score)") == 1  # the family is one entry


def test_a_key_is_explained_with_its_type_and_where_it_is_set(cli: Command) -> None:
    (found,) = json.loads(cli("explain", "rollout_lag", "--json").out)
    assert found["name"] == "model.adversarial.rollout_lag" and found["kind"] == "key"
    assert found["about"].startswith("The rollout policy keeps this share")
    facts = found["facts"]
    assert (facts["of"], facts["default"]) == ("model=gan", "0.0")
    assert facts["takes"] == "number, 0 to under 1"
    assert facts["set by"]["experiment=seqgan_synthetic_paper"] == "0.8"
    file, line = re.fullmatch(r"(conf/model/gan\.yaml):([0-9]+)", facts["stands in"]).groups()
    text = (groups.CONF.parent / file).read_text().splitlines()[int(line) - 1]
    assert text.strip() == "rollout_lag: 0.0"
    both = json.loads(cli("explain", "model.adversarial.rollouts", "--json").out)
    assert [one["facts"]["of"] for one in both] == ["model=gan", "model=leakgan", "model=sentigan"]


def test_groups_options_and_presets_are_explained(cli: Command) -> None:
    listed = cli("explain", "model.objective.anneal").out
    assert "model.objective.anneal.midpoint" in listed and "(model=vae, 2500)" in listed
    assert "log.trackers" in cli("explain", "log").out
    both = cli("explain", "leakgan").out
    assert "leakgan (preset of BLEU)" in both and "model=leakgan (model)" in both
    plane = cli("explain", "oracle").out
    assert "oracle (plane of eval frontier)" in plane and "data=oracle (data)" in plane
    assert "nll-oracle where nll-test is the lowest that all curves reach, or 8" in plane
    assert "Where this differs from the paper" in both
    shown = cli("explain", "experiment=vae_linear").out
    assert "model.objective.anneal.steps: 3130" in shown and "leakgan" not in shown
    assert "short and of long sentences" in cli("explain", "lengths").out


def test_what_training_logs_is_explained_by_its_figures(cli: Command) -> None:
    (found,) = json.loads(cli("explain", "held_out_loss", "--json").out)
    assert found["kind"] == "logged while training"
    assert "learns sentences by heart" in found["about"]
    assert found["facts"]["figure"] == "Discriminator loss: held-out sentences"
    assert found["facts"]["line at"] == "ln 2"
    assert {"gan", "leakgan", "sentigan"} <= {*found["facts"]["models"]}
    assert not {"mle", "image_gan"} & {*found["facts"]["models"]}
    assert cli("explain", "d_loss").out.count("(logged while training)") == 2  # pictures too
    assert "one standard deviation" in cli("explain", "reward_std").out
    assert "kind" not in json.loads(cli("explain", "learning_rate", "--json").out)[0]  # keys end so
    assert json.loads(cli("explain", "seconds", "--json").out)[0]["facts"]["models"] == ["all"]


def test_alone_it_lists_what_can_be_explained(cli: Command) -> None:
    found = cli("explain").out
    for word in ("bleu-4", "grammatical", "texygen", "seqgan_synthetic", "early_stop.patience"):
        assert word in found
    listed = json.loads(cli("explain", "--json").out)
    assert "model.adversarial.rollouts" in listed["keys of model=gan"]


def test_what_nothing_is_called_is_refused_with_the_nearest_name(cli: Command) -> None:
    for word, near in (
        ("blue-4", "bleu-4"),
        ("rolouts", "rollouts"),
        ("eval.sampels", "eval.samples"),
    ):
        found = cli("explain", word)
        assert found.code == 2 and found.out == "", word
        assert found.errors == [
            f"error: nothing is called '{word}' (did you mean {near}?); gantext explain lists what "
            "can be"
        ]


def test_own_configs_are_explained_and_a_broken_one_is_refused(
    cli: Command, tmp_path: Path
) -> None:
    keys.experiments.cache_clear()
    keys._composed.cache_clear()
    own = tmp_path / "own/experiment"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("# @package _global_\n# my own\neval:\n  samples: 77\n")
    found = cli("explain", "eval.samples", "--config-dir", "own").out
    assert "experiment=mine: 77" in found
    keys.experiments.cache_clear()
    (own / "mine.yaml").write_text("# my own\neval: [1\n")
    keys._composed.cache_clear()
    refused = cli("explain", "eval.samples", "--config-dir", "own")
    assert refused.code == 2 and "mine.yaml: line " in refused.errors[-1]
    keys.experiments.cache_clear()
    keys._composed.cache_clear()


def test_a_plugins_score_is_explained_by_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Measure(name="vowels", compute="toy:vowels", columns=("vowels",), falling=("vowels",))
    monkeypatch.setattr(measures, "table", lambda: {"vowels": row})
    (entry,) = explanations._scores("vowels")
    assert entry.facts["better"].startswith("↓") and entry.facts["computed"] == "toy:vowels"


def test_names_are_completed() -> None:
    assert "bleu-4" in explain._names("ble") and "self-bleu" in explain._names("self")
    assert explain._names("model.adversarial.rolloutz") == []
    assert "model.adversarial.rollouts" in explain._names("model.adversarial.roll")


def test_every_key_has_a_comment_and_a_type() -> None:
    found = keys.keys()
    assert len(found) > 300
    assert [key.name for key in found if not key.comment or key.type is None] == []


def test_types_are_those_of_the_dataclasses() -> None:
    """By the bounds and the choices that are refused otherwise."""
    said = {(key.option, key.name): key.type.words for key in keys.keys() if key.type}
    assert (
        said["model=gan", "model.adversarial.reward"]
        == "one of rollout, sentence, prefix, constant"
    )
    assert said["model=leakgan", "model.d_training.clip"] == "number, 0 to 1e+30"  # of the base
    assert said["model=image_gan", "model.betas"] == "a list, each: number, 0 to under 1"
    assert said["", "eval.temperature"] == "number, 0 or 0.001 to 1,000"
    assert said["", "name"] == "text, or null" and said["", "force"] == "true or false"
    assert said["data=scenes", "data.label"] == "one of count, shape, relation, or null"
    assert said["model=gan", "model.adversarial.rollout_every"].startswith("a word, or a whole")


@pytest.mark.parametrize("columns", [80, 120])
def test_no_name_is_lost_and_nothing_is_wider_than_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tables, "out", Terminal(highlight=False, width=columns))
    for name in (None, "learning_rate", "frechet", "leakgan", "model.mle.epochs"):
        explain.explain(name)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert any("model.hard_negatives.learning_rate " in line for line in lines)
