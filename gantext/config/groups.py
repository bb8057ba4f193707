"""The config groups, read from the folder of YAML files without importing hydra (for help)."""

from pathlib import Path

import gantext

GROUPS = ("model", "data", "experiment")


def _conf() -> Path:
    """conf/ beside the package in a checkout; gantext/conf in a wheel."""
    package = Path(gantext.__file__).parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


CONF = _conf()


def names(group: str, config_dir: Path | None = None) -> list[str]:
    """The options of a config group, alphabetically."""
    folders = [CONF / group] + ([config_dir / group] if config_dir else [])
    return sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})


def describe(group: str, name: str, config_dir: Path | None = None) -> str:
    """The first comment line of an option's YAML file, which says what it is."""
    folders = ([config_dir] if config_dir else []) + [CONF]
    for folder in folders:
        path = folder / group / f"{name}.yaml"
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            comments = [line[1:].strip() for line in lines if line.startswith("# ")]
            return next((c for c in comments if not c.startswith("@package")), "")
    return ""
