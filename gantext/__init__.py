"""gantext: pretrain, adversarially train, sample and evaluate generative models of text."""

__version__ = "0.1.0"
