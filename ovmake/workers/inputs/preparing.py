"""Redo an IR's preprocessing with numpy, for TensorFlow, so that both run on identical raw inputs.

    prepared(feed, interface) -> feed as the source takes it      (resize, reverse channels, mean, scale, transpose)
    unprepared(unit, preparation) -> raw values                   (the inverse, for synthetic inputs)
    filled(constant) -> array                                     (the value of a frozen input)

It is written from the definition, not with OpenVINO, because the comparison must find errors in the IR. Resizing is
that of OpenVINO's Interpolate-4 as `PrePostProcessor` makes it: half-pixel coordinates, no antialiasing, cubic with
a = -0.75, nearest rounding halves down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ovmake.contracts.files.interface import Constant, Interface, Preparation
from ovmake.errors import ActionError
from ovmake.workers.inputs.channels import RGB, RGBA

Array = npt.NDArray[Any]

CUBIC = -0.75

NUMPY_TYPES = {
    "f64": "float64", "f32": "float32", "f16": "float16", "i64": "int64", "i32": "int32", "i16": "int16", "i8": "int8",
    "u64": "uint64", "u32": "uint32", "u16": "uint16", "u8": "uint8", "boolean": "bool",
}  # fmt: skip


def prepared(feed: Mapping[str, Array], interface: Interface) -> dict[str, Array]:
    """Return a feed of raw inputs as the source takes it."""
    return {tensor.name: _prepared(feed[tensor.name], tensor.prepare) for tensor in interface.inputs}


def _prepared(array: Array, prepare: Preparation | None) -> Array:
    if prepare is None:
        return array
    if prepare.computes:
        array = array.astype(np.float64 if array.dtype == np.float64 else np.float32, copy=False)
    for axis, size in zip(prepare.axes, prepare.size, strict=True):
        array = _resized(array, axis, size, prepare.resize)
    if prepare.reverse >= 0:
        array = _reversed(array, prepare)
    if prepare.mean:
        array = array - _along(prepare.mean, prepare.channels, array)
    if prepare.scale:
        array = array / _along(prepare.scale, prepare.channels, array)
    if prepare.transpose:
        array = array.transpose(prepare.transpose)
    return np.asarray(array.astype(NUMPY_TYPES[prepare.type], copy=False), order="C")


def unprepared(unit: Array, prepare: Preparation) -> Array:
    """Return the raw values that `mean` and `scale` map to `unit`; [batch, ...] in the IR's layout."""
    scale = _along(prepare.scale or (1.0,), prepare.channels, unit)
    mean = _along(prepare.mean or (0.0,), prepare.channels, unit)
    raw = unit * scale + mean
    return np.asarray(raw if prepare.reverse < 0 else _reversed(raw, prepare))


def _reversed(array: Array, prepare: Preparation) -> Array:
    """Convert BGR to RGB, and RGB to BGR; alpha stays last."""
    if prepare.colours != RGBA:
        return np.flip(array, prepare.reverse)
    colours, alpha = np.split(array, [RGB], axis=prepare.reverse)
    return np.concatenate([np.flip(colours, prepare.reverse), alpha], axis=prepare.reverse)


def _along(values: tuple[float, ...], axis: int, array: Array) -> Array:
    """Return one number, or one per channel, as an array that broadcasts against `array`."""
    numbers = np.asarray(values, dtype=np.float64 if array.dtype == np.float64 else np.float32)
    if len(numbers) == 1:
        return np.asarray(numbers[0])
    return np.asarray(numbers.reshape([-1 if place == axis else 1 for place in range(array.ndim)]))


def _resized(array: Array, axis: int, size: int, algorithm: str) -> Array:
    """Return the array resized along one axis. It is a matrix product: resizing is linear and separable."""
    weights = _weights(algorithm, array.shape[axis], size).astype(array.dtype)
    return np.asarray(np.moveaxis(np.tensordot(weights, array, axes=(1, axis)), 0, axis))


def _weights(algorithm: str, old: int, new: int) -> Array:
    """Return [new, old]: the weight of each old element in each new one."""
    weights = np.zeros((new, old))
    half, ratio = np.float32(0.5), np.float32(new) / np.float32(old)
    for place in range(new):
        # In float32, like the operands of the definition: with hundreds of pixels the last bit of a coordinate is 1e-5
        # of a pixel, which is 1e-5 of the whole range between a black and a white pixel.
        center = (np.float32(place) + half) / ratio - half
        for index, weight in _kernel(algorithm, float(center)):
            weights[place, min(max(index, 0), old - 1)] += weight
    return weights


def _kernel(algorithm: str, center: float) -> list[tuple[int, float]]:
    """Return the elements around a coordinate and their weights; beyond the edge the last element is repeated."""
    if algorithm == "nearest":
        return [(math.ceil(center - 0.5), 1.0)]
    first = math.floor(center)
    rest = center - first
    if algorithm == "linear":
        return [(first, 1 - rest), (first + 1, rest)]
    return [(first + step, _cubic(abs(rest - step))) for step in (-1, 0, 1, 2)]


def _cubic(distance: float) -> float:
    """Keys' cubic convolution kernel (IEEE Trans. ASSP 29, 1981), distance 0 to 2."""
    if distance <= 1:
        return (CUBIC + 2) * distance**3 - (CUBIC + 3) * distance**2 + 1
    return CUBIC * (distance**3 - 5 * distance**2 + 8 * distance - 4)


# constants


def filled(constant: Constant) -> Array:
    """Return a constant as an array of its shape: one value everywhere, all of them, or one per last dimension.

    Raises:
        ActionError: the number of values fits none of these, or a value does not fit the type.
    """
    setting = f"inputs.{constant.name}.value"
    dtype = np.dtype(NUMPY_TYPES[constant.type])
    values = np.asarray(constant.values)
    array = values.astype(dtype)
    if dtype.kind in "iub" and not np.array_equal(array.astype(values.dtype), values):
        message = f"{list(constant.values)[:8]} does not fit into {constant.type}, the type of input `{constant.name}`"
        raise ActionError("frozen-type", message, setting=setting)
    count = int(np.prod(constant.shape))
    if len(array) == 1:
        return np.full(constant.shape, array[0], dtype=dtype)
    if len(array) == count:
        return array.reshape(constant.shape)
    if constant.shape and len(array) == constant.shape[-1]:
        return np.broadcast_to(array, constant.shape).copy()
    message = f"`value` has {len(array)} numbers, input `{constant.name}` {list(constant.shape)} has {count}"
    raise ActionError("frozen-shape", message, setting=setting, help="give one number, or one per element")
