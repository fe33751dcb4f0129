"""How far two arrays are apart.

difference(expected, actual) -> dict
"""

from __future__ import annotations

import math

import numpy as np

from ovmake.workers.preparing import Array
from ovmake.workers.protocol import ActionError

TWO_DIMENSIONS = 2
# Elements below this share of the largest have no relative difference worth speaking of.
SMALL = 1e-3


def difference(expected: Array, actual: Array) -> dict[str, float | int | None]:
    """Return how far `actual` is from `expected`, over every element.

    scale: the largest magnitude in `expected`, which tolerances are shares of.
    max_abs, mean_abs: of the difference, in the output's own unit.
    max_rel: the largest difference as a share of the expected element, over elements of at least 1/1000 of the scale:
        of what is next to nothing, everything is a large share.
    cosine: of the two as one long vector each, 1 if both are zero.
    snr_db: signal to noise, 10 log10 of the sum of `expected`² over that of the difference². None if they are equal.
    argmax: the share of rows (along the last axis) whose largest element is at the same place; None for single columns.
    nonfinite: elements that are NaN or infinite, in `expected` and in `actual`. nan_mismatch: those that are so on one
        side or both, and not the same there.

    All but the counts are over elements that are finite on both sides, and None where there is none.
    """
    if expected.shape != actual.shape:
        message = f"TensorFlow's output has shape {list(expected.shape)}, the IR's {list(actual.shape)}"
        raise ActionError("output-shape", message)
    first, second = expected.astype(np.float64), actual.astype(np.float64)
    finite = np.isfinite(first) & np.isfinite(second)
    mismatch = int((~finite & (first != second) & ~(np.isnan(first) & np.isnan(second))).sum())
    counts = {
        "nonfinite_expected": int((~np.isfinite(first)).sum()),
        "nonfinite_actual": int((~np.isfinite(second)).sum()),
        "nan_mismatch": mismatch,
    }
    figures = _distances(first[finite], second[finite])
    return {**figures, "argmax": _same_argmax(first, second), **counts}


def _distances(first: Array, second: Array) -> dict[str, float | None]:
    if not len(first):
        return dict.fromkeys(("scale", "max_abs", "mean_abs", "max_rel", "cosine", "snr_db"))
    with np.errstate(over="ignore"):
        apart = np.abs(first - second)
    scale = np.abs(first).max()
    large = np.abs(first) >= max(scale * SMALL, np.finfo(np.float64).tiny)
    both_zero = not first.any() and not second.any()
    return {
        "scale": _finite(scale),
        "max_abs": _finite(apart.max()),
        "mean_abs": _finite(apart.mean()),
        "max_rel": _finite((apart[large] / np.abs(first[large])).max()) if large.any() else None,
        "cosine": 1.0 if both_zero else min(1.0, float(_unit(first) @ _unit(second))),
        "snr_db": _decibels(first, apart),
    }


def _decibels(signal: Array, noise: Array) -> float | None:
    """Return the ratio of two powers; both are brought to length 1 at most first, for squares may leave the range."""
    largest, loudest = np.abs(signal).max(), noise.max()
    if loudest == 0 or largest == 0 or not math.isfinite(loudest):
        return None
    powers = [float(np.square(part / part.max()).sum()) for part in (np.abs(signal), noise)]
    return 10 * math.log10(powers[0] / powers[1]) + 20 * (math.log10(largest) - math.log10(loudest))


def _same_argmax(first: Array, second: Array) -> float | None:
    if first.ndim == 0 or first.shape[-1] < TWO_DIMENSIONS or not first.size:
        return None
    return float((first.argmax(axis=-1) == second.argmax(axis=-1)).mean())


def _unit(vector: Array) -> Array:
    """Return the vector with length 1. Its largest element becomes 1 first: squares of float64 may leave its range."""
    largest = np.abs(vector).max()
    if largest == 0:
        return vector
    scaled = vector / largest
    return np.asarray(scaled / math.sqrt(float(scaled @ scaled)))


def _finite(value: float) -> float | None:
    """A difference of float64s may be too large for one."""
    return float(value) if math.isfinite(value) else None
