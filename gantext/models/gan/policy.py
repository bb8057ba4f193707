"""What the generator of model=gan learns of its own samples: rewards, advantages, policy gradient.

Shapes: B batch, T steps, R rollouts, N sentences.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gantext.data.vocabulary import PAD
from gantext.models.contract import Task
from gantext.models.gan.config import (
    AdversarialConfig,
    Baseline,
    LossReduction,
    Reward,
    RewardScale,
)
from gantext.nn import ranks
from gantext.nn.copies import copied
from gantext.nn.optim import Optimiser, clipped_step
from gantext.nn.text.anchor import Anchor
from gantext.nn.text.captured_decode import Sampler
from gantext.nn.text.entropy import bonus, held_of
from gantext.nn.text.foretold import foretold_of
from gantext.nn.text.judges.training import JudgeTrainer
from gantext.nn.text.lstm import TextGenerator
from gantext.nn.text.output_layer import policy_nll
from gantext.nn.text.places import at_places, mean_of_words, words_at
from gantext.nn.text.rewards import (
    effective_share,
    importance_weights,
    leave_one_out_mean,
    policy_weights,
    previous_values,
    ranked,
    returns_to_go,
    sampled,
    spread,
    standardised,
    valid_mean,
    without_first,
)
from gantext.nn.text.rollouts import rollout_rewards, spaced, spacing
from gantext.nn.text.sentence_judge import belief_of, sentence_odds, sentence_rewards
from gantext.nn.text.text_cnn import TextCNN


class PolicyGradient:
    """The policy-gradient loss of a generator's samples, and what of it stays between steps.

    Attributes:
        rollout_policy: a copy that lags behind the generator, or the generator itself.
        roller: completes sentences by it.
        critic: the baseline `critic`.
        ema: the baseline `ema`, ().
        anchor: what the generator was as the adversarial phase began; None: it is not held to it.
    """

    def __init__(
        self,
        config: AdversarialConfig,
        task: Task,
        generator: TextGenerator,
        discriminator: TextCNN,
        judge: TextCNN | JudgeTrainer,
    ) -> None:
        self.config, self.max_length = config, task.max_length
        self.generator, self.discriminator, self.judge = generator, discriminator, judge
        self.rollout_every = spacing(config.rollout_every, task.max_length, judge.places)
        self.rollout_policy = copied(generator) if config.rollout_lag else generator
        self.roller = Sampler(self.rollout_policy, task.max_length, task.graphs)
        self.critic = nn.Linear(generator.output.in_features, 1).to(task.device)
        nn.init.zeros_(self.critic.weight)
        nn.init.zeros_(self.critic.bias)
        self.critic_optimiser = Optimiser(torch.optim.Adam, self.critic.parameters(), 1e-2)
        self.ema = torch.full((), 0.5, device=task.device)
        self.anchor = Anchor(copied(generator)) if config.kl_weight else None
        self.held_entropy = held_of(config.entropy_weight, task.device)
        given = config.reward_less, task.vocab_size, generator, task.device
        self.foretold = foretold_of(*given)

    def notes(self) -> Sequence[str]:
        """How far apart rollouts are, where that was worked out."""
        if not self.config.policy_weight or self.config.reward is not Reward.rollout:
            return []
        asked, every = self.config.rollout_every, self.rollout_every
        return spaced(asked, every, self.max_length, self.judge.places)

    def loss(
        self, tokens: Tensor, rewards: Tensor, before: Tensor
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """The policy-gradient loss of the generator's own samples (B, T), and what to log.

        The policy that is differentiated is the one that sampled: no dropout, no <unk>. For the
        samples' rewards see `rewards`.
        """
        config, longest = self.config, self.max_length
        own, valid = ranks.mine(tokens), tokens != PAD
        advantage = self.advantages(rewards, before, tokens)
        model = self.generator
        layer, features = model.output_layer(written=True), model.valid_features(own)
        scale = len(tokens) * longest if config.loss_reduction is LossReduction.sum else 1
        whole, loss = advantage, torch.zeros((), device=tokens.device)
        logged: dict[str, Tensor | float] = {}
        if self.anchor:
            held = self.anchor.hold(layer, features, tokens, longest)
            whole = advantage - config.kl_weight * held.later
            loss = config.kl_weight * scale * held.loss
            logged["kl_anchor"] = mean_of_words(held.kl, own)
        if self.weighs:
            logged["effective_share"] = effective_share(rewards, valid)
        weights = policy_weights(ranks.mine(whole), own != PAD, longest) * scale
        share = bonus(self.held_entropy, config.entropy_weight, own)
        drawn = policy_nll(layer, features, words_at(own), weights, share)
        if self.held_entropy:
            self.held_entropy.learn(weights, drawn, own)
        return loss + drawn.loss, {
            "reward_std": spread(rewards, valid),
            "g_loss": -(weights * drawn.log_prob).sum(),
            "advantage_std": spread(advantage, valid),
            "entropy": mean_of_words(drawn.entropy, own),
            **logged,
            **sampled(tokens, rewards),
        }

    # Rewards

    @property
    def weighs(self) -> bool:
        """Whether rewards are ratios of the data's probability to the generator's (MaliGAN)."""
        return self.config.reward_scale is RewardScale.maligan

    def sentence_rewards(self, tokens: Tensor) -> Tensor:
        """What the judge gives for whole sentences (N, T): (N,). Nothing else asks it for them."""
        if self.weighs:
            return sentence_odds(self.judge, tokens, self.config.log_odds_bound)
        return sentence_rewards(self.judge, tokens, self.config.log_odds_bound)

    @torch.no_grad()
    def rewards(self, tokens: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Q of each token, D's belief in what it leads to, and D's belief in the prefix before.

        Both (B, T), zero at <pad>. The second depends on x_0..x_{t-1} only and has no value at
        the first word; without rollouts or prefixes it has none.
        """
        config, valid = self.config, tokens != PAD
        if config.reward is Reward.constant:
            return valid.float(), torch.zeros(valid.shape, device=valid.device)
        if config.reward is Reward.sentence:
            found = self._scaled(self._whole(tokens)[:, None] * valid, valid)
            return found, torch.zeros_like(found)
        if config.reward is Reward.rollout:
            asked = self.sentence_rewards, tokens, config.rollouts, self.rollout_every, rng
            complete = self.roller.complete
            found = rollout_rewards(self.rollout_policy, *asked, complete=complete).mean(2)
            found = self._scaled(found, valid)
            return found, previous_values(found, self.rollout_every) * valid
        logits = self.discriminator.prefix_logits(ranks.mine(tokens))
        belief = belief_of(ranks.gathered(logits, len(tokens)), config.log_odds_bound) * valid
        before = previous_values(belief, 1) * valid
        return returns_to_go(belief, valid, config.discount), before

    def _whole(self, tokens: Tensor) -> Tensor:
        """The rewards of samples (B, T) as wholes, (B,), less what of them is foretold."""
        found = self.sentence_rewards(tokens)
        return self.foretold.left(found, tokens) if self.foretold else found

    def _scaled(self, rewards: Tensor, valid: Tensor) -> Tensor:
        """Rewards as they stand before any baseline: ratios are normalised over the batch."""
        return importance_weights(rewards, valid) if self.weighs else rewards

    # Advantages

    def advantages(self, rewards: Tensor, before: Tensor, tokens: Tensor) -> Tensor:
        """Rewards less their baseline, rescaled; (B, T), zero at <pad>. Constant ones are left as
        they are: less a baseline, or of deviation 1, they would be nothing."""
        config, valid = self.config, tokens != PAD
        if config.reward is Reward.constant:
            return rewards
        if config.reward_scale is RewardScale.rank:
            rewards = ranked(rewards, valid, config.rank_delta)
        advantage = (rewards - self._baseline(rewards, before, tokens)) * valid
        if config.reward_scale is RewardScale.standardise:
            advantage = standardised(advantage, valid)
        return without_first(advantage, config.reward_after)

    def _baseline(self, rewards: Tensor, before: Tensor, tokens: Tensor) -> Tensor:
        kind, valid = self.config.baseline, tokens != PAD
        if kind is Baseline.mean:
            return leave_one_out_mean(rewards, valid)
        if kind is Baseline.previous:
            first = leave_one_out_mean(rewards, valid)
            steps = torch.arange(tokens.shape[1], device=tokens.device)
            return torch.where(steps < self.rollout_every, first, before)
        if kind is Baseline.ema:
            mean = self.ema.clone()
            self.ema.copy_(0.9 * self.ema + 0.1 * valid_mean(rewards, valid))
            return mean
        if kind is Baseline.critic:
            return self._critic(rewards, tokens)
        return torch.zeros_like(rewards)

    def _critic(self, rewards: Tensor, tokens: Tensor) -> Tensor:
        """A linear prediction of Q from the generator's state before each token."""
        with torch.no_grad():
            features = self.generator.features(tokens).float()
        predicted: Tensor = self.critic(features).squeeze(-1).float()
        loss = mean_of_words(at_places((predicted - rewards).square(), tokens), tokens)
        clipped_step(self.critic_optimiser, self.critic, loss, clip=0)
        return predicted.detach()

    @torch.no_grad()
    def lag(self) -> None:
        """theta' <- lag * theta' + (1 - lag) * theta, of the rollout policy, where it is a copy."""
        share = self.config.rollout_lag
        if share:
            pairs = zip(self.rollout_policy.parameters(), self.generator.parameters(), strict=True)
            for old, new in pairs:
                old.lerp_(new, 1 - share)
