"""Load a source into TensorFlow as a frozen graph, whatever kind of file or folder it is.

    loaded = load(source, kind="keras", signature="serving_default", tags=("serve",))

    loading_saved_model.py    SavedModel folders: tf.saved_model.load, else the TF1 loader
    loading_keras.py          .keras and .h5: Keras 3, else tf-keras
    loading_checkpoint.py     .meta files of TF1 checkpoints, and frozen .pb graphs
    graphs.py                 what comes out: `Loaded`

A .tflite file has no TensorFlow graph: see lite.py.

Sources are untrusted as far as files are data: nothing is unpickled, no Python out of them is run. A TensorFlow graph
is a program all the same, and TensorFlow runs it.
"""

from __future__ import annotations

from pathlib import Path

from ovmake.workers.graphs import Loaded, nodes, register
from ovmake.workers.loading_checkpoint import DEFAULT_SIGNATURE, load_checkpoint, load_frozen_graph
from ovmake.workers.loading_keras import load_keras
from ovmake.workers.loading_saved_model import load_saved_model
from ovmake.workers.protocol import ActionError, message_of
from ovmake.workers.recognise import IN_WORDS, with_kind

__all__ = ["DEFAULT_SIGNATURE", "DEFAULT_TAGS", "Loaded", "load"]

DEFAULT_TAGS = ("serve",)


def load(
    source: Path,
    *,
    kind: str,
    signature: str = DEFAULT_SIGNATURE,
    tags: tuple[str, ...] = DEFAULT_TAGS,
) -> Loaded:
    """Load a source of a known kind. `signature` and `tags` are for those that have some.

    Raises:
        ActionError: it is not of that kind, is damaged, or TensorFlow cannot load or freeze it.
    """
    try:
        loaded = _load(source, kind, signature, tags)
    except ActionError as error:
        raise with_kind(error, source, kind) from error
    except Exception as error:
        message = f"TensorFlow cannot load `{source.name}`: {message_of(error)}"
        failure = ActionError("tensorflow-cannot-load", message, setting="source")
        raise with_kind(failure, source, kind) from error
    _check_tables(source, loaded)
    register(loaded.graph_def)
    return loaded


def _check_tables(source: Path, loaded: Loaded) -> None:
    """Refuse what fails only when it is called: the graph holds a table's use, and not its content."""
    lookups = [node.name for node in nodes(loaded.graph_def) if node.op.startswith("LookupTable")]
    if lookups:
        message = f"`{source.name}` looks values up in a table (`{lookups[0]}`), which a frozen graph cannot hold"
        hint = "cut the table off (`cut.inputs`), or export the model without it"
        raise ActionError("unsupported-source", message, setting="source", help=hint)


def _load(source: Path, kind: str, signature: str, tags: tuple[str, ...]) -> Loaded:
    match kind:
        case "saved-model":
            return load_saved_model(source, signature, tags)
        case "frozen-graph":
            return load_frozen_graph(source)
        case "keras" | "keras-h5":
            return load_keras(source, kind)
        case "checkpoint":
            return load_checkpoint(source, signature)
    message = f"`{source.name}` is {IN_WORDS.get(kind, kind)}, which has no TensorFlow graph"
    raise ActionError("no-graph", message, setting="source")
