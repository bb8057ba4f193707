"""`gantext eval`: scores of runs and files under one protocol, beside the real text's."""

import dataclasses
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence

from gantext.evaluation import measures, scorebook, subjects
from gantext.evaluation.ground import Ground
from gantext.evaluation.request import Asked, check_kind
from gantext.evaluation.scorebook import Say
from gantext.evaluation.spreadsheet import csv_text
from gantext.evaluation.subjects import Subject
from gantext.evaluation.tempered import why_not
from gantext.metrics.score import Score, Setting, shown, signature_line
from gantext.metrics.signatures import own_name
from gantext.metrics.student import two_sided

Table = dict[str, list[Score]]
RECORD = ("run", "score", "value", "error", "sd", "signature")  # what CSV says of a score
SEEDS = ("sample_seed", "seed")  # what a signature says of the seed that was asked for
UNLIKELY = 0.05  # a p above it shows nothing
FAR = 0.5  # of the variance of real features; tried with noise and models, see docs/scores.md
REAL_SUFFIX = "-real"  # of the names of scores that real pictures have


def score_all(asked: Asked, names: Sequence[str], say: Say, stored_only: bool = False) -> Table:
    """Scores by source: each run and file, and the real text as "real" with names "real-...".

    Pictures have no such source: their scores hold what real pictures get.

    Raises:
        UserError: no such run or data; or none of the measures is for what the runs make.
    """
    return whole(asked, list(one_by_one(asked, names, say, stored_only)))


def one_by_one(
    asked: Asked, names: Sequence[str], say: Say, stored_only: bool = False
) -> Iterator[Table]:
    """What `score_all` puts together: a table of each measure, as soon as it is computed.

    With several seeds each score is a mean over those (see `over_seeds`).
    """
    for model in asked.models():
        if unlike := asked.unlike_own(model):
            run = subjects.label(model, asked.runs_dir)
            asked.note([f"{run}: not as in its own scores: {', '.join(unlike)}"])
    asked.note(_untempered(asked, names))
    draws = [(one, *gather(one, names)) for one in asked.of_each_seed()]
    for name in names:
        yield over_seeds(
            [_of_measure(name, *drawn, say, stored_only=stored_only) for drawn in draws]
        )


def _untempered(asked: Asked, names: Sequence[str]) -> Iterator[str]:
    """What is to be said of likelihoods that there are not at the temperature asked for."""
    temperature = asked.protocol.temperature
    tempered = [row for row in map(measures.find, names) if row.tempered]
    if temperature is None or not tempered:
        return
    for model in asked.models():
        if any(row.is_for(model) for row in tempered) and (why := why_not(model, temperature)):
            run = subjects.label(model, asked.runs_dir)
            yield f"{run}: no nll-test at temperature {temperature:g}: {why}"


def _of_measure(
    name: str,
    asked: Asked,
    found: Sequence[Subject],
    ground: Ground,
    say: Say,
    stored_only: bool,
) -> Table:
    protocol = asked.protocol
    scores = {
        one.name: scorebook.score([name], one, ground, protocol, say, stored_only) for one in found
    }
    if ground.size:
        real = subjects.of_real(ground, found)
        scores[subjects.REAL] = [
            dataclasses.replace(one, name=f"real-{one.name}")
            for one in scorebook.score([name], real, ground, protocol, say, stored_only)
        ]
    return scores


def whole(asked: Asked, parts: Sequence[Table]) -> Table:
    """The tables of measures as one, without sources that have no score; notes what is to be said.

    There need not be all of those that were asked for.
    """
    sources = dict.fromkeys(source for part in parts for source in part)
    table = {source: [one for part in parts for one in part[source]] for source in sources}
    table = {source: scores for source, scores in table.items() if scores}
    asked.note(remarks(table))
    return table


def over_seeds(tables: Sequence[Table]) -> Table:
    """The mean of each score over tables of the same scores, but for the seed of the samples.

    Its error is that of this mean, by the deviation over the seeds, and what its signature says of
    the samples' seed is the first and the last. A score that no seed changes stays as it is.
    """
    first = tables[0]
    return {
        source: [_mean(same) for same in zip(*(table[source] for table in tables), strict=True)]
        for source in first
    }


