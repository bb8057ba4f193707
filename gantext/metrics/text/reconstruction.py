"""How much of a sentence comes back: word errors, exact reconstructions, BLEU-4."""

from collections.abc import Sequence

Words = Sequence[str]


def word_edits(hypothesis: Words, reference: Words) -> int:
    """The Levenshtein distance in words: the fewest insertions, deletions and substitutions."""
    if list(hypothesis) == list(reference):
        return 0
    row = list(range(len(reference) + 1))
    for i, word in enumerate(hypothesis, 1):
        above, row = row, [i]
        for j, own in enumerate(reference, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (word != own)))
    return row[-1]


def word_error_rate(edits: Sequence[int], references: Sequence[Words]) -> float:
    """Word edits of all sentences over the number of words of their originals."""
    return sum(edits) / sum(map(len, references))


def exact_share(edits: Sequence[int]) -> float:
    """Share of the sentences that came back word for word."""
    return sum(number == 0 for number in edits) / len(edits)


def paired_bleu(hypotheses: Sequence[Words], references: Sequence[Words]) -> float:
    """sacreBLEU's corpus BLEU-4, 0..100, of sentences cut into words, one reference for each."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(tokenize="none", force=True)  # force: no warning that the text is tokenised
    own = [" ".join(words) for words in references]
    return float(metric.corpus_score([" ".join(words) for words in hypotheses], [own]).score)
