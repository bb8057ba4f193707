"""model=dpgan: the Diversity-Promoting GAN (Xu et al. 2018, EMNLP, arXiv 1802.01345).

The discriminator D is a language model too, and rewards what it finds unlikely: it learns to find
generated text likely and real text not, so that a word pays that the generator G writes too
seldom. P is real text, c a bound; in nats:

- (1) S(y_t) = min(-log D(y_t | y_<t), c) of a word; S(y), of a sentence, is the mean over its words
- (2) D minimises E_{y ~ G} S(y) - lambda E_{y ~ P} S(y), without c in its first term
- (3) a word's reward is R(y_t) = S(y_t) + kappa log G(y_t | y_<t)
- (4) G ascends E_{y ~ G} sum_t A_t grad log G(y_t | y_<t), A_t = R(y_t) - b_t + L_t - l_t: b_t =
  E_{v ~ G} R(v) after y_<t, exact over the vocabulary; L_t = sum_{s > t} gamma^(s - t) R(y_s), and
  l_t the mean of other sentences' there
- (5) teacher forcing: -E_{y ~ P} sum_t S(y_t) / mean S log G(y_t | y_<t)

The paper has kappa = 0, and then only rewards of real text, and (5), keep G from noise: word by
word D is best at (G - lambda P) / (1 - lambda), by which (2) is 1 - lambda times its entropy, and
the G that makes most of that is lambda P + (1 - lambda) U, U all words alike. At lambda = 0, the
released code's, that is noise alone. With kappa = 1 a word pays log G / D, of that D log
(1 - lambda) / (1 - lambda P / G): more than 0 where G writes it less often than real text, and at
G = P nothing is left to gain. Shapes: B sentences, T steps, N places (see `places`).

Where this differs from the paper and its released code, and why:
- `own_surprise`, kappa, of the paragraph above.
- lambda is 1/2: D has a best then, of which G = P is one, and learns it as a language model. In the
  paper it is 1, by which D has none; the code has -0.0001 for real text, kept as a whole number: 0.
- c bounds (1) for D too, which would else make real words unlikely without end; the code has 12,
  for G alone.
- G writes sentences from nothing; theirs from a review or an utterance, several sentences each.
- D begins as a copy of G, its best at lambda = 0; theirs learns samples from random weights.
- The baselines of (4), which leave the gradient as it is in the mean; the code has none.
- Looks at D on held-out sentences decide which of its weights go on, and whether G is rewarded at
  all (nn/text/held_out.py), by the mean of R(y_t) - b_t of a sentence.
- (5) is an option; the code's step on real text counts 1,000 times that on samples. By default it
  is plain likelihood.
- Adam in the place of Adagrad, and nothing is dropped from samples.
"""

from gantext.models.contract import Ability, Reads
from gantext.models.dpgan.config import Config
from gantext.models.dpgan.model import DPGAN, build
from gantext.plots.curves import (
    DIVERSITY,
    ENTROPY,
    G_LOSSES,
    GRADIENT_NORMS,
    JUDGED,
    LENGTH,
    NLL,
    REWARD,
)
from gantext.plots.layouts import Layout

__all__ = ["CAN", "CURVES", "DPGAN", "PARALLEL", "READS", "SHOWN", "Config", "build"]

READS = Reads.text
PARALLEL = True
CAN = frozenset({Ability.write})
SHOWN = ("nll", "reward", "r_real", "r_fake", "g_loss", "entropy")
REWARDS = Layout(
    "Rewards of sentences",
    "Mean reward of real and of generated sentences, as the discriminator learns them: their gap "
    "is what it makes as large as it can.",
    "reward (nats per word)",
    {"r_real": "real", "r_fake": "generated"},
)
CURVES = (NLL, G_LOSSES, *JUDGED, REWARDS, ENTROPY, REWARD, DIVERSITY, LENGTH, GRADIENT_NORMS)
