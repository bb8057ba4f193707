"""model=relgan: a GAN whose words a gradient passes through (RelGAN, Nie et al. 2019).

A generator writes sentences; the discriminator reads words that are relaxed to vectors, in several
small embeddings at once, so that its gradient reaches the generator without rewards or rollouts.
The equations stand in relaxation.py (1 to 3), discriminator.py (4 to 7) and nn/gan_losses.py.

Where this differs from the paper and its released code (github.com/weilinie/RelGAN), and why:
- A sentence is drawn before its noise, given which words won: the same distribution, and all scores
  come from one pass, whatever the generator. As in the code, it reads on the words that it drew.
- `relaxation: straight_through`: D reads words, whose gradient is that of relaxed ones. At a low
  inverse temperature a D that reads vectors tells them from words by their being soft.
- Sentences end at <eos>, and D's windows may reach past the end; the code pads with a word.
- D is trained alone first, looks at held-out sentences decide when it teaches, and G's steps have a
  likelihood term: options, all of them the paper's in `experiment=relgan_coco`.
- Of the code's losses WGAN-GP and LS-GAN are left out.
- The inverse temperature is that of the step, in the code that of the step before.
"""

from gantext.models.contract import Ability, Reads
from gantext.models.relgan.config import Config
from gantext.models.relgan.model import RelGAN, build
from gantext.plots.curves import (
    D_ACCURACY,
    D_OUTPUTS,
    DIVERSITY,
    G_LOSSES,
    GRADIENT_NORMS,
    JUDGED,
    LENGTH,
    NLL,
)
from gantext.plots.layouts import Layout

__all__ = ["CAN", "CURVES", "READS", "SHOWN", "Config", "RelGAN", "build"]

READS = Reads.text
CAN = frozenset({Ability.judge, Ability.write})
SHOWN = ("nll", "g_loss", "d_loss", "d_real", "d_fake", "inverse_temperature")
RELAXATION = Layout(
    "Inverse temperature",
    "Of the relaxed words that the generator's gradient passes through: the higher, the nearer "
    "they are to words, and the more the gradient varies.",
    "beta",
    {"inverse_temperature": "of the step"},
)
CURVES = (
    *(NLL, G_LOSSES, *JUDGED, D_ACCURACY, D_OUTPUTS, RELAXATION),
    *(DIVERSITY, LENGTH, GRADIENT_NORMS),
)
