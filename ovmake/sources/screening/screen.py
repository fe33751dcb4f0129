"""Refuse a model that would do more than compute, before TensorFlow sees it.

    screen(source, kind, allowed=()) -> None        raises ActionError("op-refused", ...)

A model's graph is a program: TensorFlow runs its init op when it loads it, and everything else when it is called. It
has operations that write any file, read any, open connections and run Python. So before anything of a model is given
to TensorFlow, its file is read here, by our own readers, and is refused for what may not run (`allowed_ops.py`):

    saved-model     every graph of every set of tags; savers and assets may do what is theirs (`meta_graph.py`)
    checkpoint      the .meta file: what the restore op, the signatures and the variables lead to. All else is taken out
                    before it is loaded (`pruning.py`)
    frozen-graph    every node and function
    tflite          TensorFlow's operations in it, `FlexWriteFile` (`tflite.py`)
    keras, keras-h5 not here: `keras_names.py`, whose list of names is the library's that is about to load it

`allowed` names ops that may run all the same: `allow-ops` of the Ovfile, with --allow-ops on the command line.

Rule 1: a file is read as strictly as no writer would mind: what TensorFlow might read otherwise than this module does
        (a field twice, a name twice) is refused.
Rule 2: what is told is all that is wrong, up to a handful.

OpenVINO runs nothing of a model but arithmetic, and reads no file but the model's own: its readers need no screen, and
what they read is screened so that a refusal does not depend on whether TensorFlow is asked too.
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
from ovmake.sources.screening.meta_graph import MetaGraph, Trouble, troubles
from ovmake.sources.screening.runs import OBJECTS
from ovmake.sources.screening.tflite import flex_troubles

_TOLD = 5  # troubles in one message
_META_GRAPHS, _INFO, _TAGS = 2, 1, 4  # of a SavedModel, a MetaGraphDef, a MetaInfoDef


def screen(source: Path, kind: str, allowed: Collection[str] = (), *, in_session: bool = False) -> None:
    """Refuse what a source would do beside computing.

    `in_session`: a SavedModel is loaded by TF1's loader, which runs the main graph of one of TF2 too.

    Raises:
        ActionError: `op-refused`, with the operations and where they are; `unreadable-source`, where TensorFlow may
            read the file otherwise than we do.
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


def everything(graph_def: memoryview, allowed: frozenset[str]) -> list[Trouble]:
    """Return all that may not run in a GraphDef, wherever it stands.

    Raises:
        WireError: malformed, or ambiguous.
    """
    bodies = Bodies(graph_def, allowed)
    places = {"": bodies.main, **{f"function `{name}`": body for name, body in bodies.functions.items()}}
    return [
        Trouble(place=place, node=one.node, op=one.op, why=one.why)
        for place, body in places.items()
        for one in body.refused
    ]


def unpruned(meta_graph_def: memoryview, allowed: frozenset[str]) -> list[Trouble]:
    """Return what loading a .meta file would run though it may not.

    Raises:
        WireError: malformed, or ambiguous.
    """
    return MetaGraph(Message(meta_graph_def), allowed, of_training=True, lenient=True).troubles()


def pruned(meta_graph_def: memoryview, allowed: frozenset[str]) -> list[Trouble]:
    """Return what in a pruned .meta file may not run where it stands.

    Raises:
        WireError: malformed, or ambiguous.
    """
    return MetaGraph(Message(meta_graph_def), allowed, of_training=True).troubles()


def refuse(source: Path, file: str, found: Collection[Trouble], tags: str = "") -> None:
    """Raise `op-refused` if there is anything to refuse in `file` of `source`."""
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


def _line(file: str, one: Trouble) -> str:
    parts = [file, one.place, f"node `{one.node}`" if one.node else ""]
    return f"{', '.join(part for part in parts if part)}: {one.op} {one.why}"


def _in_tflite(source: Path, allowed: frozenset[str]) -> list[Trouble]:
    """What is no FlatBuffer is the interpreter's to say: it runs nothing of it."""
    try:
        return flex_troubles(source.read_bytes(), allowed)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise unreadable(source, error) from error


def _screen_saved_model(source: Path, allowed: frozenset[str], *, in_session: bool) -> None:
    path = source / "saved_model.pb"
    if not path.is_file():
        message = (
            f"`{source.name}` has no `saved_model.pb`, and a graph in another form is not checked for what it does"
        )
        hint = "save it as binary: `tf.saved_model.save`, or `Builder.save(as_text=False)`"
        raise ActionError("unreadable-source", message, setting="source", help=hint)
    with _opened(path) as view:
        graphs = Message(view).messages(_META_GRAPHS)
        for meta in graphs:
            # As tf.saved_model.load decides whether it goes by the objects or by the main graph.
            by_objects = len(graphs) == 1 and OBJECTS in meta and not in_session
            assets = Assets.of(meta, source, by_objects=by_objects)
            tags = f" [{', '.join(meta.message(_INFO).texts(_TAGS))}]"
            if assets.wrong:
                message = (
                    f"`{source.name}` does more than compute: its asset `{assets.wrong[0]}` is no file in its `assets`"
                )
                hint = "copy the file into the SavedModel's folder `assets`, and export the model again"
                raise ActionError("op-refused", message, setting="source", help=hint)
            refuse(source, path.name, troubles(meta, allowed, assets), tags)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[memoryview]:
    """Map a file; what is malformed in it is an error about it."""
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
    """Return the error for a file that TensorFlow may read otherwise than we do."""
    message = f"`{path.name}` cannot be checked for what it does: {error}"
    hint = "the file is damaged, or not as TensorFlow writes it: copy or export the model again"
    return ActionError("unreadable-source", message, setting="source", help=hint)
