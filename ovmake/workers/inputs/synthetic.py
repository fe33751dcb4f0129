"""Samples from a seed, where the Ovfile names no dataset.

    made_up(tensor, generator, count=..., has_batch=..., drawn=...) -> [count, ...]
    found = search(fits, inputs) -> Drawn | None     what a model accepts that refuses what is drawn at first
    notes(drawn, inputs) -> list                     what a user should know of it

A scalar of type boolean is taken as a switch (`is_training`), and is false: what a model does when it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ovmake.errors import ActionError
from ovmake.workers.inputs.interface import Tensor
from ovmake.workers.inputs.preparing import NUMPY_TYPES, Array, unprepared

# A size for dynamic dimensions other than the batch: large enough for a few strided layers. Others follow where a model
# refuses it: as large as the batch, for what must be square; small ones, for tables of positions; and large ones, for
# convolutions without padding.
DYNAMIC_SIZE = 64
OTHER_SIZES = (16, 8, 4, 2, 1, 128, 256)
# Whole numbers are small, because they are often indexes into a vocabulary. Narrower ranges follow where a model
# refuses them: without 0, for divisors; two values, for segments and flags; then only the one or only the other.
SMALL_INTEGERS = (0, 10)
OTHER_RANGES = ((1, 10), (0, 2), (1, 2), (0, 1))

Range = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """From what inputs are made up.

    `size` is that of dynamic dimensions, `ranges` holds for some inputs the least whole number and the one that is too
    large.
    """

    size: int = DYNAMIC_SIZE
    ranges: tuple[tuple[str, Range], ...] = ()

    def range_of(self, name: str) -> Range | None:
        """Return the range for an input, None for that of its type."""
        return dict(self.ranges).get(name)

    def with_range(self, name: str, chosen: Range | None) -> Drawn:
        """Return the same with another range for an input, None for that of its type."""
        others = tuple(one for one in self.ranges if one[0] != name)
        return replace(self, ranges=others if chosen is None else tuple(sorted((*others, (name, chosen)))))

    def to_json(self) -> dict[str, object]:
        """Return what a plan holds of it: what is not as it is at first."""
        size: dict[str, object] = {} if self.size == DYNAMIC_SIZE else {"size": self.size}
        return {**size, **({"ranges": dict(self.ranges)} if self.ranges else {})}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Drawn:
        """Read what `to_json` wrote."""
        ranges = tuple((name, (low, high)) for name, (low, high) in sorted(body.get("ranges", {}).items()))
        return cls(size=body.get("size", DYNAMIC_SIZE), ranges=ranges)


def made_up(
    tensor: Tensor, generator: np.random.Generator, *, count: int, has_batch: bool, drawn: Drawn | None = None
) -> Array:
    """Return so many samples for one input: rows of its batch, or whole inputs.

    Raises:
        ActionError: the input takes no numbers.
    """
    drawn = drawn or Drawn()
    sizes = _shape(tensor, drawn.size)
    return _values(generator, (count, *(sizes[1:] if has_batch else sizes)), tensor, drawn.range_of(tensor.name))


def search(fits: Callable[[Drawn], bool], inputs: Sequence[Tensor]) -> Drawn | None:
    """Return the first that fits of what else can be drawn, with ranges as wide as fit; None where nothing does.

    It takes some forty tries at most, and a few for each input of whole numbers: models refuse what they cannot run at
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


def notes(drawn: Drawn, inputs: Sequence[Tensor]) -> list[str]:
    """Return what was made up in another way than usual."""
    switches = [f"`{tensor.name}` was taken as false" for tensor in inputs if is_switch(tensor)]
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


def _candidates(inputs: Sequence[Tensor], whole: Sequence[str]) -> Iterable[Drawn]:
    """Yield what to try, all inputs of whole numbers in the same range."""
    dynamic = any(size == -1 for tensor in inputs for size in tensor.shape)
    for size in (DYNAMIC_SIZE, *(OTHER_SIZES if dynamic else ())):
        for chosen in (None, *(OTHER_RANGES if whole else ())):
            drawn = Drawn(size=size)
            for name in whole:
                drawn = drawn.with_range(name, chosen)
            if drawn != Drawn():
                yield drawn


def _range(tensor: Tensor, chosen: Range | None) -> Range:
    """Return the range for an input. A scalar is a size or a count more often than not, of which 0 is a poor one."""
    low, high = chosen or ((0, 256) if tensor.type == "u8" else SMALL_INTEGERS)
    return (low, high) if tensor.shape or high == 1 else (max(low, 1), high)


def _is_whole(tensor: Tensor) -> bool:
    return tensor.type in NUMPY_TYPES and np.dtype(NUMPY_TYPES[tensor.type]).kind in "iu"


def _shape(tensor: Tensor, dynamic: int) -> list[int]:
    """Return a size for each dimension; heights and widths that the IR resizes are larger than what it makes."""
    sizes = [dynamic if size == -1 else size for size in tensor.shape]
    for axis, (least, most) in enumerate(tensor.bounds):
        sizes[axis] = max(least, min(sizes[axis], most if most > 0 else sizes[axis]))
    if tensor.prepare:
        for axis, size in zip(tensor.prepare.axes, tensor.prepare.size, strict=True):
            sizes[axis] = size + size // (axis + 2) + 1
    return sizes


def _values(generator: np.random.Generator, shape: tuple[int, ...], tensor: Tensor, chosen: Range | None) -> Array:
    if tensor.type not in NUMPY_TYPES:
        message = f"cannot make up values of type {tensor.type} for input `{tensor.name}`"
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
    # Raw values such that the model itself sees -1 to 1 where it is normalized, and 0 to 1 where it is not.
    unit = generator.random(shape, dtype=np.float32)
    prepare = tensor.prepare
    if prepare and (prepare.mean or prepare.scale):
        whole = unit.ndim == len(tensor.shape)  # else each sample is a whole input, behind one dimension more
        unit = unit * 2 - 1
        unit = unprepared(unit, prepare) if whole else np.stack([unprepared(sample, prepare) for sample in unit])
    return unit.astype(dtype)
