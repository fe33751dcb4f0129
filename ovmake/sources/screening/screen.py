"""Refuse a model with side effects, before TensorFlow loads it.

    screen(source, kind, allowed=()) -> None        raises ActionError("op-refused", ...)

A model's graph is a program: TensorFlow runs its init op when it loads the model, and the rest when it calls the model.
Some operations read or write any file, open connections or run Python. So ovmake's own readers check the file first,
and refuse it if it contains an operation that may not run (`allowed_ops.py`):

    saved-model     every graph of every set of tags; savers and assets have their own rules (`meta_graph.py`)
    checkpoint      the .meta file: the nodes that the restore op, the signatures and the variables need. The rest is
                    removed before it is loaded (`pruning.py`)
    frozen-graph    every node and function
    tflite          TensorFlow's operations in it, `FlexWriteFile` (`tflite.py`)
    keras, keras-h5 elsewhere: `keras_names.py` needs the names of the library that will load the file

`allowed` names further ops that may run: `allow-ops` of the Ovfile, with --allow-ops on the command line.

Rule 1: a file that TensorFlow might read differently than this module (a field or a name that occurs twice) is refused.
        No real writer makes such files.
Rule 2: the error lists everything that is wrong, up to a handful.

OpenVINO runs only arithmetic and reads only the model's own file, so its readers need no screen. Their files are
screened all the same, so that a refusal does not depend on whether TensorFlow is used.
Standard library only.
"""

from __future__ import annotations

import contextlib
import mmap
import struct
from collections.abc import Collection, Iterator
from pathlib import Path

from ovmake.errors import ActionError
from ovmake.sources.protobuf import Message, ProtobufError
from ovmake.sources.screening.assets import Assets
from ovmake.sources.screening.bodies import Bodies
from ovmake.sources.screening.meta_graph import MetaGraph, RefusedNode, refused_nodes
from ovmake.sources.screening.runs import OBJECTS
from ovmake.sources.screening.tflite import flex_refusals

_TOLD = 5  # nodes in one message
_META_GRAPHS, _INFO, _TAGS = 2, 1, 4  # of a SavedModel, a MetaGraphDef, a MetaInfoDef


def screen(source: Path, kind: str, allowed: Collection[str] = (), *, in_session: bool = False) -> None:
    """Refuse a source with side effects.

    `in_session`: TF1's loader will load the SavedModel. It runs the main graph of a TF2 model too.

    Raises:
        ActionError: `op-refused`, with the operations and their places; `unreadable-source`, if TensorFlow may read the
            file differently.
    """
    named = frozenset(allowed)
    match kind:
        case "saved-model":
            _screen_saved_model(source, named, in_session=in_session)
        case "frozen-graph":
            with _opened(source) as view:
                refuse(source, source.name, everything(view, named))
        case "tflite":
            refuse(source, source.name, _in_tflite(source, named))
        case "checkpoint":
            with _opened(source) as view:
                refuse(source, source.name, unpruned(view, named))


def everything(graph_def: memoryview, allowed: frozenset[str]) -> list[RefusedNode]:
    """Return all nodes of a GraphDef that may not run, also those that nothing depends on.

    Raises:
        ProtobufError: malformed, or ambiguous.
    """
    bodies = Bodies(graph_def, allowed)
    places = {"": bodies.main, **{f"function `{name}`": body for name, body in bodies.functions.items()}}
    return [
        RefusedNode(place=place, node=one.node, op=one.op, why=one.why)
        for place, body in places.items()
        for one in body.refused
    ]


def unpruned(meta_graph_def: memoryview, allowed: frozenset[str]) -> list[RefusedNode]:
    """Return the nodes that loading a .meta file would run although they may not.

    Raises:
        ProtobufError: malformed, or ambiguous.
    """
    return MetaGraph(Message(meta_graph_def), allowed, of_training=True, lenient=True).refused_nodes()


def pruned(meta_graph_def: memoryview, allowed: frozenset[str]) -> list[RefusedNode]:
    """Return the nodes of a pruned .meta file that may not run.

    Raises:
        ProtobufError: malformed, or ambiguous.
    """
    return MetaGraph(Message(meta_graph_def), allowed, of_training=True).refused_nodes()


def refuse(source: Path, file: str, found: Collection[RefusedNode], tags: str = "") -> None:
    """Raise `op-refused` if `found`, in `file` of `source`, is not empty."""
    if not found:
        return
    lines = [_line(f"`{file}`{tags}", one) for one in found]
    ops = ", ".join(f'"{op}"' for op in dict.fromkeys(one.op for one in found))
    more = (f"and {len(lines) - _TOLD} more",) if len(lines) > _TOLD else ()
    raise ActionError(
        "op-refused",
        f"`{source.name}` does more than compute: {lines[0]}",
        setting="source",
        notes=(*lines[1:_TOLD], *more),
        help=f"export the model without it; or, if you trust it, allow it: `allow-ops = [{ops}]` in the model's table, "
        "and --allow-ops on the command line",
    )


def _line(file: str, one: RefusedNode) -> str:
    parts = [file, one.place, f"node `{one.node}`" if one.node else ""]
    return f"{', '.join(part for part in parts if part)}: {one.op} {one.why}"


def _in_tflite(source: Path, allowed: frozenset[str]) -> list[RefusedNode]:
    """Return the refused nodes; none for a file that is not a FlatBuffer: the interpreter refuses it."""
    try:
        return flex_refusals(source.read_bytes(), allowed)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise unreadable(source, error) from error


def _screen_saved_model(source: Path, allowed: frozenset[str], *, in_session: bool) -> None:
    path = source / "saved_model.pb"
    if not path.is_file():
        message = (
            f"`{source.name}` has no `saved_model.pb`, and ovmake cannot check a graph in another form for side effects"
        )
        hint = "save it as binary: `tf.saved_model.save`, or `Builder.save(as_text=False)`"
        raise ActionError("unreadable-source", message, setting="source", help=hint)
    with _opened(path) as view:
        graphs = Message(view).messages(_META_GRAPHS)
        for meta in graphs:
            # As in tf.saved_model.load: it loads either by the objects or by the main graph.
            by_objects = len(graphs) == 1 and OBJECTS in meta and not in_session
            assets = Assets.of(meta, source, by_objects=by_objects)
            tags = f" [{', '.join(meta.message(_INFO).texts(_TAGS))}]"
            if assets.wrong:
                message = (
                    f"`{source.name}` does more than compute: its asset `{assets.wrong[0]}` is not in its `assets`"
                )
                hint = "copy the file into the SavedModel's folder `assets`, and export the model again"
                raise ActionError("op-refused", message, setting="source", help=hint)
            refuse(source, path.name, refused_nodes(meta, allowed, assets), tags)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[memoryview]:
    """Map a file. A ProtobufError while it is open becomes an error about the file."""
    with path.open("rb") as file:
        try:
            content: mmap.mmap | bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # empty
            content = b""
        try:
            yield memoryview(content)
        except ProtobufError as error:
            raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> ActionError:
    """Return the error for a file that TensorFlow may read differently."""
    message = f"`{path.name}` cannot be checked for side effects: {error}"
    hint = "the file is damaged, or was not written by TensorFlow: copy or export the model again"
    return ActionError("unreadable-source", message, setting="source", help=hint)
