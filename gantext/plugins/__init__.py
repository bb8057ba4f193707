"""What other installed packages add to gantext: read from their entry points, nothing imported.

The groups are named as the packages that they add to: `gantext.models`, `gantext.data`,
`gantext.measures`. An entry point's name is the model's (data's, measure's), its value the module
(of a measure the row in it, "module:ROW").
A folder `conf` in the plugin's package holds its YAML files: conf/model/NAME.yaml and so on.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

CONFIGURED = ("gantext.models", "gantext.data")  # the groups whose modules have YAML files


@cache
def installed(group: str) -> "dict[str, EntryPoint]":
    """The entry points of `group` by name, alphabetically."""
    from importlib.metadata import entry_points  # here: 40 ms, which `gantext --help` does without

    points = sorted(entry_points(group=group), key=lambda point: point.name)
    return {point.name: point for point in points}


@cache
def config_folders() -> tuple[Path, ...]:
    """The folder `conf` of each package that adds a model or data, where it has one."""
    modules = [point.module for group in CONFIGURED for point in installed(group).values()]
    packages = sorted({module.partition(".")[0] for module in modules})
    # The spec of a package that is in no other is found without importing it.
    specs = [spec for name in packages if (spec := find_spec(name))]
    roots = [Path(root) for spec in specs for root in spec.submodule_search_locations or ()]
    return tuple(root / "conf" for root in roots if (root / "conf").is_dir())
