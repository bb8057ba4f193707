"""What a user noted of a run: a line or some, in a file of its own, which training never writes."""

from gantext.errors import UserError
from gantext.files import attempt
from gantext.runs.folder import RunDir

NOTE = "note.txt"
LONGEST = 10_000  # characters


def note_of(run: RunDir) -> str:
    """What was noted, '' where nothing was. Raises UserError where the file is none of a note."""
    return "\n".join(run.files.lines(run.path / NOTE, 4 * LONGEST))


def set_note(run: RunDir, text: str) -> None:
    """Note something in place of what was noted before. Raises UserError."""
    if len(text) > LONGEST:
        raise UserError(f"a note is at most {LONGEST:,} characters long, not {len(text):,}")
    with attempt(f"write {run.path / NOTE}"):
        run.files.write(run.path / NOTE, text.encode())
