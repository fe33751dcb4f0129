"""The typical value of a ratio that was measured in windows, and the range of its true value. Pure.

    spread_of(windows) -> Spread | None        a window: the ratios of its pairs, in their order

A window counts with the median of its pairs, because single pairs have outliers. The ratio is the mean over the
windows, on logarithms. (A median over windows would jump between the two values of a machine that alternates between
fast and slow.)

The range comes from *batch means*. A bootstrap over pairs would treat pairs as independent, but the noise of a machine
is correlated: on two cores of an otherwise idle virtual machine, the times of TensorFlow's blocks rose and fell
together for seconds (the correlation was 0.46 between neighbouring blocks of 50 ms, and 0.1 between blocks 3 s apart).
The bootstrap's range would be several times too narrow. Means of long batches are almost independent, and Student's
distribution gives the range of their mean (A. Law, Simulation Modeling and Analysis, 9.5.3). The duration of noise is
unknown, so windows are joined to longer and longer batches, down to LEAST of them, and the widest range counts. Batches
cannot show noise that lasts as long as the measurement; it is estimated from the variation of the windows (LASTING).

Standard library only.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ovmake.contracts.files.speed import SpeedRatio

LEVEL = 0.95
# With fewer windows there is no range: Student's factor is 4.3 for three of them, and 12.7 for two.
FEWEST = 3
# The smallest number of batches: fewer would only widen the range by Student's factor.
LEAST = 6
# The 97.5 % points of Student's distribution, by degrees of freedom.
STUDENT = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131),
    *(2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
NORMAL = 1.96

# The part that outlasts a measurement, relative to the deviation of a window. Load of other users of a host changes
# within seconds, and within minutes too. On two cores of an AMD EPYC (family 25), where windows varied by 5 to 16 %,
# the means of ten measurements of 20 s varied by more than their batches showed: by 0 to 0.48 of a window's deviation,
# 0.29 over four times ten, and 0.30 over five times ten that were measured after this value was chosen.
LASTING = 0.3
# The part that is constant in all windows of a measurement: of ten measurements of mobilenet-v2, one with a range of
# 1.9 % was 2.4 % off their median, and one with 2.3 % was 2.8 % off. No range is narrower than this.
LEAST_HALF_WIDTH = 0.025
# For a noisy measurement: with a process that kept one of two cores busy, ten measurements of 20 s were up to
# 24 % off their median, with ranges of 3 to 41 %. High inter-core latency makes 20 to 24 %.
NOISY_HALF_WIDTH = 0.25
# For a virtual machine it is larger: its neighbours come and go, and a measurement between their visits cannot detect
# them. On the machine of LASTING, of twenty measurements of mobilenet-v2 the five with the narrowest range, 1.6 to
# 3.7 %, varied least; and four of them were 5 to 7 % above the median of their ten.
VIRTUAL_HALF_WIDTH = 0.075


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A ratio and the range of its true value, with confidence LEVEL. `median` is the mean of the windows' medians."""

    median: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of the range, as a share of the ratio."""
        return (self.high - self.low) / 2 / self.median

    def widened(self, half_width: float) -> Spread:
        """Return the same ratio with a range widened by an additional error of this size."""
        half = math.hypot(math.log(self.high / self.median), half_width)
        return Spread(median=self.median, low=self.median * math.exp(-half), high=self.median * math.exp(half))

    @property
    def rounded(self) -> SpeedRatio:
        """The same to four digits after the point, as files have it."""
        return SpeedRatio(median=round(self.median, 4), low=round(self.low, 4), high=round(self.high, 4))


def spread_of(windows: Sequence[Sequence[float]], *, noisy: bool = False) -> Spread | None:
    """Return the ratio over all windows; None with fewer than FEWEST.

    `noisy`: there was foreign load or high inter-core latency. This may not average out, since the load may change
    at any time. So the range is that of a single window instead of the mean, and a wide one.
    """
    logs = [math.log(statistics.median(window)) for window in windows if window]
    if len(logs) < FEWEST:
        return None
    middle = statistics.fmean(logs)
    sizes = range(1, max(1, len(logs) // LEAST) + 1)
    half = max(_half_width(_batches(logs, size)) for size in sizes)
    one = _half_of_one(logs)
    half = math.hypot(max(half, one), NOISY_HALF_WIDTH) if noisy else math.hypot(half, LASTING * one)
    found = Spread(median=math.exp(middle), low=math.exp(middle - half), high=math.exp(middle + half))
    return found.widened(LEAST_HALF_WIDTH)


def _batches(logs: Sequence[float], size: int) -> list[float]:
    """Return the means of batches of `size`; the remainder is spread over them."""
    count = len(logs) // size
    cuts = [round(at * len(logs) / count) for at in range(count + 1)]
    return [statistics.fmean(logs[a:b]) for a, b in itertools.pairwise(cuts)]


def _half_width(means: Sequence[float]) -> float:
    """Return half of the range of the mean."""
    return _half_of_one(means) / math.sqrt(len(means))


def _half_of_one(logs: Sequence[float]) -> float:
    """Return half of the range that contains nearly all of the values."""
    freedom = len(logs) - 1
    return (STUDENT[freedom - 1] if freedom <= len(STUDENT) else NORMAL) * statistics.stdev(logs)
