"""Scores of subjects, kept in their runs' folders: read back as long as nothing has changed."""

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from gantext.errors import UserError
from gantext.evaluation import measures
from gantext.evaluation.ground import Ground
from gantext.evaluation.keepers import Keeper
from gantext.evaluation.measure import Measure, Protocol
from gantext.evaluation.subjects import Subject
from gantext.metrics.score import Score, Setting, signed

Say = Callable[[str], None]
DIGITS = 6  # of what is kept of single sentences


def score(
    names: Sequence[str],
    subject: Subject,
    ground: Ground,
    protocol: Protocol,
    say: Say,
    stored_only: bool = False,
) -> list[Score]:
    """The scores of a subject by the named measures, read back where they are stored already.

    Args:
        names: of the table of measures.
        subject: the sentences.
        ground: what they are held against.
        protocol: the choices that the measures depend on.
        say: told what takes long.
        stored_only: leave out what is not stored instead of computing it.
    """
    found: list[Score] = []
    for name in names:
        measure = measures.find(name)
        if not measure.fits(subject):
            continue
        key = _key(measure, subject, ground, protocol)
        origin = _model_origin(subject) if measure.of_model else dict(subject.origin)
        scores = _read(subject.keepers, measure, _nameless(key), origin, say)
        if scores is None and "phase" in key:  # as it was stored before
            scores = _read(subject.keepers, measure, key, origin, say)
        if scores is None and not stored_only and (measure.alone or not ground.lost):
            if measure.slow:
                say(f"{subject.name}: {measure.slow}")
            of_samples = not (measure.of_model or measure.pictures)
            late = subject.ready(say) if of_samples else {}
            computed = measure.scores(subject, ground, protocol)
            if of_samples:
                origin |= {**late, **subject.blank}
            scores = [
                dataclasses.replace(one, signature={**one.signature, **origin}) for one in computed
            ]
            if not ground.lost:  # with the data there may be more of them
                _store(subject.keepers, measure, _nameless(key), scores)
        found += scores or []
    return found


def _model_origin(subject: Subject) -> dict[str, Setting]:
    """The part of the origin that says which model it is."""
    return {k: subject.origin.get(k) for k in ("run", "model", "step", "phase", "weights")}


def _key(
    measure: Measure, subject: Subject, ground: Ground, protocol: Protocol
) -> dict[str, Setting]:
    """All that decides a score. A changed file, setting, checkpoint or version changes it."""
    decided: Mapping[str, Setting] = subject.key
    if measure.of_model:
        decided = subject.model.key if subject.model else {}
    settings: dict[str, Setting] = {name: getattr(protocol, name) for name in measure.settings}
    # Only where there is one, so that the scores of before are still found.
    if measure.tempered and protocol.temperature is not None:
        settings["temperature"] = protocol.temperature
    prepared = {} if measure.of_model else asdict(ground.preparation)
    # Only what is done stands there, so that scores of text as it is are still found.
    prepared = {name: done for name, done in prepared.items() if done}
    return signed(
        **{"measure": measure.name, **settings, **decided, **prepared, "data": ground.hash}
    )


def _nameless(key: Mapping[str, Setting]) -> dict[str, Setting]:
    """A key without the phase that the run was asked for by: the weights decide."""
    return {name: setting for name, setting in key.items() if name != "phase"}


def _place(measure: Measure, key: Mapping[str, Setting]) -> str:
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return f"{measure.name}-{digest[:12]}"


def _read(
    keepers: Sequence[Keeper],
    measure: Measure,
    key: Mapping[str, Setting],
    origin: Mapping[str, Setting],
    say: Say,
) -> list[Score] | None:
    """The stored scores of a key; None when there are none.

    Their origin is told as today: the run may be named by a phase, or have another name by now. A
    file that is damaged, or that somebody has changed, is none, which is said.
    """
    for keeper in keepers:
        try:
            stored = keeper.scores(_place(measure, key))
            if stored is not None and stored.get("key") == dict(key):
                each = stored.get("each", {})
                return [
                    dataclasses.replace(
                        one,
                        signature={**one.signature, **origin},
                        each=each.get(one.name),
                    )
                    for one in map(Score.from_json, stored["scores"])
                ]
        except UserError as error:
            say(f"{error}: computed again")
    return None


def _rounded(each: Sequence[float]) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in each]


def _store(
    keepers: Sequence[Keeper],
    measure: Measure,
    key: Mapping[str, Setting],
    scores: Sequence[Score],
) -> None:
    document: dict[str, object] = {
        "key": dict(key),
        "scores": [score.to_json() for score in scores],
    }
    each = {one.name: _rounded(one.each) for one in scores if one.each is not None}
    if each:
        document["each"] = each
    for keeper in keepers:
        with contextlib.suppress(OSError):  # somebody else's folder, which may be read only
            keeper.save_scores(_place(measure, key), document)