def _mean(scores: Sequence[Score]) -> Score:
    first, last = scores[0], scores[-1]
    if all(one.signature == first.signature for one in scores):
        return first
    values = [one.value for one in scores]
    sd = statistics.stdev(values) if all(map(math.isfinite, values)) else None
    signature: dict[str, Setting] = {}
    for key, setting in first.signature.items():
        if all(one.signature.get(key) == setting for one in scores):
            signature[key] = setting
        elif key in SEEDS:
            signature[key] = f"{setting}..{last.signature[key]}"
    error = None if sd is None else sd / math.sqrt(len(values))
    signature["seeds"] = len(values)
    return Score(first.name, statistics.fmean(values), signature, error, sd)


def remarks(table: Table) -> list[str]:
    """What is to be said of scores, as their signatures tell, stored ones too."""
    return [*uneven(table), *blank(table), *astray(table), *judged(table), *worth(table)]


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


def judged(table: Table) -> list[str]:
    """By which judge each sentence was kept of several candidates, and what that judge is worth."""
    signed = {source: [one.signature for one in scores] for source, scores in table.items()}
    kept = [
        (source, sign) for source, signs in signed.items() for sign in signs if "judge_loss" in sign
    ]
    lines = [
        f"{source}: 1 of {sign['candidates']} kept by {sign['judge']}: held-out loss "
        f"{sign['judge_loss']}, AUC {sign['judge_auc']}"
        + "; it knows nothing of held-out sentences: forced"
        * bool(sign.get("judge_forced"))
        for source, sign in kept
    ]
    return list(dict.fromkeys(lines))


def astray(table: Table) -> list[str]:
    """What is to be said of pictures whose precision and recall mean little.

    Among few pictures, or beside an outlier, the region of real ones is so large that it may hold
    any noise. That samples are elsewhere shows by their Frechet distance: that of noise is over
    half of what real features vary by, and models that draw the data have far less.
    """
    found = []
    for source, scores in table.items():
        named = {one.name: one for one in scores}
        distance = named.get("frechet")
        spread = distance and distance.signature.get("spread")
        if distance is None or not isinstance(spread, float) or "precision" not in named:
            continue
        if distance.value > spread * FAR:
            found.append(
                f"{source}: precision and recall mean little: the Frechet distance, "
                f"{shown(distance.value)}, is over half of the variance of real features, "
                f"{shown(spread)}, as that of noise is"
            )
    return found


def worth(table: Table) -> list[str]:
    """Where samples are of no use as further examples, or of harm, to a classifier.

    By Student's t over the seeds, or by the normal over test rows where there is one seed.
    """
    lines = []
    for source, scores in table.items():
        for one in scores:
            name, _, examples = one.name.partition("@")
            if name != "gain" or not examples or one.error is None:
                continue
            degrees = int(one.signature.get("seeds") or 0) - 1
            t = abs(one.value) / one.error if one.error else math.inf * abs(one.value)
            p = two_sided(t, degrees if degrees > 0 else math.inf) if one.value else 1.0
            found = f"{one.value:+.3f}, standard error {one.error:.3f}, p {p:.2g}"
            if p > UNLIKELY:
                lines.append(f"{source}: at {examples} examples no gain by samples shows: {found}")
            elif one.value < 0:
                lines.append(f"{source}: at {examples} examples samples do harm: {found}")
    return lines


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
    sampled = [asked.subject(model, asked.request(model)) for model in models]
    found = distinct([*sampled, *files])
    asked.places.update({one.name: one.path for one in found if one.path is not None})
    return found, ground


def distinct(found: Sequence[Subject]) -> list[Subject]:
    """The subjects with names of their own; the same run twice stays once."""
    by_key = {(one.name, *sorted((k, str(v)) for k, v in one.key.items())): one for one in found}
    named: dict[str, Subject] = {}
    for one in by_key.values():
        number = sum(other.name == one.name for other in named.values())
        name = f"{one.name} ({number + 1})" if number else one.name
        named[name] = dataclasses.replace(one, name=name) if number else one
    return list(named.values())


def records(table: Mapping[str, Sequence[Score]]) -> list[tuple[object, ...]]:
    """A `RECORD` of each score, with all digits."""
    return [
        (
            source,
            own_name(score.name),
            score.value,
            "" if score.error is None else score.error,
            "" if score.sd is None else score.sd,
            signature_line(score),
        )
        for source, scores in table.items()
        for score in scores
    ]


def to_csv(table: Mapping[str, Sequence[Score]], of: str = RECORD[0]) -> str:
    """A row a score of what the sources are, such as runs."""
    return csv_text([(of, *RECORD[1:]), *records(table)])
