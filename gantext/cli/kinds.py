"""The commands of `gantext eval` that score: what each measures and which options it has."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A command of `gantext eval`: its table's title, its measures, its own options, its help."""

    title: str
    measures: tuple[str, ...]
    options: frozenset[str]
    about: str


def _kind(title: str, measures: str, options: str, about: str) -> Kind:
    return Kind(title, tuple(measures.split()), frozenset(options.split()), about)


OWN_OPTIONS = {"references", "preset", "encoder", "plot"}  # of some commands only
KINDS = {
    "bleu": _kind(
        "BLEU",
        "bleu",
        "references preset",
        "BLEU-2..5 against all references, and sacreBLEU's corpus BLEU, beside real text's.",
    ),
    "self-bleu": _kind(
        "Self-BLEU",
        "self-bleu",
        "references preset",
        "Self-BLEU-2..5: each sentence against all the others; lower is more diverse.",
    ),
    "diversity": _kind(
        "diversity and copying",
        "diversity",
        "references",
        "Distinct n-grams, entropy, unique and copied sentences, MS-Jaccard, lengths.",
    ),
    "likelihood": _kind(
        "likelihood",
        "likelihood truth",
        "",
        "Test NLL and perplexity; nll-oracle and the grammatical share where the truth is known.",
    ),
    "lm": _kind(
        "language model scores",
        "lm",
        "",
        "An LM of real text scores samples; one of samples scores real text. Minutes.",
    ),
    "frechet": _kind(
        "Frechet distance of sentence embeddings",
        "frechet",
        "encoder",
        "Frechet distance of sentence embeddings, with the real text's own as the floor.",
    ),
    "lengths": _kind(
        "scores by sentence length",
        "lengths",
        "references preset plot",
        "BLEU (and the grammatical share) of short and of long sentences; --plot draws them.",
    ),
    "all": _kind(
        "all scores",
        "bleu self-bleu diversity likelihood truth lengths lm frechet",
        "preset encoder",
        "Every score; what is stored already is read back.",
    ),
}
