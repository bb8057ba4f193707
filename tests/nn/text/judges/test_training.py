"""Judges in training: what they learn of planted sides, what a state holds, when one is made."""

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
import torch
from torch import Tensor

from gantext.data.vocabulary import EOS
from gantext.errors import UserError
from gantext.nn.rng import generator
from gantext.nn.state import restore
from gantext.nn.text.judges import config as config_of
from gantext.nn.text.judges import encoder
from gantext.nn.text.judges.config import (
    EncoderConfig,
    JudgeConfig,
    Kind,
    RankerConfig,
    RatioConfig,
)
from gantext.nn.text.judges.lm_ratio import backward_config
from gantext.nn.text.judges.members import EncoderMember, RatioMember
from gantext.nn.text.judges.training import JudgeTrainer
from gantext.nn.text.text_cnn import DiscriminatorConfig, TextCNN
from gantext.runs import checkpoint
from tests.nn.text.judges.characters import Characters

CPU = torch.device("cpu")
CONFIG = JudgeConfig(
    kind=Kind.encoder,
    steps=30,
    look_every=10,
    patience=2,
    refresh_every=2,
    refresh_steps=1,
    encoder=EncoderConfig("package", learning_rate=0.01, output_rate=0.05, batch_size=8),
    lm_ratio=RatioConfig(128, 192, dropout=0.5, batch_size=32, learning_rate=0.015),
    ranker=RankerConfig(references=4, gamma=16.0),
)
WORDS = "....abcdef"


def written(tokens: Tensor) -> list[str]:
    """Sentences of the words a to f."""
    return ["".join(WORDS[word] for word in row if word > EOS) for row in tokens.tolist()]


@dataclass(frozen=True)
class Facts:
    """Text of ten words, four of them special; sentences have three."""

    held_out: Tensor | None
    vocab_size: int = len(WORDS)
    fixed_length: bool = False
    singletons: Tensor = dataclasses.field(
        default_factory=lambda: torch.zeros(10, dtype=torch.bool)
    )
    device: torch.device = CPU
    lines: Callable[[Tensor], list[str]] | None = written


def sentences(n: int, rng: torch.Generator, low: int = 4, high: int = 10) -> Tensor:
    """(n, 4): three words of [low, high) and the end."""
    words = torch.randint(low, high, (n, 3), generator=rng)
    return torch.cat([words, torch.full((n, 1), EOS)], 1)


def others(n: int, rng: torch.Generator) -> Tensor:
    """What a generator writes that knows half of the words."""
    return sentences(n, rng, 4, 7)


def uniform(tokens: Tensor) -> Tensor:
    """log p of a generator that knows nothing."""
    return torch.full((len(tokens),), -6.0)


def judge(config: JudgeConfig = CONFIG, sample: Callable[..., Tensor] = others) -> JudgeTrainer:
    held = sentences(60, generator(0, "held", CPU))
    sizes = DiscriminatorConfig(4, (2,), (3,), 0.0, 0.0, 0.0)
    cnn = TextCNN(len(WORDS), sizes, 4, generator(0, "cnn", CPU))
    rng = generator(0, "init", CPU)
    return JudgeTrainer(config, Facts(held), sample, uniform, cnn, rng)


def stepped(trainer: JudgeTrainer, steps: int, rng: torch.Generator) -> JudgeTrainer:
    for _ in range(steps):
        trainer.step(sentences(trainer.rows, rng), rng)
    return trainer


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> list[Characters]:
    """In the place of pretrained encoders; those that were loaded so far."""
    made: list[Characters] = []

    def load(folder: str | None, device: torch.device) -> Characters:
        made.append(Characters())
        return made[-1]

    monkeypatch.setattr(encoder, "load_encoder", load)
    return made


def test_fed_the_same_sentences_from_both_sides_it_stays_at_a_half() -> None:
    """What it knows by then is chance: of 60 and 60 sentences the AUC has a deviation of .05."""
    trainer = stepped(judge(sample=sentences), 30, generator(0, "noise", CPU))
    worth = trainer.held_out.best
    assert worth is not None and worth > 0.68
    trainer.held_out.enter("adversarial", beside=True)
    assert not trainer.held_out.trusted
    rows = sentences(50, generator(1, "rows", CPU))
    assert (trainer.score(rows) - 0.5).abs().max() < 0.2


