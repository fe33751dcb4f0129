"""Metrics of numbers: MAE, RMSE and R², as scikit-learn defines them.

An output [samples, targets] has an error per target, and the score is the mean over the targets. scikit-learn does not
support more dimensions, such as depth maps [samples, height, width]: here all their elements are one target. The score
is a formula over sums per sample, because scikit-learn's functions need all outputs at once; tests compare the two.

Lower is better for MAE and RMSE, which are in the labels' unit; higher for R², which has no unit.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ovmake.errors import ActionError
from ovmake.workers.evaluation.metrics.choosing import chosen, same_count
from ovmake.workers.evaluation.metrics.tally import Mean, Metric, Tally
from ovmake.workers.inputs.preparing import Array

MEAN = "always answering the mean of the labels"
# Labels with at most so many elements are stored, since their mean is known only at the end. Depth maps have more.
KEPT = 256


class MeanAbsoluteError(Mean):
    """`sklearn.metrics.mean_absolute_error`: a mean over samples of a mean over elements."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._labels: list[Array] = []

    def measure(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> Array:
        """Return the mean absolute error of each sample."""
        del expected
        said, true = numbers(self.metric, outputs, labels)
        if true[0].size <= KEPT:
            self._labels.append(true)
        return np.asarray(np.abs(said - true).mean(axis=(1, 2)))

    @property
    def blind(self) -> str:
        """See `Tally`."""
        return MEAN

    def by_chance(self, draws: Array) -> Array | None:
        """See `Tally`. None if labels are too large to be stored."""
        if not self._labels:
            return None
        true = np.concatenate(self._labels)
        deviations = np.abs(true - true.mean(axis=(0, 2), keepdims=True)).mean(axis=(1, 2))
        return np.asarray(draws @ deviations / self.count)


class RootMeanSquaredError(Tally):
    """`sklearn.metrics.root_mean_squared_error`."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._squares: list[Array] = []
        self._middle: Array | None = None
        self._moments: list[tuple[Array, Array]] = []

    def add(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> None:
        """See `Tally`."""
        del expected
        said, true = numbers(self.metric, outputs, labels)
        self._squares.append(np.square(said - true).mean(axis=2))
        if self._middle is None:  # as in `RSquared`
            self._middle = np.median(true, axis=(0, 2), keepdims=True)
        moved = true - self._middle
        self._moments.append((moved.mean(axis=2), np.square(moved).mean(axis=2)))
        self.count += len(said)

    def score(self) -> float:
        """See `Tally`."""
        return float(self.scores(np.ones((1, self.count)))[0])

    def scores(self, draws: Array) -> Array:
        """See `Tally`."""
        return np.asarray(np.sqrt(draws @ np.concatenate(self._squares) / self.count).mean(axis=1))

    @property
    def blind(self) -> str:
        """See `Tally`."""
        return MEAN

    def by_chance(self, draws: Array) -> Array:
        """See `Tally`."""
        firsts, squares = (np.concatenate(part) for part in zip(*self._moments, strict=True))
        mean = firsts.mean(axis=0)
        squared = squares - 2 * mean * firsts + np.square(mean)
        return np.asarray(np.sqrt(np.maximum(draws @ squared / self.count, 0)).mean(axis=1))


class RSquared(Tally):
    """`sklearn.metrics.r2_score`: 1 minus the squared errors over the squared deviations of the labels from their mean.

    If all labels are equal, it is 1 if every answer is right, else 0, as in scikit-learn.
    """

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._middle: Array | None = None
        self._elements = 1
        self._parts: list[tuple[Array, Array, Array]] = []

    def add(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> None:
        """See `Tally`."""
        del expected
        said, true = numbers(self.metric, outputs, labels)
        if self._middle is None:
            # Sums of squares of numbers far from 0 lose digits, so the median of the first feed is subtracted from
            # labels. The median of equal labels is exactly that label; their mean may not be.
            self._middle = np.median(true, axis=(0, 2), keepdims=True)
            self._elements = true.shape[2]
        moved = true - self._middle
        sums = np.square(said - true).sum(axis=2), moved.sum(axis=2), np.square(moved).sum(axis=2)
        self._parts.append(sums)
        self.count += len(said)

    def score(self) -> float:
        """See `Tally`."""
        if self.count * self._elements <= 1:
            return float("nan")
        return float(self.scores(np.ones((1, self.count)))[0])

    def scores(self, draws: Array) -> Array:
        """See `Tally`."""
        errors, firsts, squares = (draws @ np.concatenate(part) for part in zip(*self._parts, strict=True))
        spread = squares - np.square(firsts) / (self.count * self._elements)
        perfect = np.where(errors == 0, 1.0, np.where(np.isnan(errors), np.nan, 0.0))
        return np.asarray(np.where(spread > 0, 1 - errors / np.where(spread > 0, spread, 1), perfect).mean(axis=1))

    @property
    def blind(self) -> str:
        """See `Tally`."""
        return MEAN

    def by_chance(self, draws: Array) -> Array:
        """See `Tally`: 0 by the definition of R²."""
        return np.zeros(len(draws))


def numbers(metric: Metric, outputs: Mapping[str, Array], labels: Array | None) -> tuple[Array, Array]:
    """Return the metric's output and the labels as float64 [samples, targets, elements].

    Raises:
        ActionError: their shapes differ, or the labels are not finite numbers.
    """
    array, true = chosen(metric, outputs), number_labels(metric, labels)
    same_count(metric, len(array), true)
    check_sizes(metric, array.shape[1:], true.shape[1:])
    sizes = _sizes(true.shape[1:])
    shape = (len(true), *(sizes or (1,)), 1) if len(sizes) <= 1 else (len(true), 1, -1)
    return array.astype(np.float64).reshape(shape), true.astype(np.float64).reshape(shape)


def number_labels(metric: Metric, labels: Array | None) -> Array:
    """Return the labels.

    Raises:
        ActionError: they are not finite numbers.
    """
    true = metric.labelled(labels)
    if true.dtype.kind not in "iufb":
        message = f"labels are {true.dtype}; `{metric.name}` needs numbers"
        raise ActionError("label-type", message, setting="dataset")
    if not np.isfinite(true).all():
        message = f"{int((~np.isfinite(true)).sum())} of {true.size} labels are not finite numbers"
        raise ActionError("label-range", message, setting="dataset")
    return true


def check_sizes(metric: Metric, output: tuple[int, ...], labels: tuple[int, ...]) -> None:
    """Check that an output and the labels have the same shape per sample. -1 fits any size, and 1 does not count.

    Raises:
        ActionError: they differ.
    """
    ours, theirs = _sizes(output), _sizes(labels)
    # A dimension whose size is open may turn out to be 1.
    if -1 in ours or ours == theirs:
        return
    message = f"the output has shape {list(output)} per sample, labels have {list(labels)}"
    raise ActionError("metric-shape", f"`{metric.name}`: {message}", setting="accuracy.metric")


def _sizes(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)
