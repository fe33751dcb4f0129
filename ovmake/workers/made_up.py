"""Samples from a seed, where the Ovfile names no dataset.

made_up(tensor, generator, count=..., has_batch=...) -> [count, ...]
"""

from __future__ import annotations

import numpy as np

from ovmake.workers.interface import Tensor
from ovmake.workers.preparing import NUMPY_TYPES, Array, unprepared
from ovmake.workers.protocol import ActionError

# A size for dynamic dimensions other than the batch: large enough for a few strided layers.
DYNAMIC_SIZE = 64
# Whole numbers are small, because they are often indexes into a vocabulary.
SMALL_INTEGERS = 10


def made_up(tensor: Tensor, generator: np.random.Generator, *, count: int, has_batch: bool) -> Array:
    """Return so many samples for one input: rows of its batch, or whole inputs.

    Raises:
        ActionError: the input takes no numbers.
    """
    sizes = _shape(tensor)
    return _values(generator, (count, *(sizes[1:] if has_batch else sizes)), tensor)


def _shape(tensor: Tensor) -> list[int]:
    """Return a size for each dimension; heights and widths that the IR resizes are larger than what it makes."""
    sizes = [DYNAMIC_SIZE if size == -1 else size for size in tensor.shape]
    for axis, (least, most) in enumerate(tensor.bounds):
        sizes[axis] = max(least, min(sizes[axis], most if most > 0 else sizes[axis]))
    if tensor.prepare:
        for axis, size in zip(tensor.prepare.axes, tensor.prepare.size, strict=True):
            sizes[axis] = size + size // (axis + 2) + 1
    return sizes


def _values(generator: np.random.Generator, shape: tuple[int, ...], tensor: Tensor) -> Array:
    if tensor.type not in NUMPY_TYPES:
        message = f"cannot make up values of type {tensor.type} for input `{tensor.name}`"
        hint = "name a dataset under `accuracy`, or turn the gate off with `accuracy = false`"
        raise ActionError("no-samples", message, help=hint)
    dtype = np.dtype(NUMPY_TYPES[tensor.type])
    if dtype.kind == "b":
        return generator.random(shape) < 0.5  # noqa: PLR2004 - a fair coin
    if dtype == np.uint8:
        return generator.integers(0, 256, shape, dtype=np.uint8)
    if dtype.kind in "iu":
        return generator.integers(0, SMALL_INTEGERS, shape).astype(dtype)
    # Raw values such that the model itself sees -1 to 1 where it is normalized, and 0 to 1 where it is not.
    unit = generator.random(shape, dtype=np.float32)
    prepare = tensor.prepare
    if prepare and (prepare.mean or prepare.scale):
        whole = unit.ndim == len(tensor.shape)  # else each sample is a whole input, behind one dimension more
        unit = unit * 2 - 1
        unit = unprepared(unit, prepare) if whole else np.stack([unprepared(sample, prepare) for sample in unit])
    return unit.astype(dtype)
