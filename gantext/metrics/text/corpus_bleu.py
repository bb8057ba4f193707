"""sacreBLEU's corpus BLEU (Post 2018) for one reference set that all hypotheses share.

sacreBLEU wants the references once for every hypothesis, 10,000 x 10,000 strings for a text GAN.
Here the reference counts are built once; tokenizer and final arithmetic are sacreBLEU's.

This is not the "text-GAN BLEU" of `gantext.metrics.bleu`: n-gram matches are summed over the
whole file before they are divided, and the scale is 0..100.
"""

import re
from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics.bleu import BLEU, BLEUSignature

from gantext import __version__
from gantext.data.tokenizers import UNKNOWN, unused_letter
from gantext.errors import UserError
from gantext.metrics import standard_error
from gantext.metrics.score import Score
from gantext.metrics.text.bleu import Matches, ReferenceIndex
from gantext.metrics.text.ngrams import IntArray
from gantext.metrics.text.texts import once
from gantext.metrics.text.tokens import CHUNK

# Of a line of plain words all of the rules of sacreBLEU's tokenizer 13a together do nothing but
# split off the commas and full stops: it has no digits, beside which these and dashes may stay.
PLAIN = re.compile(r"[A-Za-z ,.-]*+")
CHARACTERS = "char"  # sacreBLEU's tokenizer of text without words between spaces


def corpus_bleu_score(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    lowercase: bool = False,
    tokenizer: str | None = None,
    data_hash: str | None = None,
) -> Score:
    """Return sacreBLEU's corpus BLEU as the score `corpus-bleu`, in 0..100 as sacreBLEU gives it.

    Equal to `sacrebleu.corpus_bleu(hypotheses, [[r] * len(hypotheses) for r in references])`
    where no reference has the word `<unk>`. That is one token here, in both, and sacreBLEU would
    cut it in three; the signature then says "unk:whole".

    Args:
        hypotheses: one detokenised sentence a string.
        references: likewise; each is a reference of every hypothesis.
        lowercase: compare in lower case.
        tokenizer: one of sacreBLEU's, such as `CHARACTERS`; None: its default, 13a.
        data_hash: the hash of the corpus that the references are from.

    Raises:
        UserError: no hypotheses or no references.
    """
    if not hypotheses:
        raise UserError("there are no sentences to score")
    metric = BLEU(lowercase=lowercase, tokenize=tokenizer)
    index = once(
        references,
        ("sacrebleu", lowercase, tokenizer),
        lambda: ReferenceIndex(_tokens(metric, references), metric.max_ngram_order),
    )
    chunks = [
        _parts(index.matches(_tokens(metric, hypotheses[start : start + CHUNK])))
        for start in range(0, len(hypotheses), CHUNK)
    ]
    parts = np.concatenate(chunks)  # (H, 2 N + 2)
    signature = BLEUSignature({**vars(metric), "num_refs": len(references)})
    settings = {
        "hypotheses": len(hypotheses),
        "references": len(references),
        "unk": "whole" if any(UNKNOWN in reference for reference in references) else None,
        "data": data_hash,
        "gantext": __version__,
        "signature": signature.format(),
    }
    error = standard_error.bootstrapped(parts, lambda drawn: _bleu(metric, drawn))
    return Score("corpus-bleu", _bleu(metric, parts), settings, error)


def _parts(matches: Matches) -> IntArray:
    """What corpus BLEU sums up of H hypotheses, (H, 2 N + 2): matches, totals, two lengths."""
    orders = np.arange(len(matches.clipped))[:, None]  # (N, 1)
    totals = np.maximum(0, matches.lengths - orders)  # (N, H)
    return np.vstack([matches.clipped, totals, matches.lengths, matches.closest]).T


def _bleu(metric: BLEU, parts: IntArray) -> float:
    orders = metric.max_ngram_order
    correct, total, lengths = np.split(parts.sum(axis=0), [orders, 2 * orders])
    own, closest = lengths.tolist()
    result = BLEU.compute_bleu(
        correct.tolist(), total.tolist(), own, closest, smooth_method=metric.smooth_method
    )
    return float(result.score)


def _tokens(metric: BLEU, texts: Sequence[str]) -> list[list[str]]:
    """Tokenise as sacreBLEU does before it counts, but for `<unk>`, which stays whole."""
    lines = (text.lower() if metric.lowercase else text for text in texts)
    return [_words(metric, line.rstrip()) for line in lines]


def _words(metric: BLEU, line: str) -> list[str]:
    if metric.tokenizer.signature() == "13a" and PLAIN.fullmatch(line):
        return line.replace(",", " , ").replace(".", " . ").split()
    if UNKNOWN not in line:
        return list(metric.tokenizer(line).split())
    letter = unused_letter(line)
    words = metric.tokenizer(line.replace(UNKNOWN, letter)).split()
    return [word.replace(letter, UNKNOWN) for word in words]
