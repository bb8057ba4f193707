"""The protocols under which BLEU and Self-BLEU of text GANs have been published.

They differ in how many hypotheses and references they take, in smoothing and in tokens, and so in
their numbers. Only numbers of one preset can be compared; each score says which it is.
"""

from dataclasses import dataclass
from typing import Literal

from gantext.errors import UserError, nearest

ORDERS = (2, 3, 4, 5)  # N of BLEU-N and Self-BLEU-N
Smoothing = Literal["method1", "none", "dropped"]


@dataclass(frozen=True)
class Preset:
    """How many sentences are compared, and how. None means all of them.

    `dataclasses.replace` makes a variant; the signature shows every setting that differs.

    Attributes:
        name: as it stands in signatures.
        about: where the protocol comes from.
        hypotheses: so many are scored, the first ones.
        references: so many references are used, the first ones. For Self-BLEU the file itself is
            cut to so many sentences, which are then each other's references.
        smoothing: `method1` (Chen and Cherry 2014), `none`, or `dropped`: orders without a match
            are left out (see `gantext.metrics.text.bleu.bleu_of_matches`).
        tokenizer: a name in `gantext.data.tokenizers`.
        shuffled: the hypotheses are shuffled with the seed before the first ones are taken.
        separate: Self-BLEU is against so many other samples, not against the rest of the file.
    """

    name: str
    about: str
    hypotheses: int | None = None
    references: int | None = None
    smoothing: Smoothing = "method1"
    tokenizer: str = "nltk"
    shuffled: bool = False
    separate: int | None = None


_PRESETS = (
    Preset("texygen", "Texygen (Zhu et al. 2018), its full evaluation: all against all"),
    Preset("texygen-fast", "Texygen's fast evaluation: the first 500 references", references=500),
    Preset(
        "leakgan",
        "LeakGAN (Guo et al. 2018) by today's nltk: 2,000 sentences drawn with a seed, unsmoothed",
        hypotheses=2000,
        smoothing="none",
        tokenizer="whitespace",
        shuffled=True,
    ),
    Preset(
        "leakgan-2018",
        "The same by nltk 3.2, which LeakGAN was scored by: orders without a match are left out",
        hypotheses=2000,
        smoothing="dropped",
        tokenizer="whitespace",
        shuffled=True,
    ),
    Preset("relgan", "RelGAN (Nie et al. 2019): the first 100 sentences", hypotheses=100),
    Preset(
        "textgan",
        "TextGAN-PyTorch: the first 200 sentences; Self-BLEU against 10,000 other samples",
        hypotheses=200,
        separate=10_000,
    ),
)
PRESETS = {preset.name: preset for preset in _PRESETS}
DEFAULT = "texygen"


def find_preset(name: str) -> Preset:
    """Return the preset of that name.

    Raises:
        UserError: there is none.
    """
    if name not in PRESETS:
        choices = ", ".join(PRESETS)
        raise UserError(f"no preset {name!r}{nearest(name, PRESETS)}; choose from {choices}")
    return PRESETS[name]
