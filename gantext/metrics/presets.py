"""The protocols under which BLEU and Self-BLEU of text GANs have been published.

They differ in how many hypotheses and references they take, in smoothing and in tokens, and so in
their numbers. Only numbers of one preset can be compared; each score says which it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gantext import __version__
from gantext.errors import UserError, nearest
from gantext.metrics.bleu import FloatArray, ReferenceIndex, Smoothing, self_bleu
from gantext.metrics.ngrams import Sentences
from gantext.metrics.score import Score
from gantext.metrics.tokens import own_tokens, tokenized

ORDERS = (2, 3, 4, 5)
# Hypotheses that are tokenised and scored at a time, so that a million of them fit.
CHUNK = 20_000


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
        smoothing: `method1` (Chen and Cherry 2014) or `none`.
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
        "LeakGAN (Guo et al. 2018): 2,000 sentences drawn with a seed, unsmoothed, cased",
        hypotheses=2000,
        smoothing="none",
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


def bleu_scores(
    hypotheses: Sequence[str],
    references: Sequence[str],
    preset: str | Preset = DEFAULT,
    *,
    seed: int = 0,
    data_hash: str | None = None,
) -> list[Score]:
    """Return BLEU-2..5 (0..1) of sentences against all references, the mean over the sentences.

    Args:
        hypotheses: one sentence a string, not tokenised (or tokenised, with spaces between).
        references: likewise.
        preset: a protocol or its name.
        seed: used, and recorded, only where the preset shuffles.
        data_hash: the hash of the corpus that the references are from, for the signature.

    Raises:
        UserError: no hypotheses, no references, or no such preset.
    """
    protocol = find_preset(preset) if isinstance(preset, str) else preset
    chosen = _ordered(hypotheses, protocol, seed)[: protocol.hypotheses]
    reference_tokens = tokenized(references[: protocol.references], protocol.tokenizer)
    index = ReferenceIndex(reference_tokens, ORDERS[-1])
    chunks = (chosen[start : start + CHUNK] for start in range(0, len(chosen), CHUNK))
    scores = [
        index.bleu(tokenized(chunk, protocol.tokenizer), protocol.smoothing) for chunk in chunks
    ]
    sizes = (len(chosen), len(reference_tokens))
    signature = _signature(protocol, sizes, protocol.tokenizer, seed, data_hash)
    return _means("bleu", np.concatenate(scores, axis=1), signature)


def self_bleu_scores(
    sentences: Sequence[str],
    preset: str | Preset = DEFAULT,
    *,
    others: Sequence[str] | None = None,
    seed: int = 0,
    data_hash: str | None = None,
) -> list[Score]:
    """Return Self-BLEU-2..5 (0..1): sentences against all the others of the file; 1 is collapse.

    Text that has been tokenised before keeps its tokens (see `own_tokens`); the signature says
    so with "tok:whitespace".

    Args:
        sentences: one sentence a string.
        preset: a protocol or its name.
        others: the separate samples that the preset `textgan` scores against; without them it
            takes those that follow the scored sentences in the file.
        seed: used, and recorded, only where the preset shuffles.
        data_hash: the hash of the corpus in use, for the signature.

    Raises:
        UserError: too few sentences, no such preset, or `others` with a preset without them.
    """
    protocol = find_preset(preset) if isinstance(preset, str) else preset
    ordered = _ordered(sentences, protocol, seed)
    if protocol.separate is not None:
        ordered, others = _separate(ordered, others, protocol)
    elif others is not None:
        raise UserError(f"preset {protocol.name!r} takes no separate samples for Self-BLEU")
    else:
        ordered = ordered[: protocol.references]
    tokens, tokenizer = own_tokens([*ordered, *(others or ())], protocol.tokenizer)
    values, references = _self_values(tokens, protocol, len(others or ()))
    sizes = (values.shape[1], references)
    signature = _signature(protocol, sizes, tokenizer, seed, data_hash)
    return _means("self-bleu", values, signature)


def _self_values(tokens: Sentences, protocol: Preset, separate: int) -> tuple[FloatArray, int]:
    """Return (N, H) values and the number of references of each; the last `separate` are those."""
    if not separate:
        scores = self_bleu(tokens, ORDERS[-1], protocol.smoothing)
        return scores[:, : protocol.hypotheses], len(tokens) - 1
    index = ReferenceIndex(tokens[-separate:], ORDERS[-1])
    return index.bleu(tokens[:-separate], protocol.smoothing), separate


def _separate(
    sentences: Sequence[str], others: Sequence[str] | None, protocol: Preset
) -> tuple[Sequence[str], Sequence[str]]:
    """Split off the scored sentences, and take the separate samples they are scored against."""
    scored = sentences[: protocol.hypotheses]
    others = (sentences[len(scored) :] if others is None else others)[: protocol.separate]
    if not others:
        raise UserError(
            f"preset {protocol.name!r} scores Self-BLEU of {len(scored)} sentences against other "
            "samples: give more sentences than that"
        )
    return scored, others


def _ordered(sentences: Sequence[str], protocol: Preset, seed: int) -> Sequence[str]:
    if not sentences:
        raise UserError("there are no sentences to score")
    if not protocol.shuffled:
        return sentences
    order = np.random.default_rng(seed).permutation(len(sentences))
    return [sentences[place] for place in order]


def _signature(
    protocol: Preset,
    sizes: tuple[int, int],
    tokenizer: str,
    seed: int,
    data_hash: str | None,
) -> dict[str, str | int | None]:
    return {
        "preset": protocol.name,
        "n": None,
        "hypotheses": sizes[0],
        "references": sizes[1],
        "smoothing": protocol.smoothing,
        "tokenizer": tokenizer,
        "data": data_hash,
        "seed": seed if protocol.shuffled else None,
        "version": __version__,
    }


def _means(name: str, values: FloatArray, signature: dict[str, str | int | None]) -> list[Score]:
    means = values.mean(axis=1)
    return [
        Score(f"{name}-{order}", float(means[order - 1]), {**signature, "n": order})
        for order in ORDERS
    ]
