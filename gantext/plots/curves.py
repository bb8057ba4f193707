"""Figures of learning curves that several models have, and those of the looks at samples.

A model puts those of its metrics into its `CURVES`, beside figures of its own.
"""

import math

from gantext.plots.layouts import Layout

NLL = Layout(
    "Negative log-likelihood",
    "Of real text under the model. A gap that opens between training and validation is "
    "overfitting.",
    "NLL (nats per token)",
    {"nll": "training", "nll_bound": "training (-ELBO)", "nll_valid": "validation"},
)
CURVE = Layout(
    "nll_oracle and nll_test",
    "The curve of the papers. nll_oracle: of samples under the distribution that the data came "
    "from, where it is known; below the data's own they are less diverse than it. nll_test: of "
    "held-out text under the model. A generator that lowers the first and raises the second has "
    "grown sharper, not better.",
    "NLL (nats per word)",
    {"nll_oracle": "nll_oracle (samples)", "nll_test": "nll_test (held-out text)"},
    exact=True,
)
POSSIBLE = Layout(
    "Possible samples",
    "Share of the samples that the distribution of the data can write at all: nll_oracle is of "
    "these.",
    "share of samples",
    {"grammatical": "samples"},
    covers=(0.0, 1.0),
    exact=True,
)
LOSSES = Layout(
    "Losses",
    "Of a batch, before its update. The losses of an adversarial game need not fall; a "
    "discriminator that cannot tell real from generated has 0.69 = ln 2.",
    "loss",
    {"g_loss": "generator", "d_loss": "discriminator"},
    suffix="loss",
)
G_LOSSES = Layout(
    "Generator losses",
    "Of a batch, before its update. They need not fall: samples are rewarded beside each other.",
    "loss",
    {"g_loss": "generator", "manager_loss": "manager", "worker_loss": "worker"},
)
D_LOSS = Layout(
    "Discriminator loss",
    "Cross-entropy of telling real from generated sentences: of the batches that it learns from, "
    "and of real sentences that it never saw beside fresh samples. ln 2 is knowing nothing; where "
    "the first falls alone, it learns sentences by heart. While the second is not under ln 2 by "
    "two standard errors, balance=held_out gives the policy gradient no weight.",
    "loss (nats per sentence)",
    {"d_loss": "batches", "held_out_loss": "held-out sentences"},
    level=(math.log(2), "ln 2"),
)
HELD_OUT_AUC = Layout(
    "Held-out AUC",
    "How often, of a real sentence that the discriminator never saw and a fresh sample, it finds "
    "the real one more real.",
    "AUC",
    {"held_out_auc": "held-out sentences"},
    level=(0.5, "1/2"),
    covers=(0.4, 1.0),
    exact=True,
)
HELD_OUT_SLOPE = Layout(
    "Calibration",
    "The slope that makes the discriminator's logits log-odds on held-out sentences: under 1 it is "
    "surer of itself than it should be, by so much.",
    "slope",
    {"held_out_slope": "held-out sentences"},
    level=(1.0, "calibrated"),
    exact=True,
)
POLICY_ON = Layout(
    "Policy gradient",
    "Share of the generator's steps that had one: none has while the discriminator is not known to "
    "be worth its reward.",
    "share of steps",
    {"policy_on": "with a policy gradient"},
    covers=(0.0, 1.0),
)
# Of a discriminator of text that is looked at on held-out sentences.
JUDGED = (D_LOSS, HELD_OUT_AUC, HELD_OUT_SLOPE, POLICY_ON)
D_ACCURACY = Layout(
    "Discriminator accuracy",
    "Share of real and of generated samples that the discriminator tells right. A mean near "
    "1/2 says that it cannot tell them apart, near 1 that the generator gets no signal.",
    "accuracy",
    {"d_accuracy_real": "real", "d_accuracy_fake": "generated", "d_accuracy": "both"},
    mean=("d_accuracy_real", "d_accuracy_fake"),
    level=(0.5, "chance"),
    covers=(0.0, 1.0),
)
D_OUTPUTS = Layout(
    "Discriminator outputs",
    "Mean probability of being real that the discriminator gives to real and to generated "
    "samples (for a relativistic loss, of being more real than the other). Both are 1/2 where "
    "it cannot tell them apart.",
    "D(x)",
    {"d_real": "real", "d_fake": "generated"},
    level=(0.5, "1/2"),
    covers=(0.0, 1.0),
)
PENALTIES = Layout(
    "Gradient penalties",
    "Mean squared slope of the discriminator at real (R1) and at generated (R2) pictures, or "
    "WGAN-GP's penalty, before their weights.",
    "penalty",
    {"r1": "R1", "r2": "R2", "gradient_penalty": "WGAN-GP"},
)
ENTROPY = Layout(
    "Entropy",
    "Of the generator's next-word distribution, a mean over the tokens that it sampled. A "
    "fall towards 0 is collapse.",
    "entropy (nats per token)",
    {"entropy": "generator"},
)
REWARD = Layout(
    "Reward",
    "What the generator's tokens earn from the discriminator; the band is one standard "
    "deviation over the tokens of a batch.",
    "reward",
    {"reward": "mean reward"},
    band={"reward": "reward_std"},
)
ANCHOR = Layout(
    "Divergence from the start of the phase",
    "KL of the generator's next-word distribution from that of the generator as the adversarial "
    "phase began, a mean over the tokens that it sampled; with adversarial.kl_weight.",
    "KL (nats per token)",
    {"kl_anchor": "generator"},
)
DIVERSITY = Layout(
    "Diversity",
    "Share of sentences that are unique, among regular samples and within a batch.",
    "unique share",
    {"unique": "samples", "batch_unique": "batch"},
    covers=(0.5, 1.0),
)
LENGTH = Layout(
    "Length",
    "Mean length of the generated sentences.",
    "tokens in a sentence",
    {"length": "generated"},
)
GRADIENT_NORMS = Layout(
    "Gradient norms",
    "Before clipping.",
    "gradient norm",
    {"grad_norm": "MLE", "g_grad_norm": "generator", "d_grad_norm": "discriminator"},
    suffix="grad_norm",
)
LEARNING_RATE = Layout(
    "Learning rate",
    "Of the step just done, where it changes while a phase lasts.",
    "learning rate",
    {"learning_rate": "learning rate"},
    exact=True,
)
RATE_LEFT = Layout(
    "Learning rates",
    "What is left of the learning rates of the config.",
    "share of the learning rate",
    {"rate_left": "of both networks"},
    covers=(0.0, 1.0),
    exact=True,
)
TIME = Layout(
    "Training time",
    "Of the steps, with looks at samples and scores on the way; the steeper, the slower.",
    "seconds",
    {"seconds": "since the run began"},
    exact=True,
)
# Of what a look at the samples of a text model measures, whatever the model.
LOOKS = (NLL, DIVERSITY)
# How it was trained, whatever the model; the last figures of a report.
COURSE = (LEARNING_RATE, RATE_LEFT, TIME)
