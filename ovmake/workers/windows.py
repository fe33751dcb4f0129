"""Time TensorFlow and an IR in pairs of blocks, until it is known how fast one is beside the other, or time is up.

    taken = take_windows(pairing, load, limit_seconds=12)     effects: time passes, sides.block()
    chosen(taken) -> Chosen                                   pure: which windows count, and the spread of their ratios

A *pair* is a block of each side, one after the other, in random order. Pairs are taken in *windows* of less than a
second. Over a window it can be told how much of the processor others used (`load.py`): where it was next to nothing it
is *quiet*. If there are enough of those, only they count; else all of them do, the measurement is called loaded, and
the windows are spread over the whole time, so that what comes and goes is seen coming and going.

Before each window both models are made anew. Where their buffers come to lie, and how threads meet, stays as it is for
as long as a compiled model lives: of one graph in one process of TensorFlow's, one function took 376 to 431 µs in
twelve windows and others up to 461, and between processes it was the same. However long one of them is timed, it only
tells about itself; ten measurements of 6 s promised 2 % and disagreed by 8.

Rule: it ends early only on quiet windows. A busy machine can agree with itself for seconds and be wrong.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ovmake.workers.load import Load, foreign_cores
from ovmake.workers.spread import FEWEST, LEAST, Spread, spread_of
from ovmake.workers.turns import Side, warm_up

WINDOW_SECONDS = 0.4
# With a limit that is too short for so many of them, windows are shorter.
WINDOWS = 8
# It ends no earlier than with so many: windows that agree by chance would end it, and promise too much.
EARLIEST = 10
# The share of the time that may go into making models anew; where that takes long it is done less often.
RENEW_SHARE = 0.4
RENEWED_BLOCK_SECONDS = 0.02
RENEWED_SECONDS = 0.5
# What others may use of the processor in a quiet window, in cores, and what the ticks may be off by, in seconds of CPU.
QUIET_CORES = 0.15
TICKS_SECONDS = 0.03
# Precise enough: half of the range, as a share of the speed-up.
PRECISE = 0.03
# How long to wait after a disturbed window: disturbances last, and the time is not only there to be worked through.
PAUSE_SECONDS = 0.5
# A way of calling TensorFlow that is not the fastest is timed in every so many pairs only.
SELDOM = 4


@dataclass(slots=True, kw_only=True)
class Window:
    """The pairs of a second or so: for each, the times in ns by side. `foreign` is None where it is not known."""

    pairs: list[dict[str, list[int]]] = field(default_factory=list)
    seconds: float = 0.0
    foreign: float | None = None

    @property
    def quiet(self) -> bool:
        """Whether others used next to nothing; where that is not known nobody can complain."""
        return self.foreign is None or self.foreign * self.seconds < QUIET_CORES * self.seconds + TICKS_SECONDS

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
    """The windows that count. `loaded`: there are too few quiet ones among all, so that all count."""

    windows: Sequence[Window]
    loaded: bool

    def spread(self, slow: str, fast: str) -> Spread | None:
        """Return how many times as fast a side is; None with too few windows."""
        return spread_of([window.ratios(slow, fast) for window in self.windows], disturbed=self.loaded)

    def times(self, side: str) -> list[int]:
        """Return every time of a side, in ns."""
        return [ns for window in self.windows for pair in window.pairs for ns in pair.get(side, ())]

    @property
    def foreign(self) -> float | None:
        """How many cores others used on average."""
        known = [window.foreign for window in self.windows if window.foreign is not None]
        return statistics.fmean(known) if known else None


def take_windows(sides: Sides, load: Load, *, limit_seconds: float) -> list[Window]:
    """Take windows until the ratio is known to PRECISE, or for so long; at least as many as make a range."""
    shuffler = random.Random(0)  # noqa: S311 - an order, not a secret
    started = time.monotonic()
    seconds = min(WINDOW_SECONDS, limit_seconds / WINDOWS)
    windows: list[Window] = []
    renewing = _Renewing(started_s=started)
    turn = 0
    while True:
        passed = time.monotonic() - started
        is_over = passed >= limit_seconds or is_precise(windows, sides.slow.name, sides.fast.name)
        if len(windows) >= FEWEST and is_over:
            return windows
        renewing.before_window(sides)
        window, turn = _window(sides, load, shuffler, turn, seconds)
        windows.append(window)
        if not window.quiet:
            time.sleep(max(0.0, min(PAUSE_SECONDS, limit_seconds - (time.monotonic() - started))))


@dataclass(slots=True, kw_only=True)
class _Renewing:
    """Makes models anew before a window, unless that took too much of the time already."""

    started_s: float
    spent_s: float = 0.0
    first: bool = True

    def before_window(self, sides: Sides) -> None:
        now = time.monotonic()
        # The first window has models that nobody timed yet.
        if not self.first and self.spent_s <= RENEW_SHARE * (now - self.started_s):
            for side in (sides.fast, sides.slow):
                runs = side.runs
                side.ask("renew")
                warm_up(side, RENEWED_BLOCK_SECONDS, limit_seconds=RENEWED_SECONDS)
                side.runs = runs
            self.spent_s += time.monotonic() - now
        self.first = False


def is_precise(windows: Sequence[Window], slow: str, fast: str) -> bool:
    """Return whether quiet windows alone say how fast one is beside the other."""
    found = chosen(windows)
    if found.loaded or len(found.windows) < EARLIEST:
        return False
    spread = found.spread(slow, fast)
    return spread is not None and spread.half_width < PRECISE


def chosen(windows: Sequence[Window]) -> Chosen:
    """Return the windows that count: the quiet ones, if there are LEAST of them, or few others."""
    quiet = [window for window in windows if window.quiet]
    enough = len(quiet) >= LEAST or (len(quiet) >= FEWEST and 2 * len(quiet) >= len(windows))
    return Chosen(windows=quiet if enough else windows, loaded=not enough)


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
