"""A note in the action's folder names the user's function that is running, even if its process dies.

    with noted(note_of(request.scratch), "metrics.py:share"): ...

The caller of the function reports its exceptions. If the function ends the process at once (os._exit, a signal, a time
limit), or corrupts its answers, the engine reads the note (`engine/user_code.py`): RUNNING while the function runs, RAN
afterwards, then its name and, for a loader, the number of samples that it has yielded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ovmake.workers.ipc.protocol import USER_CODE_NOTE, USER_CODE_RAN, USER_CODE_RUNNING


def note_of(folder: str | None) -> str:
    """Return the path of the note of an action with this folder; "" without a folder."""
    return str(Path(folder) / USER_CODE_NOTE) if folder else ""


@contextlib.contextmanager
def noted(note: str, name: str) -> Iterator[None]:
    """Write to the note that the function `name` runs, and afterwards that it ran. Without a note, do nothing."""
    say(note, name)
    try:
        yield
    finally:
        say(note, name, state=USER_CODE_RAN)


def say(note: str, name: str, *, state: str = USER_CODE_RUNNING, samples: int = 0) -> None:
    """Write the note atomically: it may be read at any time. It only improves a message, so a full disk is ignored."""
    if note:
        with contextlib.suppress(OSError):
            Path(f"{note}.new").write_text(f"{state}\t{name}\t{samples}\n")
            Path(f"{note}.new").replace(note)
