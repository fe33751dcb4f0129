"""Time TensorFlow and an IR in pairs of blocks, until it is known how fast one is beside the other, or time is up.

    taken = take_windows(sides, machine, limit_seconds=12)    effects: time passes, sides.block()
    chosen(taken) -> Chosen                                   pure: which windows count, and the spread of their ratios

A *pair* is a block of each side, one after the other, in random order. Pairs are taken in *windows* of less than a
second. Over a window it can be told how much of the processor others used (`cpu_load.py`) and how far apart the cores
lay (`core_latency.py`). A window is *quiet* if foreign CPU use is negligible and inter-core latency normal. If there
are enough of those, only they count; else all of them do, the measurement is called loaded, or apart, and the windows
are spread over the whole time, so that what comes and goes is seen coming and going.

Before each window both models are made anew. Where their buffers come to lie, and how threads meet, stays as it is for
as long as a compiled model lives: of one graph in one process of TensorFlow's, one function took 376 to 431 µs in
twelve windows and others up to 461, and between processes it was the same. However long one of them is timed, it only
tells about itself: ten measurements of 6 s promised 2 % and disagreed by 8. And one process of OpenVINO's in twenty or
so was slower by 17 %, for as long as it lived and with every compilation in it; so now and then it gets a new one, in a
quarter of a second. (TensorFlow's takes 2 s to import alone, and goes on.)

Rule: it ends early only on quiet windows. A busy machine can agree with itself for seconds and be wrong.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ovmake.workers.measurement.core_latency import FAR_NS, Cores
from ovmake.workers.measurement.cpu_load import Load, foreign_cores
from ovmake.workers.measurement.interleaving import Side, warm_up
from ovmake.workers.measurement.spread import FEWEST, LEAST, Spread, spread_of

WINDOW_SECONDS = 0.4
# With a limit that is too short for so many of them, windows are shorter.
WINDOWS = 8
# It ends no earlier than with so many: windows that agree by chance would end it, and promise too much.
EARLIEST = 10
# The share of the time that may go into making models anew; where that takes long it is done less often.
RENEW_SHARE = 0.4
# After so many windows a side gets a new process, if it is one that starts fast.
PROCESS_WINDOWS = 3
RENEWED_BLOCK_SECONDS = 0.02
RENEWED_SECONDS = 0.5
# What others may use of the processor in a quiet window, in cores, and what the ticks may be off by, in seconds of CPU.
QUIET_CORES = 0.15
TICKS_SECONDS = 0.03
# Precise enough: half of the range, as a share of the speed-up.
PRECISE = 0.03
# How long to wait after a disturbed window: disturbances last, and the time is not only there to be worked through.
PAUSE_SECONDS = 0.5
# The share of the time that may go into bringing cores together, and how much of it at once.
GATHER_SHARE = 0.4
GATHER_SECONDS = 2.0
# A way of calling TensorFlow that is not the fastest is timed in every so many pairs only.
SELDOM = 4


@dataclass(slots=True, kw_only=True)
class Window:
    """The pairs of a second or so: for each, the times in ns by side.

    `foreign`: how many cores others used; `apart_ns`: how far apart ours were. None where it is not known, and then
    nobody can complain. `process` counts those of the IR.
    """

    pairs: list[dict[str, list[int]]] = field(default_factory=list)
    seconds: float = 0.0
    foreign: float | None = None
    apart_ns: float | None = None
    process: int = 0

    @property
    def loaded(self) -> bool:
        """Whether others used more than next to nothing."""
        return self.foreign is not None and self.foreign * self.seconds >= QUIET_CORES * self.seconds + TICKS_SECONDS

    @property
    def apart(self) -> bool:
        """Whether the cores lay further apart than they should."""
        return self.apart_ns is not None and self.apart_ns > FAR_NS

    @property
    def quiet(self) -> bool:
        """Whether nothing is known to have disturbed it."""
        return not self.loaded and not self.apart

    def ratios(self, slow: str, fast: str) -> list[float]:
        """Return how many times as fast one side was as the other, in the pairs that have both."""
        return [
            statistics.median(pair[slow]) / statistics.median(pair[fast])
            for pair in self.pairs
            if slow in pair and fast in pair
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Who takes turns: the IR, the way of TensorFlow that it is compared with, and ways that are timed seldom."""

    fast: Side
    slow: Side
    seldom: Sequence[Side] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The windows that count. `disturbed`: there are too few quiet ones among all, so that all count."""

    windows: Sequence[Window]
    disturbed: bool

    @property
    def loaded(self) -> bool:
        """Whether others' use of the processor is what disturbed it most."""
        return self.disturbed and not self.apart

    @property
    def apart(self) -> bool:
        """Whether cores that lay too far apart are what disturbed it most."""
        apart, loaded = sum(window.apart for window in self.windows), sum(window.loaded for window in self.windows)
        return self.disturbed and apart > loaded

    def spread(self, slow: str, fast: str) -> Spread | None:
        """Return how many times as fast a side is; None with too few windows."""
        return spread_of([window.ratios(slow, fast) for window in self.windows], disturbed=self.disturbed)

    def times(self, side: str) -> list[int]:
        """Return every time of a side, in ns."""
        return [ns for window in self.windows for pair in window.pairs for ns in pair.get(side, ())]

    @property
    def foreign(self) -> float | None:
        """How many cores others used on average."""
        return _mean([window.foreign for window in self.windows])

    @property
    def apart_ns(self) -> float | None:
        """How far apart the cores were on average."""
        return _mean([window.apart_ns for window in self.windows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is known of the machine while windows are taken."""

    load: Load
    cores: Cores


def take_windows(sides: Sides, machine: Watched, *, limit_seconds: float) -> list[Window]:
    """Take windows until the ratio is known to PRECISE, or for so long; at least as many as make a range."""
    shuffler = random.Random(0)  # noqa: S311 - an order, not a secret
    started = time.monotonic()
    seconds = min(WINDOW_SECONDS, limit_seconds / WINDOWS)
    windows: list[Window] = []
    renewing = _Renewing(started_s=started)
    gathering = _Gathering(cores=machine.cores, left_s=GATHER_SHARE * limit_seconds)
    turn = 0
    while True:
        passed = time.monotonic() - started
        is_over = passed >= limit_seconds or is_precise(windows, sides.slow.name, sides.fast.name)
        if len(windows) >= FEWEST and is_over:
            return windows
        renewing.before_window(sides, machine.load)
        apart_ns = gathering.before_window()
        window, turn = _window(sides, machine.load, shuffler, turn, seconds)
        after_ns = machine.cores.apart_ns()
        window.apart_ns = max((ns for ns in (apart_ns, after_ns) if ns is not None), default=None)
        window.process = sides.fast.process
        windows.append(window)
        if not window.quiet:
            time.sleep(max(0.0, min(PAUSE_SECONDS, limit_seconds - (time.monotonic() - started))))


@dataclass(slots=True, kw_only=True)
class _Renewing:
    """Makes models anew before a window, unless that took too much of the time already.

    `windows` counts those since a side had a new process.
    """

    started_s: float
    spent_s: float = 0.0
    windows: int = 0

    def before_window(self, sides: Sides, load: Load) -> None:
        now = time.monotonic()
        # The first window has models that nobody timed yet.
        if self.windows and self.spent_s <= RENEW_SHARE * (now - self.started_s):
            in_new_processes = self.windows >= PROCESS_WINDOWS
            for side in (sides.fast, sides.slow):
                runs = side.runs
                if not (in_new_processes and side.restart()):
                    side.ask("renew")
                warm_up(side, RENEWED_BLOCK_SECONDS, limit_seconds=RENEWED_SECONDS)
                side.runs = runs
            if in_new_processes:
                self.windows = 0
                load.follow(side.worker.process.pid for side in (sides.fast, sides.slow, *sides.seldom))
            self.spent_s += time.monotonic() - now
        self.windows += 1


@dataclass(slots=True, kw_only=True)
class _Gathering:
    """Brings cores together before a window, while there is time left for that."""

    cores: Cores
    left_s: float

    def before_window(self) -> float | None:
        now = time.monotonic()
        apart_ns = self.cores.gather(max(0.0, min(GATHER_SECONDS, self.left_s)))
        self.left_s -= time.monotonic() - now
        return apart_ns


def is_precise(windows: Sequence[Window], slow: str, fast: str) -> bool:
    """Return whether quiet windows alone say how fast one is beside the other."""
    found = chosen(windows)
    if found.disturbed or len(found.windows) < EARLIEST:
        return False
    spread = found.spread(slow, fast)
    return spread is not None and spread.half_width < PRECISE


def chosen(windows: Sequence[Window]) -> Chosen:
    """Return the windows that count: the quiet ones, if there are LEAST of them, or few others."""
    quiet = [window for window in windows if window.quiet]
    enough = len(quiet) >= LEAST or (len(quiet) >= FEWEST and 2 * len(quiet) >= len(windows))
    return Chosen(windows=quiet if enough else windows, disturbed=not enough)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _window(sides: Sides, load: Load, shuffler: random.Random, turn: int, seconds: float) -> tuple[Window, int]:
    """Take pairs for so long, at least one; `turn` counts them over all windows."""
    window, before = Window(), load.now()
    while True:
        order = [sides.fast, sides.slow, *(sides.seldom if turn % SELDOM == 0 else ())]
        shuffler.shuffle(order)
        window.pairs.append({side.name: side.block() for side in order})
        turn += 1
        after = load.now()
        if after.at_s - before.at_s >= seconds:
            window.seconds, window.foreign = after.at_s - before.at_s, foreign_cores(before, after)
            return window, turn
