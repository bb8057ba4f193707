"""A package as `pip install` leaves it in a folder, and that folder among those of this process."""

import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gantext import plugins
from gantext.config import keys
from gantext.evaluation import measures


def add_metadata(folder: Path, pyproject: str) -> None:
    """Write what says which entry points the package in a folder has.

    Args:
        folder: of the package's own folder.
        pyproject: the text of its pyproject.toml.
    """
    project = tomllib.loads(pyproject)["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = [
        line
        for group, named in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {where}" for name, where in named.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(points))


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """What lies in a folder is installed in this process while the block runs."""
    loaded = {*sys.modules}
    sys.path.insert(0, str(folder))
    _look_again()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in {*sys.modules} - loaded:
            if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]
        _look_again()


def _look_again() -> None:
    """What was looked up among other packages is forgotten."""
    for kept in (plugins.installed, plugins.config_folders, keys.experiments, measures.table):
        kept.cache_clear()
