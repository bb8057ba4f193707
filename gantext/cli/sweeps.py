"""The score table of a sweep."""

from pathlib import Path
from typing import Any

from gantext.cli import tables
from gantext.cli.runs import short_names
from gantext.errors import UserError
from gantext.evaluation.spreadsheet import csv_text
from gantext.files import write_atomic
from gantext.metrics.score import shown
from gantext.runs import listing
from gantext.runs.folder import RunDir


def sweep_report(folder: Path, json: bool) -> int:
    """Print and store the table of a sweep's final scores; returns how many jobs failed.

    The rows come from the jobs' folders, so that a job whose process died is among them.
    """
    rows = [_row(run) for run in listing.jobs_of(folder)]
    if not rows:
        return 0
    names = list(dict.fromkeys(r["name"] for row in rows for r in row["scores"]))
    write_atomic(folder / "scores.csv", _csv(rows, names).encode())
    if json:
        tables.print_json(rows)
    else:
        _sweep_table(folder, rows, short_names(names))
    return sum(row["status"] != "finished" for row in rows)


def _row(run: RunDir) -> dict[str, Any]:
    """A job's result; what is known of it when it left none, or a damaged one."""
    known: dict[str, Any] = {"job": run.path.name, "overrides": [], "scores": []}
    try:
        known |= {"overrides": run.info.get("overrides", []), "status": run.status}
        return {**known, **(run.result or {"error": f"it left no result: {run.path}"})}
    except UserError as error:
        return {**known, "status": "damaged", "error": str(error)}


def _values(row: dict[str, Any]) -> dict[str, float]:
    return {record["name"]: float(record["value"]) for record in row["scores"]}


def _csv(rows: list[dict[str, Any]], names: list[str]) -> str:
    table: list[list[object]] = [["job", "status", "overrides", *names]]
    for row in rows:
        values = _values(row)
        overrides = " ".join(row["overrides"])
        table.append([row["job"], row["status"], overrides, *(values.get(n, "") for n in names)])
    return csv_text(table)


def _sweep_table(folder: Path, rows: list[dict[str, Any]], names: list[str]) -> None:
    common = set.intersection(*(set(row["overrides"]) for row in rows)) if len(rows) > 1 else set()
    body = [
        [row["job"], " ".join(w for w in row["overrides"] if w not in common), row["status"]]
        + [shown(_values(row).get(name)) for name in names]
        for row in rows
    ]
    tables.table(f"sweep {folder}", ["job", "overrides", "status", *names], body, text_columns=3)
    for row in rows:
        if row.get("error"):
            line = f"job {row['job']}: {row['error']}"
            tables.out.print(line, style="red", markup=False, soft_wrap=True)
    tables.out.print(f"all scores: {folder / 'scores.csv'}", soft_wrap=True, markup=False)
