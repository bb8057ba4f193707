"""One of several candidates is kept by a judge: by what law, and by which judges it is refused."""

import dataclasses
import itertools
import json
import math
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import gantext
from gantext.data import load
from gantext.data.flat import Text, Tokens
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.inference.candidates import Chooser, chooser_of, drawn_places
from gantext.inference.judges import sides as sides_of
from gantext.inference.judges.discriminator import Discriminator
from gantext.inference.judges.sides import Sides
from gantext.inference.request import Candidates, SamplingRequest
from gantext.inference.sampling import draw
from gantext.metrics.two_classes import Calibration, Held
from tests.conftest import Command

WORTH = Held(0.5, 0.01, 0.8, Calibration(1.0, 0.0), 100, 200)


@dataclasses.dataclass(frozen=True)
class Planted:
    """A judge whose logit is a known number of each sentence."""

    logit: Tensor
    name: str = "planted"
    digest: str = "0" * 8
    stopped_by_half: bool = False

    def logits(self, tokens: Tensor) -> Tensor:
        """Of sentences of two words, which may be 0, 1 or 2."""
        return self.logit[tokens[:, 0] * 3 + tokens[:, 1]]


def kept_share(weights: list[float], count: int) -> np.ndarray:
    """Of a uniform model, how often each of its sentences is kept, by all draws of `count`."""
    found = np.zeros(len(weights))
    for drawn in itertools.product(range(len(weights)), repeat=count):
        for one in drawn:
            found[one] += weights[one] / sum(weights[other] for other in drawn)
    return found / found.sum()


@pytest.mark.parametrize("count", [2, 3])
def test_what_is_kept_follows_the_law_by_enumeration(count: int) -> None:
    """All sentences of two words of three, uniform: a sentence is kept by its weight's share."""
    logit = torch.linspace(-2, 2, 9).double()
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randint(3, (20_000 * count, 2), generator=rng)
    kept = Chooser(Planted(logit), WORTH, count).keep(tokens, rng)
    shares = torch.bincount(kept[:, 0] * 3 + kept[:, 1], minlength=9).numpy() / 20_000
    assert shares == pytest.approx(kept_share(logit.exp().tolist(), count), abs=0.014)  # 4 sd


def test_with_many_candidates_it_is_the_model_times_the_weights() -> None:
    """p(x) exp(logit / T) / Z, with the temperature of the held-out sentences: 2, a slope of .5."""
    logit = torch.linspace(-2, 2, 9).double()
    rng = torch.Generator().manual_seed(1)
    tokens = torch.randint(3, (4000 * 200, 2), generator=rng)
    worth = dataclasses.replace(WORTH, calibration=Calibration(0.5, 3.0))
    kept = Chooser(Planted(logit), worth, 200).keep(tokens, rng)
    shares = torch.bincount(kept[:, 0] * 3 + kept[:, 1], minlength=9) / 4000
    wanted = (logit / 2).softmax(0)
    assert shares.tolist() == pytest.approx(wanted.tolist(), abs=0.03)


def test_candidates_are_alike_where_their_likelihood_is_known() -> None:
    """Likely sentences, of word 0, look real to the judge; still as many unlikely ones are kept.

    Of those of word 1 the judge prefers the ones that go on with a 2, at odds of e^4 each.
    """
    rng = torch.Generator().manual_seed(2)
    tokens = torch.tensor([[0, 1], [1, 1], [1, 2]])[torch.randint(3, (3000 * 4,), generator=rng)]
    logit = torch.tensor([9.0, 9.0, 9.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0]).double()
    likely = torch.tensor([-1.0, -8.0, 0.0])
    sizes = (tokens != PAD).sum(1)  # the word 0 is no word: sentences of one word are among them

    def log_prob(some: Tensor) -> Tensor:
        return likely[some[:, 0]] * (some != PAD).sum(1)

    kept = Chooser(Planted(logit), WORTH, 4, log_prob=log_prob).keep(tokens, rng)
    plain = Chooser(Planted(logit), WORTH, 4).keep(tokens, rng)
    assert sizes.unique().tolist() == [1, 2] and len(kept) == len(plain) == 3000
    assert abs(int((kept[:, 0] == 1).sum()) - int((tokens[:, 0] == 1).sum()) / 4) <= 1
    left = float((plain[:, 0] == 1).double().mean())  # where no other stands among the four
    assert left == pytest.approx((2 / 3) ** 4, abs=0.03)
    preferred = (kept[kept[:, 0] == 1][:, 1] == 2).double().mean()
    assert float(preferred) == pytest.approx(_preferred(math.exp(4), 4), abs=0.03)


def test_sentences_are_alike_as_a_whole_or_by_the_word() -> None:
    """All have log p -4: in two words or in one, so that a group has one kind of them or both."""
    tokens = torch.tensor([[1, 2], [2, 0]]).repeat(2, 1)
    logit = torch.zeros(9).double()
    logit[1 * 3 + 2] = 50.0

    def log_prob(some: Tensor) -> Tensor:
        return torch.full((len(some),), -4.0)

    rng = torch.Generator().manual_seed(1)
    by_word, whole = (
        Chooser(Planted(logit), WORTH, 2, log_prob=log_prob, per_word=each)
        for each in (True, False)
    )
    assert sorted(by_word.keep(tokens, rng).tolist()) == [[1, 2], [2, 0]]
    assert whole.keep(tokens, rng).tolist() == [[1, 2], [1, 2]]
    assert (by_word.signature["among"], whole.signature["among"]) == ("alike per word", "alike")


