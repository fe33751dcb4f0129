"""inspect, TensorFlow's half: the inputs, outputs, operations and layers of a source.

    facts = inspect(request)    params: InspectParams; outputs: graph

`graph` is the source as a frozen graph, for OpenVINO's half. A .tflite file has none: see tflite.py.
The default signature is `serving_default`, else the first; likewise for tags. Facts are JSON:

    {"way", "signature", "tags", "choices": [{"tags", "signatures": {name: {"inputs", "outputs"}}}],
     "inputs": [{"name", "shape", "type"}], "outputs": …, "parameters", "operations": {"Conv2D": 35},
     "layers": [{"name", "operations", "parts", "outputs": [{"name", "shape", "type"}]}]}

A shape is null if the rank is unknown. Types have OpenVINO's names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.saved_model.loader_impl import parse_saved_model

from ovmake.contracts.params.helping import InspectParams
from ovmake.contracts.params.source import DEFAULT_SIGNATURE, DEFAULT_TAGS
from ovmake.sources.dataflow import PLACEHOLDERS
from ovmake.sources.layers import Layers, SourceLayer, ops_of_graph
from ovmake.workers.inspection.spelling import Json, openvino_name
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.loading.any_source import load
from ovmake.workers.loading.graphs import Loaded, nodes

_NOT_COUNTED = {*PLACEHOLDERS, "Const", "Identity", "IdentityN", "NoOp"}
_INTERNAL = "__saved_model_"


def inspect(request: Request) -> Json:
    """Load `source`, write `graph`, and return the facts.

    Raises:
        ActionError: TensorFlow cannot load it.
    """
    asked = request.asked(InspectParams)
    source, kind, allowed = Path(request.inputs["source"]), asked.kind, frozenset(asked.allow_ops)
    if kind == "tflite":
        from ovmake.workers.inspection.tflite import inspect_lite

        return inspect_lite(source, allowed)
    choices = _choices(source) if kind == "saved-model" else []
    signature, tags = _chosen(choices, asked)
    loaded = load(source, kind=kind, signature=signature, tags=tags, allowed=allowed)
    serialized = loaded.graph_def.SerializeToString()
    Path(request.outputs["graph"]).write_bytes(serialized)
    shown = _Tensors(loaded.graph_def)
    layers = Layers(ops_of_graph(serialized), inputs=loaded.inputs, outputs=loaded.outputs)
    return {
        "way": loaded.way,
        "signature": signature if choices else "",
        "tags": list(tags) if choices else [],
        "choices": choices,
        "inputs": [{"name": name, **shown.of(tensor)} for name, tensor in loaded.inputs.items()],
        "outputs": [{"name": name, **shown.of(tensor)} for name, tensor in loaded.outputs.items()],
        "parameters": _parameters(loaded),
        "operations": _operations(loaded, layers),
        "layers": [_layer(layer, shown) for layer in layers.layers() if not set(layer.types) <= PLACEHOLDERS],
    }


def _choices(source: Path) -> list[Json]:
    """Return a SavedModel's graphs by their tags, each with its signatures; nothing if the file is damaged."""
    try:
        proto = parse_saved_model(str(source))
    except Exception:  # noqa: BLE001 - `load` says what is wrong with it
        return []
    return [
        {
            "tags": sorted(meta_graph.meta_info_def.tags),
            "signatures": {
                name: {side: sorted(getattr(signature, side)) for side in ("inputs", "outputs")}
                for name, signature in sorted(meta_graph.signature_def.items())
                if not name.startswith(_INTERNAL)
            },
        }
        for meta_graph in proto.meta_graphs
    ]


def _chosen(choices: list[Json], asked: InspectParams) -> tuple[str, tuple[str, ...]]:
    tags = DEFAULT_TAGS if asked.tags is None else asked.tags
    there = [tuple(choice["tags"]) for choice in choices]
    if asked.tags is None and there and DEFAULT_TAGS not in there:
        tags = there[0]
    known = next((list(choice["signatures"]) for choice in choices if set(choice["tags"]) == set(tags)), [])
    if not asked.signature and known and DEFAULT_SIGNATURE not in known:
        return known[0], tags
    return asked.signature or DEFAULT_SIGNATURE, tags


class _Tensors:
    """Shapes and types of a graph's tensors, as TensorFlow infers them."""

    def __init__(self, graph_def: Any) -> None:
        self._graph: Any = tf.Graph()
        with self._graph.as_default():
            tf.graph_util.import_graph_def(graph_def, name="")

    def of(self, name: str) -> Json:
        """Return {"shape", "type"} of a tensor."""
        tensor = self._graph.get_tensor_by_name(name)
        known = tensor.shape.rank is not None
        shape = [-1 if size is None else size for size in tensor.shape] if known else None
        return {"shape": shape, "type": openvino_name(tensor.dtype.base_dtype)}


def _layer(layer: SourceLayer, shown: _Tensors) -> Json:
    return {
        "name": layer.name,
        "operations": [kind for kind in layer.types if kind not in _NOT_COUNTED] or list(layer.types),
        "parts": layer.parts,
        "outputs": [{"name": tensor, **shown.of(tensor)} for tensor in layer.outputs],
    }


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
