"""BLEU and Self-BLEU of text by a published protocol, as scores that say which it was."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gantext.errors import UserError
from gantext.metrics import standard_error
from gantext.metrics.score import Score, Setting, signed
from gantext.metrics.text.bleu import FloatArray, ReferenceIndex, bleu_of_matches, self_bleu
from gantext.metrics.text.ngrams import IntArray
from gantext.metrics.text.preparation import Preparation
from gantext.metrics.text.presets import DEFAULT, ORDERS, Preset, find_preset
from gantext.metrics.text.texts import Texts, first, once
from gantext.metrics.text.tokens import CHUNK, encode_texts, encoded_parts, own_tokenizer


def fewest_samples(name: str) -> int:
    """How many samples the scores of a preset need at least: Self-BLEU compares with others.

    Raises UserError: no preset.
    """
    preset = find_preset(name)
    return 2 if preset.separate is None else (preset.hypotheses or 1) + 1


def prepared_preset(name: str, preparation: Preparation) -> Preset:
    """The preset of that name for text that was prepared like this. Raises UserError: no preset."""
    preset = find_preset(name)
    return replace(preset, tokenizer=preparation.tokenizer(preset.tokenizer))


class SentenceBleu(NamedTuple):
    """BLEU of H hypotheses, one by one.

    Attributes:
        values: (5, H); row n - 1 holds BLEU-n, in 0..1.
        lengths: (H,) tokens of each hypothesis.
        signature: of them all; "n" is still None.
    """

    values: FloatArray
    lengths: IntArray
    signature: dict[str, Setting]


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
    scored = sentence_bleu(hypotheses, references, preset, seed=seed, data_hash=data_hash)
    return _means("bleu", scored.values, scored.signature)


def sentence_bleu(
    hypotheses: Sequence[str],
    references: Sequence[str],
    preset: str | Preset = DEFAULT,
    *,
    seed: int = 0,
    data_hash: str | None = None,
) -> SentenceBleu:
    """Return what `bleu_scores` averages; the arguments are the same."""
    protocol = find_preset(preset) if isinstance(preset, str) else preset
    against = (references, protocol, seed, data_hash)
    if not isinstance(references, Texts):
        return _sentence_bleu(hypotheses, *against)
    return once(
        hypotheses, ("sentence bleu", *against), lambda: _sentence_bleu(hypotheses, *against)
    )


def _sentence_bleu(
    hypotheses: Sequence[str],
    references: Sequence[str],
    protocol: Preset,
    seed: int,
    data_hash: str | None,
) -> SentenceBleu:
    chosen = first(_ordered(hypotheses, protocol, seed), protocol.hypotheses)
    used, tokenizer = first(references, protocol.references), protocol.tokenizer
    index = reference_index(used, tokenizer)
    parts = encoded_parts(chosen, tokenizer, index.numbering, CHUNK)
    matches = [index.matches(part) for part in parts]
    values = [bleu_of_matches(part, protocol.smoothing) for part in matches]
    lengths = np.concatenate([part.lengths for part in matches])
    sizes = (len(chosen), len(used))
    signature = _signature(protocol, sizes, protocol.tokenizer, seed, data_hash)
    return SentenceBleu(np.concatenate(values, axis=1), lengths, signature)


def reference_index(references: Sequence[str], tokenizer: str) -> ReferenceIndex:
    """The counts of references, whose tokens are those of a tokenizer; made once of `Texts`."""
    return once(
        references,
        ("reference index", tokenizer),
        lambda: ReferenceIndex(encode_texts(references, tokenizer), ORDERS[-1]),
    )


def self_bleu_scores(
    sentences: Sequence[str],
    preset: str | Preset = DEFAULT,
    *,
    others: Sequence[str] | None = None,
    seed: int = 0,
    data_hash: str | None = None,
) -> list[Score]:
    """Return Self-BLEU-2..5 (0..1): sentences against all the others of the file; 1 is collapse.

    Text that has been tokenised before keeps its tokens (see `own_tokenizer`); the signature says
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
        ordered = first(ordered, protocol.references)
    texts = [*ordered, *others] if others else ordered
    tokenizer = own_tokenizer(texts, protocol.tokenizer)
    values, references = _self_values(texts, tokenizer, protocol, len(others or ()))
    sizes = (values.shape[1], references)
    signature = _signature(protocol, sizes, tokenizer, seed, data_hash)
    return _means("self-bleu", values, signature)


def _self_values(
    texts: Sequence[str], tokenizer: str, protocol: Preset, separate: int
) -> tuple[FloatArray, int]:
    """Return (N, H) values and the number of references of each; the last `separate` are those."""
    if not separate:
        scores = self_bleu(encode_texts(texts, tokenizer).words, ORDERS[-1], protocol.smoothing)
        return scores[:, : protocol.hypotheses], len(texts) - 1
    index = reference_index(texts[-separate:], tokenizer)
    parts = encoded_parts(texts[:-separate], tokenizer, index.numbering, CHUNK)
    values = [index.bleu(part, protocol.smoothing) for part in parts]
    return np.concatenate(values, axis=1), separate


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
) -> dict[str, Setting]:
    return signed(
        preset=protocol.name,
        n=None,
        hypotheses=sizes[0],
        references=sizes[1],
        smoothing=protocol.smoothing,
        tokenizer=tokenizer,
        data=data_hash,
        seed=seed if protocol.shuffled else None,
    )


def _means(name: str, values: FloatArray, signature: dict[str, Setting]) -> list[Score]:
    means = values.mean(axis=1)
    return [
        Score(
            f"{name}-{order}",
            float(means[order - 1]),
            {**signature, "n": order},
            standard_error.of_mean(values[order - 1]),
        )
        for order in ORDERS
    ]
