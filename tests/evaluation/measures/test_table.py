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
from gantext.runs.kinds import PICTURES, TEXT


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


def test_which_rows_of_the_table_are_what() -> None:
    """What stored scores are found by, who has them, and how states are judged hang on these."""

    def having(name: str) -> set[str]:
        return {row.name for row in measures.OWN if getattr(row, name)}

    assert having("alone") == {"self-bleu", "diversity", "unique"}
    assert having("tempered") == {"likelihood"} and having("first") == {"likelihood", "truth"}
    shown = {"pictures", "classified", "augmentation-pictures"}
    assert having("pictures") == shown
    assert having("of_model") == {
        *("likelihood", "latent", "interpolation", "imputation", "augmentation"),
        *("class-accuracy", "classified", "augmentation-pictures"),
    }
    assert {row.name: row.needs for row in measures.OWN if row.needs} == {
        **dict.fromkeys(("latent", "interpolation"), ("latent",)),
        "augmentation": ("of_class", "classify"),
        "class-accuracy": ("of_class",),
        **dict.fromkeys(("classified", "augmentation-pictures"), ("classify",)),
    }
    examples = ("examples", "samples", "seed")
    assert {row.name: row.settings for row in measures.OWN if row.settings} == {
        **dict.fromkeys(("bleu", "self-bleu", "lengths"), ("preset", "seed")),
        "latent": ("draws", "sentences", "seed"),
        **dict.fromkeys(("interpolation", "imputation"), ("probes", "seed")),
        **dict.fromkeys(("lm", "pictures"), ("seed",)),
        **dict.fromkeys(("frechet", "mauve"), ("seed", "encoder")),
        **dict.fromkeys(("augmentation", "augmentation-pictures"), examples),
        "class-accuracy": ("sentences", "seed"),
    }
    assert having("slow") == {
        *("latent", "interpolation", "imputation", "lm", "frechet", "mauve", "augmentation"),
        *("class-accuracy", "pictures", "augmentation-pictures"),
    }
    package = ("sentence_transformers", "gantext[frechet]")
    assert {row.name: row.package for row in measures.OWN if row.package} == {
        "frechet": package,
        "mauve": package,
    }
    not_in_all = {"unique", "true-likelihood", "interpolation", "imputation", "augmentation"}
    assert {row.name for row in measures.OWN} - having("in_all") == {
        *not_in_all,
        "augmentation-pictures",
    }


def test_which_scores_are_shown_and_judge() -> None:
    bleus = [f"bleu-{n}" for n in (2, 3, 4, 5)]
    assert measures.columns() == [
        *("nll-test", "grammatical", "nll-oracle", *bleus, *(f"self-{one}" for one in bleus)),
        *("unique", "copied", "ms-jaccard-4", "retrieval-1", "retrieval-5"),
        *("colour", "shape", "count", "diversity", "diversity-real", "frechet", "frechet-real"),
        *("precision", "precision-real", "recall", "recall-real"),
        *("class-kl", "class-min-share", "memorised", "classified"),
    ]
    assert measures.summary() == [
        *("nll-test", "grammatical", "bleu-2", "bleu-4", "self-bleu-4", "unique"),
        *("retrieval-1", "colour", "shape", "diversity", "frechet", "precision", "recall"),
        *("class-min-share", "memorised", "classified"),
    ]
    text, pictures = (measures.judging(kind) for kind in (TEXT, PICTURES))
    lower = ["nll-test", "nll-test-sentence", "perplexity", "forward-kl"]
    assert {name: row.name for name, row in text.items()} == {
        **dict.fromkeys(lower, "likelihood"),
        **dict.fromkeys(("grammatical", "nll-oracle"), "truth"),
        **dict.fromkeys((*bleus, "corpus-bleu"), "bleu"),
        **dict.fromkeys((f"self-{one}" for one in bleus), "self-bleu"),
        "unique": "unique",
    }
    of_pictures = ("retrieval-1", "retrieval-5", "colour", "shape", "count", "diversity")
    of_pictures += ("precision", "recall", "class-min-share", "frechet", "class-kl", "memorised")
    assert {name: row.name for name, row in pictures.items()} == {
        **dict.fromkeys(of_pictures, "pictures"),
        "classified": "classified",
    }
    assert {name for name in {**text, **pictures} if measures.falls(name)} == {
        *(*lower, "nll-oracle", *(f"self-{one}" for one in bleus)),
        *("frechet", "class-kl", "memorised"),
    }


def test_what_commands_show_besides_and_how() -> None:
    commands = {row.name: command for row, command in measures.commanded()}
    assert {name: one.also for name, one in commands.items() if one.also} == {
        "likelihood": ("truth",),
        "augmentation": ("augmentation-pictures",),
    }
    assert {name: one.seeds for name, one in commands.items() if one.seeds != 1} == {
        "augmentation": 3
    }
    assert {name for name, one in commands.items() if one.draw} == {"lengths"}
    sampled = {"samples", "n", "temperature", "candidates", "judge", "force"}
    bleu = sampled | {"references", "preset"}
    assert {name: set(one.options) for name, one in commands.items()} == {
        **dict.fromkeys(("bleu", "self-bleu"), bleu),
        "diversity": sampled | {"references"},
        **dict.fromkeys(("likelihood", "lm"), sampled),
        "latent": {"k", "sentences"},
        **{name: {"probes"} for name in ("interpolation", "imputation")},
        **dict.fromkeys(("frechet", "mauve"), sampled | {"encoder"}),
        "augmentation": {"n", "examples"},
        "class-accuracy": {"sentences"},
        "lengths": bleu | {"plot"},
        "pictures": {"n"},
        "classified": set(),
    }
