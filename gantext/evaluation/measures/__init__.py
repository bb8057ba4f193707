"""The table of measures: a row each, which `eval`, `compare`, `runs list` and the report read.

Nothing here imports numpy or torch; each measure's module is imported when it is first computed.
An installed package adds a row by an entry point of the group `gantext.measures`, whose value is
the row: "module:ROW". Within each use the rows keep their order here, those of others behind.
"""

import functools
from collections.abc import Container, Iterable
from typing import Any

from gantext.errors import UserError, nearest
from gantext.evaluation.measure import SAMPLED, Command, Measure
from gantext.evaluation.measures.of_classes import OF_CLASSES
from gantext.evaluation.measures.of_pictures import PICTURES
from gantext.plugins import installed
from gantext.runs.kinds import Kind

GROUP = "gantext.measures"
_BLEU = frozenset({"references", "preset"})

OWN = (
    Measure(
        name="bleu",
        compute=f"{__name__}.bleu:bleu",
        settings=("preset", "seed"),
        command=Command(
            title="BLEU",
            about="BLEU-2..5 against all references, and sacreBLEU's corpus BLEU, beside real "
            "text's.",
            options=SAMPLED | _BLEU,
        ),
        after_phase=True,
        columns=("bleu-2", "bleu-3", "bleu-4", "bleu-5"),
        summary=("bleu-2", "bleu-4"),
        rising=("bleu-2", "bleu-3", "bleu-4", "bleu-5", "corpus-bleu"),
    ),
    Measure(
        name="self-bleu",
        compute=f"{__name__}.bleu:self_bleu",
        settings=("preset", "seed"),
        alone=True,
        command=Command(
            title="Self-BLEU",
            about="Self-BLEU-2..5: each sentence against all the others; lower is more diverse.",
            options=SAMPLED | _BLEU,
        ),
        after_phase=True,
        columns=("self-bleu-2", "self-bleu-3", "self-bleu-4", "self-bleu-5"),
        summary=("self-bleu-4",),
        falling=("self-bleu-2", "self-bleu-3", "self-bleu-4", "self-bleu-5"),
    ),
    Measure(
        name="diversity",
        compute=f"{__name__}.diversity:diversity",
        alone=True,
        command=Command(
            title="diversity and copying",
            about="Distinct n-grams, entropy, unique and copied sentences, MS-Jaccard, lengths.",
            options=SAMPLED | {"references"},
        ),
        columns=("unique", "copied", "ms-jaccard-4"),
    ),
    Measure(  # of all that diversity says, what the end of a phase has time for
        name="unique",
        compute=f"{__name__}.diversity:unique",
        alone=True,
        in_all=False,
        after_phase=True,
        summary=("unique",),
        rising=("unique",),
    ),
    Measure(
        name="likelihood",
        compute=f"{__name__}.likelihood:likelihood",
        tempered=True,
        of_model=True,
        command=Command(
            title="likelihood",
            about="Test NLL and perplexity; nll-oracle and the grammatical share where the truth "
            "is known.",
            also=("truth",),
        ),
        after_phase=True,
        first=True,
        columns=("nll-test",),
        summary=("nll-test",),
        falling=("nll-test", "nll-test-sentence", "perplexity", "forward-kl"),
    ),
    Measure(  # of the known distribution: where the oracle plane's real text stands
        name="true-likelihood",
        compute=f"{__name__}.likelihood:true_likelihood",
        in_all=False,
    ),
    Measure(
        name="latent",
        compute=f"{__name__}.latent:latent",
        settings=("draws", "sentences", "seed"),
        of_model=True,
        needs=("latent",),
        slow="weighing draws of latent vectors",
        command=Command(
            title="latent variable",
            about="Of a VAE: ELBO, importance-weighted NLL, KL, mutual information, active units. "
            "Minutes.",
            options=frozenset({"k", "sentences"}),
            nothing="only a model with a latent variable has these scores, such as model=vae",
        ),
    ),
    Measure(
        name="interpolation",
        compute=f"{__name__}.interpolation:interpolation",
        settings=("probes", "seed"),
        of_model=True,
        needs=("latent",),
        slow="decoding midpoints",
        command=Command(
            title="interpolation",
            about="Of a VAE: the share of grammatical midpoints between pairs of test sentences "
            "(scenes).",
            options=frozenset({"probes"}),
            nothing="only a model with a latent variable has this score, such as model=vae",
        ),
        in_all=False,
    ),
    Measure(
        name="imputation",
        compute=f"{__name__}.imputation:imputation",
        settings=("probes", "seed"),
        of_model=True,
        slow="filling blanks of test sentences",
        command=Command(
            title="imputation",
            about="Words filled into test sentences: grammatical and exact ones, or the "
            "adversarial error.",
            options=frozenset({"probes"}),
            nothing="only a run has these scores; give a RUN",
        ),
        in_all=False,
    ),
    Measure(
        name="truth",
        compute=f"{__name__}.truth:truth",
        after_phase=True,
        first=True,
        columns=("grammatical", "nll-oracle"),
        summary=("grammatical",),
        rising=("grammatical",),
        falling=("nll-oracle",),
    ),
    Measure(
        name="lengths",
        compute=f"{__name__}.lengths:lengths",
        settings=("preset", "seed"),
        command=Command(
            title="scores by sentence length",
            about="BLEU (and the grammatical share) of short and of long sentences; --plot draws "
            "them.",
            options=SAMPLED | _BLEU | {"plot"},
            draw="gantext.evaluation.by_length:draw",
        ),
    ),
    Measure(
        name="lm",
        compute=f"{__name__}.lm:lm",
        settings=("seed",),
        slow="training small language models",
        command=Command(
            title="language model scores",
            about="An LM of real text scores samples; one of samples scores real text. Minutes.",
        ),
    ),
    Measure(
        name="frechet",
        compute=f"{__name__}.frechet:frechet",
        settings=("seed", "encoder"),
        slow="encoding sentences",
        package=("sentence_transformers", "gantext[frechet]"),
        command=Command(
            title="Frechet distance of sentence embeddings",
            about="Frechet distance of sentence embeddings, with the real text's own as the floor.",
            options=SAMPLED | {"encoder"},
        ),
    ),
    Measure(
        name="mauve",
        compute=f"{__name__}.mauve:mauve",
        settings=("seed", "encoder"),
        slow="encoding sentences and grouping them",
        package=("sentence_transformers", "gantext[frechet]"),
        command=Command(
            title="MAUVE of sentence embeddings",
            about="How far samples and real text overlap (MAUVE), on sentence embeddings. Minutes.",
            options=SAMPLED | {"encoder"},
        ),
    ),
    *OF_CLASSES,
    *PICTURES,
)


