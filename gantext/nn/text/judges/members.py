"""The judges of text that are trained beside a generator: each gives a sentence a logit.

Shapes: N or B sentences, T steps.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from gantext.data.vocabulary import UNK
from gantext.errors import UserError
from gantext.nn import ranks
from gantext.nn.optim import Metrics
from gantext.nn.state import Deferred, NamedParts, Unmade, restore
from gantext.nn.text.fitting import MLETrainer
from gantext.nn.text.judges import encoder, pretrained
from gantext.nn.text.judges.config import EncoderConfig
from gantext.nn.text.judges.encoder import FineTuning, Reader
from gantext.nn.text.judges.lm_ratio import LogProb, backward_rows, ratio
from gantext.nn.text.judges.looked import Weights
from gantext.nn.text.judges.small_lm import LMConfig
from gantext.nn.text.language_model import LanguageModel
from gantext.nn.text.text_cnn import TextCNN

Draw = Callable[[int, torch.Generator], Tensor]  # so many samples, (n, T)
# Of an encoder that is trained: weights, gradients, two moments, what a look keeps and compares.
WEIGHTS = 6
LIBRARY = 1400 << 20  # bytes; measured on a CPU: transformers, and batches of 32 and of 64 captions


class TextFacts(Protocol):
    """What is known of the text that a generator is trained on; see `models.contract.Task`."""

    @property
    def vocab_size(self) -> int: ...
    @property
    def fixed_length(self) -> bool: ...
    @property
    def singletons(self) -> Tensor: ...
    @property
    def device(self) -> torch.device: ...
    @property
    def lines(self) -> Callable[[Tensor], list[str]] | None: ...
    @property
    def held_out(self) -> Tensor | None: ...


class Member(Protocol):
    """One of the judges whose logits are averaged."""

    def logits(self, tokens: Tensor) -> Tensor:
        """(N,) float64 on the CPU, of (N, T) tokens; of any scale."""
        ...

    def step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One update, on real sentences (B, T) and, where it needs them, fresh samples."""
        ...

    def rest(self) -> None:
        """Drop what no step to come needs."""
        ...

    def weights(self) -> Weights:
        """Those that looks at held-out sentences decide about, by name; not copied."""
        ...

    def take(self, state: dict[str, Any]) -> None:
        """Begin with the weights of another run's, by its state."""
        ...


