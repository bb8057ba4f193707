"""The config of data: that of `data=NAME` alone without hydra, whose import takes half a second."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gantext.config import groups, own_files, schema
from gantext.errors import UserError
from gantext.records import yaml_file

NAMED = re.compile(r"data=(\w+)")
# What stands for something else, or says where the values go: hydra has to read those.
COMPOSED = re.compile(r"\$\{|^defaults\s*:|^#\s*@package", re.MULTILINE)


def data_config(overrides: Sequence[str], config_dir: Path | None = None) -> Any:
    """The typed `Config` of data, as hydra composes it. Raises UserError as `compose_data` does."""
    values = named_values(overrides, config_dir)
    if values is not None:
        with own_files.placed(overrides, config_dir):
            return schema.data_of(values)
    from gantext.config.compose import compose_data

    return compose_data(overrides, config_dir)


def named_values(overrides: Sequence[str], config_dir: Path | None = None) -> Any | None:
    """The values of `data=NAME`; None where only hydra can tell, or refuse."""
    own = groups.own_folder(config_dir)
    name = NAMED.fullmatch(overrides[0]) if len(overrides) == 1 else None
    if name is None or (
        own is not None and (not own.is_dir() or (own / f"{groups.MAIN}.yaml").exists())
    ):
        return None
    paths = (folder / "data" / f"{name[1]}.yaml" for folder in groups.folders(config_dir))
    path = next((path for path in paths if path.is_file()), None)
    try:
        if path is None or COMPOSED.search(yaml_file.read_text(path)):
            return None
        return yaml_file.read_yaml(path)
    except UserError:
        return None
