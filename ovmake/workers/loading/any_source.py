"""Load a source of any kind into TensorFlow as a frozen graph.

    loaded = load(source, kind="keras", signature="serving_default", tags=("serve",))

    saved_model.py    SavedModel folders: tf.saved_model.load, else the TF1 loader
    keras_file.py          .keras and .h5: Keras 3, else tf-keras
    tf1.py     .meta files of TF1 checkpoints, and frozen .pb graphs
    graphs.py                 the result: `Loaded`

A .tflite file has no TensorFlow graph: see reference/tflite.py.

Sources are untrusted: nothing is unpickled, no Python code in them is run, and a graph is screened before TensorFlow
loads it (`screen.py`). The loaded graph is checked again: it may only compute.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tensorflow.core.framework.graph_pb2 import GraphDef

from ovmake.contracts.params.source import DEFAULT_SIGNATURE, DEFAULT_TAGS
from ovmake.contracts.source_kinds import in_words
from ovmake.errors import ActionError, message_of
from ovmake.sources.integrity.fetched import check_fetched
from ovmake.sources.protobuf import ProtobufError
from ovmake.sources.recognise import with_kind
from ovmake.sources.screening.allowed_ops import ALLOWED, CONDITIONS, refusal_reason
from ovmake.sources.screening.meta_graph import RefusedNode
from ovmake.sources.screening.screen import refuse, unreadable
from ovmake.workers.loading.graphs import Loaded, nodes, register
from ovmake.workers.loading.keras_file import load_keras
from ovmake.workers.loading.saved_model import load_saved_model
from ovmake.workers.loading.tf1 import load_checkpoint, load_frozen_graph

__all__ = ["Loaded", "load"]


def load(
    source: Path,
    *,
    kind: str,
    signature: str = DEFAULT_SIGNATURE,
    tags: tuple[str, ...] = DEFAULT_TAGS,
    allowed: Collection[str] = (),
) -> Loaded:
    """Load a source of a known kind. `signature` and `tags` apply to kinds that have them.

    `allowed` names operations that may run although they have side effects.

    Raises:
        ActionError: it is not of that kind, is damaged, has side effects, or TensorFlow cannot load or freeze it.
    """
    check_fetched(source)
    try:
        loaded = _load(source, kind, signature, tags, frozenset(allowed))
    except ActionError as error:
        raise with_kind(error, source, kind) from error
    except Exception as error:
        message = f"TensorFlow cannot load `{source.name}`: {message_of(error)}"
        failure = ActionError("tensorflow-cannot-load", message, setting="source")
        raise with_kind(failure, source, kind) from error
    check_ops(source, loaded.graph_def, allowed)
    register(loaded.graph_def)
    return loaded


def check_ops(source: Path, graph_def: GraphDef, allowed: Collection[str]) -> None:
    """Refuse operations with side effects that are left in a frozen graph.

    Raises:
        ActionError: `op-refused`.
    """
    found = []
    for node in nodes(graph_def):
        if node.op in allowed or (node.op in ALLOWED and node.op not in CONDITIONS):
            continue
        attributes = {name: memoryview(value.SerializeToString()) for name, value in node.attr.items()}
        try:
            why = refusal_reason(node.op, attributes)
        except ProtobufError as error:
            raise unreadable(source, error) from error
        if why:
            found.append(RefusedNode(place="", node=node.name, op=node.op, why=why))
    refuse(source, source.name, found)


def _load(source: Path, kind: str, signature: str, tags: tuple[str, ...], allowed: frozenset[str]) -> Loaded:
    match kind:
        case "saved-model":
            return load_saved_model(source, signature, tags, allowed)
        case "frozen-graph":
            return load_frozen_graph(source, allowed)
        case "keras" | "keras-h5":
            return load_keras(source, kind)
        case "checkpoint":
            return load_checkpoint(source, signature, allowed)
    message = f"`{source.name}` is {in_words(kind)}, which has no TensorFlow graph"
    raise ActionError("no-graph", message, setting="source")
