"""The command `gantext`, also as `python -m gantext`.

Signals are handled before the command line is loaded: a Ctrl-C in the first moments ends the
process without a traceback. From the last line on they are ignored: the exit code is settled.
"""

import os
import sys

from gantext.training.stop import Mode, ignore_signals, listen


def main() -> None:
    """Run the command line; it ends with SystemExit."""
    listen(Mode.leave)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed at the start: what it gets goes nowhere
            setattr(sys, name, open(os.devnull, "w"))
    try:
        from gantext import cli

        cli.main()
    finally:
        ignore_signals()


if __name__ == "__main__":
    main()
