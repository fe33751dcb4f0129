"""Run ovmake, and replace a file while it is being read: `python editing.py FILE NEW WHEN WORDS...`.

WHEN is how many times FILE may be opened by this process before it is replaced: 0 means right before the first time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

FILE, NEW, WHEN = sys.argv[1], sys.argv[2], int(sys.argv[3])
opened = 0


def heard(event: str, arguments: tuple[object, ...]) -> None:
    """Count, and replace."""
    global opened  # noqa: PLW0603 - a hook has nothing else to keep it in
    if event != "open" or not isinstance(arguments[0], str) or os.path.realpath(arguments[0]) != FILE:
        return
    opened += 1
    if opened == WHEN + 1:
        content = Path(NEW).read_bytes()
        with open(FILE, "r+b") as file:  # noqa: PTH123
            file.write(content)


if __name__ == "__main__":
    from ovmake.cli import main

    FILE = os.path.realpath(FILE)
    sys.addaudithook(heard)
    sys.exit(main(sys.argv[4:]))
