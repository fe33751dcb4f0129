"""Time TensorFlow and an IR in pairs of blocks, until their speed ratio is precise or the time is up.

    taken = take_windows(sides, machine, limit_seconds=12)    effects: time passes, sides.block()
    chosen(taken) -> Chosen                                   pure: the windows that count, and the spread of ratios

A *pair* is one block of each side, in random order. Pairs are taken in *windows* of less than a second. For each window
the foreign CPU use (`cpu_load.py`) and the inter-core latency (`core_latency.py`) are measured. A window is *quiet* if
foreign CPU use is negligible and inter-core latency normal. If there are enough quiet windows, only they count. Else
all windows count, the measurement is marked as *loaded* or *high latency* (between cores), and the windows are
spread over the whole time, so that they cover changing conditions.

Both models are rebuilt before each window. The addresses of buffers and the synchronization of threads stay the same
for the life of a compiled model: of one graph in one TensorFlow process, one function took 376 to 431 µs in twelve
windows and others up to 461, and different processes varied in the same way. Timing one of them for longer does not
help: ten measurements of 6 s claimed 2 % and disagreed by 8 %. And about one OpenVINO process in twenty was slower by
17 % for its whole life, with every compilation. So OpenVINO gets a new process from time to time, which takes a quarter
of a second. (TensorFlow needs 2 s for its import alone, and keeps its process.)

Rule: it ends early only on quiet windows. A busy machine can give consistent but wrong results for seconds.
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
# If the limit is too short for so many windows, the windows are shorter.
WINDOWS = 8
# The smallest number of windows before ending early: fewer may agree by chance.
EARLIEST = 10
# The share of the time for rebuilding models; if rebuilding is slow, it is done less often.
RENEW_SHARE = 0.4
# After so many windows a side gets a new process, if it starts fast.
PROCESS_WINDOWS = 3
RENEWED_BLOCK_SECONDS = 0.02
RENEWED_SECONDS = 0.5
# The foreign use in a quiet window, in cores, and the error of the ticks, in CPU seconds.
QUIET_CORES = 0.15
TICKS_SECONDS = 0.03
# Precise enough: half of the range, as a share of the speed-up.
PRECISE = 0.03
# The wait after a noisy window: noise lasts, and the time limit leaves room for waiting.
PAUSE_SECONDS = 0.5
# The share of the time for lowering the inter-core latency, and the most of it at once.
GATHER_SHARE = 0.4
GATHER_SECONDS = 2.0
# A way to call TensorFlow that is not the fastest is timed only in every so many pairs.
SELDOM = 4


@dataclass(slots=True, kw_only=True)
class Window:
    """The pairs of about a second: for each, the times in ns by side.

    `foreign`: the cores in foreign use; `core_latency_ns`: the inter-core latency. None is unknown, and counts
    as normal. `process` counts the IR's processes.
    """

    pairs: list[dict[str, list[int]]] = field(default_factory=list)
    seconds: float = 0.0
    foreign: float | None = None
    core_latency_ns: float | None = None
    process: int = 0

    @property
    def loaded(self) -> bool:
        """Whether foreign CPU use is not negligible."""
        return self.foreign is not None and self.foreign * self.seconds >= QUIET_CORES * self.seconds + TICKS_SECONDS

    @property
    def high_latency(self) -> bool:
        """Whether inter-core latency is high."""
        return self.core_latency_ns is not None and self.core_latency_ns > FAR_NS

    @property
    def quiet(self) -> bool:
        """Whether no foreign load and no high inter-core latency were detected."""
        return not self.loaded and not self.high_latency

    def ratios(self, slow: str, fast: str) -> list[float]:
        """Return the speed ratios of the two sides, in the pairs that have both."""
        return [
            statistics.median(pair[slow]) / statistics.median(pair[fast])
            for pair in self.pairs
            if slow in pair and fast in pair
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The interleaved sides: the IR, the TensorFlow way that it is compared with, and ways that are timed rarely."""

    fast: Side
    slow: Side
    seldom: Sequence[Side] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The windows that count. `noisy`: too few windows were quiet, so all of them count."""

    windows: Sequence[Window]
    noisy: bool

    @property
    def loaded(self) -> bool:
        """Whether foreign CPU use was the main source of noise."""
        return self.noisy and not self.high_latency

    @property
    def high_latency(self) -> bool:
        """Whether high inter-core latency was the main source of noise."""
        high, loaded = (
            sum(window.high_latency for window in self.windows),
            sum(window.loaded for window in self.windows),
        )
        return self.noisy and high > loaded

    def spread(self, slow: str, fast: str) -> Spread | None:
        """Return the speed ratio of two sides; None with too few windows."""
        return spread_of([window.ratios(slow, fast) for window in self.windows], noisy=self.noisy)

    def times(self, side: str) -> list[int]:
        """Return every time of a side, in ns."""
        return [ns for window in self.windows for pair in window.pairs for ns in pair.get(side, ())]

    @property
    def foreign(self) -> float | None:
        """The average number of cores in foreign use."""
        return _mean([window.foreign for window in self.windows])

    @property
    def core_latency_ns(self) -> float | None:
        """The average inter-core latency in ns."""
        return _mean([window.core_latency_ns for window in self.windows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The sensors of the machine's state while windows are taken."""

    load: Load
    cores: Cores


def take_windows(sides: Sides, machine: Watched, *, limit_seconds: float) -> list[Window]:
    """Take windows until the ratio is precise to PRECISE, or until the limit; at least enough for a range."""
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
        core_latency_ns = gathering.before_window()
        window, turn = _window(sides, machine.load, shuffler, turn, seconds)
        after_ns = machine.cores.core_latency_ns()
        window.core_latency_ns = max((ns for ns in (core_latency_ns, after_ns) if ns is not None), default=None)
        window.process = sides.fast.process
        windows.append(window)
        if not window.quiet:
            time.sleep(max(0.0, min(PAUSE_SECONDS, limit_seconds - (time.monotonic() - started))))


@dataclass(slots=True, kw_only=True)
class _Renewing:
    """Rebuilds models before a window, unless that already took too much of the time.

    `windows` counts the windows since a side got a new process.
    """

    started_s: float
    spent_s: float = 0.0
    windows: int = 0

    def before_window(self, sides: Sides, load: Load) -> None:
        now = time.monotonic()
        # The models of the first window are still untimed.
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
    """Lowers the inter-core latency before a window, within its share of the time."""

    cores: Cores
    left_s: float

    def before_window(self) -> float | None:
        now = time.monotonic()
        core_latency_ns = self.cores.gather(max(0.0, min(GATHER_SECONDS, self.left_s)))
        self.left_s -= time.monotonic() - now
        return core_latency_ns


def is_precise(windows: Sequence[Window], slow: str, fast: str) -> bool:
    """Return whether the quiet windows alone give a precise speed ratio."""
    found = chosen(windows)
    if found.noisy or len(found.windows) < EARLIEST:
        return False
    spread = found.spread(slow, fast)
    return spread is not None and spread.half_width < PRECISE


def chosen(windows: Sequence[Window]) -> Chosen:
    """Return the windows that count: the quiet ones if there are LEAST, or FEWEST and at least half; else all."""
    quiet = [window for window in windows if window.quiet]
    enough = len(quiet) >= LEAST or (len(quiet) >= FEWEST and 2 * len(quiet) >= len(windows))
    return Chosen(windows=quiet if enough else windows, noisy=not enough)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _window(sides: Sides, load: Load, shuffler: random.Random, turn: int, seconds: float) -> tuple[Window, int]:
    """Take pairs for `seconds`, at least one; `turn` counts pairs over all windows."""
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
