"""What `ovmake inspect` found out about a model, as data.

    description = Description(source="models/digits", kind="saved-model", ...)
    description.to_json()        the public form, "format": 1

Shapes speak of the source; -1 is a dynamic dimension, None an unknown rank. Types are spelt as OpenVINO spells them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """An input, an output, or what comes out of a layer. `quantization` is (scale, zero point)."""

    name: str
    shape: tuple[int, ...] | None
    type: str
    quantization: tuple[float, int] | None = None

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        fields: dict[str, object] = {
            "name": self.name,
            "shape": None if self.shape is None else list(self.shape),
            "type": self.type,
        }
        if self.quantization:
            fields["quantization"] = {"scale": self.quantization[0], "zero_point": self.quantization[1]}
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDescription:
    """Something one can cut at. `parts` counts the layers in it, where it is a model itself."""

    name: str
    operations: tuple[str, ...]
    outputs: tuple[Port, ...]
    parts: int = 0

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        return {
            "name": self.name,
            "operations": list(self.operations),
            "layers_inside": self.parts,
            "outputs": [port.to_json() for port in self.outputs],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One way to call a model. `tags` are those of the graph that it is in."""

    name: str
    tags: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        return {"name": self.name, "tags": list(self.tags), "inputs": list(self.inputs), "outputs": list(self.outputs)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why OpenVINO cannot have the model as it is. `notes` are a framework's own words."""

    code: str
    message: str
    operations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        return {
            "code": self.code,
            "message": self.message,
            "operations": list(self.operations),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A model.

    `way`: how TensorFlow loaded it. `signature` and `tags`: those that were looked at, of `signatures`; empty for what
    has none. `operations` count those that data flows through. `converted`: what OpenVINO makes of them; None if it
    cannot.
    """

    source: str
    kind: str
    way: str
    size_bytes: int
    parameters: int | None
    signature: str = ""
    tags: tuple[str, ...] = ()
    signatures: tuple[Signature, ...] = ()
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    layers: tuple[LayerDescription, ...] = ()
    operations: Mapping[str, int] = field(default_factory=dict)
    converted: Mapping[str, int] | None = None
    troubles: tuple[Trouble, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        return {
            "format": FORMAT,
            "source": self.source,
            "kind": self.kind,
            "loaded_by": self.way,
            "size_bytes": self.size_bytes,
            "parameters": self.parameters,
            "signature": self.signature or None,
            "tags": list(self.tags),
            "signatures": [signature.to_json() for signature in self.signatures],
            "inputs": [port.to_json() for port in self.inputs],
            "outputs": [port.to_json() for port in self.outputs],
            "layers": [layer.to_json() for layer in self.layers],
            "operations": dict(self.operations),
            "openvino": {
                "converts": self.converted is not None,
                "operations": None if self.converted is None else dict(self.converted),
                "troubles": [trouble.to_json() for trouble in self.troubles],
            },
        }
