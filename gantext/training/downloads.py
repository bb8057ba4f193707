"""What a person sees of files that are fetched: a bar for each on a terminal, a line elsewhere."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

from gantext.data import download
from gantext.training.waiting import shows_bars


@contextlib.contextmanager
def download_bar(console: Console) -> Iterator[download.Progress]:
    """A callback that shows each file's download: a bar on a terminal, else a line a file."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    live = shows_bars(console)
    with Progress(*columns, console=console, transient=True, disable=not live) as bar:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(f"downloading {name}", total=total)
                if not live:
                    console.print(f"downloading {name}", highlight=False, markup=False)
            bar.update(tasks[name], completed=done, total=total)

        yield show
