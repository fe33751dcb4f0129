"""Generate synthetic samples from a seed, for models without a dataset in the Ovfile.

    synthetic_samples(tensor, generator, count=..., has_batch=..., drawn=...) -> [count, ...]
    found = search(fits, inputs) -> SyntheticSizes | None     sizes and ranges for a model that refuses the default ones
    notes(drawn, inputs) -> list                     notes for the user about them

A boolean scalar counts as a switch (`is_training`) and is false, as in inference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ovmake.contracts.files.interface import Tensor
from ovmake.errors import ActionError
from ovmake.workers.inputs.preparing import NUMPY_TYPES, Array, unprepared

# The size of dynamic dimensions other than the batch: large enough for a few strided layers. If a model refuses it,
# these follow: the batch size, for square inputs; small sizes, for tables of positions; and large sizes, for
# convolutions without padding.
DYNAMIC_SIZE = 64
OTHER_SIZES = (16, 8, 4, 2, 1, 128, 256)
# Integers are small, because they often are indexes into a vocabulary. If a model refuses them, narrower ranges follow:
# without 0, for divisors; two values, for segments and flags; then only one of the two.
SMALL_INTEGERS = (0, 10)
OTHER_RANGES = ((1, 10), (0, 2), (1, 2), (0, 1))

Range = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSizes:
    """The sizes and ranges of synthetic inputs.

    `size` is that of dynamic dimensions. `ranges` has, for some inputs, the smallest integer and the largest plus one.
    """

    size: int = DYNAMIC_SIZE
    ranges: tuple[tuple[str, Range], ...] = ()

    def range_of(self, name: str) -> Range | None:
        """Return the range of an input, None for the default of its type."""
        return dict(self.ranges).get(name)

    def with_range(self, name: str, chosen: Range | None) -> SyntheticSizes:
        """Return the same with a different range for one input, None for the default of its type."""
        others = tuple(one for one in self.ranges if one[0] != name)
        return replace(self, ranges=others if chosen is None else tuple(sorted((*others, (name, chosen)))))


def synthetic_samples(
    tensor: Tensor, generator: np.random.Generator, *, count: int, has_batch: bool, drawn: SyntheticSizes | None = None
) -> Array:
    """Return `count` samples for one input: rows of its batch, or whole inputs.

    Raises:
        ActionError: the input does not take numbers.
    """
    drawn = drawn or SyntheticSizes()
    sizes = _shape(tensor, drawn.size)
    return _values(generator, (count, *(sizes[1:] if has_batch else sizes)), tensor, drawn.range_of(tensor.name))


def search(fits: Callable[[SyntheticSizes], bool], inputs: Sequence[Tensor]) -> SyntheticSizes | None:
    """Return the first sizes and ranges that fit, with the ranges as wide as possible; None if nothing fits.

    It takes at most some forty tries, and a few for each integer input. Each is short: a model refuses bad inputs at
    once.
    """
    whole = [tensor.name for tensor in inputs if _is_whole(tensor)]
    first = next((drawn for drawn in _candidates(inputs, whole) if fits(drawn)), None)
    if first is None or len(whole) < 2:  # noqa: PLR2004 - one has the widest that fits already
        return first
    found = first
    for name in whole:
        wider = (None, *OTHER_RANGES)
        at = wider.index(found.range_of(name))
        tries = (found.with_range(name, chosen) for chosen in wider[:at])
        found = next((drawn for drawn in tries if fits(drawn)), found)
    return found


def notes(drawn: SyntheticSizes, inputs: Sequence[Tensor]) -> list[str]:
    """Return the differences from the default sizes and ranges, in words."""
    switches = [f"`{tensor.name}` was set to false" for tensor in inputs if is_switch(tensor)]
    by_name = {tensor.name: tensor for tensor in inputs}
    ranges = [
        f"`{name}` was {low}" if high == low + 1 else f"`{name}` was drawn from {low} to {high - 1}"
        for name, (low, high) in ((name, _range(by_name[name], chosen)) for name, chosen in drawn.ranges)
    ]
    sizes = [f"dynamic dimensions had the size {drawn.size}"] if drawn.size != DYNAMIC_SIZE else []
    return [*switches, *ranges, *sizes]


def is_switch(tensor: Tensor) -> bool:
    """Whether an input is a boolean of one element."""
    return tensor.type == "boolean" and all(size == 1 for size in tensor.shape)


def _candidates(inputs: Sequence[Tensor], whole: Sequence[str]) -> Iterable[SyntheticSizes]:
    """Yield the sizes and ranges to try; all integer inputs have the same range."""
    dynamic = any(size == -1 for tensor in inputs for size in tensor.shape)
    for size in (DYNAMIC_SIZE, *(OTHER_SIZES if dynamic else ())):
        for chosen in (None, *(OTHER_RANGES if whole else ())):
            drawn = SyntheticSizes(size=size)
            for name in whole:
                drawn = drawn.with_range(name, chosen)
            if drawn != SyntheticSizes():
                yield drawn


def _range(tensor: Tensor, chosen: Range | None) -> Range:
    """Return the range of an input. A scalar often is a size or a count, so 0 is left out."""
    low, high = chosen or ((0, 256) if tensor.type == "u8" else SMALL_INTEGERS)
    return (low, high) if tensor.shape or high == 1 else (max(low, 1), high)


def _is_whole(tensor: Tensor) -> bool:
    return tensor.type in NUMPY_TYPES and np.dtype(NUMPY_TYPES[tensor.type]).kind in "iu"


def _shape(tensor: Tensor, dynamic: int) -> list[int]:
    """Return a size for each dimension; a height or width that the IR resizes is larger than the result."""
    sizes = [dynamic if size == -1 else size for size in tensor.shape]
    for axis, (least, most) in enumerate(tensor.bounds):
        sizes[axis] = max(least, min(sizes[axis], most if most > 0 else sizes[axis]))
    if tensor.prepare:
        for axis, size in zip(tensor.prepare.axes, tensor.prepare.size, strict=True):
            sizes[axis] = size + size // (axis + 2) + 1
    return sizes


def _values(generator: np.random.Generator, shape: tuple[int, ...], tensor: Tensor, chosen: Range | None) -> Array:
    if tensor.type not in NUMPY_TYPES:
        message = f"cannot generate synthetic values of type {tensor.type} for input `{tensor.name}`"
        hint = "name a dataset under `accuracy`, or turn the gate off with `accuracy = false`"
        raise ActionError("no-samples", message, help=hint)
    dtype = np.dtype(NUMPY_TYPES[tensor.type])
    if is_switch(tensor):
        return np.zeros(shape, dtype)
    if dtype.kind == "b":
        return generator.random(shape) < 0.5  # noqa: PLR2004 - a fair coin
    if dtype.kind in "iu":
        low, high = _range(tensor, chosen)
        return generator.integers(low, high, shape).astype(dtype)
    # Raw values such that the model gets -1 to 1 after normalization, and 0 to 1 without normalization.
    unit = generator.random(shape, dtype=np.float32)
    prepare = tensor.prepare
    if prepare and (prepare.mean or prepare.scale):
        whole = unit.ndim == len(tensor.shape)  # else each sample is a whole input, with one dimension more
        unit = unit * 2 - 1
        unit = unprepared(unit, prepare) if whole else np.stack([unprepared(sample, prepare) for sample in unit])
    return unit.astype(dtype)
