"""What ends a process together with the one that started it, however that one ended.

The parent holds the other end of the child's stdin. The system closes it when the parent ends, also
by SIGKILL, and on any system; no process has to look at who its parent is.
"""

import os
import signal
import threading

STDIN = 0


def end_with_parent() -> None:
    """From now on be ended as by SIGTERM, which saves, when stdin ends."""

    def wait() -> None:
        while os.read(STDIN, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="tether", daemon=True).start()
