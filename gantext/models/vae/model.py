"""model=vae: sentences from a continuous space (Bowman et al. 2016, arXiv 1511.06349)."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gantext.data.ranges import Compared, Count, Draws, Nats, Size, Steps, Updates, Weight
from gantext.data.resident import sent
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.models.contract import Phase, Task
from gantext.models.vae.annealing import AnnealConfig, beta_at
from gantext.models.vae.attending import TextDecoderConfig, latent_decoder
from gantext.models.vae.networks import Encoder, EncoderConfig, GivenLatent
from gantext.nn import ranks
from gantext.nn.cuda_graphs import Graphs
from gantext.nn.latent import (
    gaussian_kl,
    importance_estimates,
    mutual_information,
    reparameterise,
)
from gantext.nn.optim import Metrics, frozen
from gantext.nn.state import NamedParts
from gantext.nn.text.captured_decode import StaticDecode
from gantext.nn.text.fitting import Fitter, MLEConfig
from gantext.nn.text.rollouts import trimmed_on_cpu
from gantext.nn.text.sampling import SamplingOptions, decode

EVAL_SEED = 0


@dataclass(frozen=True)
class ObjectiveConfig:
    """The bound and what is done against posterior collapse (explained in conf/model/vae.yaml)."""

    beta: Weight
    anneal: AnnealConfig
    free_bits: Nats
    free_bits_per_dim: bool


@dataclass(frozen=True)
class AggressiveConfig:
    """Aggressive training of the encoder (explained in conf/model/vae.yaml)."""

    enabled: bool
    inner_steps: Updates
    window: Count
    information_every: Count
    information_sentences: Compared


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/vae.yaml."""

    name: str
    latent_size: Size
    encoder: EncoderConfig
    decoder: TextDecoderConfig
    mle: MLEConfig
    objective: ObjectiveConfig
    aggressive: AggressiveConfig
    pretrain_ae: Steps
    eval_samples: Draws


