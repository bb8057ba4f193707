"""`gantext eval`: scores of runs and files under one protocol, beside the real text's."""

import dataclasses
from collections.abc import Sequence

from gantext.evaluation import scorebook, subjects
from gantext.evaluation.ground import Ground
from gantext.evaluation.request import Asked, check_kind
from gantext.evaluation.scorebook import Say
from gantext.evaluation.subjects import Subject
from gantext.metrics.score import Score

Table = dict[str, list[Score]]
REAL_SUFFIX = "-real"  # of the names of scores that real pictures have


def score_all(asked: Asked, names: Sequence[str], say: Say, stored_only: bool = False) -> Table:
    """Scores by source: each run and file, and the real text as "real" with names "real-...".

    Pictures have no such source: their scores hold what real pictures get.

    Raises:
        UserError: no such run or data; or none of the measures is for what the runs make.
    """
    found, ground = gather(asked, names)
    scores = {
        one.name: scorebook.score(names, one, ground, asked.protocol, say, stored_only)
        for one in found
    }
    if ground.size:
        real = subjects.of_real(ground, found)
        scores[subjects.REAL] = [
            dataclasses.replace(one, name=f"real-{one.name}")
            for one in scorebook.score(names, real, ground, asked.protocol, say, stored_only)
        ]
    table = {name: values for name, values in scores.items() if values}
    asked.note(remarks(table))
    return table


def remarks(table: Table) -> list[str]:
    """What is to be said of scores, as their signatures tell, stored ones too."""
    return [*uneven(table), *blank(table)]


def beside_real(found: Table) -> Table:
    """Scores of pictures with those of real ones ("frechet-real") in a column of their own.

    As they are where the real ones differ from run to run, as for different numbers of samples.
    """
    real: dict[str, Score] = {}
    own: Table = {}
    for source, scores in found.items():
        own[source] = [one for one in scores if not one.name.endswith(REAL_SUFFIX)]
        for one in scores:
            name = one.name.removesuffix(REAL_SUFFIX)
            if name != one.name and real.setdefault(name, one).value != one.value:
                return found
    named = [dataclasses.replace(one, name=f"real-{name}") for name, one in real.items()]
    return {**own, subjects.REAL: named} if named else found


def uneven(table: Table) -> list[str]:
    """What is to be said of real text of which there are fewer sentences than samples.

    Self-BLEU and distinct n-grams depend on the number of sentences. How many are of a length is
    no size that was asked for.
    """
    real = {one.name.removeprefix("real-"): _size(one) for one in table.get(subjects.REAL, ())}
    samples = [one for source, scores in table.items() if source != subjects.REAL for one in scores]
    sized = [one for one in samples if "length" not in one.signature]
    pairs = [(real.get(one.name, 0), _size(one)) for one in sized]
    short = [(ours, theirs) for ours, theirs in pairs if 0 < ours < theirs]
    if not short:
        return []
    fewer, most = max(short, key=lambda pair: pair[1])
    return [
        f"real: only {fewer:,} training sentences beside {most:,} samples: not comparable in what "
        f"depends on their number (Self-BLEU, distinct n-grams, entropy, unique); -n {fewer} is"
    ]


def blank(table: Table) -> list[str]:
    """What is to be said of samples without a word: each counts as a sentence."""
    worst = {
        source: max((int(one.signature.get(subjects.BLANK) or 0) for one in scores), default=0)
        for source, scores in table.items()
    }
    return [
        f"{source}: blank samples, each counted as a sentence: {times:,}"
        for source, times in worst.items()
        if times
    ]


def _size(score: Score) -> int:
    """How many sentences were scored."""
    return int(score.signature.get("hypotheses") or score.signature.get("sentences") or 0)


def gather(asked: Asked, names: Sequence[str]) -> tuple[list[Subject], Ground]:
    """The runs and files asked for, and what they are scored against."""
    files = asked.files()
    models = asked.models()
    for model in models:
        check_kind(model, names)
    ground = asked.ground(models, names)
    for model in models:
        if unlike := asked.unlike_own(model):
            said = subjects.label(model, asked.runs_dir)
            asked.note([f"{said}: not as in its own scores: {', '.join(unlike)}"])
    sampled = [asked.subject(model, asked.request(model)) for model in models]
    return distinct([*sampled, *files]), ground


def distinct(found: Sequence[Subject]) -> list[Subject]:
    """The subjects with names of their own; the same run twice stays once."""
    by_key = {(one.name, *sorted((k, str(v)) for k, v in one.key.items())): one for one in found}
    named: dict[str, Subject] = {}
    for one in by_key.values():
        number = sum(other.name == one.name for other in named.values())
        name = f"{one.name} ({number + 1})" if number else one.name
        named[name] = dataclasses.replace(one, name=name) if number else one
    return list(named.values())
