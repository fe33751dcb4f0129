"""Estimate a model's rounding error: perturb its inputs by at most one unit in the last place. Pure.

    perturbed(feed) -> feed | None       the perturbed feed; None if nothing in it is floating point
    perturbation_size(feed) -> float     the size of the perturbation, relative to the inputs' largest magnitudes

Some models amplify the last bit, for example silence through a logarithm. An IR cannot be closer to such a model than
the model is to itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ovmake.workers.inputs.preparing import Array


def perturbed(feed: Mapping[str, Array]) -> dict[str, Array] | None:
    """Return a feed whose numbers are each one unit higher, one unit lower, or unchanged; always from the same seed."""
    if not any(array.dtype.kind == "f" for array in feed.values()):
        return None
    generator = np.random.default_rng(0)
    return {name: _moved(array, generator) for name, array in feed.items()}


def perturbation_size(feed: Mapping[str, Array]) -> float:
    """Return the largest perturbation of an input, relative to its largest magnitude; 0 if nothing is perturbed."""
    most = [float(np.abs(array).max()) for array in feed.values() if array.dtype.kind == "f" and array.size]
    steps = [
        float(np.spacing(np.abs(array).max())) for array in feed.values() if array.dtype.kind == "f" and array.size
    ]
    return max((step / largest for step, largest in zip(steps, most, strict=True) if largest), default=0.0)


def _moved(array: Array, generator: np.random.Generator) -> Array:
    """Return an array whose elements are perturbed by the rounding unit of the largest one.

    A small element's own last place would be a negligible perturbation. But it may be a difference of large numbers, a
    pixel minus the mean, and is then as uncertain as they are.
    """
    if array.dtype.kind != "f" or not array.size:
        return array
    step = generator.integers(-1, 2, array.shape).astype(array.dtype)
    return np.asarray(array + step * np.spacing(np.abs(array).max()), dtype=array.dtype)
