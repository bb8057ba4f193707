"""What other installed packages add to gantext: read from their entry points, nothing imported.

The groups are named as the packages that they add to: `gantext.models`, `gantext.data`,
`gantext.measures`. An entry point's name is the model's (data's, measure's), its value the module.
A folder `conf` in the plugin's package holds its YAML files: conf/model/NAME.yaml and so on.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

CONFIGURED = ("gantext.models", "gantext.data")  # the groups whose modules have YAML files


@cache
def installed(group: str) -> dict[str, str]:
    """Modules by the name that the entry points of `group` give them, alphabetically."""
    from importlib.metadata import entry_points  # here: 40 ms, which `gantext --help` does without

    return {point.name: point.module for point in sorted(entry_points(group=group))}


@cache
def config_folders() -> tuple[Path, ...]:
    """The folder `conf` of each package that adds a model or data, where it has one."""
    modules = [module for group in CONFIGURED for module in installed(group).values()]
    packages = sorted({module.partition(".")[0] for module in modules})
    # The spec of a package that is in no other is found without importing it.
    specs = [spec for name in packages if (spec := find_spec(name))]
    roots = [Path(root) for spec in specs for root in spec.submodule_search_locations or ()]
    return tuple(root / "conf" for root in roots if (root / "conf").is_dir())
