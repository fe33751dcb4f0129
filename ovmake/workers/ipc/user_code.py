"""A user's function at work: a note in the action's folder names it, whatever becomes of its process.

    with noted(note_of(request.scratch), "metrics.py:share"): ...

What the function raises is told by whoever calls it. What ends the process at once (os._exit, a signal, a limit of
time), or spoils its answers, is seen by the engine, which reads the note (`engine/user_code.py`): RUNNING while the
function runs, RAN afterwards, then its name and, of a loader, how many samples it has yielded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ovmake.workers.ipc.protocol import USER_CODE_NOTE, USER_CODE_RAN, USER_CODE_RUNNING


def note_of(folder: str | None) -> str:
    """Return where the note of an action is that has this folder; "" without one."""
    return str(Path(folder) / USER_CODE_NOTE) if folder else ""


@contextlib.contextmanager
def noted(note: str, name: str) -> Iterator[None]:
    """Say in the note that the function `name` runs, and afterwards that it ran. Without a note, nothing is said."""
    say(note, name)
    try:
        yield
    finally:
        say(note, name, state=USER_CODE_RAN)


def say(note: str, name: str, *, state: str = USER_CODE_RUNNING, samples: int = 0) -> None:
    """Write the note in one step, for it is read at any time. It only helps a message: others tell of a full disk."""
    if note:
        with contextlib.suppress(OSError):
            Path(f"{note}.new").write_text(f"{state}\t{name}\t{samples}\n")
            Path(f"{note}.new").replace(note)
