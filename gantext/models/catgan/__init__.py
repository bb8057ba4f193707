"""model=catgan: one generator that is told the class (Liu, Wang & Liang 2020, AAAI, "CatGAN:
Category-aware Generative Adversarial Networks with Hierarchical Evolutionary Learning for Category
Text Generation", arXiv 1911.06641).

A generator that reads a class with every word, a discriminator that its gradient reaches through
relaxed words, pairs of a real and a generated sentence of one class, and generators that compete:
each step makes a child of every loss and temperature, and the fittest goes on. The equations stand
in losses.py (1 to 4), nn/text/relaxation.py (the words) and model.py (5 to 7).

Where this differs from the paper and its released code (github.com/williamSYSU/TextGAN-PyTorch):
- A class is a learned vector that is added to each word's embedding; the code puts a class's
  one-hot vector beside it, which is the same before the first matrix.
- D has a logit for each class, and (1) compares those of the sentences' class, so that a sentence
  of another class is told from real ones; the code's D has one for all. With `class_weight` it also
  learns the classes of real sentences, and says them (Ability.classify).
- D is a text CNN of one embedding; the code's has 64 views of it (see docs/methods/relgan.md).
- D reads words, whose gradient is that of relaxed ones (`relaxation: straight_through`); `soft` is
  the paper's. A child's inverse temperature is its parent's times or over `temperature_factor`; in
  the code it is that of a schedule, now and a step later.
- There is one parent, as in the code by default. All children of a step see the same noise.
- Fitness is of means: of D's probabilities, and of -log p per word, by samples of the parent that
  are weighted as if the child had written them; in the code it is of the child's own samples.
- D is trained alone first, looks at held-out sentences decide when it teaches, and G's steps have a
  likelihood term; all of these can be turned off.
"""

from gantext.models.catgan.config import Config
from gantext.models.catgan.model import CatGAN, build
from gantext.models.contract import Ability, Reads
from gantext.plots.curves import (
    D_OUTPUTS,
    DIVERSITY,
    G_LOSSES,
    GRADIENT_NORMS,
    JUDGED,
    LENGTH,
    NLL,
)
from gantext.plots.layouts import Layout

__all__ = ["CAN", "CURVES", "READS", "SHOWN", "CatGAN", "Config", "build"]

READS = Reads.labelled
CAN = frozenset({Ability.judge, Ability.write, Ability.of_class, Ability.classify})
SHOWN = ("nll", "g_loss", "d_loss", "d_real", "d_fake", "d_class", "quality", "diversity")
D_CLASS = Layout(
    "Classes",
    "Share of a batch's real sentences whose class the discriminator knows, before its update.",
    "share",
    {"d_class": "real sentences"},
    covers=(0.0, 1.0),
)
FITNESS = Layout(
    "Fitness",
    "Of the child that goes on: how much more real than real sentences of its class its samples "
    "look to the discriminator, and -log p of its samples' words.",
    "mean",
    {"quality": "quality", "diversity": "diversity (nats per token)"},
)
RELAXATION = Layout(
    "Inverse temperature",
    "Of the relaxed words of the child that goes on: the higher, the nearer they are to words, and "
    "the more the gradient varies.",
    "beta",
    {"inverse_temperature": "of the fittest"},
)
MUTATION = Layout(
    "Loss of the fittest",
    "Which loss the child that goes on has learned by, by its place in `mutations`, from 0.",
    "place",
    {"mutation": "of the fittest"},
)
CURVES = (
    *(NLL, G_LOSSES, *JUDGED, D_OUTPUTS, D_CLASS, FITNESS, RELAXATION, MUTATION),
    *(DIVERSITY, LENGTH, GRADIENT_NORMS),
)
