"""The judge encoder, with a tiny stand-in: what it reads, when it stops, what it is worth."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

import gantext
from gantext.inference.judges import encoder as judge_of
from gantext.inference.judges.encoder import encoder_judge
from gantext.inference.judges.sides import Sides, check
from gantext.nn.text.judges.config import EncoderConfig
from gantext.nn.text.judges.encoder import Reader
from gantext.nn.text.sampling import SamplingOptions
from tests.nn.text.judges.characters import Characters


class Same(Sides):
    """A run that writes real sentences: those of both sides are the same, in another order."""

    def samples(self, n: int, purpose: str, options: SamplingOptions) -> Tensor:
        """The sentences of the side that they are held against, over and over."""
        held = self.padded(self.held_out)
        real = {
            "train": self.padded(self.training.known()),
            "stop": held[::2],
            "check": held[1::2],
        }
        rng = torch.Generator().manual_seed(n)
        places = torch.cat([torch.randperm(len(real[purpose]), generator=rng) for _ in range(n)])
        return real[purpose][places[:n]]


class Other(Sides):
    """A run that writes a sentence of its own."""

    def samples(self, n: int, purpose: str, options: SamplingOptions) -> Tensor:
        """The first training sentence."""
        return self.padded(self.training)[:1].expand(n, -1)


@pytest.fixture
def sides(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[type[Sides], Sides]:
    """Of a run that writes what is real, and of one that does not, with nltk's way of writing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(judge_of, "FINE_TUNING", EncoderConfig("package", 0.01, 0.05, 16))
    for name, value in {"STEPS": 40, "LOOK_EVERY": 10}.items():
        monkeypatch.setattr(judge_of, name, value)
    run = gantext.load_run(trained).trained
    words = dataclasses.replace(run.vocabulary, tokenizer="nltk")
    return {kind: kind(dataclasses.replace(run, vocabulary=words)) for kind in (Same, Other)}


def test_fed_the_same_sentences_from_both_sides_it_stays_at_a_half(
    sides: dict[type[Sides], Sides],
) -> None:
    """Real text is not read as it stands in its file ("a star ."), but written from its tokens as
    samples are ("a star."): nothing but the words could tell."""
    encoder, same = Characters(), sides[Same]
    judge = encoder_judge(same, encoder, lambda text: None)
    held = check(judge, same, SamplingOptions(), lambda text: None)
    assert held.auc == pytest.approx(0.5, abs=1e-6) and not held.knows
    assert held.loss >= 0.69
    assert not [line for line in encoder.read if " ." in line]


def test_it_learns_what_differs_and_is_kept(sides: dict[type[Sides], Sides]) -> None:
    encoder, said = Characters(), list[str]()
    judge = encoder_judge(sides[Other], encoder, said.append)
    held = check(judge, sides[Other], SamplingOptions(), said.append)
    half = len(sides[Other].held_out) // 2  # the others decided when it stopped
    assert held.auc == 1 and (held.real, held.samples) == (half, 2 * half)
    assert said[0] == "run: training encoder, 40 steps at most"
    assert said[1].startswith("run: training encoder, step 10 of 40, held-out loss 0.")
    rows = sides[Other].padded(sides[Other].held_out)
    again = encoder_judge(sides[Other], Characters(), said.append)
    assert again.digest == judge.digest and torch.equal(again.logits(rows), judge.logits(rows))


def test_it_stops_where_the_held_out_loss_does_not_fall(
    sides: dict[type[Sides], Sides], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at before the first step and after 10, 20, 30 and 40; by logits that stay, higher
    where lines differ, the look before the first is the best one: two later it stops."""
    said = list[str]()

    def logits(self: Reader, lines: Sequence[str]) -> Tensor:
        return torch.arange(len(lines)).double() + 100 * (len(set(lines)) > 1)

    monkeypatch.setattr(Reader, "logits", logits)
    encoder_judge(sides[Other], Characters(), said.append)
    assert [line.split()[4] for line in said[1:]] == ["10", "20"]
