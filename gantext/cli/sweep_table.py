"""The table of a sweep: its jobs by what they vary, their status and scores, means over seeds."""

from collections.abc import Container, Mapping, Sequence

from gantext.cli.grid import Cell, Grid, label
from gantext.config.words import key_of
from gantext.evaluation import measures
from gantext.evaluation.sweep_axis import tails, value_of
from gantext.evaluation.sweep_scores import SeedMeans, differing, names_of, seed_means
from gantext.metrics.score import Score, shown
from gantext.runs.summary import clock
from gantext.runs.sweep_state import PLANNED, RUNNING, STARTING, JobState

UNENDED = (PLANNED, STARTING, RUNNING)


def grid_of(sweep: str, jobs: Sequence[JobState]) -> Grid:
    """The jobs by what they vary, then the means and standard deviations of groups of seeds."""
    words = differing(jobs)
    keys = tails(key_of(word) for own in words for word in own)
    scores = {name: label(name) for name in measures.shown(names_of(jobs))}
    cells = {
        job["job"]: {
            **{keys[key_of(word)]: Cell(value_of(word)) for word in own},
            "status": Cell(job["status"]),
            "where": Cell(_where(job)),
            **_scores(job, scores),
        }
        for job, own in zip(jobs, words, strict=True)
    }
    for group in seed_means(jobs):
        swept = {keys[key]: Cell(value) for key, value in _swept(group, keys).items()}
        swept["status"] = Cell(f"{len(group.jobs)} seeds")
        for part, values in (("mean", group.mean), ("sd", group.sd)):
            known = {name: Cell(shown(values[s])) for s, name in scores.items() if s in values}
            cells[f"{part} {ranges(group.jobs)}"] = {**swept, **known}
    going = any(job["status"] in UNENDED for job in jobs)
    facts = [*keys.values(), "status", *(["where"] if going else [])]
    whole = [f"{tail}: {key}" for key, tail in keys.items() if tail != key]
    labels = [*facts, *scores.values()]
    return Grid(f"sweep {sweep}", "job", labels, cells, len(facts), whole)


def _swept(group: SeedMeans, keys: Container[str]) -> dict[str, str]:
    """What the jobs of a group share of what the sweep varies."""
    pairs = ((key_of(word), value_of(word)) for word in group.overrides)
    return {key: value for key, value in pairs if key in keys}


def _scores(job: JobState, labels: Mapping[str, str]) -> dict[str, Cell]:
    """The scores of a job that a table shows, with their errors, by what they are called in it."""
    known = {record["name"]: Score.from_json(record) for record in job["scores"]}
    return {name: Cell.of(known[score]) for score, name in labels.items() if score in known}


def ranges(jobs: Sequence[str]) -> str:
    """Numbers of jobs, those that follow each other together: "0-2,5"."""
    if not all(job.isdecimal() for job in jobs):
        return ",".join(jobs)
    numbers = dict.fromkeys(sorted(map(int, jobs)))
    starts = [n for n in numbers if n - 1 not in numbers]
    ends = [n for n in numbers if n + 1 not in numbers]
    pairs = zip(starts, ends, strict=True)
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in pairs)


def _where(job: JobState) -> str:
    """How far a job is that has not ended."""
    headway = job.get("headway")
    if headway is None or job["status"] not in (RUNNING, STARTING):
        return ""
    place = f"{headway.get('place', headway['phase'])} {headway['step']}/{headway['steps']}"
    run = f", run {headway['run']}" if "run" in headway else ""
    return f"{place}, {clock(headway['left'])} left{run}" if job["status"] == RUNNING else place
