"""The looks at samples that a run of text has stored while it trained: samples/STEP-PHASE.txt."""

import re

from gantext.runs.folder import RunDir

NAME = re.compile(r"(\d{9})-[^/]+\.txt")


def text_looks(run: RunDir) -> list[tuple[int, str]]:
    """The total step of each look, and the name under which `RunDir.samples` has it, in order."""
    found = run.files.in_folder(run.path / "samples", NAME)
    return [(int(path.name[:9]), path.stem) for path in found]