def test_it_learns_what_differs_and_ends_with_its_best_weights_calibrated() -> None:
    rng = generator(0, "noise", CPU)
    trainer = stepped(judge(), 30, rng)
    assert trainer.calibrated and trainer.calibrations[0, 0] > 0
    trainer.held_out.enter("adversarial", beside=True)
    assert trainer.held_out.trusted
    assert (
        trainer.log_odds(sentences(50, rng, 7, 10)).min() > trainer.log_odds(others(50, rng)).max()
    )
    (member,) = trainer.members.values()
    assert isinstance(member, EncoderMember)
    assert not any(one.stepped for one in member.tuning.optimisers.values())
    before = copy.deepcopy(member.weights())
    first = trainer.refresh(sentences(8, rng), rng)
    assert not first and all(torch.equal(before[key], own) for key, own in member.weights().items())
    assert "judge_loss" in trainer.refresh(sentences(8, rng), rng)  # every second step
    assert not torch.equal(before["head.weight"], member.weights()["head.weight"])


def test_it_stops_where_looks_are_no_better(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its logits are the same whatever it learns: two looks in vain."""
    trainer = judge()
    monkeypatch.setattr(EncoderMember, "logits", lambda self, rows: rows[:, 0].double())
    stepped(trainer, 20, generator(0, "noise", CPU))
    ended = trainer.held_out.waited_in_vain()
    assert ended is not None and ended.best_step == 0 and trainer.calibrated


@pytest.mark.parametrize("kind", [Kind.encoder, Kind.mean])
def test_it_goes_on_exactly_and_is_loaded_only_to_train(
    kind: Kind, planted: list[Characters], tmp_path: Path
) -> None:
    config = dataclasses.replace(CONFIG, kind=kind)
    whole, rng = judge(config), generator(0, "noise", CPU)
    stepped(whole, 15, rng)
    tree = {"judge": whole.state_dict(), "held_out": whole.held_out.state_dict()}
    checkpoint.write(tmp_path / "state", {"algorithm": tree})
    state, noise = checkpoint.read(tmp_path / "state")["algorithm"], rng.get_state()
    stepped(whole, 15, rng)
    resumed, loaded = judge(config), len(planted)
    restore(resumed, state["judge"], Path("run"), "judge", to_train=False)
    assert len(planted) == loaded and resumed.state_dict().keys() == state["judge"].keys()
    restore(resumed, state["judge"], Path("run"), "judge")
    resumed.held_out.load_state_dict(state["held_out"])
    assert len(planted) == loaded + 1
    rng.set_state(noise)
    stepped(resumed, 15, rng)
    own, other = whole.weights(), resumed.weights()
    assert own.keys() == other.keys() and all(torch.equal(own[key], other[key]) for key in own)


def test_a_run_begins_with_the_judge_of_another(tmp_path: Path) -> None:
    rng = generator(0, "noise", CPU)
    first, other = judge(), judge()
    assert other.take(None) == ["the judge starts untrained: it has made no step there"]
    assert other.take(first.state_dict()) == other.take(None)
    stepped(first, 30, rng)
    checkpoint.write(tmp_path / "state", first.state_dict())
    assert not other.take(checkpoint.read(tmp_path / "state"))
    rows = others(5, rng)
    assert torch.equal(other.log_odds(rows), first.log_odds(rows)) and not other.beside


def test_another_encoder_does_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = judge()
    for member in trainer.members.values():
        member.logits(others(1, generator(0, "noise", CPU)))
    state = trainer.state_dict()
    monkeypatch.setattr(encoder, "load_encoder", lambda folder, device: Characters(seed=1))
    with pytest.raises(UserError, match=r"trained from the encoder 'characters [0-9a-f]{8}', and"):
        restore(judge(), state, Path("run"), "judge")
    with pytest.raises(UserError, match=r'cannot read run: "judge.encoder": found'):
        restore(judge(), {**state, "encoder": object()}, Path("run"), "judge")


def test_the_mean_is_that_of_calibrated_logits() -> None:
    """A slope and a bias each, then the mean."""
    trainer = judge(dataclasses.replace(CONFIG, kind=Kind.mean))
    assert list(trainer.members) == ["cnn", "lm_ratio", "encoder"]
    trainer.calibrations = torch.tensor([[2.0, 1.0], [0.5, 0.0], [1.0, -1.0]]).double()
    trainer.calibrated = True
    rows = others(5, generator(0, "rows", CPU))
    cnn, ratio, read = (member.logits(rows) for member in trainer.members.values())
    wanted = (2 * cnn + 1 + 0.5 * ratio + read - 1) / 3
    assert torch.allclose(trainer.log_odds(rows).double(), wanted, atol=1e-6)


def test_the_ratio_learns_what_is_likelier_in_real_text() -> None:
    """Real sentences begin with one word, those of the generator with any of six; by looks it does
    not stop, though its first ones are in vain."""
    config = dataclasses.replace(CONFIG, kind=Kind.lm_ratio, steps=20, look_every=5, patience=1)
    trainer = judge(config, sentences)
    first = torch.tensor([4])
    trainer.facts = dataclasses.replace(trainer.facts, held_out=None)
    rng = generator(0, "noise", CPU)
    for _ in range(20):
        trainer.step(torch.cat([first.expand(32, 1), sentences(32, rng)[:, 1:]], 1), rng)
    begun = torch.cat([first.expand(50, 1), sentences(50, rng)[:, 1:]], 1)
    assert trainer.logits(begun).mean() > trainer.logits(sentences(50, rng, 5)).mean() + 0.5
    assert not trainer.held_out.stopped and not trainer.beside_rows and trainer.rows == 32


def test_the_backward_model_is_as_the_config_says() -> None:
    config = RatioConfig(12, 20, dropout=0.25, batch_size=48, learning_rate=0.002)
    trainer = judge(dataclasses.replace(CONFIG, kind=Kind.lm_ratio, steps=7, lm_ratio=config))
    (member,) = trainer.members.values()
    assert isinstance(member, RatioMember) and trainer.rows == 48
    network, fitted = member.backward.config, backward_config(config, 7)
    assert (network.embedding, network.hidden, network.dropout) == (12, 20, 0.25)
    assert member.backward.lstms[0].hidden_size == 20 and member.trainer.total == 7
    assert (fitted.training.batch_size, fitted.training.learning_rate) == (48, 0.002)
    rng = generator(0, "noise", CPU)
    rows = sentences(64, rng)
    with mock.patch.object(member.trainer, "step", return_value={"nll": 0.0}) as step:
        member.step(rows, rng)
    assert len(step.call_args.args[0]) == 48


@pytest.mark.parametrize(
    ("kind", "base", "known", "checked", "installed", "taken"),
    [
        ("auto", "auto", True, True, True, (Kind.cnn, "auto")),
        ("auto", "auto", False, False, True, (Kind.cnn, "auto")),
        ("auto", "auto", False, True, True, (Kind.encoder, "package")),
        ("auto", "auto", False, True, False, (Kind.lm_ratio, "none")),
        ("auto", "none", False, True, True, (Kind.lm_ratio, "none")),
        ("auto", "/encoder", False, True, False, (Kind.encoder, "/encoder")),
        ("mean", "auto", True, True, False, (Kind.mean, "none")),
        ("encoder", "auto", True, True, False, (Kind.encoder, "package")),
        ("ranker", "auto", False, True, True, (Kind.ranker, "auto")),
    ],
)
def test_what_auto_takes(
    kind: str,
    base: str,
    known: bool,
    checked: bool,
    installed: bool,
    taken: tuple[Kind, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config_of, "is_installed", lambda: installed)
    own = dataclasses.replace(CONFIG.encoder, base=base)
    asked = dataclasses.replace(CONFIG, kind=Kind(kind), encoder=own)
    for held_out in [range(4)] if checked else [range(3), None]:
        found = asked.settled(known, held_out)
        assert (found.kind, found.encoder.base) == taken
        assert found.settled(known, held_out) == found


def test_what_cannot_be_had_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"kind=lm_ratio: no sentences are held out to check it on"):
        dataclasses.replace(CONFIG, kind=Kind.lm_ratio).check("abc")
    none = dataclasses.replace(CONFIG.encoder, base="none")
    with pytest.raises(UserError, match=r"kind=encoder needs model.judge.encoder.base=package"):
        dataclasses.replace(CONFIG, encoder=none).check("abcd")
    monkeypatch.setattr("gantext.nn.text.judges.pretrained.DEFAULT", "no-such-encoder")
    with pytest.raises(UserError, match=r"needs an optional package: pip install 'gantext\[judge"):
        CONFIG.check(None)
    dataclasses.replace(CONFIG, kind=Kind.cnn).check("")


def test_the_memory_of_an_encoder_is_known_before_it_is_loaded(tmp_path: Path) -> None:
    """Six times its weights, and what the library and its batches take; of a ratio nothing."""
    (tmp_path / "model.safetensors").write_bytes(bytes(1000))
    of_folder = dataclasses.replace(CONFIG.encoder, base=str(tmp_path))
    assert judge(dataclasses.replace(CONFIG, encoder=of_folder)).memory == 6000 + (1400 << 20)
    assert judge(dataclasses.replace(CONFIG, kind=Kind.lm_ratio)).memory == 0
