"""The generator of text that a config chooses by `arch`: one place that builds them all."""

import enum
from dataclasses import dataclass

import torch

from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import TextGenerator
from gantext.nn.text.relational import RelationalConfig, RelationalModel
from gantext.nn.text.transformer import Transformer, TransformerConfig


class Arch(enum.Enum):
    """What reads the words before the next one."""

    lstm = "lstm"
    transformer = "transformer"
    relational = "relational"


@dataclass(frozen=True)
class ArchConfig:
    """Which architecture (explained in conf/model/*.yaml)."""

    arch: Arch


@dataclass(frozen=True)
class TextGeneratorConfig(GeneratorConfig, ArchConfig):  # whose keys come first
    """The architecture, and the sizes of each (explained in conf/model/*.yaml).

    Those of the LSTM are the generator's own; another has a group, and takes `tie_weights` and
    `word_dropout` from the generator's.
    """

    transformer: TransformerConfig
    relational: RelationalConfig


def text_generator(
    vocab_size: int,
    max_length: int,
    config: TextGeneratorConfig,
    rng: torch.Generator,
    fixed_length: bool = False,
) -> TextGenerator:
    """The generator that a config chooses.

    Args:
        vocab_size: V.
        max_length: tokens of the longest sentence, its end included.
        config: which, and its sizes.
        rng: draws its weights.
        fixed_length: whether all sentences have `max_length` words and no end.

    Raises:
        UserError: sizes that do not go together.
    """
    if config.arch is Arch.lstm:
        return LanguageModel(vocab_size, config, rng, fixed_length)
    shared = config.tie_weights, config.word_dropout, rng, fixed_length
    if config.arch is Arch.relational:
        return RelationalModel(vocab_size, config.relational, *shared)
    return Transformer(vocab_size, max_length, config.transformer, *shared)
