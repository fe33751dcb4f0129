"""Remove the training part of a checkpoint's graph, before TensorFlow imports it.

    removed, needed = prune(meta_graph, allowed)         a MetaGraphDef, changed in place

A .meta file contains the whole training graph: it reads files, writes summaries and checkpoints, and calls Python.
Inference runs none of these, but importing a graph folds constants and might run more. So nodes that may not run are
removed, with all nodes that depend on them. The rest is screened; the only exception is the restore op. An iterator
whose data set may not be made stays as an empty one: its output is the model's input.
"""

from __future__ import annotations

from collections.abc import Collection, MutableSequence
from typing import TypeVar

from google.protobuf.message import Message as Proto
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.framework.op_def_pb2 import OpDef
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.python.framework import op_def_registry

from ovmake.sources.protobuf import Message, ProtobufError
from ovmake.sources.screening.bodies import node_of
from ovmake.sources.screening.meta_graph import SAVES, MetaGraph, RefusedNode, Superfluous

_Kept = TypeVar("_Kept", bound=Proto)
_OF_VARIABLES = {"variables", "trainable_variables", "model_variables", "local_variables", "moving_average_variables"}


def prune(meta_graph: MetaGraphDef, allowed: frozenset[str]) -> tuple[tuple[str, ...], tuple[RefusedNode, ...]]:
    """Remove the nodes that may not run; return their operations, except a saver's and those that only depended on one.

    Also return the nodes that may not run but are needed for inference: without them the model would be different.

    Raises:
        ProtobufError: the file is malformed, or ambiguous; or a node that is removed does not have its inputs.
    """
    found = MetaGraph(Message(memoryview(meta_graph.SerializeToString())), allowed, of_training=True, lenient=True)
    out = found.superfluous()
    if not out.nodes | out.functions | out.iterators:
        return (), ()
    _check_inputs(meta_graph.graph_def, out.nodes)
    _prune_graph(meta_graph.graph_def, out)
    _prune_collections(meta_graph, out.nodes)
    refused = [one.op for one in found.bodies.main.refused if one.node in out.nodes]
    refused += [one.op for name in sorted(out.functions) for one in found.bodies.functions[name].refused]
    return tuple(dict.fromkeys(op for op in refused if op not in SAVES)), out.needed


def _check_inputs(graph_def: GraphDef, removed: Collection[str]) -> None:
    """Check the inputs of nodes that TensorFlow will not see. In a whole file it would; a damaged file stays damaged.

    Raises:
        ProtobufError: an input is missing, or there are too many or too few.
    """
    names = {node.name for node in graph_def.node}
    for node in graph_def.node:
        if node.name not in removed:
            continue
        absent = next((given for given in node.input if node_of(given.removeprefix("^")) not in names), "")
        if absent:
            raise ProtobufError(f"`{absent}`, an input of node `{node.name}`, does not exist")
        op_def, count = op_def_registry.get(node.op), sum(not given.startswith("^") for given in node.input)
        if op_def is not None and count != (wanted := _inputs_of(op_def, node)):
            raise ProtobufError(f"node `{node.name}` has {count} inputs, and {node.op} takes {wanted}")


def _inputs_of(op_def: OpDef, node: NodeDef) -> int:
    """Return the number of inputs of an operation; attributes of the node may decide it."""
    return sum(
        node.attr[one.number_attr].i
        if one.number_attr
        else len(node.attr[one.type_list_attr].list.type)
        if one.type_list_attr
        else 1
        for one in op_def.input_arg
    )


def _prune_graph(graph_def: GraphDef, out: Superfluous) -> None:
    _keep(graph_def.node, [node for node in graph_def.node if node.name not in out.nodes])
    library = graph_def.library
    _keep(library.function, [one for one in library.function if one.signature.name not in out.functions])
    _keep(
        library.gradient,
        [one for one in library.gradient if not {one.function_name, one.gradient_func} & out.functions],
    )
    for node in graph_def.node:
        if node.name in out.iterators:
            node.op = "Iterator"
            del node.attr["dataset_factory"]
        if "_class" in node.attr:  # the nodes that it is colocated with
            beside = node.attr["_class"].list.s
            beside[:] = [one for one in beside if one.decode("utf-8", "replace").removeprefix("loc:@") not in out.nodes]
            if not beside:
                del node.attr["_class"]


def _prune_collections(meta_graph: MetaGraphDef, gone: Collection[str]) -> None:
    """Keep collection entries whose nodes remain. A variable may have lost its initial value, which is not needed."""
    for name in list(meta_graph.collection_def):
        collection = meta_graph.collection_def[name]
        if collection.WhichOneof("kind") == "node_list":
            there = [value for value in collection.node_list.value if node_of(value) not in gone]
            collection.node_list.value[:] = there
        elif name in _OF_VARIABLES:
            values = [_without_initial_value(meta_graph, value, gone) for value in collection.bytes_list.value]
            collection.bytes_list.value[:] = [value for value in values if value is not None]
        else:  # for training, or for building the graph: contexts of loops, runners of queues
            del meta_graph.collection_def[name]


def _without_initial_value(meta_graph: MetaGraphDef, value: bytes, gone: Collection[str]) -> bytes | None:
    variable = VariableDef.FromString(value)
    if {node_of(variable.variable_name), node_of(variable.snapshot_name)} & set(gone):
        return None
    if node_of(variable.initial_value_name) in gone:
        variable.ClearField("initial_value_name")
    if node_of(variable.initializer_name) in gone:
        # TensorFlow requires an initial value, and two collections may name the same one.
        name = node_of(variable.initializer_name)
        if not any(node.name == name for node in meta_graph.graph_def.node):
            meta_graph.graph_def.node.add(name=name, op="NoOp")
        variable.initializer_name = name
    return bytes(variable.SerializeToString())


def _keep(repeated: MutableSequence[_Kept], kept: list[_Kept]) -> None:
    copies = [type(one).FromString(one.SerializeToString()) for one in kept]
    del repeated[:]
    repeated.extend(copies)
