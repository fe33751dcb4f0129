"""The description of a model by `ovmake inspect`, as data.

    description = Description(source="models/digits", kind="saved-model", ...)
    description.to_json()        the public form, "format": 1

Shapes are the source's; -1 is a dynamic dimension, None an unknown rank. Types have OpenVINO's names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from ovmake.contracts.codec import encode
from ovmake.contracts.files.inspected import LayerDescription, Port, Signature

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionProblem:
    """Why OpenVINO cannot convert the model as it is. `notes` are a framework's messages."""

    code: str
    message: str
    operations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A model.

    `way`: how TensorFlow loaded it. `signature` and `tags`: the inspected ones of `signatures`; empty if it has none.
    `operations` counts the operations that data flows through. `converted` counts OpenVINO's; None if it cannot
    convert.
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
    problems: tuple[ConversionProblem, ...] = ()

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
            "signatures": [encode(signature) for signature in self.signatures],
            "inputs": [encode(port) for port in self.inputs],
            "outputs": [encode(port) for port in self.outputs],
            "layers": [encode(layer) for layer in self.layers],
            "operations": dict(self.operations),
            "openvino": {
                "converts": self.converted is not None,
                "operations": None if self.converted is None else dict(self.converted),
                "problems": [asdict(problem) for problem in self.problems],
            },
        }
