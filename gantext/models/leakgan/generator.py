"""LeakGAN's generator: manager and worker over the discriminator's leaked features.

It is a policy of nn/sampling.py (word by word) and reads whole batches in one pass; both give the
same numbers. Shapes: B batch, T steps, V vocabulary, F leaked features, k goal size, c goal steps,
N rows.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.data.vocabulary import BOS
from gantext.models.leakgan.features import LeakyTextCNN
from gantext.models.leakgan.manager_worker import (
    GoalCosine,
    GoalSchedule,
    LeakGeneratorConfig,
    Manager,
    Worker,
    block_cosines,
    block_goals,
    block_intrinsic_rewards,
    goal_cosines,
    intrinsic_rewards,
)
from gantext.nn.copies import copied
from gantext.nn.text.lstm import Init, WordModel, initialise, lstm_step
from gantext.nn.text.output_layer import OutputLayer
from gantext.nn.text.places import at_places
from gantext.nn.text.sampling import State


class LeakGenerator(WordModel):
    """p(x_t | x_<t, goals of the prefixes before); its parameters are manager's and worker's."""

    def __init__(
        self,
        vocab_size: int,
        config: LeakGeneratorConfig,
        discriminator: LeakyTextCNN,
        rng: torch.Generator,
        fixed_length: bool = False,
    ) -> None:
        super().__init__(vocab_size, fixed_length)
        self.config = config
        self.manager = Manager(discriminator.size, config.manager_hidden)
        self.worker = Worker(vocab_size, discriminator.size, config)
        initialise(self, rng, config.init)
        if config.init is Init.mixed:
            self.worker.initialise_goals(rng)
        self._leak = (discriminator,)  # in a tuple, or its weights would count as this module's

    def twin(self) -> "LeakGenerator":
        """A copy of manager and worker, which reads the features of the same discriminator."""
        return copied(self, {id(self._leak[0]): self._leak[0]})

    # Whole sentences in one pass

    def leak(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Leaked features (B, T + 1, F), without gradient, and goals (B, T, F) of (B, T) tokens.

        features[:, s] are of the first s words; goals[:, s] is set after them, before word s.
        """
        features = self._leak[0].leaked_features(tokens)
        return features, self.manager.goals(features[:, :-1])

    def valid_features(self, tokens: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """What the output layer reads at each valid position, (valid, K)."""
        return self.worker_features(tokens, self.leak(tokens)[1], rng)

    def worker_features(
        self,
        tokens: Tensor,
        goals: Tensor,
        rng: torch.Generator | None = None,
        temperature: float = 1.0,
    ) -> Tensor:
        """`valid_features` under given goals (B, T, F); a temperature divides all scores.

        No gradient goes back to the goals: the manager learns from its own loss only.
        """
        followed = at_places(self.worker.followed_goals(goals.detach()), tokens)
        hidden = at_places(self.worker.hidden(tokens, rng), tokens)
        features = self.worker.output_features(hidden, followed)
        return features if temperature == 1 else features / temperature

    def output_layer(self, written: bool = False) -> OutputLayer:
        """Scores of the next word by `valid_features`."""
        weight = self.worker.output_weight()
        return OutputLayer(weight, self.without_never(weight.new_zeros(len(weight)), written))

    # How far the words go along the goals

    def goal_cosines(self, features: Tensor, goals: Tensor) -> Tensor:
        """How well goals (B, T, F) say where features (B, T + 1, F) go, (B, T)."""
        every = self.config.goal_steps
        if self.config.goal_cosine is GoalCosine.step:
            return goal_cosines(features, goals, every)
        return block_cosines(features, self._block_goals(goals), every)

    def intrinsic_rewards(self, features: Tensor, goals: Tensor) -> Tensor:
        """How far each word goes along the goals that it follows, (B, T), without a gradient."""
        every = self.config.goal_steps
        if self.config.goal_cosine is GoalCosine.step:
            return intrinsic_rewards(features, goals.detach(), every)
        return block_intrinsic_rewards(features, self._block_goals(goals).detach(), every)

    def _block_goals(self, goals: Tensor) -> Tensor:
        first = F.normalize(self.worker.initial_goal)
        return block_goals(goals, first, self.config.goal_steps)

    # Word by word (the Policy contract)

    def start(self, rows: int) -> State:
        """The state that has read <bos>.

        Its tensors, rows first: h and c of worker and manager; embeddings of the last c goals
        (N, c, k); w_t (N, k); words read (N,); the discriminator's maxima and open windows.
        """
        reading = self._leak[0].start_reading()
        features = self._leak[0].empty_features()
        h, c = features.new_zeros(2, 1, self.config.hidden)
        mh, mc = features.new_zeros(2, 1, self.config.manager_hidden)
        recent = self.worker.first_goals(1)
        read = torch.zeros(1, dtype=torch.long, device=features.device)
        old = (h, c, mh, mc, recent, recent[:, 0], read, *reading)
        state = self._after(old, torch.full_like(read, BOS), features)
        return tuple(part.expand(rows, *part.shape[1:]) for part in state)

    def advance(self, state: State, tokens: Tensor) -> State:
        """Read one token a row, (N,). The state stays fp32 under autocast."""
        *own, words, best, waiting = state
        reading, features = self._leak[0].read((best, waiting), tokens)
        return self._after((*own, words + 1, *reading), tokens, features)

    def _after(self, state: State, tokens: Tensor, features: Tensor) -> State:
        """Worker and manager read: the word, and the features of the prefix that it ends."""
        h, c, mh, mc, recent, followed, read, *reading = state
        x = self.worker.embedding(tokens)
        h, c = (part.float() for part in lstm_step(self.worker.lstm, x, h, c))
        fresh = self.worker.followed(recent)  # of the goals before this prefix's own
        if self.config.goal_schedule is GoalSchedule.block:
            begins = (read % self.config.goal_steps == 0)[:, None]
            fresh = torch.where(begins, fresh, followed)
        mh, mc = (part.float() for part in lstm_step(self.manager.lstm, features, mh, mc))
        newest = self.worker.embed(self.manager.goal(mh))  # (N, k)
        recent = torch.cat([recent[:, 1:], newest[:, None]], 1)
        return (h, c, mh, mc, recent, fresh, read, *reading)

    def logits(self, state: State) -> Tensor:
        """Scores of the next word, as `next_scores`."""
        return self.next_scores(self.worker.next_features(state[0], state[5]))

    def renew(self, rows: int) -> None:
        """See `WordModel.renew`."""
        super().renew(rows)
        self._leak[0].renew(rows)
