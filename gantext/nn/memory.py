"""Large blocks of memory that the process keeps, rather than giving them back after each use.

glibc maps a block above 32 MB anew each time, and the system fills it with zeros, 4 kB at a time:
21 ms for the 44 MB of (64 x 37) x 4,661 scores. Kept, they are there; no number differs. The
process grows (model=mle at default sizes: 450 -> 560 MB): torch asks for aligned blocks, of which
glibc cuts off the ends, so that a freed one may not fit the next of the same size.
"""

import ctypes

# Parameters of mallopt(3).
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
LARGEST = 2**31 - 1  # bytes, the most that mallopt takes
NEVER = -1  # to give memory at the heap's end back, were it more than that


def keep_blocks() -> bool:
    """Keep blocks until the process ends, and be told whether they are: by glibc only."""
    library = _libc()
    if library is None or not hasattr(library, "gnu_get_libc_version"):
        return False
    # A glibc from before 2.35 takes no threshold above 32 MB; then nothing is mapped at all.
    above = library.mallopt(MMAP_THRESHOLD, LARGEST) or library.mallopt(MMAP_MAX, 0)
    return bool(above and library.mallopt(TRIM_THRESHOLD, NEVER))


def _libc() -> ctypes.CDLL | None:
    """The C library of this process; None where it is not reached by its handle (Windows)."""
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
