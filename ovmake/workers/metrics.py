"""Metrics and differences of outputs.

score("accuracy", outputs, labels) -> float    higher is better
difference(expected, actual) -> dict           how far two arrays are apart
"""

from __future__ import annotations

import math

import numpy as np

from ovmake.workers.protocol import ActionError
from ovmake.workers.samples import Array

TWO_DIMENSIONS = 2


def score(metric: str, outputs: Array, labels: Array) -> float:
    """Return a metric of `outputs` [samples, classes] against integer `labels` [samples].

    Raises:
        ActionError: the outputs or the labels are not of that form.
    """
    if metric != "accuracy":
        raise ActionError("unknown-metric", f"unknown metric `{metric}`", setting="accuracy.metric")
    labels = _class_labels(labels)
    if outputs.ndim != TWO_DIMENSIONS or outputs.shape[1] == 1:
        message = f"`accuracy` needs an output of shape [samples, classes], not {list(outputs.shape)}"
        raise ActionError("metric-shape", message, setting="accuracy.metric")
    classes = outputs.shape[1]
    if labels.min() < 0 or labels.max() >= classes:
        message = f"labels run from {labels.min()} to {labels.max()}, the model has {classes} classes"
        raise ActionError("label-range", message, setting="dataset")
    # A NaN wins every argmax in numpy; a sample without a finite answer is a wrong one. -inf rules a class out.
    right = (outputs.argmax(axis=1) == labels) & np.isfinite(outputs.max(axis=1))
    return float(right.mean())


def _class_labels(labels: Array) -> Array:
    flat = labels.reshape(len(labels), -1)
    if labels.dtype.kind not in "iu" or flat.shape[1] != 1:
        message = f"labels are {labels.dtype} {list(labels.shape)}; `accuracy` needs one whole number per sample"
        raise ActionError("label-type", message, setting="dataset")
    return flat[:, 0]


def difference(expected: Array, actual: Array) -> dict[str, float | int | None]:
    """Return how far `actual` is from `expected`, over every element.

    max_abs, mean_abs: of the difference, in the output's own unit, over elements that are finite on both sides.
    cosine: of the two as one long vector each, 1 if both are zero. nan_mismatch: elements that are not finite on one
    side or both, and not the same there.
    None where no element is finite on both sides: there is nothing to compare.
    """
    if expected.shape != actual.shape:
        message = f"TensorFlow's output has shape {list(expected.shape)}, the IR's {list(actual.shape)}"
        raise ActionError("output-shape", message)
    first, second = expected.astype(np.float64).ravel(), actual.astype(np.float64).ravel()
    finite = np.isfinite(first) & np.isfinite(second)
    mismatch = int((~finite & (first != second) & ~(np.isnan(first) & np.isnan(second))).sum())
    first, second = first[finite], second[finite]
    if not len(first):
        return {"max_abs": None, "mean_abs": None, "cosine": None, "nan_mismatch": mismatch}
    with np.errstate(over="ignore"):
        apart = np.abs(first - second)
    both_zero = not first.any() and not second.any()
    return {
        "max_abs": _finite(apart.max()),
        "mean_abs": _finite(apart.mean()),
        "cosine": 1.0 if both_zero else min(1.0, float(_unit(first) @ _unit(second))),
        "nan_mismatch": mismatch,
    }


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
