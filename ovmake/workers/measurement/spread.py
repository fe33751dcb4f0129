"""How sure a ratio is that was measured in windows: its typical value, and the range that holds the true one. Pure.

    spread_of(windows) -> Spread | None        a window: the ratios of its pairs, in their order

Of each window the median of its pairs counts, for single pairs are hit by all sorts of things; of the windows the mean,
on the logarithms. (A median of them would jump between the two values of a machine that is now fast and now slow.)

The range is that of *batch means*, and not a bootstrap over pairs, which takes pairs for independent. What disturbs a
machine lasts: on two cores of a virtual machine that did nothing else, the times of TensorFlow's blocks went up and
down together for seconds (neighbouring blocks of 50 ms correlated with 0.46, blocks 3 s apart still with 0.1). Drawn
one by one, pairs promise a range several times too narrow. Means of long batches are next to independent, and Student's
distribution says how sure their mean is (A. Law, Simulation Modeling and Analysis, 9.5.3). As nobody knows how long
disturbances last, windows are joined to longer and longer batches, down to LEAST of them, and the widest range counts.
What lasts as long as the measurement shows in no batch; but it is kin to what its windows show (LASTING).

Standard library only.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ovmake.contracts.speed import SpeedRatio

LEVEL = 0.95
# With fewer windows than these there is no range: Student's factor is 4.3 for three of them, and 12.7 for two.
FEWEST = 3
# How few batches are made by joining: fewer would widen the range by Student's factor alone.
LEAST = 6
# The 97.5 % points of Student's distribution, by degrees of freedom.
STUDENT = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131),
    *(2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
NORMAL = 1.96

# What outlasts a measurement, as a share of what a window varies by. Others that share a host come and go within
# seconds, and within minutes, too. On two cores of an AMD EPYC (family 25), where windows varied by 5 to 16 %, the
# means of ten measurements of 20 s varied by more than their batches said: by 0 to 0.48 of a window's deviation, 0.29
# in all of four times ten, and 0.30 in all of five times ten that were measured after this was chosen.
LASTING = 0.3
# What no window of one measurement shows, for it stays the same in all: of ten measurements of mobilenet-v2, one that
# was sure of itself to 1.9 % lay 2.4 % from their median, and one that was to 2.3 %, 2.8 %. No range is narrower.
LEAST_HALF_WIDTH = 0.025
# Of a disturbed measurement: beside a process that kept one of two cores busy, ten measurements of 20 s lay up to 24 %
# from their median, and each of them was sure of itself to 3 to 41 %. Cores that a host moved apart make 20 to 24 %.
DISTURBED_HALF_WIDTH = 0.25
# Of a virtual machine, more: its neighbours come and go, and a measurement that falls between their visits cannot know.
# On the machine of LASTING, of twenty measurements of mobilenet-v2 the five surest, to 1.6 to 3.7 %, were those that
# varied least; and four of them lay 5 to 7 % above the median of their ten.
VIRTUAL_HALF_WIDTH = 0.075


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A ratio and the range that holds the true one with LEVEL. `median` is the mean of the windows' medians."""

    median: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of the range, as a share of the ratio."""
        return (self.high - self.low) / 2 / self.median

    def widened(self, half_width: float) -> Spread:
        """Return the same ratio with a range that holds an error of this size too, of which no window told."""
        half = math.hypot(math.log(self.high / self.median), half_width)
        return Spread(median=self.median, low=self.median * math.exp(-half), high=self.median * math.exp(half))

    @property
    def rounded(self) -> SpeedRatio:
        """The same to four digits after the point, as files have it."""
        return SpeedRatio(median=round(self.median, 4), low=round(self.low, 4), high=round(self.high, 4))


def spread_of(windows: Sequence[Sequence[float]], *, disturbed: bool = False) -> Spread | None:
    """Return the ratio over all windows; None with fewer than FEWEST.

    `disturbed`: others used the processor, or the cores lay apart. Then it is not known that this averages out, as what
    is now need not be what comes next; and the range is that of a window, and not of the mean of all, and a wide one.
    """
    logs = [math.log(statistics.median(window)) for window in windows if window]
    if len(logs) < FEWEST:
        return None
    middle = statistics.fmean(logs)
    sizes = range(1, max(1, len(logs) // LEAST) + 1)
    half = max(_half_width(_batches(logs, size)) for size in sizes)
    one = _half_of_one(logs)
    half = math.hypot(max(half, one), DISTURBED_HALF_WIDTH) if disturbed else math.hypot(half, LASTING * one)
    found = Spread(median=math.exp(middle), low=math.exp(middle - half), high=math.exp(middle + half))
    return found.widened(LEAST_HALF_WIDTH)


def _batches(logs: Sequence[float], size: int) -> list[float]:
    """Return the means of batches of so many; a rest that fills none is spread over them."""
    count = len(logs) // size
    cuts = [round(at * len(logs) / count) for at in range(count + 1)]
    return [statistics.fmean(logs[a:b]) for a, b in itertools.pairwise(cuts)]


def _half_width(means: Sequence[float]) -> float:
    """Return half of the range of the mean."""
    return _half_of_one(means) / math.sqrt(len(means))


def _half_of_one(logs: Sequence[float]) -> float:
    """Return half of the range that nearly all of them lie in."""
    freedom = len(logs) - 1
    return (STUDENT[freedom - 1] if freedom <= len(STUDENT) else NORMAL) * statistics.stdev(logs)
