"""The methods: every model, and each experiment that says of itself that it is one.

What a method is stands in the first comment line of its YAML file, and all on it in its page; an
experiment of a method has the line `# @method` in its head. Where a model trains only with more
words than its name, such as those of data with classes, the line `# @with WORDS` has some. No torch
and no hydra is needed here.
"""

from dataclasses import dataclass
from pathlib import Path

from gantext.config import groups

MARK, WITH = "@method", "@with "
PAGES = "docs/methods"  # of the repository


@dataclass(frozen=True)
class Method:
    """A way to train a model.

    Attributes:
        name: of the model or the experiment.
        group: model or experiment.
        about: what it is, in a line.
        page: where the repository explains it; "" of a plugin's or the user's own.
        words: that it trains with, for example.
    """

    name: str
    group: str
    about: str
    page: str
    words: str = ""

    @property
    def command(self) -> str:
        """The command that trains it with its defaults."""
        return f"gantext train {self.group}={self.name} {self.words}".rstrip()


def methods(config_dir: Path | None = None) -> list[Method]:
    """Every model, then every experiment that is a method, alphabetically."""
    marked = [
        name
        for name in groups.names("experiment", config_dir)
        if MARK in groups.marks("experiment", name, config_dir)
    ]
    found = [("model", name) for name in groups.names("model", config_dir)]
    found += [("experiment", name) for name in marked]
    return [_method(group, name, config_dir) for group, name in found]


def _method(group: str, name: str, config_dir: Path | None) -> Method:
    path = groups.path(group, name, config_dir)
    is_ours = path is not None and groups.CONF in path.parents
    page = f"{PAGES}/{name}.md" if is_ours else ""
    marks = groups.marks(group, name, config_dir)
    words = [mark.removeprefix(WITH).strip() for mark in marks if mark.startswith(WITH)]
    return Method(name, group, groups.describe(group, name, config_dir), page, " ".join(words))
