"""Progress of an action: counts that its worker writes to a file, which ovmake shows.

    begin(folder)                          the request's scratch folder, "" to write nothing
    counted(items, of=5000, unit="samples")   the same items, counted as they are taken
    say(3, of=60, unit="trials")
    alone("trials")                        from now on, only this unit is written

The file is in the scratch folder and has one short line: `160 5000 samples`. (A pipe without a reader would block the
worker.) Nothing is written in the first half second, and at most twice a second after it, so that no action gets
slower. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

FILE = "progress"
LINE_BYTES = 64
SECONDS = 0.5

Item = TypeVar("Item")


class _Notes:
    """The progress file of this process's action. A fork does one action at a time."""

    def __init__(self) -> None:
        self.begin("")

    def begin(self, folder: str) -> None:
        self._folder = folder
        self._unit = ""
        self._due = time.monotonic() + SECONDS

    def alone(self, unit: str) -> None:
        self._unit = unit

    def say(self, done: int, of: int | None, unit: str) -> None:
        if not self._folder or (self._unit and unit != self._unit) or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + SECONDS
        line = f"{done} {'-' if of is None else of} {unit}".ljust(LINE_BYTES - 1)[: LINE_BYTES - 1] + "\n"
        with contextlib.suppress(OSError):  # a full disk: the action itself reports it
            file = os.open(f"{self._folder}/{FILE}", os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            try:
                os.pwrite(file, line.encode(), 0)
            finally:
                os.close(file)


_notes = _Notes()
begin, say, alone = _notes.begin, _notes.say, _notes.alone


def counted(items: Iterable[Item], *, of: int | None, unit: str, each: int = 1) -> Iterator[Item]:
    """Yield the items, and write how many are done. An item counts as `each`. `of` is None if the total is unknown."""
    done = 0
    for item in items:
        yield item
        done += each
        _notes.say(done if of is None else min(done, of), of, unit)
