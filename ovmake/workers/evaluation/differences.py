"""How far two arrays are apart.

difference(expected, actual) -> dict           of two arrays
apart = Difference(scale=...)                  of many parts of them, one after the other
apart.add(expected, actual); apart.figures()
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ovmake.errors import ActionError
from ovmake.workers.inputs.preparing import Array

TWO_DIMENSIONS = 2
# Elements below this share of the largest have no relative difference worth speaking of.
SMALL = 1e-3
Figures = dict[str, float | int | None]


def difference(expected: Array, actual: Array) -> Figures:
    """Return how far `actual` is from `expected`, over every element: see `Difference.figures`."""
    apart = Difference(scale=largest(expected))
    apart.add(expected, actual)
    return apart.figures()


def largest(array: Array) -> float:
    """Return the largest finite magnitude; 0 if there is none."""
    return float(np.abs(array.astype(np.float64)).max(initial=0.0, where=np.isfinite(array)))


@dataclass(slots=True)
class _Squares:
    """A sum of squares of numbers whose squares may leave the range: `largest`² times `total`."""

    largest: float = 0.0
    total: float = 0.0

    def add(self, magnitudes: Array) -> None:
        """Add numbers that are not negative. An infinite one leaves nothing else to speak of."""
        most = float(magnitudes.max(initial=0.0))
        if most > self.largest:
            self.total *= (self.largest / most) ** 2
            self.largest = most
        if 0 < self.largest < math.inf:
            self.total += float(np.square(magnitudes / self.largest).sum())


@dataclass(slots=True)
class Difference:
    """The difference of two arrays that come in parts. `scale`: the largest finite magnitude in all of `expected`.

    `varies`: its size depends on the data. Where one side gives more than the other, the other counts as 0 there.
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

        scale: the largest magnitude in `expected`, which tolerances are shares of.
        max_abs, mean_abs: of the difference, in the output's own unit.
        max_rel: the largest difference as a share of the expected element, over elements of at least 1/1000 of the
            scale: of what is next to nothing, everything is a large share.
        cosine: of the two as one long vector each, 1 if both are zero.
        snr_db: signal to noise, 10 log10 of the sum of `expected`² over that of the difference²; None for equals.
        argmax: the share of rows (along the last axis) whose largest element is at the same place; None for single
            columns.
        nonfinite: elements that are NaN or infinite, in `expected` and in `actual`. nan_mismatch: those that are so on
            one side or both, and not the same there.
        elements: how many there are, 0 of an output that was always empty. other_sizes: how many parts of an output
            whose size depends on the data had another size than expected; only where there were some.

        All but the counts are over elements that are finite on both sides, and None where there is none.
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
        """Add what is finite on both sides, as two vectors."""
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
        """Add to the dot product, a share of the two largest magnitudes; `scales` were these before."""
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
    """Return both with zeros where the other is larger."""
    shape = np.maximum(first.shape, second.shape)
    padded = [
        np.pad(array, [(0, more) for more in shape - np.asarray(array.shape, shape.dtype)]) for array in (first, second)
    ]
    return padded[0], padded[1]


def _finite(value: float) -> float | None:
    """A difference of float64s may be too large for one."""
    return float(value) if math.isfinite(value) else None
