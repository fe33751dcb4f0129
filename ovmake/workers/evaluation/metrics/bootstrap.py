"""How sure a drop is: the paired bootstrap over samples.

    drop_interval(reference, candidate, seed=0) -> Interval | None

The validation set is a draw from all the images there are, and another draw would give another drop. The bootstrap
draws from the set itself, with replacement, as many samples as it has, the same ones for both models, and looks at how
the drop scatters (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13: percentile interval).
Paired, because the two models fail on much the same samples, which tells far more of their difference than either
score alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ovmake.contracts.evaluation import DropInterval
from ovmake.workers.evaluation.metrics.tally import Tally
from ovmake.workers.inputs.preparing import Array

LEVEL = 0.95
# Draws are made in pieces of at most this many numbers: 16 MB.
PIECE = 1 << 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where the drop lies, in metric units, with a confidence of `level`, judged by `replicates` draws.

    `reference` and `candidate` are where the two scores lie, each on its own. `above_chance` is where the gain of the
    reference over answers without looking lies, positive where it is better; None where nobody knows those.
    """

    low: float
    high: float
    level: float
    replicates: int
    reference: tuple[float, float]
    candidate: tuple[float, float]
    above_chance: tuple[float, float] | None = None

    @property
    def drop(self) -> DropInterval:
        """The drop's interval, as an evaluation holds it."""
        return DropInterval(low=self.low, high=self.high, level=self.level, replicates=self.replicates)


def drop_interval(reference: Tally, candidate: Tally, *, seed: int) -> Interval | None:
    """Return where the drop from `reference` to `candidate` lies; both have counted the same samples in one order.

    The drop is positive where the candidate is worse, in either direction of the metric. None where there is nothing
    to draw from, that is fewer than two samples, or where a score is not finite.
    """
    if reference.count != candidate.count:
        raise AssertionError(f"{reference.count} samples on one side, {candidate.count} on the other")
    sign = 1 if reference.metric.higher_is_better else -1
    replicates = min(reference.replicates, candidate.replicates)
    if reference.count <= 1:
        return None
    drawn, blind = [], []
    for draws in _draws(reference.count, replicates, seed):
        drawn.append((reference.scores(draws), candidate.scores(draws)))
        blind.append(reference.by_chance(draws))
    first, second = (np.concatenate(scores) for scores in zip(*drawn, strict=True))
    low, high = _middle(sign * (first - second))
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    chance = [scores for scores in blind if scores is not None]
    return Interval(
        low=low,
        high=high,
        level=LEVEL,
        replicates=replicates,
        reference=_middle(first),
        candidate=_middle(second),
        above_chance=_middle(sign * (first - np.concatenate(chance))) if chance else None,
    )


def _middle(values: Array) -> tuple[float, float]:
    """Return the ends of the middle LEVEL of some values."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _draws(count: int, replicates: int, seed: int) -> Iterator[Array]:
    """Yield how often each sample is drawn, [some replicates, samples]."""
    generator = np.random.default_rng(seed)
    at_once = max(1, PIECE // count)
    for start in range(0, replicates, at_once):
        drawn = generator.integers(0, count, (min(at_once, replicates - start), count), dtype=np.int32)
        draws = np.empty(drawn.shape)
        for place, row in enumerate(drawn):
            # Not one bincount over all rows: it leaves the processor's cache and takes five times as long.
            draws[place] = np.bincount(row, minlength=count)
        yield draws
