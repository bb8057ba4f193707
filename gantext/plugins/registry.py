"""Modules by name: those of a package of gantext that declare something, then the plugins'."""

import ast
import importlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import ModuleType

from gantext.errors import UserError
from gantext.plugins import installed


class Registry:
    """The modules of one package, e.g. gantext.models, and of the entry points of that group.

    Whether a module of the package belongs is read off the names that it binds, so that nothing is
    imported to list them (torch takes a second) and no list of them is kept. A plugin does not take
    the place of a module here.
    """

    def __init__(
        self, package: str, folder: Path, belongs: Callable[[frozenset[str]], bool]
    ) -> None:
        self.package, self.folder, self.belongs = package, folder, belongs
        self._read: dict[str, frozenset[str]] = {}

    @cached_property
    def _files(self) -> dict[str, Path]:
        """The package's own modules, also those that do not belong, alphabetically."""
        files = {path.stem: path for path in self.folder.glob("*.py") if path.stem != "__init__"}
        files |= {path.parent.name: path for path in self.folder.glob("*/__init__.py")}
        return dict(sorted(files.items()))

    @cached_property
    def own(self) -> dict[str, frozenset[str]]:
        """The names that each of the package's own modules binds, alphabetically."""
        return {name: self._bound(name) for name in self._files if self._is_own(name)}

    def __contains__(self, name: str) -> bool:
        """Whether something is registered by a name; no other module is read for it."""
        return self._is_own(name) or name in installed(self.package)

    def _is_own(self, name: str) -> bool:
        return name in self._files and self.belongs(self._bound(name))

    def _bound(self, name: str) -> frozenset[str]:
        if name not in self._read:
            self._read[name] = bound_names(self._files[name])
        return self._read[name]

    @property
    def added(self) -> dict[str, str]:
        """The plugins' modules by name."""
        points = installed(self.package)
        return {name: point.module for name, point in points.items() if name not in self.own}

    def module(self, name: str) -> ModuleType:
        """Import the module of a registered name, and nothing under any other: KeyError.

        Raises UserError for a plugin's that cannot be imported.
        """
        if self._is_own(name):
            return importlib.import_module(f"{self.package}.{name}")
        where = installed(self.package)[name].module
        try:
            return importlib.import_module(where)
        except ImportError as error:
            raise UserError(f"the plugin {where} of {name} cannot be imported: {error}") from error


def bound_names(path: Path) -> frozenset[str]:
    """The names that a Python file binds at its top: classes, functions, constants, imports."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(names)
