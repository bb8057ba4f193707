"""What a report says of a sweep: its jobs, the means over seeds, a score over what is swept."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from gantext.config.words import command
from gantext.errors import UserError
from gantext.evaluation import measures
from gantext.evaluation.sweep_axis import Axis, axis_of
from gantext.evaluation.sweep_scores import (
    SeedMeans,
    differing,
    names_of,
    objective_of,
    seed_means,
    values_of,
)
from gantext.metrics.score import shown
from gantext.plots.output import to_svgs
from gantext.plots.sweep import sweep_figure
from gantext.report import kept
from gantext.report.page import Figure, SweepPart, Table
from gantext.report.parts import ARROWS_NOTE, began_by, by_name, headed
from gantext.runs.sweep import SweepDir, find_sweep, is_sweep
from gantext.runs.sweep_state import JobState, states

CAPTION = (
    "Of the jobs that have finished: a point is the mean over the seeds of jobs that are else the "
    "same, the band or bar one standard deviation of them (n - 1) to either side, a small dot one "
    "job."
)


MEANS = "Means over seeds \N{PLUS-MINUS SIGN} their standard deviation"
OF_JOBS = 4  # scores of each job: what a page has room for


def sweeps_among(words: Sequence[str], runs_dir: Path) -> tuple[list[SweepDir], list[str]]:
    """The sweeps that are named, by path or by name in `runs_dir`, and the other words."""
    named = [word for word in words if any(map(is_sweep, (Path(word), runs_dir / word)))]
    return [find_sweep(word, runs_dir) for word in named], [w for w in words if w not in named]


def sweep_part(sweep: SweepDir, runs: Mapping[Path, str]) -> SweepPart:
    """The part of one sweep.

    Args:
        sweep: its folder.
        runs: the names of the runs of the page, by their folders.
    """
    jobs, plan = states(sweep), sweep.plan
    ended = sum(job["status"] == "finished" for job in jobs)
    facts = {"folder": str(sweep.path), "jobs": f"{len(jobs)}, {ended} finished"}
    if plan is not None:
        facts = {"created": plan["created"], **facts}
    folders = {job["job"]: sweep.job(job["job"]).run.path for job in jobs}
    return SweepPart(
        name=sweep.path.name,
        facts=tuple(facts.items()),
        command=began_by(plan["command"]) if plan is not None else "",
        tables=tuple(_tables(jobs)),
        figures=tuple(_figures(jobs)),
        remarks=(
            f"All scores: {command('runs', 'sweep', sweep.path, '--format', 'csv')}. "
            f"What is known of a job: {command('report', sweep.path / 'NUMBER')}.",
        ),
        jobs={job: runs[folder] for job, folder in folders.items() if folder in runs},
    )


def _shown_names(jobs: Sequence[JobState]) -> list[str]:
    """The main scores, and what the jobs are judged by."""
    known, objective = names_of(jobs), objective_of(jobs)
    main = [name for name in measures.summary() if name in known]
    return list(dict.fromkeys([*([objective] if objective in known else []), *main]))


def _tables(jobs: Sequence[JobState]) -> list[Table]:
    """The means over seeds, where there are some; then each job."""
    names, words = _shown_names(jobs), differing(jobs)
    shared = {word for job in jobs for word in job["overrides"]} - {w for own in words for w in own}
    main = names[:OF_JOBS]
    rows = [
        (job["job"], " ".join(own), job["status"], *(shown(values_of(job).get(n)) for n in main))
        for job, own in zip(jobs, words, strict=True)
    ]
    heads = ("job", "overrides", "status", *map(headed, main))
    of_jobs = Table("Jobs", heads, tuple(rows), (ARROWS_NOTE,), 3)
    means = {_said(group, shared): group for group in seed_means(jobs)}
    cells = {
        said: {name: _mean(group.mean.get(name), group.sd.get(name)) for name in names}
        for said, group in means.items()
    }
    return [by_name(MEANS, "overrides", cells), of_jobs] if cells else [of_jobs]


def _said(group: SeedMeans, shared: Collection[str]) -> str:
    """What sets a group apart, and how many jobs it has."""
    words = " ".join(word for word in group.overrides if word not in shared) or "all jobs"
    return f"{words} ({len(group.jobs)} seeds)"


def _mean(mean: float | None, deviation: float | None) -> str:
    if mean is None or deviation is None:
        return "-"
    return f"{shown(mean)} \N{PLUS-MINUS SIGN} {shown(deviation)}"


def _figures(jobs: Sequence[JobState]) -> list[Figure]:
    """The objective over what is swept; none where nothing is but seeds, or nothing finished."""
    try:
        axis = axis_of(jobs)
    except UserError:
        return []
    return kept.figures(("sweep", axis), lambda: _drawn(axis))


def _drawn(axis: Axis) -> list[Figure]:
    try:
        light, dark = to_svgs(sweep_figure(axis.series, axis.key, axis.score))
    except UserError:  # no finite score
        return []
    return [Figure(f"{axis.score} over {axis.key}", CAPTION, light, dark)]
