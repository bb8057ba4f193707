"""The table of measures: what each command reads from it, and that its rows hold what they say."""

import dataclasses
import inspect
from typing import Any, cast

import pytest
import typer

from gantext.cli import eval as eval_command
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.evaluation import measures
from gantext.evaluation.ground import Ground, Real
from gantext.evaluation.measure import Command, Measure, Protocol, imported
from gantext.evaluation.subjects import REAL, Subject
from gantext.metrics.score import Score
from gantext.metrics.text.texts import Texts


def test_the_orders_that_commands_show() -> None:
    """Documents and tables that people keep depend on these."""
    assert [row.name for row, _ in measures.commanded()] == (
        "bleu self-bleu diversity likelihood latent interpolation imputation lm frechet mauve "
        "augmentation class-accuracy lengths pictures classified"
    ).split()
    assert [row.name for row in measures.of_all()] == (
        "bleu self-bleu diversity likelihood latent truth lengths lm frechet mauve class-accuracy "
        "pictures classified"
    ).split()
    assert measures.compared() == (
        *("likelihood", "truth", "bleu", "self-bleu", "diversity"),
        *("pictures", "classified"),
    )
    assert [row.name for row in measures.after_phase()] == (
        "likelihood truth bleu self-bleu unique pictures classified".split()
    )
    assert measures.reported(slow=False) == (
        *("bleu", "self-bleu", "diversity", "likelihood", "truth"),
    )
    assert measures.reported(slow=True) == (
        *("latent", "interpolation", "imputation", "lm", "frechet", "mauve", "augmentation"),
        "class-accuracy",
    )
    assert measures.of_pictures() == ("pictures", "classified")
    assert measures.columns()[:5] == "nll-test grammatical nll-oracle bleu-2 bleu-3".split()
    assert measures.summary()[:7] == (
        "nll-test grammatical bleu-2 bleu-4 self-bleu-4 unique retrieval-1".split()
    )


@pytest.mark.parametrize("row", measures.OWN, ids=lambda row: row.name)
def test_a_row_holds_what_it_says(row: Measure) -> None:
    found = inspect.signature(imported(row.compute))
    assert list(found.parameters) == ["subject", "ground", "protocol"]
    assert {*row.settings} <= {field.name for field in dataclasses.fields(Protocol)}
    if row.command is not None:
        assert {*row.command.also} <= measures.table().keys()
        assert row.command.draw is None or callable(imported(row.command.draw))
        assert ("plot" in row.command.options) == (row.command.draw is not None)


OPTIONS = {setting: setting for setting in ("preset", "encoder", "sentences", "probes", "examples")}
OPTIONS["draws"] = "k"


@pytest.mark.parametrize(
    "row, command", measures.commanded(), ids=[row.name for row, _ in measures.commanded()]
)
def test_a_command_has_the_options_that_decide_its_scores_and_no_other(
    row: Measure, command: Command
) -> None:
    rows = [row, *map(measures.find, command.also)]
    settings = {setting for one in rows for setting in one.settings}
    assert command.options & {*OPTIONS.values()} == {OPTIONS[s] for s in settings & OPTIONS.keys()}
    if row.pictures or row.needs:
        assert command.nothing != Command.nothing  # it says which models have the score
    sampled = any(not (one.of_model or one.pictures) for one in rows)
    assert ({"samples", "temperature"} <= command.options) == sampled
    assert bool({"samples", "temperature"} & command.options) == sampled


def test_an_option_that_no_command_has_is_refused() -> None:
    command = Command(title="toy", about="A toy.", options=frozenset({"n", "colour"}))
    with pytest.raises(UserError, match="toy: gantext eval has no option colour"):
        eval_command.register(typer.Typer(), "toy", command, ("bleu",))


def test_an_unknown_measure_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown measure 'blue'.*bleu"):
        measures.find("blue")


def test_what_is_no_row_or_has_a_name_that_is_taken_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for row, said in ((3, "no Measure"), (measures.OWN[0], "a second bleu")):
        monkeypatch.setattr(measures, "_installed", lambda row=row: [("a:B", row)])
        measures.table.cache_clear()
        with pytest.raises(UserError, match=f"the entry point a:B of gantext.measures is {said}"):
            measures.table()
    monkeypatch.undo()
    measures.table.cache_clear()


def test_the_language_models_are_fitted_where_the_user_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gantext.evaluation.measures import lm

    places: list[object] = []

    def fitted(*_: object, seed: int, device: object, **__: object) -> list[Score]:
        places.append((seed, device))
        return []

    for name in ("lm_scores", "real_lm_scores"):
        monkeypatch.setattr(lm, name, fitted)
    monkeypatch.setattr(lm, "best_device", lambda wanted: f"the {wanted.value}")
    monkeypatch.setattr(lm, "_prepared", lambda corpus, _: corpus)
    ground = Ground("hash", lambda: Real(corpus=cast(Any, "the corpus")))
    protocol = Protocol(preset="texygen", seed=3, device=Device.cpu)
    for name in ("run", REAL):
        lm.lm(Subject(name, {}, {}, lambda: (Texts(["a"]), None), 1), ground, protocol)
    assert places == [(3, "the cpu")] * 2


def test_what_is_not_installed_is_named_with_what_brings_it() -> None:
    row = measures.find("bleu")
    assert row.missing is None
    absent = dataclasses.replace(row, package=("no_such_package_of_ours", "gantext[more]"))
    assert absent.missing == "gantext[more]"
    assert dataclasses.replace(row, package=("json", "gantext[more]")).missing is None
