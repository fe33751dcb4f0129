"""The interface of an IR: what *convert* found out about inputs and outputs, as a small JSON that other actions read.

    {"format": 1, "fingerprint": "computation:…", "inputs": [{"name", "shape", "type", "mean", "scale"}], "outputs": …}

Names are those a user writes in an Ovfile: a SavedModel's signature keys, or a frozen graph's tensors without `:0`.
-1 in a shape is a dynamic dimension. Types are OpenVINO's (`f32`, `i64`, `u8`, `boolean`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovmake.workers.protocol import ActionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One input or output.

    The IR computes (x - mean) / scale of an input; each holds one number, or one per channel, or nothing.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """Inputs and outputs in the model's order."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    fingerprint: str

    @property
    def batch(self) -> int | None:
        """The batch dimension of all inputs, -1 if dynamic; None where the inputs have none in common.

        The first dimension counts as the batch if every input has the same one: a graph says no more about it.
        """
        firsts = {tensor.shape[0] if tensor.shape else None for tensor in self.inputs}
        return firsts.pop() if len(firsts) == 1 else None

    def write(self, path: str) -> None:
        """Write the JSON."""
        body = {
            "format": 1,
            "fingerprint": self.fingerprint,
            "inputs": [_to_json(tensor) for tensor in self.inputs],
            "outputs": [_to_json(tensor) for tensor in self.outputs],
        }
        Path(path).write_text(json.dumps(body, indent=1) + "\n")

    @classmethod
    def read(cls, path: str) -> Interface:
        """Read what `write` wrote."""
        body = json.loads(Path(path).read_bytes())
        return cls(
            inputs=tuple(_from_json(fields) for fields in body["inputs"]),
            outputs=tuple(_from_json(fields) for fields in body["outputs"]),
            fingerprint=body["fingerprint"],
        )


def channel_axis(shape: tuple[int, ...], channels: int, setting: str) -> int:
    """Return the axis that `mean` or `scale` with so many channels speaks of: the last one, else the second.

    Raises:
        ActionError: neither has that many channels.
    """
    for axis in (len(shape) - 1, 1):
        if 0 <= axis < len(shape) and shape[axis] == channels:
            return axis
    shown = list(shape)
    message = f"`{setting}` has {channels} values, and no channel dimension of the input's shape {shown} has"
    raise ActionError("channel-count", message, setting=setting, help="give one number, or one per channel")


def _to_json(tensor: Tensor) -> dict[str, object]:
    fields: dict[str, object] = {"name": tensor.name, "shape": list(tensor.shape), "type": tensor.type}
    if tensor.mean:
        fields["mean"] = list(tensor.mean)
    if tensor.scale:
        fields["scale"] = list(tensor.scale)
    return fields


def _from_json(fields: dict[str, Any]) -> Tensor:
    return Tensor(
        name=fields["name"],
        shape=tuple(fields["shape"]),
        type=fields["type"],
        mean=tuple(fields.get("mean", ())),
        scale=tuple(fields.get("scale", ())),
    )
