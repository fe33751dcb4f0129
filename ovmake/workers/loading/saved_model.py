"""Load a SavedModel: any signature, any tags, of TF2 or of TF1.

    load_saved_model(source, signature, tags, allowed) -> Loaded

Rule 1: before anything is loaded, `saved_model.pb` is read for the signatures and tags, so that an error can list the
        valid names; and it is screened (`screen.py`).
Rule 2: `tf.saved_model.load` is tried first, since it gives the callable that users of the model call. If it refuses a
        TF1 model, or the result cannot be frozen, the TF1 loader is tried. If both fail, the first message is the error
        and the second a note.
"""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)
from tensorflow.python.saved_model.loader_impl import parse_saved_model

from ovmake.contracts.params.source import DEFAULT_SIGNATURE
from ovmake.diagnostics import did_you_mean
from ovmake.errors import ActionError, message_of
from ovmake.sources.integrity import stateful
from ovmake.sources.protobuf import ProtobufError
from ovmake.sources.screening.bodies import Bodies
from ovmake.sources.screening.screen import screen, unreadable
from ovmake.workers.loading.graphs import Loaded, tidy
from ovmake.workers.loading.sessions import frozen_session, tensors_of
from ovmake.workers.loading.shipped import INTERNAL, handles, load_shipped


def load_saved_model(source: Path, signature: str, tags: tuple[str, ...], allowed: frozenset[str]) -> Loaded:
    """Load one signature of a SavedModel folder.

    Raises:
        ActionError: it has no such tags or signature, is damaged, has side effects, keeps state between calls, or
            neither loader can load and freeze it.
    """
    meta_graph = _meta_graph(source, tags)
    _check_signature(meta_graph, signature)
    _check_variables(source, meta_graph)
    try:
        stateful.refuse(source, stateful.of_signature(source, signature, tags))
    except ProtobufError as error:
        raise unreadable(source / "saved_model.pb", error) from error
    if not meta_graph.signature_def and not meta_graph.object_graph_def.nodes:
        screen(source, "saved-model", allowed, in_session=True)
        return _load_unsigned_tf1(source, tags)
    try:
        return _load_as_tf2(source, signature, tags, allowed)
    except ActionError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever TensorFlow raises, the TF1 loader may do
        first = error
    try:
        screen(source, "saved-model", allowed, in_session=True)
    except ActionError as error:
        message = f"TensorFlow cannot load `{source.name}`: {message_of(first)}"
        note = f"the TF1 loader was not tried: {error.message}"
        raise ActionError("tensorflow-cannot-load", message, setting="source", notes=(note,)) from first
    try:
        return _load_as_tf1(source, signature, tags)
    except ActionError:
        raise
    except Exception as second:  # noqa: BLE001 - reported with the first
        message = f"TensorFlow cannot load `{source.name}`: {message_of(first)}"
        note = f"the TF1 loader: {message_of(second)}"
        raise ActionError("tensorflow-cannot-load", message, setting="source", notes=(note,)) from first


def _meta_graph(source: Path, tags: tuple[str, ...]) -> MetaGraphDef:
    try:
        proto = parse_saved_model(str(source))
    except Exception as error:
        message = f"TensorFlow cannot read `{source.name}/saved_model.pb`: {message_of(error)}"
        hint = "the file is damaged or truncated: copy or export the model again"
        raise ActionError("tensorflow-cannot-load", message, setting="source", help=hint) from error
    for meta_graph in proto.meta_graphs:
        if set(meta_graph.meta_info_def.tags) == set(tags):
            return meta_graph
    there = [sorted(meta_graph.meta_info_def.tags) for meta_graph in proto.meta_graphs]
    listed = " or ".join(f"`{found}`" for found in there) or "no graph at all"
    message = f"the SavedModel `{source.name}` has no graph with the tags `{list(tags)}`; it has {listed}"
    meant = next((f"set `tags = {found}`".replace("'", '"') for found in there), "")
    raise ActionError("unknown-tags", message, setting="tags", help=meant)


def _check_signature(meta_graph: MetaGraphDef, signature: str) -> None:
    known = [name for name in sorted(meta_graph.signature_def) if not name.startswith(INTERNAL)]
    if signature in known or (signature == DEFAULT_SIGNATURE and not known):
        return
    listed = ", ".join(f"`{name}`" for name in known) or "none"
    hint = did_you_mean(signature, known) or (f'set `signature = "{known[0]}"`' if known else "")
    message = f"the SavedModel has no signature `{signature}`; it has {listed}"
    hint = hint or "save the model with one: `tf.saved_model.save(model, folder, signatures=...)`"
    raise ActionError("unknown-signature", message, setting="signature", help=hint)


def _check_variables(source: Path, meta_graph: MetaGraphDef) -> None:
    """Name the missing files: TensorFlow's message names a missing key or file pattern.

    A graph that names a file to restore from has variables. A graph without variables often lacks the whole folder.
    """
    if not meta_graph.HasField("saver_def") and not any(
        node.HasField("variable") for node in meta_graph.object_graph_def.nodes
    ):
        return
    folder = source / "variables"
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    shards = [name for name in names if name.startswith("variables.data-")]
    if "variables.index" in names and shards and len(shards) == int(shards[0].rpartition("-")[2]):
        return
    there = ", ".join(f"`{name}`" for name in names) or "nothing"
    message = f"the variables of `{source.name}` are incomplete: `variables/` contains {there}"
    hint = "copy the whole SavedModel folder, `variables/variables.index` and `variables/variables.data-…` with it"
    raise ActionError("tensorflow-cannot-load", message, setting="source", help=hint)


def _load_as_tf2(source: Path, signature: str, tags: tuple[str, ...], allowed: frozenset[str]) -> Loaded:
    shipped = load_shipped(source, signature, tags, allowed)
    graph = memoryview(shipped.function.graph.as_graph_def().SerializeToString())
    ends = [tensor.name for tensor in shipped.function.outputs]
    stateful.refuse(source, stateful.remembered(Bodies(graph), ends, handles(shipped.function)))
    # Loops stay While operations: lowered to Enter and Exit, an LSTM cannot be called from another function ("inputs
    # from different frames").
    frozen = convert_variables_to_constants_v2(shipped.function, lower_control_flow=False)
    # The frozen function keeps the order of the signature's arguments. Captured variables, which follow them, are
    # dropped; handles of tables are not.
    inputs = dict(zip(shipped.inputs, [tensor.name for tensor in frozen.inputs], strict=False))
    outputs = dict(zip(shipped.outputs, [tensor.name for tensor in frozen.outputs], strict=True))
    return Loaded(
        graph_def=tidy(frozen.graph.as_graph_def(), inputs.values(), outputs.values()),
        inputs=inputs,
        outputs=outputs,
        signature=shipped.function,
        way=shipped.way,
    )


def _load_as_tf1(source: Path, signature: str, tags: tuple[str, ...]) -> Loaded:
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        meta_graph = tf.compat.v1.saved_model.load(session, list(tags), str(source))
        inputs, outputs = tensors_of(meta_graph.signature_def[signature], graph)
        return frozen_session(session, inputs, outputs, way="TF1 loader")


def _load_unsigned_tf1(source: Path, tags: tuple[str, ...]) -> Loaded:
    """Load the graph of a TF1 SavedModel without a signature, from its Placeholders to its unconsumed tensors."""
    from ovmake.workers.loading.tf1 import inference  # which takes frozen_session from here

    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.compat.v1.saved_model.load(session, list(tags), str(source))
        inputs, outputs = inference(graph)
        return frozen_session(session, inputs, outputs, way="TF1 loader, without a signature")
