"""The commands of `gantext eval` that score: what each measures and which options it has."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A command of `gantext eval`.

    Attributes:
        title: of its table.
        measures: what it measures.
        options: those that only some commands have.
        about: its help.
        hidden: options of nearly all commands that it has not.
        nothing: what is said when there is nothing to score.
    """

    title: str
    measures: tuple[str, ...]
    options: frozenset[str]
    about: str
    hidden: frozenset[str] = frozenset()
    nothing: str = "nothing to score; give a RUN"


def _kind(title: str, measures: str, options: str, about: str) -> Kind:
    return Kind(title, tuple(measures.split()), frozenset(options.split()), about)


OWN_OPTIONS = {
    "references",
    "preset",
    "encoder",
    "plot",
    "k",
    "sentences",
    "probes",
}  # of some commands only
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
    "latent": Kind(
        "latent variable",
        ("latent",),
        frozenset({"k", "sentences"}),
        "Of a VAE: ELBO, importance-weighted NLL, KL, mutual information, active units. Minutes.",
        hidden=frozenset({"n", "temperature", "samples"}),
        nothing="only a model with a latent variable has these scores, such as model=vae",
    ),
    "interpolation": Kind(
        "interpolation",
        ("interpolation",),
        frozenset({"probes"}),
        "Of a VAE: the share of grammatical midpoints between pairs of test sentences (scenes).",
        hidden=frozenset({"n", "temperature", "samples"}),
        nothing="only a model with a latent variable has this score, such as model=vae",
    ),
    "imputation": Kind(
        "imputation",
        ("imputation",),
        frozenset({"probes"}),
        "Words filled into test sentences: grammatical and exact ones, or the adversarial error.",
        hidden=frozenset({"n", "temperature", "samples"}),
        nothing="only a run has these scores; give a RUN",
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
    "pictures": Kind(
        "pictures",
        ("pictures",),
        frozenset(),
        "Of a picture model: Frechet distance, precision, recall, classes, copies; or captions.",
        hidden=frozenset({"temperature", "samples"}),
        nothing="only a model of pictures has these scores, such as model=image_gan",
    ),
    "all": _kind(
        "all scores",
        "bleu self-bleu diversity likelihood latent truth lengths lm frechet pictures",
        "preset encoder k",
        "Every score; what is stored already is read back.",
    ),
}
