"""model=leakgan: text generation with leaked information (LeakGAN, Guo et al. 2018, 1709.08624).

The discriminator leaks its features of the sentence so far to a manager, who sets goals in their
space; a worker writes the words that should reach them. Shapes: B batch, T steps, V vocabulary,
F leaked features, c goal steps (`goal_steps`), R rollouts.

The notation: f_s are the features of the first s words, g_s the goal set after them. Word s (from
0) is written from f_s and the goals g_{s-c}..g_{s-1} (equation 4 and the released code: the goal
that is set at a prefix is first followed by the word after the next), and leads to f_{s+1}.

Where this differs from the paper and its released code, and why:
- Sentences end at <eos>; what follows carries no loss. After a sentence's end its features stay as
  they are, so the last goals are judged by the whole sentence.
- The cosines of the manager's loss are taken per step (the code's per block: `goal_cosine`), and
  each word has a reward of its own. In the code all have one: it reduces the cosines of a batch to
  one number before they meet a reward (`one_reward`), so that no sentence counts more than another.
  A reward of the worker in the first c words is the mean over the goals that there are.
- The rescaled activation ranks, and ties share a rank (the code numbered rewards in the order of a
  hash table); delta is the paper's 12 (code: 16).
- One initial goal, of length 1 like all goals, stands for every goal before the first (the code
  has one for each row of the batch). It is the worker's: the manager's loss does not see it, but
  for that of the first block with `goal_cosine: block`.
- Manager and worker learn from their own losses only: no gradient goes from the worker's loss to
  the goals, and none from either to the discriminator. They share an optimiser, which is that of
  the code's two where `clip_apart`; likelihood has another, as in the code.
- The interleaved maximum-likelihood epochs are spread evenly over the steps, so that every step
  costs the same and needs no place in an epoch to be stored. In pretraining, too, D's steps are
  spread evenly among G's (the code alternates in rounds).
- After pretraining the generator goes on reading the discriminator as it was then (`leak`): one
  that learns at a useful rate changes its features faster than the generator can follow.
- The worker is rewarded by Q (`worker_reward: quality`). The paper's intrinsic reward does not
  know Q; here it made the samples less diverse and no more real.
- The manager's Q and the worker's reward have a `baseline` (without it goals go to what is
  common, good or bad). `tie_weights` is an option that the paper does not have.
- Options that the paper has not, all off: one reward a sentence (`reward: sentence`), less what
  likelihood has taught (`reward_less`, nn/text/foretold.py) and from some word on (`reward_after`),
  log-odds in place of probabilities (`log_odds_bound`), an anchor of the worker's words
  (`kl_weight`, nn/text/anchor.py; goals have no distribution, and are not held), an average of
  manager's and worker's weights (`ema`).
- The discriminator ignores padding and its windows may reach past the end (nn/text/text_cnn.py);
  'not yet generated' is a learned symbol only with `d_training.prefixes`, else (as in the code) it
  keeps its random embedding, since whole sentences never show it.
"""

from gantext.models.contract import Ability, Reads
from gantext.models.leakgan.config import Config, settled
from gantext.models.leakgan.model import build
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

__all__ = ["CAN", "CURVES", "PARALLEL", "READS", "SHOWN", "Config", "build", "settled"]

READS = Reads.text
PARALLEL = True
CAN = frozenset({Ability.judge, Ability.goals, Ability.write})
SHOWN = ("nll", "reward", "d_loss", "d_real", "d_fake", "entropy")
CURVES = (
    *(NLL, G_LOSSES, *JUDGED, D_ACCURACY, D_OUTPUTS),
    *(ENTROPY, REWARD, ANCHOR, DIVERSITY, LENGTH, GRADIENT_NORMS),
)
