"""model=image_gan: the generative adversarial network (Goodfellow et al. 2014, arXiv 1406.2661).

A generator makes pictures of noise; a discriminator says whether a picture is real; each is trained
against the other. Networks, loss and regularisation are options: the multilayer perceptrons of the
first paper or DCGAN's convolutions (Radford et al. 2016); the losses of nn/gan_losses.py;
spectral normalisation (Miyato et al. 2018) or zero-centred gradient penalties (Mescheder et al.
2018).

Shapes: B batch, C channels, S side in pixels, Z noise.

Where this differs from the papers, and why:
- The default is relativistic with both penalties (R3GAN, Huang et al. 2024), on a small DCGAN
  without their residual blocks, and of their schedules with the learning rate's only: it is to be
  trained in minutes on a CPU.
- The penalties may be lazy (Karras et al. 2020, appendix B), on every `reg_every`-th step of D and
  that many times as heavy; the optimiser's other settings stay as they are.
- `generator_first`: G steps first, and D's first step sees the fakes of G's step, made before it
  changed. This is the way of many tutorials and saves a pass through G; the paper updates D first.
- Pictures are drawn by an average of the generator's past weights, if `ema` is over 0. Batch
  normalisation goes by its running statistics there, so a picture does not depend on those drawn
  with it (tutorials show pictures of a training batch).
- Classes (`discriminator.classes`; classes.py) go with every loss; with one of which only
  differences of logits count (rpgan, wgan_gp), "generated" is no class with a probability.
- Salimans et al. 2016 have weight normalisation, and noise on pictures and layers of D; here D is
  as without classes.
- D's accuracy and beliefs are of pairs where the loss leaves the logits' zero free (rpgan,
  wgan_gp): how often, and how surely, a real picture beats a fake one.
"""

from gantext.models.contract import Ability, Reads
from gantext.models.image_gan.model import Config, build
from gantext.plots.curves import D_ACCURACY, D_OUTPUTS, GRADIENT_NORMS, LOSSES, PENALTIES
from gantext.plots.layouts import Layout

__all__ = ["CAN", "CURVES", "READS", "SHOWN", "Config", "build"]

READS = Reads.pictures
CAN = frozenset({Ability.classify})  # where it was trained with classes
SHOWN = ("g_loss", "d_loss", "d_real", "d_fake", "d_accuracy")
LABELLED = Layout(
    "Classes of labelled pictures",
    "Of the labelled training pictures that the discriminator is told the classes of "
    "(model.discriminator.classes=true): the share that it tells right. Near 1 it knows them by "
    "heart; what that is worth says `classified`, of test pictures.",
    "accuracy",
    {"class_accuracy": "labelled pictures"},
    covers=(0.0, 1.0),
)
CURVES = (LOSSES, D_ACCURACY, D_OUTPUTS, LABELLED, PENALTIES, GRADIENT_NORMS)
