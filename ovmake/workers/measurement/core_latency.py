"""Measure the inter-core latency, and try to lower it: the time that a value takes from one core to another.

    with closing(Cores()) as cores:        effects: starts a process, pins this thread to a core for a moment
        cores.core_latency_ns()      -> float | None     the highest latency between two cores
        cores.gather(seconds) -> float | None     the same, after an attempt to lower it below FAR_NS

A host may move the cores of a virtual machine at any time. If two cores no longer share a cache, the machine looks
unchanged: no foreign load, and both cores compute at full speed. But threads that exchange values every few
microseconds, as those of a small model do, must wait: one IR took 120 instead of 78 µs, TensorFlow 490 instead of 400,
for 1 to 100 s at a time, while a value took 240 ns from core to core instead of 50. The speed-up was 3.9 in one state
and 4.8 in the other. Measurements within one state agreed among themselves, but not with those of the other state.

So the latency is measured, and a window with high inter-core latency is not quiet (`windows.py`). Only cores that share
a cache according to the kernel are compared: a high latency between them means that the kernel was misinformed. On
other systems, and with a single core, the result is None.

This takes two processes, because two threads of Python do not run at once. The second process is this module run as a
program; it reads orders from its stdin and ends with it. Standard library only.
"""

from __future__ import annotations

import contextlib
import itertools
import mmap
import os
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ovmake import machine
from ovmake.workers.ipc.client import start_module

# Between the 50 ns within a shared cache and the 240 ns beyond it, on the AMD EPYC (family 26) of the first
# measurement. On one of family 25 it was 0 to 60 (a value was faster than Python's polling) and 135 to 290. Other
# processors were not tested; no shared cache should be twice as slow.
FAR_NS = 120.0
ROUNDS = 200
# A partner that does not answer for so many polls, some 40 ms, was descheduled.
MOST_LOOKS = 1_000_000
MOST_PAIRS = 8
# Gathering: one core wakes the other, a thousand times a second. The host's kernel prefers to run a woken thread on or
# near the waker's core. (While both slept, or both computed, the latency stayed high for a minute and more.)
HAND_SECONDS = 0.001
GATHER_SECONDS = 0.1

ORDER = struct.Struct("<cH")
EXCHANGE, HAND = b"e", b"h"
# Each of the two writes to a cache line of its own, which is never prefetched with the other one.
MINE, THEIRS = 0, 256
PAGE = 4096
NOTHING = 255


class Cores:
    """The cores that this process may use, and a partner process to exchange values with."""

    def __init__(self, root: str = "") -> None:
        self._pairs = neighbours(root)
        self._partner: subprocess.Popen[bytes] | None = None
        if self._pairs:
            with contextlib.suppress(OSError):
                self._start()

    def close(self) -> None:
        """End the partner."""
        if self._partner is not None:
            partner, self._partner = self._partner, None
            partner.kill()
            partner.communicate()
            self._shared.close()

    def core_latency_ns(self) -> float | None:
        """Return the highest latency between two cores in ns; None if it is unknown."""
        found = self._furthest()
        return None if found is None else found[0]

    def gather(self, seconds: float) -> float | None:
        """Try to lower the inter-core latency for at most `seconds`; return the latency afterwards."""
        until = time.monotonic() + seconds
        while True:
            found = self._furthest()
            if found is None or found[0] <= FAR_NS or time.monotonic() >= until:
                return None if found is None else found[0]
            self._hand(found[1], min(until, time.monotonic() + GATHER_SECONDS))

    def _start(self) -> None:
        descriptor = os.memfd_create("ovmake-cores")
        try:
            os.ftruncate(descriptor, PAGE)
            self._shared = mmap.mmap(descriptor, PAGE)
            self._partner = start_module("measurement.core_latency", str(descriptor), pass_fds=[descriptor], bufsize=0)
        finally:
            os.close(descriptor)

    def _furthest(self) -> tuple[float, tuple[int, int]] | None:
        found = [(self._exchange(*pair), pair) for pair in self._pairs]
        known = [(apart, pair) for apart, pair in found if apart is not None]
        return max(known, default=None)

    def _exchange(self, mine: int, theirs: int) -> float | None:
        """Return the latency from one core to the other in ns; None if one can no longer be used."""
        if self._partner is None:
            return None
        with memoryview(self._shared) as lines, contextlib.suppress(OSError), _pinned(mine):
            lines[MINE] = lines[THEIRS] = NOTHING
            if not self._order(EXCHANGE, theirs):
                return None
            there_and_back = _rounds(lines, THEIRS)
            alone = _rounds(lines, MINE)
            # `alone` is the time to write a value and poll it on one core. Each side of an exchange takes about that.
            return max(0.0, there_and_back / 2 - alone) if there_and_back and alone else None
        return None

    def _hand(self, pair: tuple[int, int], until: float) -> None:
        """Let the two cores wake each other repeatedly."""
        with contextlib.suppress(OSError), _pinned(pair[0]):
            while time.monotonic() < until and self._order(HAND, pair[1]):
                time.sleep(HAND_SECONDS)

    def _order(self, what: bytes, core: int) -> bool:
        """Send the partner an order and wait until it is ready; return whether it is alive."""
        partner = self._partner
        if partner is None or partner.stdin is None or partner.stdout is None:
            return False
        with contextlib.suppress(OSError):
            partner.stdin.write(ORDER.pack(what, core))
            return partner.stdout.read(1) == what
        return False


