"""How far apart the cores are: the time that a value takes from one to another, and how to bring them together again.

    with closing(Cores()) as cores:        effects: starts a process, pins this thread to a core for a moment
        cores.apart_ns()      -> float | None     the time between the two that are furthest apart
        cores.gather(seconds) -> float | None     the same, after an attempt to get it below FAR_NS

A host may move the cores of a virtual machine to wherever there is room. If one of two comes to lie beyond another
cache, the machine looks as before: no foreign load, both compute as fast as ever. But threads that hand each other
values every few microseconds, as those of a small model do, wait: one IR took 120 instead of 78 µs, TensorFlow 490
instead of 400, for 1 to 100 s at a time, and in these a value took 240 ns from core to core instead of 50. The speed-up
was 3.9 in one state, and 4.8 in the other. Measurements that fell into one of them agreed with themselves, and not with
each other.

So it is measured, and a window in which cores lay apart is no quiet one (`windows.py`). Only cores are compared that
share a cache as the kernel has it: if they do, the way is short, and if it is not, the kernel was told a tale. Where
this cannot be done, on other systems and with a single core, the answer is None.

Two processes are needed, as two threads of Python do not run at once. The second is this module run as a program; it
reads orders from its input and ends with it. Standard library only.
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

# Between the 50 ns below a shared cache and the 240 beyond it, on the AMD EPYC (family 26) that this was found on. On
# one of family 25 it was 0 to 60, for a value went faster than Python looks, and 135 to 290. It was not tried
# elsewhere; no shared cache should be twice as slow.
FAR_NS = 120.0
ROUNDS = 200
# A partner that does not answer for so many looks, some 40 ms, was put to sleep.
MOST_LOOKS = 1_000_000
MOST_PAIRS = 8
# What gathers cores: one wakes the other, a thousand times a second. The host's kernel likes to run what is woken where
# the waker runs, or close to it. (With sleeping, or with both computing, they stayed apart for a minute and more.)
HAND_SECONDS = 0.001
GATHER_SECONDS = 0.1

ORDER = struct.Struct("<cH")
EXCHANGE, HAND = b"e", b"h"
# Where each of the two writes: a cache line of its own, and none that is fetched along with the other.
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

    def apart_ns(self) -> float | None:
        """Return how long a value takes between the two cores that are furthest apart; None where it is not known."""
        found = self._furthest()
        return None if found is None else found[0]

    def gather(self, seconds: float) -> float | None:
        """Bring the cores together, for at most so long; return how far apart they are then."""
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
        """Return how long a value takes from one core to the other, in ns; None if one cannot be used any more."""
        if self._partner is None:
            return None
        with memoryview(self._shared) as lines, contextlib.suppress(OSError), _pinned(mine):
            lines[MINE] = lines[THEIRS] = NOTHING
            if not self._order(EXCHANGE, theirs):
                return None
            there_and_back = _rounds(lines, THEIRS)
            alone = _rounds(lines, MINE)
            # Each of the two takes about as long to see a value and to write one as it takes to see one's own.
            return max(0.0, there_and_back / 2 - alone) if there_and_back and alone else None
        return None

    def _hand(self, pair: tuple[int, int], until: float) -> None:
        """Wake the other core again and again, and be woken by it."""
        with contextlib.suppress(OSError), _pinned(pair[0]):
            while time.monotonic() < until and self._order(HAND, pair[1]):
                time.sleep(HAND_SECONDS)

    def _order(self, what: bytes, core: int) -> bool:
        """Give the partner an order and wait until it is ready; return whether it still lives."""
        partner = self._partner
        if partner is None or partner.stdin is None or partner.stdout is None:
            return False
        with contextlib.suppress(OSError):
            partner.stdin.write(ORDER.pack(what, core))
            return partner.stdout.read(1) == what
        return False


def neighbours(root: str = "") -> list[tuple[int, int]]:
    """Return pairs of usable cores that share a cache as the kernel has it, at most MOST_PAIRS, spread over all."""
    usable = set(machine.usable())
    groups = {tuple(sorted(_sharing(root, core) & usable)) for core in usable}
    pairs = [pair for group in sorted(groups) for pair in itertools.pairwise(group)]
    step = max(1, -(-len(pairs) // MOST_PAIRS))
    return pairs[::step]


def _sharing(root: str, core: int) -> set[int]:
    """Return the cores that share this one's last cache; none where the kernel does not tell."""
    folder = Path(f"{root}/sys/devices/system/cpu/cpu{core}/cache")
    try:
        levels = {int((index / "level").read_text()): index for index in folder.glob("index*")}
        return set(machine.numbers((levels[max(levels)] / "shared_cpu_list").read_text().strip()))
    except (OSError, ValueError):
        return set()


@contextlib.contextmanager
def _pinned(core: int) -> Iterator[None]:
    """Run this thread on one core meanwhile."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {core})
        yield
    finally:
        os.sched_setaffinity(0, before)


def _rounds(lines: memoryview, answer: int) -> float | None:
    """Write values and wait for each until it comes back; return the typical time in ns, None if one does not."""
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
    """Write back whatever the other writes, ROUNDS times, or until nothing comes any more."""
    for turn in range(ROUNDS):
        value, looks = turn % NOTHING, 0
        while lines[MINE] != value:
            looks += 1
            if looks > MOST_LOOKS:
                return
        lines[THEIRS] = value


def _serve(arguments: Sequence[str]) -> None:
    """Be the partner: obey orders until there are no more."""
    lines = memoryview(mmap.mmap(int(arguments[0]), PAGE))
    # Without its owner, or a core that it may not use any more, it has nothing left to do.
    with contextlib.suppress(OSError):
        while len(order := os.read(0, ORDER.size)) == ORDER.size:
            what, core = ORDER.unpack(order)
            with _pinned(core):
                os.write(1, what)
                if what == EXCHANGE:
                    _answer(lines)


if __name__ == "__main__":
    _serve(sys.argv[1:])
