"""Keeping one of several candidates by a judge: the residual energy model, without training.

A sentence that is kept for every K candidates, drawn from p(x), follows p(x) exp(logit(x)) / Z as K
grows, and with the logit of the best possible judge that is real text's own distribution (Deng et
al. 2020, "Residual Energy-Based Models for Text Generation"; their section 3.3 draws so; Chen et
al. 2020, arXiv 2004.02135, weigh a GAN's samples by its own discriminator). The logit's temperature
is the likeliest on held-out sentences, and a judge that tells nothing there is refused.

With few candidates, what a judge prefers is mostly what the model finds likely: a good sentence of
rare words hardly ever stands among eight, so to keep by the judge alone is to sample at a lower
temperature. But how likely its own sentences are, the likelihood taught the model. So candidates
that are drawn together are put into groups of like s, and one of each group is kept: p(s) stays the
model's, and p(x | s) becomes p(x | s) exp(logit(x)) / Z(s). s is log p of the sentence, or of text
from a known grammar log p per word: there what is wrong is wrong by a word (docs/judges.md has what
either gives).

Shapes: N sentences that are kept, K candidates of each, T steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gantext import data
from gantext.config.settings import Device
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.inference.judges.choice import (
    DEFAULT,
    DISCRIMINATOR,
    ENCODER,
    LM_RATIO,
    encoder_folder,
    judge_run,
)
from gantext.inference.judges.contract import Say, TextJudge
from gantext.inference.judges.discriminator import (
    Discriminator,
    discriminator_of,
    trained_discriminator,
)
from gantext.inference.judges.encoder import encoder_judge
from gantext.inference.judges.lm_ratio import lm_ratio
from gantext.inference.judges.other_run import other_run
from gantext.inference.judges.sides import Sides, check
from gantext.inference.request import Candidates, SamplingRequest
from gantext.metrics.score import Setting
from gantext.metrics.two_classes import KNOWING_NOTHING, Held
from gantext.models.contract import Estimator
from gantext.nn.text.judges.encoder import load_encoder
from gantext.nn.text.judges.lm_ratio import LogProb
from gantext.nn.text.sampling import SamplingOptions
from gantext.runs.trained import TrainedText, restore

DIGITS = 4


def nobody(text: str) -> None:
    """Who is told nothing of what takes long."""


class KnowsNothing(UserError):
    """A judge that tells a run's samples from real text no better than chance."""


@dataclass(frozen=True)
class Chooser:
    """A judge, what it is worth on held-out sentences, and of how many candidates it keeps one.

    Attributes:
        forced: it knows nothing, and is to keep by its logits all the same.
        log_prob: of the run's model, (N,) of (N, T) tokens, nats; None where that is an estimate,
            and then groups are as they were drawn.
        per_word: whether sentences are alike in log p per word, rather than of the sentence.
    """

    judge: TextJudge
    held: Held
    count: int
    forced: bool = False
    log_prob: LogProb | None = None
    per_word: bool = True

    def keep(self, tokens: Tensor, rng: torch.Generator) -> Tensor:
        """One of every K sentences of like likelihood: (N K, T) -> (N, T), in the order drawn."""
        groups = self._alike(tokens).view(-1, self.count)  # (N, K) places
        logits = self.held.calibration.slope * self.judge.logits(tokens)
        chosen = drawn_places(logits[groups], rng)  # (N,)
        return tokens[groups.gather(1, chosen[:, None])[:, 0].sort().values]

    def _alike(self, tokens: Tensor) -> Tensor:
        """Places of (N K, T) sentences by their log p, (N K,)."""
        if self.log_prob is None:
            return torch.arange(len(tokens))
        log_prob = self.log_prob(tokens).double().cpu()
        if self.per_word:
            log_prob = log_prob / (tokens != PAD).sum(1)
        return log_prob.argsort(stable=True)

    @property
    def _among(self) -> str:
        """Of what groups are made."""
        if self.log_prob is None:
            return "drawn"
        return "alike per word" if self.per_word else "alike"

    @property
    def words(self) -> str:
        """What is said of it before the sentences."""
        kept = f"1 of {self.count} kept by {self.judge.name} {self.judge.digest}"
        forced = f"; not under ln 2 = {KNOWING_NOTHING:.3f}: forced" if self.forced else ""
        return f"{kept}: {self.held.words}{forced}"

    @property
    def signature(self) -> dict[str, Setting]:
        """The judge, and what it is worth."""
        found: dict[str, Setting] = {
            "judge": f"{self.judge.name} {self.judge.digest}",
            "judge_loss": round(self.held.loss, DIGITS),
            "judge_auc": round(self.held.auc, DIGITS),
            "among": self._among,
        }
        return {**found, "judge_forced": True} if self.forced else found


def drawn_places(logits: Tensor, rng: torch.Generator) -> Tensor:
    """A place of each row of (N, K) logits, drawn by their softmax: (N,)."""
    return torch.multinomial(logits.double().softmax(1), 1, generator=rng)[:, 0]


def chooser_of(trained: TrainedText, request: SamplingRequest, say: Say = nobody) -> Chooser | None:
    """The judge that a request asks for, checked; trained now where it is not kept already.

    Args:
        trained: the run.
        request: what is sampled; without candidates there is no judge.
        say: told what takes long.

    Raises:
        KnowsNothing: so it does, and is not to keep any all the same.
        UserError: no held-out sentences to check it on; no such judge.
    """
    asked = request.candidates
    if asked is None:
        return None
    sides, tried = Sides(trained), []
    groups = _log_prob(trained), data.has_truth(trained.settings.data.name)
    for judge in _judges(asked, sides, say):
        held = check(judge, sides, request.options, say)
        if held.knows:
            return Chooser(judge, held, asked.count, False, *groups)
        tried.append(Chooser(judge, held, asked.count, True, *groups))
    if asked.force:
        return min(tried, key=lambda one: one.held.loss)
    raise KnowsNothing(_refused(sides, tried, request.options))


def _log_prob(trained: TrainedText) -> LogProb | None:
    """What the run's model gives sentences on the CPU; None where that is an estimate."""
    model, device = trained.algorithm, trained.device
    if isinstance(model, Estimator):
        return None
    return torch.no_grad()(lambda tokens: model.log_prob(tokens.to(device)))


def _judges(asked: Candidates, sides: Sides, say: Say) -> Iterator[TextJudge]:
    """Those to be tried, in order, each made when the one before it knew nothing."""
    trained, name = sides.trained, asked.judge
    if name == DISCRIMINATOR:
        yield discriminator_of(trained, name)
    elif name == LM_RATIO:
        yield lm_ratio(sides, say)
    elif name == DEFAULT:
        if (model := trained_discriminator(trained)) is not None:
            yield Discriminator(trained, model, name=DISCRIMINATOR)
        yield lm_ratio(sides, say)
    elif name.partition(":")[0] == ENCODER:
        _ = sides.held_out  # before an encoder is loaded
        yield encoder_judge(sides, load_encoder(encoder_folder(name), trained.device), say)
    else:
        run, phase = judge_run(name)
        yield other_run(restore(run, Device(trained.device.type), phase), trained)


def _refused(sides: Sides, tried: list[Chooser], options: SamplingOptions) -> str:
    """Why nothing is kept by the judges that were tried."""
    worth = "; ".join(f"{one.judge.name}: {one.held.words}" for one in tried)
    return (
        f"{sides.name}: no judge that tells its samples from real text ({worth}): not under "
        f"ln 2 = {KNOWING_NOTHING:.3f} by two standard errors; --force keeps by it all the same"
    )