class VAE(NamedParts):
    """Encoder and decoder, their optimiser, and the phases."""

    counters = ("aggressive", "information")

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        check(config)
        self.config, self.task, self.latent_size = config, task, config.latent_size
        words, size = task.vocab_size, config.latent_size
        self.encoder = Encoder(words, size, config.encoder, rng).to(task.device)
        sizes = words, task.max_length, size
        self.decoder = latent_decoder(*sizes, config.decoder, rng, task.fixed_length)
        self.decoder.to(task.device)
        both = nn.ModuleList([self.encoder, self.decoder])
        self.fitter = Fitter(both, config.mle, task.singletons, config.mle.steps(task.train_size))
        ae_config = dataclasses.replace(config.mle, epochs=config.pretrain_ae)
        self.ae_fitter = Fitter(both, ae_config, task.singletons, ae_config.steps(task.train_size))
        self._decodes = Graphs[StaticDecode[GivenLatent]](task.graphs)
        self._update = self.fitter.updates_by(self.shown_loss, task.graphs)
        self._ae_update = self.ae_fitter.updates_by(self.ae_loss, task.graphs)
        # Aggressive training goes on while the mutual information rises above its best so far.
        self.aggressive = config.aggressive.enabled
        self.information = -math.inf

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """autoencoder (where it is asked for), vae."""
        rows, chosen = self.config.mle.batch_size, self.config.aggressive
        more = chosen.inner_steps * rows + chosen.information_sentences if chosen.enabled else 0
        ae_step, step, rise = self.autoencoder_step, self.step, self.config.mle.warmup_steps
        first = Phase("autoencoder", self.ae_fitter.total, rows, ae_step, scored=False, warmup=rise)
        second = Phase("vae", self.fitter.total, rows + more, step, warmup=rise)
        second = second.some_at_once(max(rows, chosen.information_sentences))
        tied = self.config.mle.tied
        cycles = self.config.objective.anneal.tied
        return [first.by("pretrain_ae", tied), second.by("mle.epochs", tied or cycles)]

    def networks(self) -> Mapping[str, nn.Module]:
        """Encoder and decoder."""
        return {"encoder": self.encoder, "decoder": self.decoder}

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw n sentences from the prior, (n, T)."""
        return self.decode(self.writer(n, rng).z, rng, options)

    def writer(self, n: int, rng: torch.Generator) -> GivenLatent:
        """The decoder, a latent vector from the prior for each sentence: of the first words that a
        sentence is given it knows nothing."""
        return self.policy(torch.randn(n, self.latent_size, generator=rng, device=self.task.device))

    def log_prob(self, tokens: Tensor) -> Tensor:
        """Importance-weighted estimate of log p(sentence), (N,), nats; <eos> counted.

        It lies below log p on average; the same sentence always has the same draws.
        """
        estimates = importance_estimates(
            tokens,
            *self.encode(tokens),
            self.log_prob_given,
            self.config.eval_samples,
            EVAL_SEED,
        )
        return -estimates[0]

    def estimator(self) -> Mapping[str, str | int]:
        """How `log_prob` is estimated, for signatures."""
        return {"estimator": "iw", "k": self.config.eval_samples}

    # The latent variable

    @torch.no_grad()
    def encode(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The posterior's mean and log-variance, (N, Z) each, of (N, T) tokens."""
        mu, log_var = self.encoder(tokens)
        return mu, log_var

    def decode(self, z: Tensor, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw a sentence for each row of z, (N, Z): (N, T); greedy at temperature 0."""
        shape = len(z), self.task.max_length
        graph = self._decodes.at(
            (shape, options),
            z.device,
            lambda: StaticDecode(self.policy(z.clone()), shape, options, z.device),
        )
        if graph is None:
            return decode(self.policy(z), *shape, rng, options)
        graph.static.policy.z.copy_(z)
        return graph.static.sample(rng, graph.replay)

    def log_prob_given(self, tokens: Tensor, z: Tensor) -> Tensor:
        """log p(x | z) in nats, (N,), of (N, T) tokens and (N, Z)."""
        return self.decoder.log_prob(tokens, z)

    def policy(self, z: Tensor) -> GivenLatent:
        """The decoder word by word, for the rows of z, (N, Z)."""
        return GivenLatent(self.decoder, z)

    # Training

    def autoencoder_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One update of the reconstruction from the posterior's mean, on a batch (B, T)."""
        return self.ae_fitter.step_by(self._ae_update, batch, rng=rng)

    def ae_loss(self, batch: Tensor, rng: torch.Generator) -> tuple[Tensor, Metrics]:
        """What the reconstruction from the posterior's mean costs, nats per token; metrics."""
        tokens = self.ae_fitter.shown(batch, rng)
        mu, _ = self.encoder(tokens, rng)
        loss, log_prob = self.decoder.nll(tokens, mu, rng, self.config.mle.weigh)
        return loss, {"loss": loss.detach(), **_reconstruction(log_prob, tokens)}

    def step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One update by the bound; of the decoder alone, after the encoder's, while aggressive.

        A batch (B, T) has the step's sentences first, then those of the inner loop and those that
        the mutual information is measured on.
        """
        rows = self.config.mle.batch_size
        if self.config.pretrain_ae and self.fitter.done == 0:
            self.decoder.draw(rng)
        if not self.aggressive:
            return self.update(batch if len(batch) == rows else trimmed_on_cpu(batch[:rows]), rng)
        inner = self.inner_loop(batch[rows : len(batch) - self._set_aside], rng)
        with frozen(self.encoder):
            found = self.update(trimmed_on_cpu(batch[:rows]), rng)
        if self.fitter.done % self.config.aggressive.information_every == 0:
            self.look_at_information(trimmed_on_cpu(batch[len(batch) - self._set_aside :]), rng)
        known = {"mutual_information": self.information} if self.information > -math.inf else {}
        return {**found, **known, "inner_steps": inner}

    @property
    def _set_aside(self) -> int:
        return self.config.aggressive.information_sentences

    def update(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One update by the bound on a batch (B, T), and what to log."""
        # A graph would go on with encoder and decoder as they were, frozen or not, when captured.
        update = self._update.plainly if self.aggressive else self._update
        beta = self.beta()
        placed = sent(torch.tensor(beta), self.task.device)
        return {**self.fitter.step_by(update, batch, placed, rng=rng), "beta": beta}

    def shown_loss(
        self, batch: Tensor, beta: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Metrics]:
        """`loss` of a batch (B, T) as the model is to see it."""
        return self.loss(self.fitter.shown(batch, rng), beta, rng)

    def beta(self) -> float:
        """The weight of the KL term at this step."""
        chosen = self.config.objective
        return chosen.beta * beta_at(self.fitter.done, chosen.anneal, self.fitter.total)

    def loss(
        self, tokens: Tensor, beta: float | Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Metrics]:
        """The negative bound in nats per token, its KL weighted and with free bits; metrics."""
        mu, log_var = self.encoder(tokens, rng)
        z = reparameterise(mu, log_var, rng)
        nll, log_prob = self.decoder.nll(tokens, z, rng, self.config.mle.weigh)
        kl = gaussian_kl(mu, log_var)  # (B, Z)
        chosen, length = self.config.objective, (tokens != PAD).sum() / len(tokens)
        counted = free_bits(kl, chosen.free_bits, chosen.free_bits_per_dim)
        loss = beta * counted / length + nll
        found = _reconstruction(log_prob, tokens)
        mean_kl = kl.detach().sum(1).mean()
        return loss, {
            "loss": loss.detach(),
            "nll_bound": (found["reconstruction"] + mean_kl) / length,
            **found,
            "kl": mean_kl,
        }

    # Aggressive training (He et al. 2019, algorithm 1)

    def inner_loop(self, spare: Tensor, rng: torch.Generator) -> int:
        """Updates of the encoder on fresh batches of `spare`, (R, T); how many.

        They end when the mean loss of a window of them is not below that of the window before.
        """
        previous, losses, done = math.inf, list[Tensor](), 0
        for part in torch.split(spare, self.config.mle.batch_size):
            losses.append(self.encoder_step(trimmed_on_cpu(part), rng))
            done += 1
            if len(losses) == self.config.aggressive.window:
                mean = float(ranks.mean(torch.stack(losses).mean()))
                if mean >= previous:
                    break
                previous, losses = mean, []
        return done

    def encoder_step(self, batch: Tensor, rng: torch.Generator) -> Tensor:
        """One update of the encoder alone; its loss."""
        with frozen(self.decoder):
            loss, _ = self.loss(self.fitter.shown(batch, rng), self.beta(), rng)
            self.fitter.update(loss, counted=False)
        return loss.detach()

    def look_at_information(self, tokens: Tensor, rng: torch.Generator) -> None:
        """End aggressive training for good once the mutual information has not risen."""
        mu, log_var = self.encode(tokens)
        found = mutual_information(mu, log_var, reparameterise(mu, log_var, rng))
        self.aggressive = found > self.information
        self.information = max(found, self.information)

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            "encoder": self.encoder,
            "decoder": self.decoder,
            "fitter": self.fitter,
            "ae_fitter": self.ae_fitter,
        }

    def load_pretrained(self, state: dict[str, Any]) -> None:
        """Take the weights of encoder and decoder."""
        self.encoder.load_state_dict(state["encoder"])
        self.decoder.load_state_dict(state["decoder"])


def free_bits(kl: Tensor, target: float, per_dim: bool) -> Tensor:
    """The batch's mean KL, below whose target nothing is gained (Kingma et al. 2016, C.8).

    Args:
        kl: (N, Z).
        target: nats of each dimension, or of all together.
        per_dim: whether each dimension has the target, or their sum.
    """
    mean = kl.mean(0)  # (Z,)
    return (mean if per_dim else mean.sum()).clamp_min(target).sum()


def _reconstruction(log_prob: Tensor, tokens: Tensor) -> dict[str, Tensor]:
    """-log p(x|z), nats per sentence and per token, of (B,) sentences."""
    nats = -log_prob
    return {
        "reconstruction": nats.mean(),
        "reconstruction_per_token": nats.sum() / (tokens != PAD).sum(),
    }


def check(config: Config) -> None:
    """Refuse what cannot be trained. Raises UserError."""
    if config.encoder.bn_gamma and config.mle.batch_size < 2:
        raise UserError("model.encoder.bn_gamma needs model.mle.batch_size of at least 2")


def build(config: Config, task: Task, rng: torch.Generator) -> VAE:
    """Build the algorithm; `rng` initialises the weights."""
    return VAE(config, task, rng)
