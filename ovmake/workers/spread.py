"""How sure a ratio is that was measured in windows: its median, and the range that holds the true one. Pure.

    spread_of(windows) -> Spread | None        a window: the ratios of its pairs, in their order

The range is a bootstrap over pairs, but not one that takes them for independent. What disturbs a machine lasts: on two
cores of a virtual machine that did nothing else, the times of TensorFlow's blocks went up and down together for
seconds (neighbouring blocks of 50 ms correlated with 0.46, blocks 3 s apart still with 0.1). Drawn one by one, pairs
promise a range several times too narrow. So whole windows are drawn, and in them pairs; and as nobody knows how long
disturbances last, windows are joined to longer and longer ones, down to LEAST of them, and the widest range counts.

With few windows a bootstrap is too sure of itself. Its standard error is widened by sqrt(n / (n - 1)), and the range
comes from Student's distribution with n - 1 degrees of freedom, on the logarithms (B. Efron and R. Tibshirani, An
Introduction to the Bootstrap, 6.5 and 12.5).

Standard library only.
"""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.95
# With fewer windows than these there is no range: Student's factor is 4.3 for three of them, and 12.7 for two.
FEWEST = 3
# How few windows are made by joining: fewer would widen the range by Student's factor alone.
LEAST = 6
DRAWS = 300
# The 97.5 % points of Student's distribution, by degrees of freedom.
STUDENT = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131),
    *(2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
NORMAL = 1.96

# However long two processes are timed, where their buffers came to lie stays the same, and another run differs by it:
# two compilations of one IR by up to 0.9 %, and the FP16 IR, which runs the same kernels, by 1.3 % (see
# rules/intervals.py). No range is narrower.
LEAST_HALF_WIDTH = 0.01

Windows = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A ratio and the range that holds the true one with LEVEL."""

    median: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of the range, as a share of the median."""
        return (self.high - self.low) / 2 / self.median

    def to_json(self) -> dict[str, float]:
        """Return plain numbers."""
        return {"median": round(self.median, 4), "low": round(self.low, 4), "high": round(self.high, 4)}


def spread_of(windows: Windows) -> Spread | None:
    """Return the ratio over all pairs; None with fewer than FEWEST windows."""
    logs = [[math.log(ratio) for ratio in window] for window in windows if window]
    if len(logs) < FEWEST:
        return None
    median = statistics.median(ratio for window in logs for ratio in window)
    half = max((_half_width(joined) for joined in _joined(logs)), default=0.0)
    half = math.hypot(half, LEAST_HALF_WIDTH)
    return Spread(median=math.exp(median), low=math.exp(median - half), high=math.exp(median + half))


def _joined(windows: Windows) -> list[Windows]:
    """Return the windows as they are, and joined by two, by three, ... down to LEAST."""
    most = max(1, len(windows) // LEAST)
    return [_by(windows, size) for size in range(1, most + 1)]


def _by(windows: Windows, size: int) -> Windows:
    """Return the windows joined by so many; a rest that fills none is spread over the last ones."""
    count = len(windows) // size
    cuts = [round(at * len(windows) / count) for at in range(count + 1)]
    return [[ratio for window in windows[a:b] for ratio in window] for a, b in itertools.pairwise(cuts)]


def _half_width(windows: Windows) -> float:
    """Return half of the range of the median's logarithm."""
    count = len(windows)
    chance = random.Random(0)  # noqa: S311 - draws, not a secret
    medians = [_drawn_median(windows, chance) for _ in range(DRAWS)]
    error = statistics.stdev(medians) * math.sqrt(count / (count - 1))
    return error * (STUDENT[count - 2] if count - 2 < len(STUDENT) else NORMAL)


def _drawn_median(windows: Windows, chance: random.Random) -> float:
    drawn: list[float] = []
    for window in chance.choices(windows, k=len(windows)):
        drawn += chance.choices(window, k=len(window))
    return statistics.median(drawn)