def neighbours(root: str = "") -> list[tuple[int, int]]:
    """Return pairs of usable cores that share a cache according to the kernel, at most MOST_PAIRS, evenly spread."""
    usable = set(machine.usable())
    groups = {tuple(sorted(_sharing(root, core) & usable)) for core in usable}
    pairs = [pair for group in sorted(groups) for pair in itertools.pairwise(group)]
    step = max(1, -(-len(pairs) // MOST_PAIRS))
    return pairs[::step]


def _sharing(root: str, core: int) -> set[int]:
    """Return the cores that share this core's last-level cache; none if the kernel does not report it."""
    folder = Path(f"{root}/sys/devices/system/cpu/cpu{core}/cache")
    try:
        levels = {int((index / "level").read_text()): index for index in folder.glob("index*")}
        return set(machine.numbers((levels[max(levels)] / "shared_cpu_list").read_text().strip()))
    except (OSError, ValueError):
        return set()


@contextlib.contextmanager
def _pinned(core: int) -> Iterator[None]:
    """Pin this thread to one core for the duration."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {core})
        yield
    finally:
        os.sched_setaffinity(0, before)


def _rounds(lines: memoryview, answer: int) -> float | None:
    """Write values and wait for each to return; return the typical time in ns, None if one does not return."""
    times = []
    for turn in range(ROUNDS):
        value, looks = turn % NOTHING, 0
        started = time.perf_counter_ns()
        lines[MINE] = value
        while lines[answer] != value:
            looks += 1
            if looks > MOST_LOOKS:
                return None
        times.append(time.perf_counter_ns() - started)
    return statistics.median(times)


def _answer(lines: memoryview) -> None:
    """Write back every value of the other process, ROUNDS times, or until none comes any more."""
    for turn in range(ROUNDS):
        value, looks = turn % NOTHING, 0
        while lines[MINE] != value:
            looks += 1
            if looks > MOST_LOOKS:
                return
        lines[THEIRS] = value


def _serve(arguments: Sequence[str]) -> None:
    """Run as the partner: execute orders until stdin ends."""
    lines = memoryview(mmap.mmap(int(arguments[0]), PAGE))
    # It ends without its owner, or if it may no longer use a core.
    with contextlib.suppress(OSError):
        while len(order := os.read(0, ORDER.size)) == ORDER.size:
            what, core = ORDER.unpack(order)
            with _pinned(core):
                os.write(1, what)
                if what == EXCHANGE:
                    _answer(lines)


if __name__ == "__main__":
    _serve(sys.argv[1:])
