"""What each model declares is what it is: its abilities, the metrics that it shows and draws."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gantext import data, models
from gantext.config.compose import compose
from gantext.models.build import build, task_of
from gantext.models.contract import Ability
from gantext.plots.curves import LOOKS
from gantext.training.console import headline

GOLDEN = Path(__file__).parent.parent / "golden"
FEW = ["data=scenes", "data.train_size=40", "data.validation_size=4", "data.test_size=4"]
LABELLED = {data.Reads.labelled: ["data.label=count"]}
VARIANTS = [*models.available(), "dpr_gan model.variant=faithful"]


def built(name: str):
    model, *words = name.split()
    labels = LABELLED.get(models.reads(model), [])
    settings = compose([f"model={model}", *words, *FEW, *labels])
    loaded = data.load_for(settings.data, models.reads(settings.model.name))
    return build(settings.model, settings.seed, task_of(loaded, torch.device("cpu")))


def steps(name: str) -> list[dict[str, float]]:
    """Metrics of a few steps of all phases."""
    phases = json.loads((GOLDEN / f"{name}.json").read_text())
    return [row for rows in phases.values() for row in rows]


# Of each phase: whether `phases=pretrain` leaves it out, and whether samples are scored at its end.
LEARNS, JUDGES, FIGHTS = (False, True), (False, False), (True, True)
BY_TURNS = {"mle": LEARNS, "discriminator": JUDGES, "adversarial": FIGHTS}
PHASES = {
    **dict.fromkeys(("catgan", "dpgan", "gan", "relgan", "sentigan"), BY_TURNS),
    "cot": {"mle": LEARNS, "mediator": (True, False), "cooperative": FIGHTS},
    "dpr_gan": {
        **{"dual_encoder": JUDGES, "decoder": JUDGES, "composer": LEARNS},
        **{"adversarial": FIGHTS, "hard_negatives": FIGHTS},
    },
    "dpr_gan model.variant=faithful": {"adversarial": FIGHTS},
    "image_gan": {"adversarial": FIGHTS},
    "jsdgan": {"mle": LEARNS, "divergence": FIGHTS},
    "leakgan": {"pretraining": LEARNS, "discriminator": (True, False), "adversarial": FIGHTS},
    "mle": {"mle": LEARNS},
    "vae": {"autoencoder": JUDGES, "vae": LEARNS},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_which_phases_are_adversarial_and_which_are_scored(name: str) -> None:
    found = {phase.name: (phase.adversarial, phase.scored) for phase in built(name).phases()}
    assert (list(found), found) == (list(PHASES[name]), PHASES[name])


@pytest.mark.parametrize("name", VARIANTS)
def test_a_declared_ability_is_there_and_one_that_is_there_is_declared(name: str) -> None:
    algorithm = built(name)
    there = {ability for ability in Ability if isinstance(algorithm, ability.value)}
    assert models.abilities(name.split()[0]) == there


@pytest.mark.parametrize("name", models.available())
def test_the_metrics_of_the_line_of_progress_are_the_models_own(name: str) -> None:
    assert set(models.progress_metrics(name)) <= {key for row in steps(name) for key in row}


@pytest.mark.parametrize("name", models.available())
def test_each_figure_has_a_title_of_its_own_and_each_loss_is_in_one(name: str) -> None:
    curves = models.curves(name)
    titles = [layout.title for layout in curves]
    assert len(set(titles)) == len(titles)
    keys = {key for row in steps(name) for key in row}
    drawn = {key for layout in (*curves, *LOOKS) for key in layout.keys(keys)}
    assert set(models.progress_metrics(name)) <= drawn
    assert {key for key in keys if key.endswith(("loss", "grad_norm"))} <= drawn


def test_the_line_of_progress_has_its_metrics_in_the_models_order() -> None:
    metrics = {"unique": 0.5, "entropy": 2.0, "odd": 1.0, "nll": 4.25}
    assert headline(metrics, (*models.progress_metrics("gan"), "unique")) == (
        "nll 4.250  entropy 2.000  unique 0.500"
    )


@pytest.mark.parametrize("name", models.available())
def test_a_model_states_all_that_the_contract_says(name: str) -> None:
    contract = importlib.import_module("gantext.models.contract").__doc__ or ""
    stated = [
        line.split("`")[1].partition("(")[0] for line in contract.splitlines() if "- `" in line
    ]
    assert len(stated) == 6
    assert not [word for word in stated if not hasattr(models.module(name), word)]


def test_abilities_are_known_without_torch() -> None:
    """A table of what needs which ability is read for help, which must be quick."""
    code = "import sys, gantext.models.contract; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_which_models_several_processes_train() -> None:
    parallel = {name for name in models.available() if models.is_parallel(name)}
    assert parallel == {"cot", "dpgan", "gan", "jsdgan", "leakgan", "mle", "vae"}


CURRENT = "leakgan model.d_training.leak=current model.d_training.alone_steps=0"


@pytest.mark.parametrize(
    "name", ["catgan", "dpgan", "gan", "leakgan", "relgan", "sentigan", CURRENT]
)
def test_a_discriminator_s_better_weights_are_put_back(name: str) -> None:
    """But not where the generator reads its features as they are."""
    model = built(name)
    looks = model.held_out if name == "dpgan" else model.d_held_out
    assert looks.puts_back is (name != CURRENT)
