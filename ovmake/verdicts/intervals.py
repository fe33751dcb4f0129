"""Compute the confidence interval of a median of ratios. Pure.

    ratio_of(rounds, slow, fast) -> Interval | None     how many times as fast `fast` is as `slow`

Sides are timed in turns; a *round* holds the median time of one block of each. So slow changes of the machine cancel in
the ratio within a round, and the median over rounds ignores what hit a single round.

The interval is that of the sign test: exact, for any distribution of times. The number of the n ratios below the true
median is binomial(n, 1/2), so n and k give the confidence that the k-th smallest and the k-th largest ratio enclose it
(W. J. Conover, Practical Nonparametric Statistics, 3.2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovmake.contracts.files.speed import SpeedRatio

# 1 - confidence: the interval misses the true median in at most this share of all measurements.
MISSES = 0.05
# With fewer ratios not even the smallest and the largest enclose the median with this confidence.
LEAST = 6

# Two compilations of one IR differed by up to 0.9 % (examples/fashion, 20 rounds, 4 runs), and its FP16 IR, which runs
# the same kernels, by 1.3 %, with intervals that do not contain 1: the addresses of buffers stay the same for a whole
# run. So a smaller difference counts as none.
SAME = 0.03

Rounds = Sequence[Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A ratio of speeds, 2 for twice as fast: its median, and the confidence interval."""

    median: float
    low: float
    high: float

    @property
    def clearly_faster(self) -> bool:
        """Whether the whole interval is above 1 by more than two runs of the same IR differ."""
        return self.low > 1 + SAME

    @property
    def clearly_slower(self) -> bool:
        """Whether the whole interval is below 1 by more than two runs of the same IR differ."""
        return self.high < 1 - SAME

    @property
    def rounded(self) -> SpeedRatio:
        """The interval rounded to four decimals, as it is stored in files."""
        return SpeedRatio(median=round(self.median, 4), low=round(self.low, 4), high=round(self.high, 4))


def ratio_of(rounds: Rounds, *, slow: str, fast: str) -> Interval | None:
    """Return how many times as fast the side `fast` was as the side `slow`; None with fewer than LEAST rounds."""
    ratios = sorted(times[slow] / times[fast] for times in rounds if slow in times and times.get(fast))
    if len(ratios) < LEAST:
        return None
    outside = _outside(len(ratios))
    middle = len(ratios) // 2
    median = ratios[middle] if len(ratios) % 2 else (ratios[middle - 1] + ratios[middle]) / 2
    return Interval(median=median, low=ratios[outside], high=ratios[-1 - outside])


def _outside(count: int) -> int:
    """Return how many of the sorted ratios are outside the interval at each end."""
    below, outside = 0.0, -1
    while (below := below + math.comb(count, outside + 1) / 2**count) <= MISSES / 2:
        outside += 1
    return outside
