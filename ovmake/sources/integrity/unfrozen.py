"""Detect graphs that were never frozen: a .pb whose variables have their values in another file.

    variables_of(graph_def) -> ("v", "dense/kernel")     nodes of variables, of TF1 and TF2
    handles_of(graph_def) -> ("captured",)               variables of TF2 that are inputs of the graph, by name
    not_frozen(source, variables) -> ActionError         the error for such a file

`tf.io.write_graph` writes such files. In TF1, variables are nodes. In TF2, the graph of a function takes its variables
as Placeholders of type resource; OpenVINO turns these into inputs, and the IR is useless. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ovmake.errors import ActionError
from ovmake.sources.dataflow import PLACEHOLDERS
from ovmake.sources.protobuf import Message

VARIABLES = frozenset({"Variable", "VariableV2", "AutoReloadVariable", "VarHandleOp", "VarHandlesOp"})
_NODES, _NAME, _OP, _ATTRIBUTES = 1, 1, 2, 5  # of a GraphDef, and of a NodeDef
_TYPE, _DT_RESOURCE = 6, 20


def variables_of(graph_def: bytes) -> tuple[str, ...]:
    """Return the names of the variables in a GraphDef's main graph, including those that are its inputs.

    Raises:
        ProtobufError: the bytes are no GraphDef.
    """
    nodes = (node for node in _nodes(graph_def) if node.text(_OP) in VARIABLES)
    return (*(node.text(_NAME) for node in nodes), *handles_of(graph_def))


def handles_of(graph_def: bytes) -> tuple[str, ...]:
    """Return the names of those inputs of a GraphDef's main graph that are handles of variables.

    Raises:
        ProtobufError: the bytes are no GraphDef.
    """
    return tuple(node.text(_NAME) for node in _nodes(graph_def) if _is_handle(node))


def _nodes(graph_def: bytes) -> Iterator[Message]:
    return (Message(view) for view in Message(memoryview(graph_def)).views(_NODES))


def _is_handle(node: Message) -> bool:
    if node.text(_OP) not in PLACEHOLDERS:
        return False
    attributes = node.entries(_ATTRIBUTES)
    return "dtype" in attributes and Message(attributes["dtype"]).integer(_TYPE) == _DT_RESOURCE


def not_frozen(source: Path, variables: Sequence[str], notes: tuple[str, ...] = ()) -> ActionError:
    """Return the error for a graph whose variables have no values."""
    others = len(variables) - 1
    named = f"`{variables[0]}`"
    if others:
        named = f"{named} and {others} more" if others > 1 else f"{named} and `{variables[1]}`"
    what = f"variables {named} without values" if others else f"variable {named} without a value"
    message = f"`{source.name}` is a graph that was not frozen: it has the {what}"
    hint = (
        "export a SavedModel from the code that made it; or freeze it first, with its checkpoint: "
        "`tf.compat.v1.graph_util.convert_variables_to_constants`; or name the checkpoint's .meta file as the source"
    )
    return ActionError("not-frozen", message, setting="source", help=hint, notes=notes)
