"""gantext runs list, show; and the score tables of runs and sweeps."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gantext.cli import completion, tables
from gantext.run import RunDir, list_runs

if TYPE_CHECKING:
    from gantext.metrics.score import Score

app = typer.Typer(help="Look at runs.", no_args_is_help=True, rich_markup_mode="rich")
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
RunsDir = Annotated[Path, typer.Option("--runs-dir", help="Where the runs are.")]
SHORT = ("nll-test", "grammatical", "bleu-2", "bleu-4", "self-bleu-4", "unique")


def phase_scores(run: RunDir) -> "dict[str, list[Score]]":
    """The stored scores at the end of each phase."""
    from gantext.metrics.score import Score

    found = {phase: run.scores(f"phase-{phase}") for phase in run.phase_ends()}
    return {
        phase: [Score.from_json(record) for record in document["scores"]]
        for phase, document in found.items()
        if document is not None
    }


@app.command("list")
def list_command(runs_dir: RunsDir = Path("runs"), json: Json = False) -> None:
    """All runs, the jobs of sweeps too, with their last scores."""
    rows = [_row(run, runs_dir) for run in list_runs(runs_dir)]
    if json:
        tables.print_json(rows)
        return
    if not rows:
        tables.err.print(f"no runs in {runs_dir} yet")
        return
    shown = [
        [str(row[key] or "-") for key in ("run", "status", "phase", "steps", "time")]
        + [tables.number(row["scores"].get(name)) for name in SHORT]
        for row in rows
    ]
    tables.table(f"runs in {runs_dir}", ["run", "status", "phase", "steps", "time", *SHORT], shown)


def _row(run: RunDir, runs_dir: Path) -> dict[str, Any]:
    info, result = run.info, run.result or {}
    seconds = info.get("seconds")
    return {
        "run": str(run.path.relative_to(runs_dir.resolve())),
        "status": info.get("status"), "phase": info.get("phase"), "steps": info.get("total"),
        "time": f"{seconds / 60:.1f} min" if seconds else None,
        "created": info.get("created"),
        "scores": {record["name"]: float(record["value"]) for record in result.get("scores", [])},
    }


@app.command()
def show(
    run: Annotated[str | None, typer.Argument(autocompletion=completion.runs)] = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """One run: its state, settings, scores and warnings."""
    found = RunDir.find(run, runs_dir)
    scores = phase_scores(found)
    config = found.config.read_text(encoding="utf-8")
    if json:
        records = {phase: [s.to_json() for s in values] for phase, values in scores.items()}
        tables.print_json(
            {"run": str(found.path), **found.info, "config": config, "scores": records}
        )
        return
    rows = [[key, str(value)] for key, value in found.info.items()]
    tables.table(str(found.path), ["", ""], rows)
    tables.out.print(config, style="cyan", markup=False)
    if scores:
        tables.score_table("scores after each phase", scores)
    for warning in (found.result or {}).get("warnings", []):
        tables.out.print(f"warning: {warning}", style="yellow", markup=False)


def sweep_report(folder: Path, json: bool) -> int:
    """Print and store the table of a sweep's final scores; returns how many jobs failed."""
    jobs = sorted(folder.glob("*/result.json"), key=lambda path: _natural(path.parent.name))
    rows = [{"job": path.parent.name, **(RunDir(path.parent).result or {})} for path in jobs]
    if not rows:
        return 0
    names = list(dict.fromkeys(r["name"] for row in rows for r in row["scores"]))
    (folder / "scores.csv").write_text(_csv(rows, names), encoding="utf-8")
    if json:
        tables.print_json(rows)
    else:
        _sweep_table(folder, rows, [name for name in SHORT if name in names])
    return sum(row["status"] != "finished" for row in rows)


def _natural(name: str) -> tuple[int, str]:
    return (int(name) if name.isdigit() else 10**9, name)


def _values(row: dict[str, Any]) -> dict[str, float]:
    return {record["name"]: float(record["value"]) for record in row["scores"]}


def _csv(rows: list[dict[str, Any]], names: list[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["job", "status", "overrides", *names])
    for row in rows:
        values = _values(row)
        overrides = " ".join(row["overrides"])
        writer.writerow([row["job"], row["status"], overrides, *(values.get(n, "") for n in names)])
    return text.getvalue()


def _sweep_table(folder: Path, rows: list[dict[str, Any]], names: list[str]) -> None:
    shown = [
        [row["job"], " ".join(row["overrides"]), row["status"]]
        + [tables.number(_values(row).get(name)) for name in names]
        for row in rows
    ]
    tables.table(f"sweep {folder}", ["job", "overrides", "status", *names], shown)
    for row in rows:
        if row.get("error"):
            tables.out.print(f"job {row['job']}: {row['error']}", style="red", markup=False)
    tables.out.print(f"all scores: {folder / 'scores.csv'}", soft_wrap=True)
