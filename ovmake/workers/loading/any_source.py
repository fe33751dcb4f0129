"""Load a source into TensorFlow as a frozen graph, whatever kind of file or folder it is.

    loaded = load(source, kind="keras", signature="serving_default", tags=("serve",))

    saved_model.py    SavedModel folders: tf.saved_model.load, else the TF1 loader
    keras_file.py          .keras and .h5: Keras 3, else tf-keras
    tf1.py     .meta files of TF1 checkpoints, and frozen .pb graphs
    graphs.py                 what comes out: `Loaded`

A .tflite file has no TensorFlow graph: see tflite.py.

Sources are untrusted: nothing is unpickled, no Python out of them is run, and a graph is screened before TensorFlow
sees it (`screen.py`). What comes out is looked at again: nothing but computation is left in it.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from ovmake.contracts.source_kinds import IN_WORDS
from ovmake.errors import ActionError, message_of
from ovmake.sources.integrity.fetched import check_fetched
from ovmake.sources.protobuf import ProtobufError
from ovmake.sources.recognise import with_kind
from ovmake.sources.screening.allowed_ops import ALLOWED, CONDITIONS, objection
from ovmake.sources.screening.meta_graph import Trouble
from ovmake.sources.screening.screen import refuse, unreadable
from ovmake.workers.loading.graphs import Loaded, nodes, register
from ovmake.workers.loading.keras_file import load_keras
from ovmake.workers.loading.saved_model import load_saved_model
from ovmake.workers.loading.tf1 import DEFAULT_SIGNATURE, load_checkpoint, load_frozen_graph

__all__ = ["DEFAULT_SIGNATURE", "DEFAULT_TAGS", "Loaded", "load"]

DEFAULT_TAGS = ("serve",)


def load(
    source: Path,
    *,
    kind: str,
    signature: str = DEFAULT_SIGNATURE,
    tags: tuple[str, ...] = DEFAULT_TAGS,
    allowed: Collection[str] = (),
) -> Loaded:
    """Load a source of a known kind. `signature` and `tags` are for those that have some.

    `allowed` names operations that may run though they do more than compute.

    Raises:
        ActionError: it is not of that kind, is damaged, does more than compute, or TensorFlow cannot load or freeze it.
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


def check_ops(source: Path, graph_def: Any, allowed: Collection[str]) -> None:
    """Refuse what is left in a graph without variables and does more than compute.

    Raises:
        ActionError: `op-refused`.
    """
    found = []
    for node in nodes(graph_def):
        if node.op in allowed or (node.op in ALLOWED and node.op not in CONDITIONS):
            continue
        attributes = {name: memoryview(value.SerializeToString()) for name, value in node.attr.items()}
        try:
            why = objection(node.op, attributes)
        except ProtobufError as error:
            raise unreadable(source, error) from error
        if why:
            found.append(Trouble(place="", node=node.name, op=node.op, why=why))
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
    message = f"`{source.name}` is {IN_WORDS.get(kind, kind)}, which has no TensorFlow graph"
    raise ActionError("no-graph", message, setting="source")
