"""The ledger: every path that decisions rest on, with the state that it had when it was looked at.

    ledger = Ledger()
    disk.walk("models/m", ledger.of("models/m").setdefault)     whoever looks notes it
    ledger.of("models/m") -> {path: state}                      all that was looked at for "models/m"

The stamp (`project.stamp`) is a ledger, written down: if all of its paths have their states still, the same look would
find the same. It is checked before anything else is loaded, so this module imports next to nothing.

Rule 1: the first look counts. What is found later belongs to the next run.
Rule 2: a folder is noted before it is listed, so that a file that appears meanwhile shows in one or the other.
Rule 3: what is not there is noted as well, as ABSENT.
Rule 4: a file written within a clock tick of the look is *racy*: it may change again and keep its state.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from operator import attrgetter

# Kernels stamp files with a clock that ticks every 1 to 10 ms.
RACY_NS = 50_000_000

# Size, time of the last change of the content and of the inode (nanoseconds), inode. tar, rsync and cp set the first
# time back; nothing but a change sets the second, and then to now.
State = tuple[int, int, int, int]
Files = dict[str, State]
ABSENT: State = (0, 0, 0, 0)
# Hears of a path and its state; `dict.setdefault` is one.
Note = Callable[[str, State], object]

state: Callable[[os.stat_result], State] = attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")


class Ledger:
    """What was looked at, by what it was looked at for: a source, an output."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[str, Files] = {}

    def of(self, asked: str) -> Files:
        """Return what was looked at for a path, to be read, and to be added to."""
        return self._found.setdefault(asked, {})


def to_nobody(path: str, found: State) -> None:
    """Hear of a look, and note nothing."""


def state_of(path: str | bytes) -> State:
    """Return a file's or folder's state.

    Raises:
        OSError: there is nothing.
    """
    return state(os.stat(path))  # noqa: PTH116


def state_if_any(path: str | bytes) -> State:
    """Return a file's or folder's state, ABSENT if there is nothing."""
    try:
        return state_of(path)
    except OSError:
        return ABSENT


def is_racy(states: Iterable[State], looked_ns: int) -> bool:
    """Whether one was written so shortly before a look, or after it, that it may change again and keep its state."""
    return any(max(times_ns) + RACY_NS >= looked_ns for _, *times_ns, _ in states)


def after_a_tick() -> int:
    """Wait until no file written before this call is racy; return the time."""
    time.sleep(2 * RACY_NS / 1e9)
    return time.time_ns()
