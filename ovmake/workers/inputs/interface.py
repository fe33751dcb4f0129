"""The interface of an IR: its inputs and outputs, as a small JSON that *convert* writes and other actions read.

    {"format": 3, "way": "…", "inputs": [...], "outputs": [...], "constants": [...]}

Names are those that a user writes in an Ovfile: a SavedModel's signature keys, a frozen graph's tensors without `:0`,
the words of a cut. -1 in a shape is a dynamic dimension. Types are OpenVINO's (`f32`, `i64`, `u8`, `boolean`).

`shape` and `type` are those of the IR. Those of the source can differ: `Preparation` has them, and the preprocessing
inside the IR, so that TensorFlow's inputs can be prepared in the same way outside (`preparing.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ovmake.errors import ActionError

Scalar = bool | int | float

# Channels of a colour image: without alpha, and with alpha last.
RGB, RGBA = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """The preprocessing of an input inside the IR, in the order of the fields.

    `size` is the height and width to resize to, along `axes`. `reverse` is the axis of the channels to reverse, -1 for
    none, and `colours` their number; alpha, the fourth, keeps its position. `mean` and `scale` have one number, or one
    per channel of axis `channels`. `transpose` is the permutation from the IR's layout to the source's. `type` and
    `shape` are those of the source's input. Axes are the IR's.
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
        """Whether the preprocessing changes values, not only their type and order."""
        return bool(self.resize or self.reverse >= 0 or self.mean or self.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One input or output.

    `tensor` is its name in the source's graph if that differs from `name`. `bounds` are the smallest and largest size
    of each dimension, if some dimension is bounded. `quantum` is an output's quantization step, if the source computes
    in integers.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    tensor: str = ""
    bounds: tuple[tuple[int, int], ...] = ()
    prepare: Preparation | None = None

    @property
    def source_shape(self) -> tuple[int, ...]:
        """The shape of the source's input or output."""
        return self.prepare.shape if self.prepare else self.shape

    @property
    def source_name(self) -> str:
        """The name in the source's graph."""
        return self.tensor or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """An input frozen to a constant: `values` in row-major order, or one value for the whole shape."""

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
    """Inputs and outputs in the IR's order. `way` states in words how the source was read."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    constants: tuple[Constant, ...] = ()
    way: str = ""

    @property
    def batch(self) -> int | None:
        """The batch dimension of all inputs, -1 if dynamic; None if the inputs have no common one.

        The first dimension counts as the batch if it is the same in every input: a graph has no other sign of it.
        """
        firsts = {tensor.shape[0] if tensor.shape else None for tensor in self.inputs}
        return firsts.pop() if len(firsts) == 1 else None

    @property
    def batch_bounds(self) -> tuple[int, int] | None:
        """The smallest and largest (-1: no limit) size of a bounded batch; None if it has no bounds."""
        bounds = [tensor.bounds[0] for tensor in self.inputs if tensor.bounds and tensor.shape[0] == -1]
        if not any(least > 1 or most > 0 for least, most in bounds):
            return None
        return max(least for least, _ in bounds), min((most for _, most in bounds if most > 0), default=-1)

    def write(self, path: str) -> None:
        """Write the JSON."""
        body = {
            "format": 3,
            "way": self.way,
            "inputs": [_to_json(tensor) for tensor in self.inputs],
            "outputs": [_to_json(tensor) for tensor in self.outputs],
            "constants": [_to_json(constant) for constant in self.constants],
        }
        Path(path).write_text(json.dumps(body, indent=1) + "\n")

    @classmethod
    def read(cls, path: str) -> Interface:
        """Read what `write` wrote."""
        body = json.loads(Path(path).read_bytes())
        return cls(
            inputs=tuple(_tensor(entry) for entry in body["inputs"]),
            outputs=tuple(_tensor(entry) for entry in body["outputs"]),
            constants=tuple(Constant(**_as_tuples(entry)) for entry in body["constants"]),
            way=body["way"],
        )


def channel_axis(shape: tuple[int, ...], channels: int, setting: str) -> int:
    """Return the axis of `mean` or `scale` with so many channels: the last axis, else the second.

    Raises:
        ActionError: neither axis has that size.
    """
    for axis in (len(shape) - 1, 1):
        if 0 <= axis < len(shape) and shape[axis] == channels:
            return axis
    shown = list(shape)
    message = f"`{setting}` has {channels} values, and no channel dimension of the input's shape {shown} has that size"
    raise ActionError("channel-count", message, setting=setting, help="give one number, or one per channel")


def _to_json(entry: Tensor | Constant | Preparation) -> dict[str, object]:
    """Return the fields without a default, and those whose value differs from the default."""
    body: dict[str, object] = {}
    for field in fields(entry):
        value = getattr(entry, field.name)
        if value != field.default:
            body[field.name] = _to_json(value) if isinstance(value, Preparation) else value
    return body


def _tensor(entry: Mapping[str, Any]) -> Tensor:
    given = _as_tuples(entry)
    if "prepare" in given:
        given["prepare"] = Preparation(**_as_tuples(given["prepare"]))
    return Tensor(**given)


def _as_tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _as_tuple(value) for name, value in entry.items()}


def _as_tuple(value: object) -> Any:
    return tuple(_as_tuple(element) for element in value) if isinstance(value, list) else value
