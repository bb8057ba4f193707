"""nll_oracle and nll_test while a run trains: when, of what, and that nothing else comes of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gantext.data.corpus import Split
from gantext.data.flat import Tokens
from gantext.data.vocabulary import EOS, SPECIALS, Vocabulary
from gantext.models.contract import Phase
from gantext.runs.changes import Part
from gantext.runs.folder import RunDir
from gantext.runs.migrations import migrated
from gantext.training import probe
from gantext.training.curve import NAMES, Curve, points, spacing
from tests.conftest import SMALL_GAN, Command, finished
from tests.torture import CURVE, back_to, difference, end_of


@pytest.fixture(scope="module")
def curved(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """The session's run of the tiny GAN with points every 4 steps, and every 3 adversarial ones."""
    return RunDir(finished(tmp_path_factory.mktemp("curved"), [*SMALL_GAN, *CURVE]))


def phase(name: str, steps: int, **facts: bool) -> Phase:
    return Phase(name, steps, 4, lambda batch, rng: {}, **facts)


def curve_in(rows: list[dict[str, Any]]) -> dict[int, dict[str, float]]:
    """The points by their steps, taken out of the rows."""
    found = {r["total"]: {n: r.pop(n) for n in NAMES if n in r} for r in rows}
    return {total: point for total, point in found.items() if point}


def test_a_run_is_the_same_with_a_curve_and_without(curved: RunDir, trained: Path) -> None:
    """Weights, generators and every other metric; a point is decided by the seed and its step."""
    ends = [end_of(run)[1] for run in (curved.path, trained)]
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    rows, plain = curved.metrics(), RunDir(trained).metrics()
    found, at_ends = curve_in(rows), curve_in(plain)
    assert rows == plain
    assert list(found) == [4, 8, 12, 16, 25, 28, 30]  # 16 of mle, 6 of d, 8 adversarial ones
    assert at_ends == {total: found[total] for total in (16, 30)}


def test_a_point_is_of_the_scores_of_a_phases_end(curved: RunDir) -> None:
    """Of all 30 test sentences nll_test is nll-test, to the last bit."""
    scores = {score["name"]: score["value"] for score in (curved.result or {})["scores"]}
    points = curve_in(curved.metrics())
    assert points[30]["nll_test"] == scores["nll-test"]
    assert all(0 <= point["grammatical"] <= 1 for point in points.values())
    # A model of so few steps writes next to nothing that is grammatical: no infinity is stored.
    assert all(math.isfinite(value) for point in points.values() for value in point.values())


def test_a_run_that_goes_on_has_the_same_points(
    curved: RunDir, cli: Command, tmp_path: Path
) -> None:
    copy = back_to(curved, 22, tmp_path)
    assert cli("train", "--resume", str(copy.path)).code == 0
    assert difference(copy.path, curved.path) == ""


class Tongue:
    """A model that writes "a b", "b" and "a a" in turn; each word of a sentence costs it 2 nats."""

    def sample(self, n: int, rng: torch.Generator, options: object) -> torch.Tensor:
        a, b = len(SPECIALS), len(SPECIALS) + 1
        rows = torch.tensor([[a, b, EOS], [b, EOS, 0], [a, a, EOS]])
        return rows.repeat(math.ceil(n / 3), 1)[:n]

    def log_prob(self, tokens: torch.Tensor) -> torch.Tensor:
        return -2.0 * (tokens != 0).sum(1)


@dataclass(frozen=True)
class Grammar:
    """A truth that knows the log-likelihoods of a few sentences."""

    known: Mapping[tuple[str, ...], float]

    def log_prob(self, sentences: list[list[str]]) -> np.ndarray:
        return np.array([self.known.get(tuple(one), -math.inf) for one in sentences])


TWO, NONE = Grammar({("a", "b"): -3.0, ("b",): -1.0}), Grammar({})


class Bound(Tongue):
    """The same by 10 draws of something latent."""

    def estimator(self) -> dict[str, str | int]:
        return {"estimator": "iw", "k": 10}


TONGUE = Tongue()


def curve_of(run: RunDir, truth: Grammar | None, model: Any = TONGUE) -> Curve:
    """Of a corpus of 30 test sentences, of which 20 are taken, and of 6 samples."""
    words = Vocabulary((*SPECIALS, "a", "b"), (0,) * 6, "whitespace", False)
    tokens = [[len(SPECIALS)] * (1 + row % 2) + [EOS] for row in range(30)]
    corpus: Any = SimpleNamespace(
        vocabulary=words, truth=truth, test=Split(Tokens.of(tokens), [""] * 30)
    )
    log = replace(run.settings.log, curve=replace(run.settings.log.curve, samples=6, sentences=20))
    return Curve(replace(run.settings, log=log), corpus, model, torch.device("cpu"))


def test_a_point_by_hand(curved: RunDir) -> None:
    """Two each of "a b" (3 nats), "b" (1 nat) and "a a" (impossible): 8 nats over 6 words; a model
    whose every word costs 2 nats has them of any text."""
    found = curve_of(curved, TWO).point(7)
    assert found == {"nll_oracle": 8 / 6, "grammatical": 4 / 6, "nll_test": 2.0}
    assert curve_of(curved, NONE).point(7) == {"grammatical": 0.0, "nll_test": 2.0}
    assert curve_of(curved, None).point(7) == {"nll_test": 2.0}
    held_out = curve_of(curved, None)._held_out
    assert len(held_out) == 20 and set(held_out.tokens.lengths.tolist()) == {2, 3}
    assert len(curve_of(curved, None, Bound())._held_out) == 2


def test_when_there_is_a_point(curved: RunDir) -> None:
    """Every so many steps of phases that change samples, and at their ends: 3 and 2 of 10 steps."""
    settings = curved.settings
    phases = (
        phase("mle", 10),
        phase("discriminator", 10, scored=False),
        phase("adversarial", 5, adversarial=True),
    )
    assert [spacing(settings, one) for one in phases] == [4, 0, 3]
    assert points(settings, phases) == 3 + 0 + 2
    curve = curve_of(curved, None)
    due = [[step for step in range(1, 11) if curve.is_due(one, step)] for one in phases[:2]]
    assert due == [[4, 8, 10], []]
    quiet = replace(settings, log=replace(settings.log, every_steps=0))
    pictures = replace(settings, model=SimpleNamespace(name="image_gan"))
    assert points(quiet, phases) == points(pictures, phases) == 0


def test_the_time_that_points_take_counts(curved: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    """A point of 2 s every 4 steps of 0.1 s each: 0.6 s a step."""
    times = iter([5.0, 7.0])
    monkeypatch.setattr(probe.time, "monotonic", lambda: next(times))
    phases = (phase("mle", 10), phase("discriminator", 10, scored=False))
    found = probe._with_points({"mle": 10.0, "discriminator": 5.0}, curve_of(curved, None), phases)
    assert found == pytest.approx({"mle": 1 / 0.6, "discriminator": 5.0})


def test_runs_of_before_have_none(curved: RunDir) -> None:
    old = migrated({"log": {"every_steps": 20}}, 6, Part.settings)["log"]["curve"]
    log = replace(curved.settings.log, curve=SimpleNamespace(**old))
    assert points(replace(curved.settings, log=log), [phase("mle", 10)]) == 0
