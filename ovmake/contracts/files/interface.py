"""interface.json: the inputs and outputs of an IR. *convert* writes it; all actions that run a model read it.

Names are those of an Ovfile: a SavedModel's signature keys, a frozen graph's tensors without `:0`, the names in a cut.
-1 in a shape is a dynamic dimension. Types are OpenVINO's (`f32`, `i64`, `u8`, `boolean`).

`shape` and `type` are those of the IR's input. The source's can differ: `Preparation` holds them, and the preprocessing
inside the IR, so that TensorFlow's inputs can be preprocessed in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ovmake.contracts.codec import load, save

Scalar = bool | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """The IR's preprocessing of an input, in the order of the fields.

    `size` is the height and width to resize to, along `axes`. `reverse` is the axis of the channels to reverse, -1 for
    none, and `colours` their number: alpha, the fourth, keeps its index. `mean` and `scale` hold one number, or one per
    channel of axis `channels`. `transpose` is the permutation from the IR's layout to the source's. `type` and `shape`
    are those of the source's input. Axes are the IR's.
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
        """Whether it changes values, not only their type and order."""
        return bool(self.resize or self.reverse >= 0 or self.mean or self.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """An input or an output.

    `tensor` is its name in the source's graph, "" if that is `name`. `bounds` are the least and largest size of each
    dimension, if any dimension is bounded.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    tensor: str = ""
    bounds: tuple[tuple[int, int], ...] = ()
    prepare: Preparation | None = None

    @property
    def source_shape(self) -> tuple[int, ...]:
        """The shape in the source."""
        return self.prepare.shape if self.prepare else self.shape

    @property
    def source_name(self) -> str:
        """The name in the source's graph."""
        return self.tensor or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """An input frozen to a constant: `values` in row-major order, or one value that fills the shape."""

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
        """The batch dimension of all inputs, -1 if dynamic; None if the inputs differ.

        The first dimension counts as the batch if it is the same in every input: a graph does not name its batch.
        """
        firsts = {tensor.shape[0] if tensor.shape else None for tensor in self.inputs}
        return firsts.pop() if len(firsts) == 1 else None

    @property
    def batch_bounds(self) -> tuple[int, int] | None:
        """The least and the largest size (-1: no limit) of a bounded batch; None if it has no bounds."""
        bounds = [tensor.bounds[0] for tensor in self.inputs if tensor.bounds and tensor.shape[0] == -1]
        if not any(least > 1 or most > 0 for least, most in bounds):
            return None
        return max(least for least, _ in bounds), min((most for _, most in bounds if most > 0), default=-1)

    def write(self, path: str) -> None:
        """Write the file."""
        save(self, path)

    @classmethod
    def read(cls, path: str) -> Interface:
        """Read the file.

        Raises:
            ContractError: it is not an interface.json.
        """
        return load(cls, path, "interface")
