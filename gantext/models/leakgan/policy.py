"""What manager and worker of model=leakgan learn of their own samples: rewards, policy gradients.

Shapes: B batch, T steps, N sentences.
"""

import torch
from torch import Tensor

from gantext.data.vocabulary import PAD
from gantext.models.contract import Task
from gantext.models.leakgan.config import AdversarialConfig, Baseline, Reward, WorkerReward
from gantext.models.leakgan.features import LeakyTextCNN
from gantext.models.leakgan.generator import LeakGenerator
from gantext.nn import ranks
from gantext.nn.text.anchor import Anchor
from gantext.nn.text.captured_decode import Sampler
from gantext.nn.text.entropy import bonus, held_of
from gantext.nn.text.foretold import foretold_of
from gantext.nn.text.judges.training import JudgeTrainer
from gantext.nn.text.output_layer import policy_nll
from gantext.nn.text.places import mean_of_words, words_at
from gantext.nn.text.rewards import (
    leave_one_out_mean,
    policy_gradient_loss,
    policy_weights,
    ranked_among,
    sampled,
    valid_mean,
    without_first,
)
from gantext.nn.text.rollouts import PLACES, rollout_rewards, spaced, spacing
from gantext.nn.text.sampling import SamplingOptions
from gantext.nn.text.sentence_judge import sentence_rewards


class PolicyGradient:
    """The policy-gradient losses of a generator's samples, and the rewards in them.

    Attributes:
        sampler: draws and completes sentences of the generator.
        anchor: what the generator was as the adversarial phase began; None: it is not held to it.
        held_entropy: leaves the entropy as it is; None: it does not.
    """

    def __init__(
        self,
        config: AdversarialConfig,
        task: Task,
        sampler: Sampler[LeakGenerator],
        judge: LeakyTextCNN | JudgeTrainer,
    ) -> None:
        self.config, self.max_length = config, task.max_length
        self.sampler, self.judge = sampler, judge
        self.generator = generator = sampler.policy
        # The constant reward, a control, asks no discriminator, which stays as it was pretrained.
        self.judged = config.reward is not Reward.constant
        self.places = min(PLACES, judge.places * generator.config.goal_steps)
        goals = spacing(config.rollout_every, task.max_length, self.places)
        self.rollout_every = goals * generator.config.goal_steps
        self.anchor = Anchor(generator.twin()) if config.kl_weight else None
        self.held_entropy = held_of(config.entropy_weight, task.device)
        given = config.reward_less, task.vocab_size, generator, task.device
        self.foretold = foretold_of(*given)

    def notes(self) -> list[str]:
        """How far apart rollouts are, where that was worked out."""
        config = self.config
        rolls = config.policy_weight and config.reward is Reward.rollout
        asked = config.rollout_every if rolls else 1
        return spaced(asked, self.rollout_every, self.max_length, self.places)

    def sentence_rewards(self, tokens: Tensor) -> Tensor:
        """What the judge gives for whole sentences (N, T): (N,). Nothing else asks it for them."""
        return sentence_rewards(self.judge, tokens, self.config.log_odds_bound)

    @torch.no_grad()
    def rewards(self, tokens: Tensor, real: Tensor, rng: torch.Generator) -> Tensor:
        """Q of each token of (B, T), by rollouts every so many goals or of whole sentences; (B, T),
        0 at <pad>; ranked (the bootstrapped rescaled activation), except with rank_delta 0.

        `real` sentences, (rank_real, T), join the ranking.
        """
        config, valid = self.config, tokens != PAD
        if not self.judged:
            return valid.float()
        found = self._quality(tokens, rng)
        if config.rank_delta == 0:
            return found
        standing = self.sentence_rewards(real) if len(real) else found.new_zeros(0)
        return ranked_among(found, valid, standing, config.rank_delta)

    def _quality(self, tokens: Tensor, rng: torch.Generator) -> Tensor:
        """What the judge gives for each word of (B, T), (B, T), zero at <pad>."""
        config = self.config
        if config.reward is Reward.sentence:
            whole = self.sentence_rewards(tokens)
            whole = self.foretold.left(whole, tokens) if self.foretold else whole
            return whole[:, None] * (tokens != PAD)
        options = SamplingOptions(config.temperature)
        count, every, complete = config.rollouts, self.rollout_every, self.sampler.complete
        asked = self.sentence_rewards, tokens, count, every, rng, options
        return rollout_rewards(self.generator, *asked, complete=complete).mean(2)

    def loss(self, tokens: Tensor, rewards: Tensor) -> tuple[Tensor, dict[str, Tensor | float]]:
        """Manager's and worker's policy-gradient losses on samples (B, T), and what to log.

        Manager: -mean Q_s cos(f_{s+c} - f_s, g_s). Worker: -mean r_s log p(x_s), r_s its intrinsic
        reward (or Q_s); p is the policy that sampled: no dropout, no <unk>, its temperature. The
        worker's words are what is held to the anchor: goals have no distribution.
        """
        config = self.config
        own, valid = ranks.mine(tokens), tokens != PAD
        features, goals = self.generator.leak(own)
        cosines = self.generator.goal_cosines(features, goals)
        along = self.generator.intrinsic_rewards(features, goals)
        intrinsic = ranks.gathered(along, len(tokens)) * valid
        quality, advantage = self.advantages(rewards, intrinsic, valid)
        mine, longest = own != PAD, self.max_length
        manager_loss = policy_gradient_loss(cosines, ranks.mine(quality), mine, longest)
        layer = self.generator.output_layer(written=True)
        read = self.generator.worker_features(own, goals, temperature=config.temperature)
        loss, logged = manager_loss, dict[str, Tensor | float]()
        if self.anchor:
            held = self.anchor.hold(layer, read, tokens, longest, config.temperature)
            advantage = advantage - config.kl_weight * held.later
            loss = loss + config.kl_weight * held.loss
            logged["kl_anchor"] = mean_of_words(held.kl, own)
        weights = policy_weights(ranks.mine(advantage), mine, longest)
        share = bonus(self.held_entropy, config.entropy_weight, own)
        worker = policy_nll(layer, read, words_at(own), weights, share)
        if self.held_entropy:
            self.held_entropy.learn(weights, worker, own)
        return loss + worker.loss, {
            "manager_loss": manager_loss.detach(),
            "worker_loss": worker.loss.detach(),
            "goal_cosine_sampled": valid_mean(ranks.gathered(cosines.detach(), len(tokens)), valid),
            "intrinsic": valid_mean(intrinsic, valid),
            "entropy": mean_of_words(worker.entropy, own),
            **logged,
            **sampled(tokens, rewards),
        }

    def advantages(
        self, rewards: Tensor, intrinsic: Tensor, valid: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What weighs the manager's cosines and the worker's words, (B, T) each, of Q and of the
        worker's intrinsic rewards."""
        config = self.config
        by_quality = config.worker_reward is WorkerReward.quality or not self.judged
        quality, advantage = rewards, rewards if by_quality else intrinsic
        if config.one_reward:
            quality, advantage = (valid_mean(each, valid) * valid for each in (quality, advantage))
        if config.baseline is Baseline.mean and self.judged:
            quality = quality - leave_one_out_mean(quality, valid)
            advantage = advantage - leave_one_out_mean(advantage, valid)
        after = config.reward_after
        return without_first(quality, after), without_first(advantage, after)
