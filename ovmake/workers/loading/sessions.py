"""Freeze a TF1 session's graph: the common part of the loaders of SavedModels and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_from_session_graph

from ovmake.errors import ActionError
from ovmake.workers.loading.graphs import Loaded, node_name, tidy, with_placeholders

# A graph's tensors by the names that a user knows.
Tensors = Mapping[str, tf.Tensor]


def tensors_of(signature_def: SignatureDef, graph: tf.Graph) -> tuple[Tensors, Tensors]:
    """Return the inputs and outputs of a TF1 signature as tensors of the graph.

    Raises:
        ActionError: one of them is sparse.
    """
    sides = []
    for side in (signature_def.inputs, signature_def.outputs):
        sparse = [key for key in sorted(side) if side[key].WhichOneof("encoding") != "name"]
        if sparse:
            message = f"`{sparse[0]}` of the signature is a sparse tensor, which OpenVINO does not take"
            raise ActionError("unsupported-source", message, setting="signature", help="choose another signature")
        sides.append({key: graph.get_tensor_by_name(side[key].name) for key in sorted(side)})
    return sides[0], sides[1]


def frozen_session(session: tf.compat.v1.Session, inputs: Tensors, outputs: Tensors, *, way: str) -> Loaded:
    """Return a TF1 session's graph from `inputs` to `outputs`, with its variables as constants."""
    ends = sorted({node_name(tensor.name) for tensor in [*inputs.values(), *outputs.values()]})
    graph_def = convert_variables_to_constants_from_session_graph(session, session.graph.as_graph_def(), ends)
    fed = with_placeholders(graph_def, inputs.values())
    named = {name: fed[tensor.name] for name, tensor in inputs.items()}
    given = {name: fed.get(tensor.name, tensor.name) for name, tensor in outputs.items()}
    return Loaded(
        graph_def=tidy(graph_def, named.values(), given.values()),
        inputs=named,
        outputs=given,
        signature=None,
        way=way,
    )
