"""inspect, TensorFlow's half: the inputs, outputs, operations and layers of a source.

    facts = inspect(request)    params: InspectParams; outputs: graph

`graph` is the source as a frozen graph, for OpenVINO's half. A .tflite file has none: see tflite.py.

Where no signature is asked for, it is `serving_default`, else the first; the same goes for tags. Facts are a
`SourceFacts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.python.saved_model.loader_impl import parse_saved_model

from ovmake.contracts.codec import encode_object
from ovmake.contracts.files.inspected import LayerDescription, Port, Signature, SourceFacts
from ovmake.contracts.params.helping import InspectParams
from ovmake.contracts.params.source import DEFAULT_SIGNATURE, DEFAULT_TAGS
from ovmake.sources.dataflow import PLACEHOLDERS
from ovmake.sources.layers import Layers, SourceLayer, ops_of_graph
from ovmake.workers.inspection.spelling import openvino_name
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.loading.any_source import load
from ovmake.workers.loading.graphs import Loaded, nodes

_NOT_COUNTED = {*PLACEHOLDERS, "Const", "Identity", "IdentityN", "NoOp"}
_INTERNAL = "__saved_model_"


def inspect(request: Request) -> dict[str, object]:
    """Load `source`, write `graph`, and return the facts.

    Raises:
        ActionError: TensorFlow cannot load it.
    """
    asked = request.asked(InspectParams)
    source, kind, allowed = Path(request.inputs["source"]), asked.kind, frozenset(asked.allow_ops)
    if kind == "tflite":
        from ovmake.workers.inspection.tflite import inspect_tflite

        return encode_object(inspect_tflite(source, allowed))
    return encode_object(_inspected(request, source, asked))


def _inspected(request: Request, source: Path, asked: InspectParams) -> SourceFacts:
    kind, allowed = asked.kind, frozenset(asked.allow_ops)
    choices = _choices(source) if kind == "saved-model" else []
    signature, tags = _chosen(choices, asked)
    loaded = load(source, kind=kind, signature=signature, tags=tags, allowed=allowed)
    serialized = loaded.graph_def.SerializeToString()
    Path(request.outputs["graph"]).write_bytes(serialized)
    shown = _Tensors(loaded.graph_def)
    layers = Layers(ops_of_graph(serialized), inputs=loaded.inputs, outputs=loaded.outputs)
    return SourceFacts(
        way=loaded.way,
        signature=signature if choices else "",
        tags=tags if choices else (),
        signatures=tuple(signature for choice in choices for signature in choice.signatures),
        inputs=tuple(shown.port(name, tensor) for name, tensor in loaded.inputs.items()),
        outputs=tuple(shown.port(name, tensor) for name, tensor in loaded.outputs.items()),
        parameters=_parameters(loaded),
        operations=_operations(loaded, layers),
        layers=tuple(_layer(layer, shown) for layer in layers.layers() if not set(layer.types) <= PLACEHOLDERS),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """A graph of a SavedModel: its tags, and the signatures in it, by name."""

    tags: tuple[str, ...]
    signatures: tuple[Signature, ...]


def _choices(source: Path) -> list[_Choice]:
    """Return a SavedModel's graphs; nothing if the file is damaged."""
    try:
        proto = parse_saved_model(str(source))
    except Exception:  # noqa: BLE001 - `load` says what is wrong with it
        return []
    return [_choice(meta_graph) for meta_graph in proto.meta_graphs]


def _choice(meta_graph: MetaGraphDef) -> _Choice:
    tags = tuple(sorted(meta_graph.meta_info_def.tags))
    signatures = tuple(
        Signature(name=name, tags=tags, inputs=tuple(sorted(found.inputs)), outputs=tuple(sorted(found.outputs)))
        for name, found in sorted(meta_graph.signature_def.items())
        if not name.startswith(_INTERNAL)
    )
    return _Choice(tags=tags, signatures=signatures)


def _chosen(choices: list[_Choice], asked: InspectParams) -> tuple[str, tuple[str, ...]]:
    tags = DEFAULT_TAGS if asked.tags is None else asked.tags
    there = [choice.tags for choice in choices]
    if asked.tags is None and there and DEFAULT_TAGS not in there:
        tags = there[0]
    meant = next((choice.signatures for choice in choices if set(choice.tags) == set(tags)), ())
    known = [signature.name for signature in meant]
    if not asked.signature and known and DEFAULT_SIGNATURE not in known:
        return known[0], tags
    return asked.signature or DEFAULT_SIGNATURE, tags


class _Tensors:
    """Shapes and types of a graph's tensors, as TensorFlow infers them."""

    def __init__(self, graph_def: GraphDef) -> None:
        self._graph = tf.Graph()
        with self._graph.as_default():
            tf.graph_util.import_graph_def(graph_def, name="")

    def port(self, name: str, tensor: str) -> Port:
        """Return a tensor of the graph under the name that a user knows."""
        found = self._graph.get_tensor_by_name(tensor)
        known = found.shape.rank is not None
        shape = tuple(-1 if size is None else size for size in found.shape) if known else None
        return Port(name=name, shape=shape, type=openvino_name(found.dtype.base_dtype))


def _layer(layer: SourceLayer, shown: _Tensors) -> LayerDescription:
    return LayerDescription(
        name=layer.name,
        operations=tuple(kind for kind in layer.types if kind not in _NOT_COUNTED) or tuple(layer.types),
        parts=layer.parts,
        outputs=tuple(shown.port(tensor, tensor) for tensor in layer.outputs),
    )


def _operations(loaded: Loaded, layers: Layers) -> Mapping[str, int]:
    """Count the operations that compute something, loop bodies once; the most frequent first."""
    inside = [node.op for function in loaded.graph_def.library.function for node in function.node_def]
    counts = Counter(kind for kind in [*layers.operations(), *inside] if kind not in _NOT_COUNTED)
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def _parameters(loaded: Loaded) -> int:
    """Count the numbers in floating-point constants, except scalars (epsilons, ones), which are not parameters."""
    shapes = [
        node.attr["value"].tensor.tensor_shape.dim
        for node in nodes(loaded.graph_def)
        if node.op == "Const" and tf.as_dtype(node.attr["dtype"].type).is_floating
    ]
    return sum(int(np.prod([dim.size for dim in dims])) for dims in shapes if dims)
