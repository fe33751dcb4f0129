"""The ledger: every path that decisions depend on, with its state at the first look.

    ledger = Ledger()
    disk.walk("models/m", ledger.of("models/m").setdefault)     `walk` notes each path that it looks at
    ledger.of("models/m") -> {path: state}                      all paths that were looked at for "models/m"

The stamp (`project.stamp`) is a stored ledger: if all of its paths still have their states, a new look would find the
same. It is checked before anything else is loaded, so this module imports very little.

Rule 1: the first look counts. Later changes belong to the next run.
Rule 2: a folder is noted before it is listed, so a file that appears in between shows in the state or in the list.
Rule 3: a missing path is noted as ABSENT.
Rule 4: a file written within a clock tick of the look is *racy*: it may change again and keep its state.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from operator import attrgetter

# Kernels stamp files with a clock that ticks every 1 to 10 ms.
RACY_NS = 50_000_000

# Size, mtime and ctime (nanoseconds), inode. tar, rsync and cp set the mtime back; every change sets the ctime to now.
State = tuple[int, int, int, int]
Files = dict[str, State]
ABSENT: State = (0, 0, 0, 0)
# Called with a path and its state, such as `dict.setdefault`.
Note = Callable[[str, State], object]

state: Callable[[os.stat_result], State] = attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")


class Ledger:
    """The paths that were looked at, by the source or output that they belong to."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[str, Files] = {}

    def of(self, asked: str) -> Files:
        """Return the paths that were looked at for a path: a dict to read and to add to."""
        return self._found.setdefault(asked, {})


def note_nothing(path: str, found: State) -> None:
    """Ignore a look."""


def state_of(path: str | bytes) -> State:
    """Return a file's or folder's state.

    Raises:
        OSError: it does not exist.
    """
    return state(os.stat(path))  # noqa: PTH116


def state_if_any(path: str | bytes) -> State:
    """Return a file's or folder's state, ABSENT if it does not exist."""
    try:
        return state_of(path)
    except OSError:
        return ABSENT


def is_racy(states: Iterable[State], looked_ns: int) -> bool:
    """Whether a file was written so shortly before a look, or after it, that it may change again and keep its state."""
    return any(max(times_ns) + RACY_NS >= looked_ns for _, *times_ns, _ in states)


def after_a_tick() -> int:
    """Wait until no file written before this call is racy; return the time."""
    time.sleep(2 * RACY_NS / 1e9)
    return time.time_ns()
