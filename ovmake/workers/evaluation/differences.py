"""Measure the difference of two arrays.

difference(expected, actual) -> dict           for two whole arrays
apart = Difference(scale=...)                  for arrays that come in parts
apart.add(expected, actual); apart.figures()
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ovmake.errors import ActionError
from ovmake.workers.inputs.preparing import Array

TWO_DIMENSIONS = 2
# Elements below this share of the largest have no meaningful relative difference.
SMALL = 1e-3
Figures = dict[str, float | int | None]


def difference(expected: Array, actual: Array) -> Figures:
    """Return the difference of `actual` from `expected`, over all elements: see `Difference.figures`."""
    apart = Difference(scale=largest(expected))
    apart.add(expected, actual)
    return apart.figures()


def largest(array: Array) -> float:
    """Return the largest finite magnitude; 0 if there is none."""
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
    _apart: float = 0.0
    _max_rel: float | None = None
    _signal: _Squares = field(default_factory=_Squares)
    _answer: _Squares = field(default_factory=_Squares)
    _noise: _Squares = field(default_factory=_Squares)
    _dot: float = 0.0
    _rows: int = 0
    _same_rows: int = 0
    _counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("nonfinite_expected", "nonfinite_actual", "nan_mismatch"), 0)
    )

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

    def figures(self) -> Figures:
        """Return the figures over all parts.

        scale: the largest magnitude in `expected`; tolerances are relative to it.
        max_abs, mean_abs: of the difference, in the output's own unit.
        max_rel: the largest relative difference, over expected elements of at least 1/1000 of the scale: relative
            differences of tiny elements are meaningless.
        cosine: of the two as one vector each, 1 if both are zero.
        snr_db: signal to noise, 10 log10 of the sum of `expected`² over that of the difference²; None if equal.
        argmax: the share of rows (along the last axis) whose largest element has the same index; None for single
            columns.
        nonfinite: the number of NaN or infinite elements in `expected` and in `actual`. nan_mismatch: the number of
            elements that are so on at least one side, and differ.
        elements: the number of elements, 0 for an output that was always empty. other_sizes: for an output whose size
            depends on the data, the number of parts whose size differs; only if there are some.

        All except the counts are over elements that are finite on both sides, and None if there are none.
        """
        argmax = self._same_rows / self._rows if self._rows else None
        counts = {**self._counts, "elements": self._all}
        if self._other_sizes:
            counts["other_sizes"] = self._other_sizes
        names = ("scale", "max_abs", "mean_abs", "max_rel", "cosine", "snr_db")
        if not self._elements:
            return {**dict.fromkeys(names), "argmax": argmax, **counts}
        mean = self._apart / self._elements
        scale, most = self._signal.largest, self._noise.largest
        values = (_finite(scale), _finite(most), _finite(mean), self._max_rel, self._cosine(), self._decibels())
        return {**dict(zip(names, values, strict=True)), "argmax": argmax, **counts}

    def _count(self, first: Array, second: Array, finite: Array) -> None:
        mismatch = ~finite & (first != second) & ~(np.isnan(first) & np.isnan(second))
        self._counts["nonfinite_expected"] += int((~np.isfinite(first)).sum())
        self._counts["nonfinite_actual"] += int((~np.isfinite(second)).sum())
        self._counts["nan_mismatch"] += int(mismatch.sum())

    def _compare_rows(self, first: Array, second: Array) -> None:
        if first.ndim < TWO_DIMENSIONS or first.shape[-1] < TWO_DIMENSIONS or not first.size:
            return
        same = first.argmax(axis=-1) == second.argmax(axis=-1)
        self._rows += same.size
        self._same_rows += int(same.sum())

    def _measure(self, first: Array, second: Array) -> None:
        """Add the elements that are finite on both sides, as two vectors."""
        with np.errstate(over="ignore"):
            apart = np.abs(first - second)
            self._apart += float(apart.sum())
        self._elements += len(first)
        self._noise.add(apart)
        scales = self._signal.largest, self._answer.largest
        self._signal.add(np.abs(first))
        self._answer.add(np.abs(second))
        self._multiply(first, second, scales)
        large = np.abs(first) >= max(self.scale * SMALL, np.finfo(np.float64).tiny)
        if large.any():
            part = float((apart[large] / np.abs(first[large])).max())
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