def _preferred(odds: float, count: int) -> float:
    """The share of kept ones that are of the preferred of two equally frequent kinds."""
    ways = [(math.comb(count, k) / 2**count, k * odds, count - k) for k in range(count + 1)]
    return sum(chance * good / (good + rest) for chance, good, rest in ways)


def test_a_place_is_drawn_by_the_softmax_of_its_row() -> None:
    rng = torch.Generator().manual_seed(0)
    logits = torch.tensor([[0.0, -math.inf, 800.0], [1.0, -math.inf, -math.inf]])
    assert drawn_places(logits, rng).tolist() == [2, 0]


class Longest(Planted):
    """Whoever is longest is kept."""

    def logits(self, tokens: Tensor) -> Tensor:
        return 1e3 * (tokens != PAD).sum(1).double()


def test_candidates_are_the_samples_that_would_have_been_drawn(trained: Path) -> None:
    run = gantext.load_run(trained).trained
    _, plain = draw(run, SamplingRequest(20, seed=3, prompt="there is"))
    request = SamplingRequest(5, seed=3, prompt="there is", candidates=Candidates(4))
    chooser = Chooser(Longest(torch.zeros(0)), WORTH, 4)  # groups as they are drawn
    _, kept = draw(run, request, chooser=chooser)
    groups = [plain[first : first + 4] for first in range(0, 20, 4)]
    assert all(one in group for one, group in zip(kept, groups, strict=True))
    assert [len(one) for one in kept] == [max(map(len, group)) for group in groups]


