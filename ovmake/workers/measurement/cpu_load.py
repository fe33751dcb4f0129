"""Measure the CPU use of other processes during a measurement.

    load = Load([pid, pid])                   own processes: the timed ones; this process always counts as one
    before = load.now(); ...; foreign_cores(before, load.now())

Foreign use is the busy time of the usable cores, plus the time that a hypervisor took from them, minus the CPU time of
the own processes. Only this shows which windows were noisy: with one of two cores kept busy, the speed-up of a
small model over TensorFlow varied from 1.55 to 2.69 between windows of 24 s, while each window alone seemed precise to
3 to 15 %.

/proc/stat counts in ticks of 10 ms, which the kernel samples: the error is up to 0.3 cores over 0.1 s, and 0.05 over a
second. Standard library only. On systems other than Linux the use is unknown.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

from ovmake import machine

# The non-idle columns of /proc/stat: user, nice, system, irq, softirq, steal (proc(5)). User and nice include the time
# of guests.
BUSY = (0, 1, 2, 5, 6, 7)
# clock_getcpuclockid(3): the clock of a process's CPU time is ~pid << 3, and 2 for the scheduler's own figures.
SCHEDULER_CLOCK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """CPU seconds so far of all usable cores, and of the own processes; None if the system does not report them."""

    at_s: float
    busy_s: float | None
    own_s: float


class Load:
    """Reads the CPU use of the cores that this process may use."""

    def __init__(self, pids: Iterable[int], root: str = "") -> None:
        self.follow(pids)
        self._stat = f"{root}/proc/stat"
        self._cores = machine.usable()

    def follow(self, pids: Iterable[int]) -> None:
        """Set the own processes from now on. Earlier moments cannot be compared with later ones."""
        self._clocks = [(~pid << 3) | SCHEDULER_CLOCK for pid in pids]

    def now(self) -> Moment:
        """Return the use so far."""
        own = time.process_time() + sum(map(_cpu_seconds, self._clocks))
        return Moment(at_s=time.monotonic(), busy_s=self._busy(), own_s=own)

    def _busy(self) -> float | None:
        try:
            with open(self._stat, "rb", buffering=0) as file:  # noqa: PTH123 - while others are timed
                lines = file.read().decode().splitlines()
            rows = {name: columns.split() for name, _, columns in (line.partition(" ") for line in lines)}
            ticks = sum(int(rows[f"cpu{core}"][at]) for core in self._cores for at in BUSY)
        except (OSError, KeyError, IndexError, ValueError):
            return None
        return ticks / os.sysconf("SC_CLK_TCK")


def foreign_cores(before: Moment, after: Moment) -> float | None:
    """Return the average number of cores that other processes used between two moments; None if unknown."""
    passed = after.at_s - before.at_s
    if before.busy_s is None or after.busy_s is None or passed <= 0:
        return None
    return max(0.0, (after.busy_s - before.busy_s - (after.own_s - before.own_s)) / passed)


def _cpu_seconds(clock: int) -> float:
    try:
        return time.clock_gettime(clock)
    except OSError:  # the process has ended
        return 0.0
