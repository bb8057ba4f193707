"""LeakGAN as its formulas say it, word by word.

The discriminator reads the whole padded prefix anew at each word, O_t (B, V, k) is made, rollouts
go position by position and each from its first word. Shapes: B rows, T steps, V words, F leaked
features, k goal size.
"""

import torch
import torch.nn.functional as F

from gantext.data.vocabulary import BOS, EOS, PAD
from gantext.models.leakgan.manager_worker import GoalSchedule, goal_cosines, intrinsic_rewards
from gantext.nn.text.rewards import leave_one_out_mean, policy_gradient_loss

# No dropout, so that both ways give the same numbers.
EXACT = ("model.generator.dropout=0", "model.generator.word_dropout=0", "model.mle.unk_rate=0")


class PlainLeakGAN:
    """The weights of a model of gantext without dropout, read word by word."""

    def __init__(self, model) -> None:
        self.model, self.discriminator = model, model.discriminator
        self.length = model.task.max_length
        self.manager, self.worker = model.generator.manager, model.generator.worker
        self.config = model.config.generator
        self.optimiser = torch.optim.Adam(self.parameters())

    def parameters(self) -> list[torch.Tensor]:
        """The generator's weights."""
        return list(self.model.generator.parameters())

    @torch.no_grad()
    def features(self, tokens: torch.Tensor, read: int) -> torch.Tensor:
        """The discriminator on the whole padded sentence, of which `read` words are generated."""
        d, steps = self.discriminator, torch.arange(self.length, device=tokens.device)
        seen = torch.where(steps < read, tokens, PAD)
        ended = (seen == EOS).any(1) | (seen == PAD)[:, :read].any(1)
        words = d.embedding(seen)  # (B, T, E)
        to_come = (steps >= read)[None, :, None] & ~ended[:, None, None]
        words = torch.where(to_come, d.not_yet, words).transpose(1, 2)
        found = []
        for convolution in d.convolutions:
            width = convolution.weight.shape[2]
            after = torch.where(ended[:, None, None], 0.0, d.not_yet[None, :, None])
            padded = torch.cat([words, after.expand(-1, -1, width - 1)], 2)
            windows = convolution(padded)  # (B, F_w, T)
            begun = (seen != PAD) if read else (steps < 1).expand_as(seen)
            found.append(windows.masked_fill(~begun[:, None], -torch.inf).amax(2))
        return d.highway(torch.cat(found, 1).relu())

    def cell(self, lstm, x, state):
        weights = [
            getattr(lstm, f"{n}_l0") for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        return torch.lstm_cell(x, state, *weights)

    def start(self, rows: int):
        device = self.model.task.device
        zeros = torch.zeros(rows, self.config.hidden, device=device)
        manager = torch.zeros(rows, self.config.manager_hidden, device=device)
        return (zeros, zeros), (manager, manager), [], []

    def step(self, state, tokens: torch.Tensor, read: int):
        """The next word's logits (B, V) after `read` words; remembers goal and features."""
        worker, manager, goals, features = state
        rows, every = len(tokens), self.config.goal_steps
        before = tokens[:, read - 1] if read else torch.full_like(tokens[:, 0], BOS)
        worker = self.cell(self.worker.lstm, self.worker.embedding(before), worker)
        features.append(self.features(tokens, read))
        block = self.config.goal_schedule is GoalSchedule.block
        first = read // every * every if block else read
        initial = F.normalize(self.worker.initial_goal, dim=-1).expand(rows, -1)
        last = [goals[i].detach() if i >= 0 else initial for i in range(first - every, first)]
        followed = self.worker.goal_embedding(sum(last))
        followed = F.normalize(followed, dim=-1) if block else followed
        manager = self.cell(self.manager.lstm, features[-1], manager)
        goals.append(F.normalize(self.manager.output(manager[0]), dim=-1))
        scores = (self.output(worker[0]) @ followed[:, :, None])[:, :, 0]
        return scores, (worker, manager, goals, features)

    def output(self, hidden: torch.Tensor) -> torch.Tensor:
        """O_t, (B, V, k)."""
        size = self.config.goal_size
        weights = self.worker.bilinear.weight.view(-1, self.config.hidden)  # (E or V) * k rows
        made = (hidden @ weights.T).view(len(hidden), -1, size)
        if self.config.tie_weights:
            made = self.worker.embedding.weight @ made
        return made + self.worker.goal_scores.weight

    def read(self, tokens: torch.Tensor, written: bool):
        """log p(x_t), features (B, T + 1, F) and goals (B, T, F), word by word."""
        state, found = self.start(len(tokens)), []
        for t in range(self.length):
            scores, state = self.step(state, tokens, t)
            log_probs = self.model.generator.ban(scores, written).log_softmax(-1)
            found.append(log_probs.gather(1, tokens[:, t : t + 1]))
        features = torch.stack([*state[3], self.features(tokens, self.length)], 1)
        log_prob = torch.where(tokens == PAD, 0.0, torch.cat(found, 1))
        return log_prob, features, torch.stack(state[2], 1)

    def pretraining_loss(self, tokens: torch.Tensor) -> torch.Tensor:
        valid = tokens != PAD
        log_prob, features, goals = self.read(tokens, written=False)
        cosines = goal_cosines(features, goals, self.config.goal_steps)
        return -log_prob[valid].mean() - cosines[valid].mean()

    def policy_loss(self, tokens: torch.Tensor, rewards: torch.Tensor) -> torch.Tensor:
        valid, every = tokens != PAD, self.config.goal_steps
        log_prob, features, goals = self.read(tokens, written=True)
        advantage = intrinsic_rewards(features, goals.detach(), every) * valid
        if self.model.config.adversarial.worker_reward.value == "quality":
            advantage = rewards
        if self.model.config.adversarial.baseline.value == "mean":
            rewards = rewards - leave_one_out_mean(rewards, valid)
            advantage = advantage - leave_one_out_mean(advantage, valid)
        manager = policy_gradient_loss(
            goal_cosines(features, goals, every), rewards, valid, self.length
        )
        return manager + policy_gradient_loss(log_prob, advantage, valid, self.length)

    @torch.no_grad()
    def complete(self, tokens: torch.Tensor, kept: int) -> torch.Tensor:
        """Keep the first words of (B, T) and draw the others."""
        steps = torch.arange(self.length, device=tokens.device)
        tokens = torch.where(steps < kept, tokens, PAD)
        state = self.start(len(tokens))
        ended = torch.zeros_like(tokens[:, 0], dtype=torch.bool)
        for t in range(self.length):
            scores, state = self.step(state, tokens, t)
            if t >= kept:
                scores = self.model.generator.ban(scores, written=True)
                tokens[:, t] = torch.where(ended, PAD, multinomial(scores))
            ended |= tokens[:, t] == EOS
        return tokens


def multinomial(scores: torch.Tensor) -> torch.Tensor:
    """One word a row, as plain code draws it."""
    return torch.multinomial(scores.softmax(-1), 1)[:, 0]