@pytest.fixture
def knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The discriminator gives all sentences one logit."""
    monkeypatch.setattr(Discriminator, "logits", lambda self, rows: torch.zeros(len(rows)).double())


def test_a_judge_that_knows_nothing_is_refused(
    cli: Command, trained: Path, knows_nothing: None
) -> None:
    words = ["sample", str(trained), "-n", "3", "--candidates", "4", "--judge", "discriminator"]
    found = cli(*words)
    assert found.code == 2 and not found.out
    assert found.errors[-1] == (
        "error: run: no judge that tells its samples from real text (discriminator: held-out loss "
        "0.693 ± 0.000, AUC 0.500): not under ln 2 = 0.693 by two standard errors; --force keeps "
        "by it all the same"
    )
    forced = cli(*words, "--force", "--json")
    assert forced.code == 0 and "1 of 4 kept by discriminator" in forced.err
    signature = json.loads(forced.out)["signature"]
    assert signature["judge_forced"] and signature["candidates"] == 4
    assert signature["judge"] == f"discriminator {signature['weights']}"
    assert (signature["judge_loss"], signature["judge_auc"]) == (0.6931, 0.5)
    assert cli(*words, "--force").out.splitlines() == json.loads(forced.out)["samples"]


def test_by_default_it_is_the_first_that_knows_something(
    trained: Path, knows_nothing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = gantext.load_run(trained).trained
    ratio = Planted(torch.zeros(0), "lm-ratio")
    shuffled = torch.tensor([5.0, -5.0, -5.0, 5.0]).repeat(10).double()
    monkeypatch.setattr(Planted, "logits", lambda self, tokens: shuffled[: len(tokens)])
    monkeypatch.setattr("gantext.inference.candidates.lm_ratio", lambda sides, say: ratio)
    monkeypatch.setattr(sides_of, "cached_weights", lambda folder, train: train())
    request = SamplingRequest(3, candidates=Candidates(2))
    with pytest.raises(UserError, match=r"\(discriminator: held-out .*; lm-ratio: held-out loss"):
        chooser_of(run, request)  # its labels are shuffled
    few = len(Sides(run).held_out)
    knowing = {True: torch.full((few,), 9.0).double(), False: torch.zeros(2 * few).double()}
    monkeypatch.setattr(Planted, "logits", lambda self, tokens: knowing[len(tokens) == few])
    chooser = chooser_of(run, request)
    assert chooser is not None and chooser.judge is ratio and not chooser.forced


def test_without_held_out_sentences_it_is_said_how_to_have_some(
    cli: Command, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = load(gantext.load_run(trained).settings.data)
    nothing = dataclasses.replace(corpus.validation, tokens=Tokens.of([]), text=Text.of([]))
    empty = dataclasses.replace(corpus, validation=nothing)
    monkeypatch.setattr(sides_of.data, "load", lambda config: empty)
    for judge in ("discriminator", "lm-ratio", "encoder"):
        found = cli("sample", str(trained), "--candidates", "4", "--judge", judge)
        assert found.code == 2 and not found.out and len(found.errors) == 1
        assert found.errors[0] == (
            "error: run: data=scenes has no held-out sentences for a judge to be checked on: "
            "train with data.validation_size=1000"
        )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--candidates", "4", "--greedy"], "at temperature 0 nothing is"),
        (["--candidates", "4", "--temperature", "0"], "at temperature 0 nothing is"),
        (["--judge", "lm-ratio"], "--judge and --force are for --candidates 2 or more"),
        (["--force"], "--judge and --force are for --candidates 2 or more"),
        (["--candidates", "4", "--judge", "lm"], "--judge lm: no discriminator, lm-ratio, encoder"),
        (["--candidates", "4", "--judge", "encoder:here"], "no encoder in "),
        (["--candidates", "99999"], "candidates.count=99999: it must be at most 10,000"),
    ],
)
def test_bad_input_is_one_line(cli: Command, trained: Path, words: list[str], said: str) -> None:
    for command in (["sample"], ["eval", "diversity"]):
        if "--greedy" not in words or command == ["sample"]:
            found = cli(*command, str(trained), *words)
            assert found.code == 2 and len(found.errors) == 1 and said in found.err


def test_scores_of_candidates_are_stored_apart_and_say_what_kept_them(
    cli: Command, trained: Path, tmp_path: Path, knows_nothing: None
) -> None:
    run = tmp_path / "runs" / "own"
    shutil.copytree(trained, run)
    asked = [str(run), "-n", "20", "--json"]
    judged = [*asked, "--candidates", "2", "--judge", f"{trained}@discriminator", "--force"]
    plain = scores(cli("eval", "diversity", *asked).out)
    first = cli("eval", "diversity", *judged)
    kept = scores(first.out)
    assert not [one for one in plain if "judge" in one["signature"]]
    signature = kept[0]["signature"]
    assert signature["candidates"] == 2 and signature["judge_forced"]
    assert re.fullmatch(r"run [0-9a-f]{8}", signature["judge"])
    assert "own: 1 of 2 kept by run " in first.err and "forced" in first.err
    assert [one["value"] for one in plain] != [one["value"] for one in kept]
    again = cli("eval", "diversity", *judged)
    assert again.out == first.out and "checked" not in again.err


def scores(text: str) -> list[dict[str, Any]]:
    return [one for run in json.loads(text)["runs"] if run["run"] == "own" for one in run["scores"]]


def test_in_python_as_on_the_command_line(
    trained: Path, trained_vae: Path, knows_nothing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides_of, "cached_weights", lambda folder, train: train())
    run = gantext.load_run(trained)
    found = run.sample(4, candidates=3, judge="discriminator", force=True)
    assert isinstance(found, gantext.api.Samples) and len(found) == 4
    assert found.signature["candidates"] == 3 and found.signature["judge_forced"]
    with pytest.raises(UserError, match="model=vae has no discriminator, and its likelihood is an"):
        run.sample(4, candidates=3, judge=str(trained_vae))


def test_of_judges_that_know_nothing_the_better_one_keeps_by_force(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And without force none; the first that knows something keeps, whatever follows it."""
    judges = [Planted(torch.zeros(9), name) for name in ("a", "b", "c")]
    losses = {"a": 0.70, "b": 0.69, "c": 0.71}
    package = "gantext.inference.candidates"
    monkeypatch.setattr(f"{package}._judges", lambda asked, sides, say: iter(judges))
    monkeypatch.setattr(
        f"{package}.check",
        lambda judge, *_: dataclasses.replace(WORTH, loss=losses[judge.name]),
    )
    run: Any = SimpleNamespace(
        algorithm=SimpleNamespace(log_prob=lambda tokens: -tokens.sum(1)),
        device=torch.device("cpu"),
        settings=SimpleNamespace(data=SimpleNamespace(name="scenes")),
        run=SimpleNamespace(path=Path("run")),
    )
    forced = chooser_of(run, SamplingRequest(3, candidates=Candidates(4, force=True)))
    assert forced is not None and forced.judge.name == "b"
    assert forced.forced and forced.count == 4 and forced.per_word
    assert forced.log_prob is not None and forced.log_prob(torch.tensor([[1, 2]])).tolist() == [-3]
    with pytest.raises(UserError, match=r"a: held-out .*; b: .*; c: "):
        chooser_of(run, SamplingRequest(3, candidates=Candidates(4)))
    losses["c"] = 0.5
    run.settings.data.name = "coco"
    knowing = chooser_of(run, SamplingRequest(3, candidates=Candidates(4, force=True)))
    assert knowing is not None and knowing.judge.name == "c"
    assert not knowing.forced and not knowing.per_word
    assert chooser_of(run, SamplingRequest(3)) is None


def test_unless_it_is_said_sentences_are_alike_by_the_word_and_nobody_is_forced() -> None:
    found = Chooser(Planted(torch.zeros(9)), WORTH, 2, log_prob=lambda tokens: tokens.sum(1))
    assert found.signature["among"] == "alike per word" and "judge_forced" not in found.signature
    worth = dataclasses.replace(WORTH, loss=0.1234567, auc=0.7654321)
    rounded = dataclasses.replace(found, held=worth, log_prob=None).signature
    assert (rounded["judge_loss"], rounded["judge_auc"]) == (0.1235, 0.7654)
    assert rounded["among"] == "drawn"
