"""model=gan: the sequence GAN (SeqGAN, Yu et al. 2017, arXiv 1609.05473).

An LSTM generator writes sentences word by word; a text CNN says whether a sentence is real; the
generator is trained by policy gradient to be believed. Shapes: B batch, T steps, V vocabulary,
R rollouts.

Where this differs from the paper and its released code, and why:
- Sentences end at <eos>; what follows carries no loss and no reward (the code trains on padding).
- The policy-gradient loss is divided by the constant B * max_length, not by the number of words or
  the batch's longest sentence, which depend on the sample and would bias the gradient.
- A baseline (`baseline`) and a reward scale (`reward_scale`) are options; the paper has neither.
  `baseline: previous` takes the rollouts from the prefix before the word: they do not depend on
  the word, so the gradient stays unbiased, and an early mistake is not blamed on later words.
- The discriminator is updated on fresh samples each step rather than for epochs over a pool of
  10,000: the same number of sentences, no stale ones.
- Sum or mean of the policy loss, how weights are drawn, what Adam keeps and where D's gates begin
  are options; the released code's are those of `experiment=seqgan_synthetic_released`.
- The discriminator ignores padding, and its windows may reach past the end (nn/text/text_cnn.py).
- The generator may be a transformer (`generator.arch`, nn/text/transformer.py).
- Options that the paper has not, all off: one reward a sentence (`reward: sentence`, REINFORCE with
  a leave-one-out baseline, Kool et al. 2019), less what likelihood has taught (`reward_less`,
  nn/text/foretold.py) and from some word on (`reward_after`), log-odds in place of probabilities
  (`log_odds_bound`), an anchor (`kl_weight`, nn/text/anchor.py), an average of the weights (`ema`).
- `reward: prefix` scores each prefix itself and needs no rollouts; the discriminator is then
  trained on all prefixes (as ScratchGAN's is on all steps; de Masson d'Autume et al. 2019).
"""

from gantext.models.contract import Ability, Reads
from gantext.models.gan.config import Config, settled
from gantext.models.gan.model import GAN, build
from gantext.plots.curves import (
    ANCHOR,
    D_ACCURACY,
    D_OUTPUTS,
    DIVERSITY,
    ENTROPY,
    G_LOSSES,
    GRADIENT_NORMS,
    JUDGED,
    LENGTH,
    NLL,
    REWARD,
)

__all__ = ["CAN", "CURVES", "GAN", "PARALLEL", "READS", "SHOWN", "Config", "build", "settled"]

READS = Reads.text
PARALLEL = True
CAN = frozenset({Ability.judge, Ability.write})
SHOWN = ("nll", "reward", "g_loss", "d_loss", "d_real", "d_fake", "entropy")
CURVES = (
    *(NLL, G_LOSSES, *JUDGED, D_ACCURACY, D_OUTPUTS),
    *(ENTROPY, REWARD, ANCHOR, DIVERSITY, LENGTH, GRADIENT_NORMS),
)
