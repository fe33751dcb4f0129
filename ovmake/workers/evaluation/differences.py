"""Measure the difference of two arrays.

difference(expected, actual) -> Distances      of two arrays
found = Difference(scale=...)                  of many parts of them, one after the other
found.add(expected, actual); found.figures()
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ovmake.contracts.files.evaluation import Distances
from ovmake.errors import ActionError
from ovmake.workers.inputs.preparing import Array

TWO_DIMENSIONS = 2
# Elements below this share of the largest have no meaningful relative difference.
SMALL = 1e-3


def difference(expected: Array, actual: Array) -> Distances:
    """Return the error of `actual` against `expected`, over every element."""
    found = Difference(scale=largest(expected))
    found.add(expected, actual)
    return found.figures()


def largest(array: Array) -> float:
    """Return the largest finite magnitude; 0 without finite elements."""
    return float(np.abs(array.astype(np.float64)).max(initial=0.0, where=np.isfinite(array)))


@dataclass(slots=True)
class _Squares:
    """A sum of squares that may overflow float64: `largest`² times `total`."""

    largest: float = 0.0
    total: float = 0.0

    def add(self, magnitudes: Array) -> None:
        """Add non-negative numbers. After an infinite one, the sum is infinite."""
        most = float(magnitudes.max(initial=0.0))
        if most > self.largest:
            self.total *= (self.largest / most) ** 2
            self.largest = most
        if 0 < self.largest < math.inf:
            self.total += float(np.square(magnitudes / self.largest).sum())


@dataclass(slots=True)
class Difference:
    """The difference of two arrays that come in parts. `scale`: the largest finite magnitude in all of `expected`.

    `varies`: the size depends on the data. Elements that only one side has are compared with 0.
    """

    scale: float
    varies: bool = False
    _all: int = 0
    _other_sizes: int = 0
    _elements: int = 0
    _gaps: float = 0.0
    _max_rel: float | None = None
    _signal: _Squares = field(default_factory=_Squares)
    _answer: _Squares = field(default_factory=_Squares)
    _noise: _Squares = field(default_factory=_Squares)
    _dot: float = 0.0
    _rows: int = 0
    _same_rows: int = 0
    _nonfinite_expected: int = 0
    _nonfinite_actual: int = 0
    _nan_mismatch: int = 0

    def add(self, expected: Array, actual: Array) -> None:
        """Add a part.

        Raises:
            ActionError: the two have different shapes.
        """
        if expected.shape != actual.shape and self.varies and expected.ndim == actual.ndim:
            self._other_sizes += 1
            expected, actual = _padded(expected, actual)
        if expected.shape != actual.shape:
            message = f"TensorFlow's output has shape {list(expected.shape)}, the IR's {list(actual.shape)}"
            raise ActionError("output-shape", message)
        first, second = expected.astype(np.float64), actual.astype(np.float64)
        finite = np.isfinite(first) & np.isfinite(second)
        self._all += first.size
        self._count(first, second, finite)
        self._compare_rows(first, second)
        if finite.any():
            self._measure(first[finite], second[finite])

    def figures(self) -> Distances:
        """Return the figures over all parts."""
        some, mean = self._elements > 0, self._gaps / max(1, self._elements)
        return Distances(
            scale=_finite(self._signal.largest) if some else None,
            max_abs=_finite(self._noise.largest) if some else None,
            mean_abs=_finite(mean) if some else None,
            max_rel=self._max_rel,
            cosine=self._cosine() if some else None,
            snr_db=self._decibels(),
            argmax=self._same_rows / self._rows if self._rows else None,
            nonfinite_expected=self._nonfinite_expected,
            nonfinite_actual=self._nonfinite_actual,
            nan_mismatch=self._nan_mismatch,
            elements=self._all,
            other_sizes=self._other_sizes,
        )

    def _count(self, first: Array, second: Array, finite: Array) -> None:
        mismatch = ~finite & (first != second) & ~(np.isnan(first) & np.isnan(second))
        self._nonfinite_expected += int((~np.isfinite(first)).sum())
        self._nonfinite_actual += int((~np.isfinite(second)).sum())
        self._nan_mismatch += int(mismatch.sum())

    def _compare_rows(self, first: Array, second: Array) -> None:
        if first.ndim < TWO_DIMENSIONS or first.shape[-1] < TWO_DIMENSIONS or not first.size:
            return
        same = first.argmax(axis=-1) == second.argmax(axis=-1)
        self._rows += same.size
        self._same_rows += int(same.sum())

    def _measure(self, first: Array, second: Array) -> None:
        """Add the elements that are finite on both sides, as two vectors."""
        with np.errstate(over="ignore"):
            gaps = np.abs(first - second)
            self._gaps += float(gaps.sum())
        self._elements += len(first)
        self._noise.add(gaps)
        scales = self._signal.largest, self._answer.largest
        self._signal.add(np.abs(first))
        self._answer.add(np.abs(second))
        self._multiply(first, second, scales)
        large = np.abs(first) >= max(self.scale * SMALL, np.finfo(np.float64).tiny)
        if large.any():
            part = float((gaps[large] / np.abs(first[large])).max())
            worst = part if self._max_rel is None else max(self._max_rel, part)
            self._max_rel = _finite(worst)

    def _multiply(self, first: Array, second: Array, scales: tuple[float, float]) -> None:
        """Add to the dot product, which is relative to the two largest magnitudes; `scales` are the previous ones."""
        now = self._signal.largest, self._answer.largest
        if 0 in now:
            return
        self._dot *= (scales[0] / now[0]) * (scales[1] / now[1])
        self._dot += float((first / now[0]) @ (second / now[1]))

    def _cosine(self) -> float:
        totals = self._signal.total, self._answer.total
        if totals == (0, 0):
            return 1.0
        return min(1.0, self._dot / math.sqrt(totals[0] * totals[1])) if all(totals) else 0.0

    def _decibels(self) -> float | None:
        signal, noise = self._signal, self._noise
        if noise.largest == 0 or signal.largest == 0 or not math.isfinite(noise.largest):
            return None
        return 10 * math.log10(signal.total / noise.total) + 20 * math.log10(signal.largest / noise.largest)


def _padded(first: Array, second: Array) -> tuple[Array, Array]:
    """Return both arrays, padded with zeros to the same size."""
    shape = np.maximum(first.shape, second.shape)
    padded = [
        np.pad(array, [(0, more) for more in shape - np.asarray(array.shape, shape.dtype)]) for array in (first, second)
    ]
    return padded[0], padded[1]


def _finite(value: float) -> float | None:
    """Return None for a value that overflowed: a difference of float64s may."""
    return float(value) if math.isfinite(value) else None
