"""The table as Markdown, with what it was measured on."""

from bench.history import Entry, Measured
from bench.row import OTHERS

HEAD = ("", "gantext", "plain", "floor", "plain / gantext", "floor / gantext", "tokens/s")
SECONDS = {"ms": 1e-3, "s": 1.0}


def markdown(entry: Entry) -> str:
    """The table under a line that says date, commit, machine and versions."""
    machine = entry["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in entry["versions"].items())
    where = f"{machine['processor']}, {machine['threads']} thread(s)"
    commit = f" ({entry['commit']})" if entry["commit"] else ""
    title = f"{entry['date']}, gantext {entry['version']}{commit}: {where}; {versions}"
    rule = "| --- |" + " ---: |" * (len(HEAD) - 1)
    lines = [cells(name, row) for name, row in entry["rows"].items()]
    table = [f"| {' | '.join(line)} |" for line in (HEAD, *lines)]
    return "\n".join([title, "", table[0], rule, *table[1:], ""])


def cells(name: str, row: Measured) -> tuple[str, ...]:
    """One line; a way that a row has not stays empty."""
    costs = [row["costs"].get(way) for way in ("gantext", *OTHERS)]
    found = [row["ratios"].get(way) for way in OTHERS]
    shown = ["" if cost is None else f"{rounded(cost)} {row['unit']}" for cost in costs]
    count, cost = row.get("tokens", 0), row["costs"]["gantext"]
    speed = rounded(count / (cost * SECONDS[row["unit"]])) if count else ""
    return (name, *shown, *("" if r is None else f"{rounded(r)}x" for r in found), speed)


def rounded(value: float) -> str:
    """Three digits that count, and all those before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
