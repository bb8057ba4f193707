"""The two sides that a judge tells apart: real sentences and a run's samples.

Some real sentences are held out: no model of text is trained on the validation split, so that a
judge shows there what it is worth. Those with a word that the run does not know are on no side: it
never writes <unk>, and a judge would tell by that alone.

Shapes: N sentences, T steps.
"""

import functools
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from gantext import __version__, data
from gantext.data.corpus import Corpus
from gantext.data.flat import Tokens
from gantext.errors import UserError
from gantext.inference.judges.cache import cache_name, cached_weights, judges_folder
from gantext.inference.judges.contract import Say, TextJudge
from gantext.inference.token_parts import token_parts
from gantext.metrics.two_classes import LEAST, Calibration, Held, held_out
from gantext.nn.rng import generator
from gantext.nn.text.sampling import SamplingOptions
from gantext.runs.trained import TrainedText, began_on

MOST = 2000  # held-out sentences that are looked at
FRESH = 2  # samples for each of them
SEED = 79


@dataclass(frozen=True)
class Sides:
    """Of one run: what its judges are trained and checked on, read and drawn when it is needed."""

    trained: TrainedText

    @functools.cached_property
    def corpus(self) -> Corpus:
        """The run's data. Raises UserError where it cannot be read or has changed."""
        found = data.load(self.trained.settings.data)
        if not began_on(self.trained.run, found):
            raise UserError(f"the data has changed since {self.name} was trained")
        return found

    @property
    def name(self) -> str:
        """The run's."""
        return self.trained.run.path.name

    @functools.cached_property
    def held_out(self) -> Tokens:
        """Real sentences that neither the run nor a judge was trained on, at most `MOST`.

        Raises:
            UserError: the run's data has none.
        """
        found = self.corpus.validation.tokens.known().take(slice(MOST))
        if len(found) < LEAST:
            config = self.trained.settings.data
            key = "validation_size" if hasattr(config, "validation_size") else "validation"
            raise UserError(
                f"{self.name}: data={config.name} has {len(found) or 'no'} held-out sentences for "
                f"a judge to be checked on: train with data.{key}=1000"
            )
        return found

    @functools.cached_property
    def training(self) -> Tokens:
        """Real sentences to train a judge on. Raises UserError where it could not be checked."""
        _ = self.held_out
        return self.corpus.train.tokens

    def samples(self, n: int, purpose: str, options: SamplingOptions) -> Tensor:
        """n sentences of the run's own, (n, T), drawn for one purpose."""
        rng = generator(SEED, f"judge/{purpose}", self.trained.device)
        rows, model = self.trained.settings.eval.batch_size, self.trained.algorithm
        parts = token_parts(lambda some: model.sample(some, rng, options), n, rows)
        return torch.cat(list(parts))

    def padded(self, tokens: Tokens) -> Tensor:
        """Real sentences as samples come, (N, T): as wide as the run's longest."""
        return tokens.padded(self.trained.run.info["max_length"])

    def lines(self, tokens: Tensor) -> list[str]:
        """The text of (N, T) tokens: that of real sentences and of samples is made in one way, or
        a judge that reads text would tell them by how it is written."""
        return self.trained.vocabulary.lines(tokens.tolist())

    @property
    def key(self) -> Sequence[str]:
        """What decides both sides: the run's weights and where they compute, and its data."""
        info, device = self.trained.run.info, self.trained.device.type
        return [str(info.get("data")), str(self.trained.whole), device, __version__]


def check(judge: TextJudge, sides: Sides, options: SamplingOptions, say: Say) -> Held:
    """What a judge is worth on held-out sentences and as many fresh samples twice over.

    Args:
        judge: of the run.
        sides: real sentences, and the run.
        options: how samples are drawn that it is to judge.
        say: told what takes long.

    Raises:
        UserError: there are no held-out sentences, or a logit is no number.
    """
    asked = [judge.name, judge.digest, *sides.key, repr(options)]
    folder = judges_folder() / f"check-{cache_name(*asked)}"

    def measured() -> dict[str, object]:
        real = sides.padded(sides.held_out)
        real = real[1::2] if judge.stopped_by_half else real
        say(f"{sides.name}: {judge.name} is checked on {len(real):,} held-out sentences")
        samples = sides.samples(FRESH * len(real), "check", options)
        try:
            found = held_out(judge.logits(real).numpy(), judge.logits(samples).numpy())
        except ValueError as error:
            raise UserError(f"{sides.name}: {judge.name} cannot judge: {error}") from error
        return asdict(found)

    kept = cached_weights(folder, measured)
    return Held(**{**kept, "calibration": Calibration(**kept["calibration"])})
