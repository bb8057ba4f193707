"""Means over seeds, the CSV of a sweep, and what is swept besides the seed."""

import csv
import io
import math

import pytest

from gantext.errors import UserError
from gantext.evaluation.measures import summary
from gantext.evaluation.sweep_axis import are_numbers, axis_of, tails
from gantext.evaluation.sweep_scores import csv_of, differing, names_of, objective_of, seed_means
from gantext.runs.sweep_state import JobState


def job(number: int, words: str, *values: float, status: str = "finished") -> JobState:
    names = ("bleu-4", "nll-test")
    scores = zip(names, values, strict=False)
    return {
        "job": str(number),
        "overrides": ["data=scenes", *words.split()],
        "status": status,
        "scores": [{"name": name, "value": value, "signature": {}} for name, value in scores],
        "objective": "nll-test",
    }


JOBS = [
    job(0, "seed=1 model.rate=0.1", 0.2, 3.0),
    job(1, "seed=1 model.rate=0.01", 0.4, 2.0),
    job(2, "seed=2 model.rate=0.1", 0.4, 5.0),
    job(3, "seed=2 model.rate=0.01", 0.1, 1.0, status="killed"),
]


def test_means_are_over_finished_jobs_that_differ_in_their_seed() -> None:
    """Of 3 and 5: mean 4, deviations 1 and 1, so the standard deviation is sqrt(2 / (2 - 1))."""
    (found,) = seed_means(JOBS)
    assert found.overrides == ("data=scenes", "model.rate=0.1") and found.jobs == ("0", "2")
    assert found.mean == {"bleu-4": pytest.approx(0.3), "nll-test": 4.0}
    assert found.sd["nll-test"] == pytest.approx(math.sqrt(2))
    assert not seed_means(JOBS[:2])


def test_what_jobs_are_judged_by_is_their_own_word_or_else_the_tables_first_score() -> None:
    assert objective_of(JOBS) == "nll-test"
    unsaid = [{key: job[key] for key in job if key != "objective"} for job in JOBS]
    assert objective_of(unsaid) == next(name for name in summary() if name in names_of(JOBS))
    assert objective_of([{**job, "scores": []} for job in unsaid]) is None


def test_a_score_that_is_not_finite_has_no_deviation() -> None:
    (found,) = seed_means([job(0, "seed=1", 0.1, math.inf), job(1, "seed=2", 0.1, 2.0)])
    assert found.mean["nll-test"] == math.inf and math.isnan(found.sd["nll-test"])
    (found,) = seed_means([job(0, "seed=1", 0.1), job(1, "seed=2", 0.1, 2.0)])
    assert list(found.mean) == ["bleu-4"]  # which both have


def test_the_csv_has_jobs_then_means() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_of(JOBS))))
    assert [row["job"] for row in rows] == ["0", "1", "2", "3", "mean", "sd"]
    assert rows[4]["status"] == "2 seeds" and rows[4]["overrides"] == "data=scenes model.rate=0.1"
    assert float(rows[4]["nll-test"]) == 4 and float(rows[1]["bleu-4"]) == 0.4


def test_what_is_swept() -> None:
    assert differing(JOBS)[0] == ["seed=1", "model.rate=0.1"]
    damaged: JobState = {"job": "4", "overrides": [], "status": "damaged", "scores": []}
    assert differing([*JOBS, damaged])[0] == ["seed=1", "model.rate=0.1"]
    assert objective_of(JOBS) == "nll-test" and objective_of([]) is None
    found = axis_of(JOBS)
    assert (found.score, found.key) == ("nll-test", "model.rate")
    # Numbers in their order; the job that was killed does not count.
    assert found.series == {"": {"0.01": [2.0], "0.1": [3.0, 5.0]}}
    assert axis_of(JOBS, "bleu-4").series[""]["0.1"] == [0.2, 0.4]


def test_other_keys_make_series_and_names_keep_their_order() -> None:
    jobs = [
        job(4 * a + 2 * b + c, f"experiment={e} x={x} seed={c}", 0.0, a + b)
        for a, e in enumerate(("b", "a", "c"))
        for b, x in enumerate("12")
        for c in (0, 1)
    ]
    found = axis_of(jobs)
    assert found.key == "x" and list(found.series) == [
        "experiment=b",
        "experiment=a",
        "experiment=c",
    ]
    assert found.series["experiment=a"] == {"1": [1, 1], "2": [2, 2]}
    assert are_numbers(["1", "2e-3"]) and not are_numbers(["1", "auto"])
    jobs = [one for one in jobs if "x=1" in one["overrides"]]
    assert axis_of(jobs).series == {"": {"b": [0, 0], "a": [1, 1], "c": [2, 2]}}


@pytest.mark.parametrize(
    ("jobs", "score", "said"),
    [
        ([], None, "no job that has finished has the score"),
        (JOBS, "blue-4", r"has the score blue-4 \(did you mean bleu-4\?\)"),
        ([JOBS[0], JOBS[2]], None, "differ in their seeds alone"),
        ([JOBS[0], job(1, "seed=2 model.rate=0.1 x=1", 0.1, 1.0)], None, "in their seeds alone"),
    ],
)
def test_nothing_to_plot_is_refused(jobs: list[JobState], score: str | None, said: str) -> None:
    with pytest.raises(UserError, match=said):
        axis_of(jobs, score)


def test_the_deviation_of_three_seeds_is_of_a_sample() -> None:
    """1, 2 and 6: mean 3, squares 4 + 1 + 9 over n - 1 = 2."""
    (found,) = seed_means([job(n, f"seed={n}", value) for n, value in enumerate((1.0, 2.0, 6.0))])
    assert (found.mean["bleu-4"], found.sd["bleu-4"]) == (3, pytest.approx(math.sqrt(7)))


def test_a_job_alone_differs_in_all_of_its_words() -> None:
    assert differing(JOBS[:1]) == [["data=scenes", "seed=1", "model.rate=0.1"]]
    assert differing(JOBS[:2]) == [["model.rate=0.1"], ["model.rate=0.01"]]


def test_the_axis_is_of_numbers_and_of_the_most_of_them_in_their_order() -> None:
    """Of names z, numbers y (three) and x (two); 9 stands before 10."""
    words = ["z=a x=1 y=10", "z=b x=2 y=9", "z=c x=1 y=8.5", "z=d x=2 y=8.5"]
    found = axis_of([job(n, own, 0.0, float(n)) for n, own in enumerate(words)])
    assert found.key == "y"
    assert [list(values) for values in found.series.values()] == [["8.5"], ["8.5"], ["9"], ["10"]]
    (series,) = axis_of(
        [job(n, f"y={y}", 0.0, 1.0) for n, y in enumerate((10, 9, 8))]
    ).series.values()
    assert list(series) == ["8", "9", "10"]


def test_keys_are_called_by_their_ends_as_far_as_these_are_their_own() -> None:
    """ "rate" is the end of "model.rate" too, and has no longer one."""
    keys = ["model.encoder.hidden", "model.decoder.hidden", "model.steps", "model.rate", "rate"]
    ends = ["encoder.hidden", "decoder.hidden", "steps", "model.rate", "rate"]
    assert tails(keys) == dict(zip(keys, ends, strict=True))
