"""Bind a dataset's columns to a model's inputs: check shapes, convert types, refuse out-of-range values.

    bind(column, tensor, given, whole=...) -> Column as the model takes it

A column with as many dimensions as the input has rows of a batch; with one more, every sample is a whole input.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ovmake.contracts.files.interface import Tensor
from ovmake.workers.inputs.datasets.columns import Column, Given
from ovmake.workers.inputs.datasets.yielded import YIELD_ONE
from ovmake.workers.inputs.preparing import NUMPY_TYPES, Array


def is_whole(column: Column, tensor: Tensor) -> bool:
    """Whether each sample of a bound column is a whole input."""
    return len(column.shape) == len(tensor.shape)


def bind(column: Column, tensor: Tensor, given: Given, *, has_batch: bool) -> Column:
    """Return a column as `tensor` takes it. If inputs have no common batch, each sample is a whole input.

    Raises:
        ActionError: the shape or the type does not fit.
    """
    _check_shape(column.shape, column.label, tensor, given)
    converted = _converted(column, tensor, given)
    return converted if has_batch or is_whole(column, tensor) else _as_whole(converted, tensor, given)


def _check_shape(sample: tuple[int, ...], label: str, tensor: Tensor, given: Given) -> None:
    extra = len(sample) + 1 - len(tensor.shape)
    wanted = tensor.shape if extra == 1 else tensor.shape[1:]
    if extra not in {0, 1} or not _fits(sample, wanted):
        message = f"sample has shape {list(sample)} ({label}), input `{tensor.name}` wants {list(tensor.shape[1:])}"
        hint = ""
        if sample and sorted(sample) == sorted(tensor.shape[1:]):
            hint = f"store samples in the input's layout, {list(tensor.shape[1:])}, or change its `layout`"
        elif extra == 1 and _fits(sample[1:], tensor.shape[1:]):
            hint = YIELD_ONE if given.params.loader else "give each sample a row of its own, without the batch"
        raise given.error("dataset-shape", f"{message} after its batch", help=hint)


def _fits(sample: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(-1 in (want, have) or want == have for want, have in zip(wanted, sample, strict=True))


def _converted(column: Column, tensor: Tensor, given: Given) -> Column:
    wanted = np.dtype(NUMPY_TYPES[tensor.type]) if tensor.type in NUMPY_TYPES else column.dtype
    # Integers convert to integers of any width, if every value fits.
    whole = wanted.kind in "iu" and column.dtype.kind in "iu"
    if not whole and column.dtype != wanted and not np.can_cast(column.dtype, wanted, "same_kind"):
        message = f"{column.label} contains {column.dtype}, input `{tensor.name}` takes {wanted}"
        raise given.error("dataset-type", message)

    def rows(numbers: Array) -> Array:
        array = column.rows(numbers)
        converted = array.astype(wanted, copy=False)
        if wanted.kind in "iu" and not np.array_equal(converted, array):
            message = (
                f"{column.label} contains values from {array.min()} to {array.max()}, which do not fit into {wanted}"
            )
            raise given.error("dataset-type", message)
        return np.asarray(converted)

    def look(numbers: Array) -> None:
        rows(numbers)

    narrows = wanted.kind in "iu" and not np.can_cast(column.dtype, wanted, "safe")
    return replace(column, dtype=wanted, rows=rows, look=look if narrows else column.look)


def _as_whole(column: Column, tensor: Tensor, given: Given) -> Column:
    if tensor.shape[0] not in {-1, 1}:
        message = (
            f"input `{tensor.name}` takes {tensor.shape[0]} rows at a time and other inputs do not, so its samples "
            f"must be whole inputs: [samples, {', '.join(map(str, tensor.shape))}]"
        )
        raise given.error("dataset-shape", message)
    return replace(column, shape=(1, *column.shape), rows=lambda numbers: column.rows(numbers)[:, np.newaxis])
