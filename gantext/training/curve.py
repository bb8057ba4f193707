"""The curve that papers on GANs of text print: nll_oracle and nll_test of a model as it trains.

nll_oracle is that of some of the model's samples under the distribution that the data came from,
where that is known; nll_test that of held-out sentences under the model. Both are in nats per word,
of which <eos> is one for nll_test where the sentences have it. They are those of `gantext eval
likelihood`, of fewer sentences, so that a point is cheap: of a vae the same bound, of fewest.

The samples are drawn by random numbers of their own, which the seed and the step alone decide. So a
run is the same bit for bit with a curve and without, and one that is resumed has the same points.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gantext.config.settings import Settings
from gantext.data.corpus import Corpus, Split, Truth
from gantext.inference.likelihood import likelihood_of
from gantext.inference.sampling import sample_texts
from gantext.metrics.text.likelihood import grammatical_share, nll_oracle
from gantext.models.contract import Algorithm, Estimator, Phase
from gantext.nn.rng import generator
from gantext.nn.text.sampling import SamplingOptions
from gantext.runs.kinds import PICTURES, TEXT, Kind, model_kind

ORACLE, TEST, POSSIBLE = "nll_oracle", "nll_test", "grammatical"
NAMES = (ORACLE, TEST, POSSIBLE)  # in the order in which the line of progress has them
DRAWN: dict[Kind[Any, Any], bool] = {TEXT: True, PICTURES: False}


def spacing(settings: Settings, phase: Phase) -> int:
    """Steps between two points in a phase; 0: it has none.

    So it is where it changes no sample, where a model makes pictures, and where the run has no
    lines of metrics for them.
    """
    own = settings.log.curve
    every = own.adversarial_every_steps if phase.adversarial else own.every_steps
    drawn = DRAWN[model_kind(settings.model.name)] and settings.log.every_steps and phase.scored
    return every if drawn else 0


def points(settings: Settings, phases: Sequence[Phase]) -> int:
    """How many points a run of these phases has: the last step of a phase is one."""
    spaced = ((phase.steps, spacing(settings, phase)) for phase in phases)
    return sum(math.ceil(steps / every) for steps, every in spaced if every)


def said(count: int | None, known: bool | None) -> list[str]:
    """What a run says of its curve before it begins: a line, or none where it has no point.

    Args:
        count: how many points; None where only the data says how many steps there are.
        known: whether the distribution that the data came from is; None where only the data says.
    """
    names = {
        True: f"{ORACLE} and {TEST}",
        False: TEST,
        None: f"{TEST} (and {ORACLE}, if the truth is known)",
    }
    where = "" if count is None else f" at {count:,} point{'s' * (count != 1)}"
    return [] if count == 0 else [f"curve: {names[known]}{where}"]


@dataclass(frozen=True)
class Curve:
    """What computes the points of a run. `corpus` has the text that the model is trained on."""

    settings: Settings
    corpus: Corpus
    algorithm: Algorithm
    device: torch.device

    def is_due(self, phase: Phase, step: int) -> bool:
        """Whether there is a point after this step of a phase: every so many, and at its end."""
        every = spacing(self.settings, phase)
        return every > 0 and (step % every == 0 or step == phase.steps)

    def point(self, total: int) -> dict[str, float]:
        """The values at the run's step `total`: those of NAMES that there are.

        Samples that the truth cannot write, of log-likelihood -inf, are left out of nll_oracle, and
        their share says so beside it; where none is left there is no nll_oracle.

        Raises:
            LogitsNotFinite: a word could not be drawn.
        """
        truth, held_out = self.corpus.truth, self._held_out
        found = {} if truth is None else self._of_samples(truth, total)
        if len(held_out):
            found[TEST] = likelihood_of(self.algorithm, held_out, self.device)
        return found

    def _of_samples(self, truth: Truth, total: int) -> dict[str, float]:
        rng = generator(self.settings.seed, f"curve/{total}", self.device)
        wanted, rows = self.settings.log.curve.samples, self.settings.eval.batch_size
        vocabulary, options = self.corpus.vocabulary, SamplingOptions()
        words = sample_texts(self.algorithm, vocabulary, wanted, rng, options, rows)[1]
        log_prob = np.asarray(truth.log_prob(words), dtype=np.float64)
        nll = nll_oracle(log_prob, np.array([len(one) for one in words], dtype=np.float64))
        found = {ORACLE: nll} if math.isfinite(nll) else {}
        return {**found, POSSIBLE: grammatical_share(log_prob)}

    @functools.cached_property
    def _held_out(self) -> Split:
        """Test sentences, the same at each point, from all over the split: files may be sorted.

        Of each a model may take several draws; then there are as many fewer.
        """
        test, model = self.corpus.test, self.algorithm
        draws = int(model.estimator().get("k", 1)) if isinstance(model, Estimator) else 1
        count = min(math.ceil(self.settings.log.curve.sentences / draws), len(test))
        rows = np.arange(count) * len(test) // max(count, 1)
        return Split(test.tokens.take(rows), [test.text[row] for row in rows.tolist()])
