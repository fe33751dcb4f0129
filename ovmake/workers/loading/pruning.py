"""Take out of a checkpoint's graph what is for training alone, before TensorFlow imports it.

    removed, needed = prune(meta_graph, allowed)         a MetaGraphDef, changed in place

A .meta file holds all of training: it reads files, writes summaries and checkpoints, and calls Python. None of that is
run for inference, but an import computes constants, and there is no need to trust that nothing else is computed. So
nodes that may not run are taken out, with all that depends on them; what is left is screened without exception but the
restore op. An iterator over a data set that may not be made stays, as one that nobody has filled: what it hands on is
the model's input.
"""

from __future__ import annotations

from collections.abc import Collection, MutableSequence
from typing import TypeVar

from google.protobuf.message import Message as Proto
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from ovmake.sources.protobuf import Message
from ovmake.sources.screening.bodies import node_of
from ovmake.sources.screening.meta_graph import SAVES, MetaGraph, Superfluous, Trouble

_Kept = TypeVar("_Kept", bound=Proto)
_OF_VARIABLES = {"variables", "trainable_variables", "model_variables", "local_variables", "moving_average_variables"}


def prune(meta_graph: MetaGraphDef, allowed: frozenset[str]) -> tuple[tuple[str, ...], tuple[Trouble, ...]]:
    """Take out what may not run; return the operations that went, less a saver's and what only depended on some.

    Also return what may not run and is needed for inference: then what is left is another model.

    Raises:
        WireError: the file is malformed, or ambiguous.
    """
    found = MetaGraph(Message(memoryview(meta_graph.SerializeToString())), allowed, of_training=True, lenient=True)
    out = found.superfluous()
    if not out.nodes | out.functions | out.iterators:
        return (), ()
    _prune_graph(meta_graph.graph_def, out)
    _prune_collections(meta_graph, out.nodes)
    refused = [one.op for one in found.bodies.main.refused if one.node in out.nodes]
    refused += [one.op for name in sorted(out.functions) for one in found.bodies.functions[name].refused]
    return tuple(dict.fromkeys(op for op in refused if op not in SAVES)), out.needed


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
        if "_class" in node.attr:  # beside which other nodes it is placed
            beside = node.attr["_class"].list.s
            beside[:] = [one for one in beside if one.decode("utf-8", "replace").removeprefix("loc:@") not in out.nodes]
            if not beside:
                del node.attr["_class"]


def _prune_collections(meta_graph: MetaGraphDef, gone: Collection[str]) -> None:
    """Leave the collections that name what is there. A variable may have lost its initial value, which nobody needs."""
    for name in list(meta_graph.collection_def):
        collection = meta_graph.collection_def[name]
        if collection.WhichOneof("kind") == "node_list":
            there = [value for value in collection.node_list.value if node_of(value) not in gone]
            collection.node_list.value[:] = there
        elif name in _OF_VARIABLES:
            values = [_without_initial_value(meta_graph, value, gone) for value in collection.bytes_list.value]
            collection.bytes_list.value[:] = [value for value in values if value is not None]
        else:  # of training, or of how the graph was made: loops' contexts, queues' runners
            del meta_graph.collection_def[name]


def _without_initial_value(meta_graph: MetaGraphDef, value: bytes, gone: Collection[str]) -> bytes | None:
    variable = VariableDef.FromString(value)
    if {node_of(variable.variable_name), node_of(variable.snapshot_name)} & set(gone):
        return None
    if node_of(variable.initial_value_name) in gone:
        variable.ClearField("initial_value_name")
    if node_of(variable.initializer_name) in gone:
        # TensorFlow wants one to be there, and two collections may name the same.
        name = node_of(variable.initializer_name)
        if not any(node.name == name for node in meta_graph.graph_def.node):
            meta_graph.graph_def.node.add(name=name, op="NoOp")
        variable.initializer_name = name
    return bytes(variable.SerializeToString())


def _keep(repeated: MutableSequence[_Kept], kept: list[_Kept]) -> None:
    copies = [type(one).FromString(one.SerializeToString()) for one in kept]
    del repeated[:]
    repeated.extend(copies)
