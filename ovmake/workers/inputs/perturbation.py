"""What rounding does to a model: its inputs, moved by a unit in the last place at most. Pure.

    nudged(feed) -> feed | None       None where nothing in it is in floating point
    moved_by(feed) -> float           how far that is, as a share of the inputs' largest magnitudes

Some models blow the last bit up: silence through a logarithm, say. Nobody can ask an IR to be closer to them than they
are to themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ovmake.workers.inputs.preparing import Array


def nudged(feed: Mapping[str, Array]) -> dict[str, Array] | None:
    """Return a feed whose numbers are each a step up, a step down, or where they were; by the same seed every time."""
    if not any(array.dtype.kind == "f" for array in feed.values()):
        return None
    generator = np.random.default_rng(0)
    return {name: _moved(array, generator) for name, array in feed.items()}


def moved_by(feed: Mapping[str, Array]) -> float:
    """Return the most that an input is moved by, as a share of the largest magnitude in it; 0 if nothing is moved."""
    most = [float(np.abs(array).max()) for array in feed.values() if array.dtype.kind == "f" and array.size]
    steps = [
        float(np.spacing(np.abs(array).max())) for array in feed.values() if array.dtype.kind == "f" and array.size
    ]
    return max((step / largest for step, largest in zip(steps, most, strict=True) if largest), default=0.0)


def _moved(array: Array, generator: np.random.Generator) -> Array:
    """Return an array with its elements moved by as much as the largest of them is rounded by.

    By its own last place a small element would move by next to nothing; but it may be the small rest of large ones, a
    pixel less the mean, and is as uncertain as they are.
    """
    if array.dtype.kind != "f" or not array.size:
        return array
    step = generator.integers(-1, 2, array.shape).astype(array.dtype)
    return np.asarray(array + step * np.spacing(np.abs(array).max()), dtype=array.dtype)