@functools.cache
def table() -> dict[str, Measure]:
    """Every measure by name: our own, then those of installed packages by their names.

    Raises:
        UserError: an entry point gives no row, or a name that is taken.
    """
    rows = {measure.name: measure for measure in OWN}
    for place, row in _installed():
        if not isinstance(row, Measure) or row.name in rows:
            what = f"a second {row.name}" if isinstance(row, Measure) else "no Measure"
            raise UserError(f"the entry point {place} of {GROUP} is {what}")
        rows[row.name] = row
    return rows


def _installed() -> Iterable[tuple[str, object]]:
    for point in installed(GROUP).values():
        try:
            yield point.value, point.load()
        except (ImportError, AttributeError) as error:
            raise UserError(f"the measure {point.value} cannot be imported: {error}") from error


def find(name: str) -> Measure:
    """The measure of this name. Raises UserError for an unknown one."""
    if name not in table():
        raise UserError(f"unknown measure '{name}'{nearest(name, list(table()))}")
    return table()[name]


def commanded() -> list[tuple[Measure, Command]]:
    """Those with a command of `gantext eval`: of text, then what is drawn too, then pictures."""
    rows = [(row, row.command) for row in table().values() if row.command is not None]
    return sorted(rows, key=lambda pair: (pair[0].pictures, pair[1].draw is not None))


def of_all() -> tuple[Measure, ...]:
    """Those of `gantext eval all`."""
    return tuple(row for row in table().values() if row.in_all)


def after_phase() -> tuple[Measure, ...]:
    """Those that runs get at the end of each phase."""
    return tuple(row for row in _first_first() if row.after_phase)


def judging(kind: Kind[Any, Any]) -> dict[str, Measure]:
    """The scores at a phase's end by which a state may be the best, and the measure of each."""
    rows = [row for row in after_phase() if row.reads(kind)]
    return {name: row for row in rows for name in (*row.rising, *row.falling)}


def falls(score: str) -> bool:
    """Whether a score is the better the lower it is."""
    return any(score in row.falling for row in table().values())


def compared() -> tuple[str, ...]:
    """Names of those that `gantext compare` computes."""
    return tuple(row.name for row in _first_first() if row.columns)


def columns() -> list[str]:
    """The scores that `gantext compare` shows, in order."""
    return [name for row in _first_first() for name in row.columns]


def summary() -> list[str]:
    """The scores that tables of runs show, in order."""
    return [name for row in _first_first() for name in row.summary]


def shown(present: Container[str]) -> list[str]:
    """The scores that a table of runs shows, of those that some run has."""
    return [name for name in summary() if name in present]


def _first_first() -> list[Measure]:
    return sorted(table().values(), key=lambda row: not row.first)


def reported(*, slow: bool) -> tuple[str, ...]:
    """Names of text's measures for the report's table: the quick ones, or those that take long."""
    return tuple(
        row.name
        for row in table().values()
        if not row.pictures
        and (row.in_all or row.command is not None)
        and not (row.command is not None and row.command.draw is not None)
        and (row.slow is not None) == slow
    )


def of_pictures() -> tuple[str, ...]:
    """Names of the measures of pictures for the report, and for all scores of such a run."""
    return tuple(row.name for row in table().values() if row.pictures and row.in_all)
