"""The confidence interval of a drop: the paired bootstrap over samples.

    drop_interval(reference, candidate, seed=0) -> Interval | None

The validation set is a random draw from all possible samples, and a different draw would give a different drop. The
bootstrap draws from the set itself, with replacement, as many samples as it has, the same ones for both models, and
measures how the drop varies (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13: percentile
interval). It is paired because the two models fail mostly on the same samples, so their difference varies much less
than either score.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ovmake.contracts.files.evaluation import DropInterval
from ovmake.workers.evaluation.metrics.tally import Tally
from ovmake.workers.inputs.preparing import Array

LEVEL = 0.95
# Draws are made in pieces of at most this many numbers: 16 MB.
PIECE = 1 << 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The interval of the drop, in metric units, with a confidence of `level`, from `replicates` draws.

    `reference` and `candidate` are the intervals of the two scores. `above_chance` is the interval of the reference's
    gain over the chance level, positive if it is better; None if the chance level is unknown.
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
    """Return the interval of the drop from `reference` to `candidate`. Both counted the same samples in one order.

    The drop is positive if the candidate is worse, in either direction of the metric. None with fewer than two samples,
    or if a score is not finite.
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
    """Return the ends of the central LEVEL of some values."""
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
            # A single bincount over all rows would exceed the processor's cache and take five times as long.
            draws[place] = np.bincount(row, minlength=count)
        yield draws
