"""Read and format figures of an evaluation. Pure.

number(value) -> float                   NaN for a figure that was not measured
score_in_words(0.918, "share") -> str    a score as messages show it
"""

from __future__ import annotations

import math

# For rounding errors: 0.8934 - 0.8834 is 0.010000000000000009 in binary. A single image is a much larger difference.
SLACK = 1e-9

# The tolerance as a multiple of TensorFlow's own distance from itself, in floating point. That distance is measured by
# changing only the inputs, but an IR rounds each of hundreds of sums differently.
OWN_FLOATS = 8.0

# OpenVINO's property for the precision that floating point is executed in.
HINT = "INFERENCE_PRECISION_HINT"


def number(value: float | None) -> float:
    """Return a figure of an evaluation, NaN if it was not measured."""
    return math.nan if value is None else value


def score_in_words(value: float, unit: str) -> str:
    """Return a score as messages show it."""
    return f"{value:.4f}" if unit == "share" else f"{value:.6g}"
