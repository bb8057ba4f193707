"""Long names made shorter for a table, in their middle, so that different ones stay different."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.cells import cell_len, chop_cells

CUT = "…"
TAILS = (0.6, 0.75, 0.45, 0.3)  # of a name that is left, what stands behind the cut


def shortened(names: Iterable[str], room: int) -> dict[str, str]:
    """Each name as a column has room for it; what does not fit loses its middle.

    The cut is where the names stay different, and else they get numbers: "2026…s1#2".

    Args:
        names: some may be there several times.
        room: characters of a terminal, at least 6.
    """
    whole = list(dict.fromkeys(names))
    for tail in TAILS:
        found = {name: _cut(name, room, tail) for name in whole}
        if len(set(found.values())) == len(whole):
            return found
    return _numbered(whole, room)


def _cut(name: str, room: int, tail: float) -> str:
    if cell_len(name) <= room:
        return name
    behind = round((room - 1) * tail)
    return _beginning(name, room - 1 - behind) + CUT + _beginning(name[::-1], behind)[::-1]


def _beginning(text: str, room: int) -> str:
    """What of a text fits; a letter may be two cells wide."""
    return chop_cells(text, room)[0] if room > 0 else ""


def _numbered(names: Sequence[str], room: int) -> dict[str, str]:
    """The names with a number behind those that would look like one before."""
    found: dict[str, str] = {}
    taken = Counter(name for name in names if cell_len(name) <= room)
    for name in names:
        short, number = _cut(name, room, TAILS[0]), 1
        while short != name and taken[short]:
            number += 1
            mark = f"#{number}"
            short = _cut(name, room - len(mark), TAILS[0]) + mark
        taken[short] += 1
        found[name] = short
    return found
