"""interface.json: what *convert* found out about an IR's inputs and outputs. Whoever runs a side reads it.

Names are those a user writes in an Ovfile: a SavedModel's signature keys, a frozen graph's tensors without `:0`, the
words of a cut. -1 in a shape is a dynamic dimension. Types are OpenVINO's (`f32`, `i64`, `u8`, `boolean`).

`shape` and `type` are what the IR takes. What the source takes can differ: `Preparation` holds that, and what the IR
does inside to get there, so that TensorFlow's inputs can be prepared in the same way outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ovmake.contracts.codec import load, save

Scalar = bool | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What the IR does to an input before the source's own graph, in the order of the fields.

    `size` is the height and width to resize to, along `axes`; `reverse` the axis of the channels to reverse, -1 for
    none, and `colours` their number: alpha, the fourth, stays where it is; `mean` and `scale` hold one number, or one
    per channel of axis `channels`; `transpose` is the permutation from the IR's layout to the source's. `type` and
    `shape` are what the source takes. Axes are the IR's.
    """

    resize: str = ""
    size: tuple[int, ...] = ()
    axes: tuple[int, ...] = ()
    reverse: int = -1
    colours: int = 0
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    channels: int = -1
    transpose: tuple[int, ...] = ()
    type: str = ""
    shape: tuple[int, ...] = ()

    @property
    def computes(self) -> bool:
        """Whether values change, and not only their type and order."""
        return bool(self.resize or self.reverse >= 0 or self.mean or self.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One input or output.

    `tensor` is its name in the source's graph where that is not `name`; `bounds` the least and largest size of each
    dimension, where some dimension is bounded; `quantum` an output's quantization step, if the source computes in
    integers.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    tensor: str = ""
    bounds: tuple[tuple[int, int], ...] = ()
    prepare: Preparation | None = None

    @property
    def source_shape(self) -> tuple[int, ...]:
        """The shape that the source takes or gives."""
        return self.prepare.shape if self.prepare else self.shape

    @property
    def source_name(self) -> str:
        """The name in the source's graph."""
        return self.tensor or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """An input frozen to a constant: `values` in row-major order, or one that fills the shape."""

    name: str
    shape: tuple[int, ...]
    type: str
    values: tuple[Scalar, ...]
    tensor: str = ""

    @property
    def source_name(self) -> str:
        """The name in the source's graph."""
        return self.tensor or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """Inputs and outputs in the IR's order. `read_by` says how the source was read."""

    FORMAT: ClassVar[int] = 4

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    constants: tuple[Constant, ...] = ()
    read_by: str = ""

    @property
    def batch(self) -> int | None:
        """The batch dimension of all inputs, -1 if dynamic; None where the inputs have none in common.

        The first dimension counts as the batch if every input has the same one: a graph says no more about it.
        """
        firsts = {tensor.shape[0] if tensor.shape else None for tensor in self.inputs}
        return firsts.pop() if len(firsts) == 1 else None

    @property
    def batch_bounds(self) -> tuple[int, int] | None:
        """The fewest and the most (-1: no limit) samples that a bounded batch holds; None if it has no bounds."""
        bounds = [tensor.bounds[0] for tensor in self.inputs if tensor.bounds and tensor.shape[0] == -1]
        if not any(least > 1 or most > 0 for least, most in bounds):
            return None
        return max(least for least, _ in bounds), min((most for _, most in bounds if most > 0), default=-1)

    def write(self, path: str) -> None:
        """Write the file."""
        save(self, path)

    @classmethod
    def read(cls, path: str) -> Interface:
        """Read what `write` wrote.

        Raises:
            ContractError: it is no such file.
        """
        return load(cls, path, "interface")
