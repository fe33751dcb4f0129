"""Figures of an evaluation, and how they are written. Pure.

number(value) -> float                   NaN for one that was not measured
score_in_words(0.918, "share") -> str    as messages have a score
"""

from __future__ import annotations

import math

# Counts over counts: 0.8934 - 0.8834 is 0.010000000000000009 in binary, and one image more or less is the truth.
SLACK = 1e-9

# An IR in floating point may be as far from TensorFlow as this many times TensorFlow's own distance from itself, where
# only the inputs were moved and not each of hundreds of sums.
OWN_FLOATS = 8.0

# The property of OpenVINO that says what floating point is executed in.
HINT = "INFERENCE_PRECISION_HINT"


def number(value: float | None) -> float:
    """Return a figure of an evaluation, NaN for one that was not measured."""
    return math.nan if value is None else value


def score_in_words(value: float, unit: str) -> str:
    """Return a score as messages have it."""
    return f"{value:.4f}" if unit == "share" else f"{value:.6g}"
