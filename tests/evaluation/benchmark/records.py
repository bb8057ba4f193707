"""Records written by hand."""

from gantext.evaluation.benchmark.record import BesideStart, Record, State
from gantext.metrics.score import ScoreRecord


def score(name: str, value: float, **signature: int) -> ScoreRecord:
    return {"name": name, "value": value, "signature": {"sentences": 10, **signature}}


def state(phase: str, scores: list[ScoreRecord]) -> State:
    curve = [
        {"temperature": 0.8, "self-bleu-4": 0.6, "bleu-4": 0.4},
        {"temperature": 1.0, "self-bleu-4": 0.5, "bleu-4": 0.3},
    ]
    return State(phase=phase, weights="ab12", scores=scores, sampled={}, curve=curve)


def record(
    method: str,
    seed: int,
    grammatical: float,
    difference: float | None = None,
    p: float = 0.0,
    data: str = "scenes",
    **departures: int,
) -> Record:
    beside = None
    if difference is not None:
        beside = BesideStart(
            score="reverse-lm", difference=difference, low=0.0, high=0.0, p=p, sentences=9
        )
    return Record(
        method=method,
        data=data,
        seed=seed,
        departures=dict(departures),
        settings={},
        command="gantext train",
        created="2026-01-01 00:00:00",
        gantext="0.1.0",
        torch="2",
        python="3",
        machine="a processor",
        threads=1,
        seconds=90.0 * seed,
        run=state("adversarial", [score("grammatical", grammatical)]),
        start=None if beside is None else state("mle", []),
        beside_start=beside,
        real=[score("bleu-4", 0.35), score("self-bleu-4", 0.55)],
    )