class EncoderMember(Deferred):
    """A pretrained encoder, which is loaded when it is first asked: whoever samples a run that was
    rewarded by it needs none.

    Args:
        config: which encoder, and its training.
        facts: of the text; how its tokens are written.
        sample: draws of the generator as it is.
    """

    def __init__(self, config: EncoderConfig, facts: TextFacts, sample: Draw) -> None:
        self.config, self.facts, self.sample = config, facts, sample
        self._tuning: FineTuning | None = None
        self._read = Unmade()  # a state that waits until it is made

    @property
    def memory(self) -> int:
        """Bytes that it takes while it is trained, roughly; it is not loaded for that."""
        return WEIGHTS * pretrained.weights_size(self.config.folder) + LIBRARY

    @property
    def tuning(self) -> FineTuning:
        """The encoder with its training, loaded by now."""
        self.make()
        assert self._tuning is not None
        return self._tuning

    def make(self, to_train: bool = False) -> None:
        """Load the encoder and give it the weights that were read.

        Raises:
            UserError: it is not installed, or is another than the weights were trained from.
        """
        if self._tuning is not None:
            return
        loaded = encoder.load_encoder(self.config.folder, self.facts.device)
        made, read = FineTuning(Reader(loaded, self.facts.device), self.config), self._read
        if read:
            if read.get("base") != made.base:
                raise UserError(
                    f"the judge was trained from the encoder {str(read.get('base'))[:80]!r}, and "
                    f"this is {made.base!r}: install that one"
                )
            restore(made, dict(read), Path("the judge"), "encoder", to_train=to_train)
        self._tuning, self._read = made, Unmade()

    def lines(self, tokens: Tensor) -> list[str]:
        """The text of (N, T) tokens: that of real sentences and of samples is made in one way, or
        the encoder would tell them by how they are written."""
        assert self.facts.lines is not None, "text cannot be written without its vocabulary"
        return self.facts.lines(tokens.cpu())

    def logits(self, tokens: Tensor) -> Tensor:
        """(N,) of (N, T) tokens."""
        return self.tuning.reader.logits(self.lines(tokens))

    def step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One update on real sentences (B, T) and as many samples; those with unknown words, which
        the generator never writes, are left out."""
        tuning, rows = self.tuning, self.config.batch_size
        real = real[:rows]
        known = real[(real != UNK).all(1)]
        samples = self.sample(rows, rng)[: len(known)]
        if len(known) < ranks.current().count:
            return {}
        return tuning.step(self.lines(ranks.mine(known)), self.lines(ranks.mine(samples)))

    def rest(self) -> None:
        """Drop the optimisers' states."""
        self.tuning.rest()

    def weights(self) -> Weights:
        """Of the encoder and its output; none before they were made."""
        if self._tuning is not None:
            return self._tuning.reader.weights()
        states = {name: self._read[name] for name in ("encoder", "head") if name in self._read}
        return {f"{name}.{key}": one for name in states for key, one in states[name].items()}

    def state_dict(self) -> dict[str, Any]:
        """That of its training."""
        return self._read if self._tuning is None else self._tuning.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave, when it is made."""
        if self._tuning is None:
            self._read = Unmade(state)
        elif state:
            self._tuning.load_state_dict(state)

    def take(self, state: dict[str, Any]) -> None:
        """Begin with the weights of another run's; without its optimisers."""
        self.load_state_dict(state)
        self.tuning.rest()


class RatioMember(NamedParts):
    """A backward language model of real sentences against the generator as it is.

    Args:
        config: of the backward model.
        facts: of the text.
        log_prob: of the generator.
        rng: draws its first weights.
    """

    def __init__(
        self, config: LMConfig, facts: TextFacts, log_prob: LogProb, rng: torch.Generator
    ) -> None:
        words = facts.vocab_size, config.network, rng, facts.fixed_length
        self.backward, self.log_prob = LanguageModel(*words).to(facts.device), log_prob
        self.trainer = MLETrainer(self.backward, config.training, facts.singletons, config.steps)
        self.rows = config.training.batch_size

    def logits(self, tokens: Tensor) -> Tensor:
        """(N,) of (N, T) tokens, nats."""
        return ratio(self.backward, self.log_prob, tokens)

    def step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One update on real sentences (B, T)."""
        batch = backward_rows(real[: self.rows])
        return {"judge_nll": self.trainer.step(batch, rng)["nll"]}

    def rest(self) -> None:
        """Its optimiser is small, and stays."""

    def weights(self) -> Weights:
        """None: it is fitted by likelihood to the end of its schedule, whatever looks say."""
        return {}

    def take(self, state: dict[str, Any]) -> None:
        """Begin with another run's backward model."""
        self.backward.load_state_dict(state["backward"])

    def parts(self) -> Mapping[str, Any]:
        """The backward model and its trainer."""
        return {"backward": self.backward, "trainer": self.trainer}


class CnnMember:
    """The discriminator, which has steps of its own elsewhere."""

    def __init__(self, discriminator: TextCNN) -> None:
        self.discriminator = discriminator

    def logits(self, tokens: Tensor) -> Tensor:
        """(N,) of (N, T) tokens."""
        place = self.discriminator.output.weight.device
        return self.discriminator.log_odds(tokens.to(place)).double().cpu()

    def step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """None of its own."""
        return {}

    def rest(self) -> None:
        """Its optimiser goes on."""

    def weights(self) -> Weights:
        """Of the discriminator."""
        return dict(self.discriminator.state_dict())

    def take(self, state: dict[str, Any]) -> None:
        """The model takes the discriminator's weights itself."""
