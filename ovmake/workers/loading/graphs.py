"""GraphDefs: the result of loading a source, and its reduction to a small, reproducible graph.

    Loaded(graph_def=..., inputs={"image": "x:0"}, outputs={"scores": "y:0"}, signature=..., way="...")
    tidy(graph_def, inputs, outputs) -> GraphDef       the nodes that the outputs need, with reproducible bytes
    with_placeholders(graph_def, tensors) -> names     make inputs of any tensors
    lookups(graph_def) -> names                        nodes that read a table, which a graph does not contain
    register(graph_def)                                register the graph's functions with TensorFlow

Loading a model twice gives different graphs: functions are numbered by a process-wide counter, and Grappler leaves
nodes in the order of a hash table. The result of `tidy` depends only on the model, so its bytes can be an artifact.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.core.framework.attr_value_pb2 import NameAttrList
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.python.eager import context
from tensorflow.types.experimental import ConcreteFunction

from ovmake.sources.graphdef import IGNORED_ATTRIBUTES

# Attributes that exporters add, and names of functions for training, which contain counters. Two stay: lowered While
# operations run faster, and a placeholder's shape may be recorded nowhere else.
_DROPPED = IGNORED_ATTRIBUTES - {"_lower_using_switch_merge", "_output_shapes"} | {"api_implements"}
# Operations that store or hand on values and compute nothing.
NOT_COUNTED = frozenset({"Const", "Placeholder", "Identity", "NoOp"})
_COUNTED = re.compile(r"^__(?:inference|forward|backward)_|_(?:frozen|rewritten)$|_\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A source as a graph without variables; functions are inlined where possible.

    `inputs`, `outputs`: tensors ("a/b:0") by the names that a user knows; every input is a Placeholder.
    `signature`: a SavedModel's own callable, which keeps its variables alive; None for other kinds.
    `way`: how it was loaded, in words. The graph does not contain its lookup tables: see `lookups`.
    """

    graph_def: GraphDef
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    signature: ConcreteFunction | None
    way: str


def lookups(graph_def: GraphDef) -> list[str]:
    """Return the nodes that read a lookup table. A frozen graph uses the table, but does not contain its content."""
    return [node.name for node in nodes(graph_def) if node.op.startswith("LookupTable")]


def nodes(graph_def: GraphDef) -> Iterator[NodeDef]:
    """Yield all nodes, including those of functions."""
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def


def node_name(tensor: str) -> str:
    """Return the node of a tensor or of a node's input: `a` for `a:1`, `a` and `^a`."""
    return tensor.removeprefix("^").partition(":")[0]


def canonical(tensor: str) -> str:
    """Return the tensor name of a node's input: `a:0` for `a`."""
    return tensor if ":" in tensor or tensor.startswith("^") else f"{tensor}:0"


def user_name(tensor: str) -> str:
    """Return a tensor's name for an Ovfile: without `:0`."""
    return tensor.removesuffix(":0")


def tidy(graph_def: GraphDef, inputs: Iterable[str], outputs: Iterable[str]) -> GraphDef:
    """Return the graph of the nodes that `outputs` need, and of all `inputs`.

    A PlaceholderWithDefault that is not an input is replaced by its default.
    """
    fed = [node_name(tensor) for tensor in inputs]
    by_name = {node.name: node for node in graph_def.node}
    tidied = tf.compat.v1.GraphDef(versions=graph_def.versions)
    for name in _in_order(by_name, [*fed, *map(node_name, outputs)]):
        node = tidied.node.add()
        node.CopyFrom(by_name[name])
        if node.op == "PlaceholderWithDefault" and name not in fed:
            node.op = "Identity"
            node.attr["T"].CopyFrom(node.attr["dtype"])
            del node.attr["dtype"], node.attr["shape"]
        _clean(node)
    _take_functions(tidied, {function.signature.name: function for function in graph_def.library.function})
    return tidied


def _in_order(by_name: Mapping[str, NodeDef], roots: Iterable[str]) -> list[str]:
    """Return the nodes that the roots need, producers first (except for the back edges of TF1 loops)."""
    found: dict[str, bool] = {}
    done: list[str] = []
    for root in roots:
        stack = [] if root in found else [(root, iter(by_name[root].input))]
        found[root] = True
        while stack:
            for producer in map(node_name, stack[-1][1]):
                if producer not in found:
                    found[producer] = True
                    stack.append((producer, iter(by_name[producer].input)))
                    break
            else:
                done.append(stack.pop()[0])
    return done


def _clean(node: NodeDef) -> None:
    node.ClearField("experimental_debug_info")
    node.device = ""
    for name in _DROPPED & set(node.attr):
        del node.attr[name]


# functions


def _take_functions(graph_def: GraphDef, library: Mapping[str, FunctionDef]) -> None:
    """Add the functions that the graph calls, named by a digest of their content.

    Equal functions get equal names in any process; different functions never share a name in one process.
    """
    renamed: dict[str, str] = {}
    for name in _callees_first(graph_def, library):
        function = graph_def.library.function.add()
        function.CopyFrom(library[name])
        for attribute in _DROPPED & set(function.attr):
            del function.attr[attribute]
        for argument in function.arg_attr.values():
            argument.attr.pop("_user_specified_name", None)
        for node in function.node_def:
            _clean(node)
            rename_calls(node, renamed)
        _number_arguments(function)
        function.signature.name = ""
        digest = hashlib.sha256(function.SerializeToString(deterministic=True)).hexdigest()[:12]
        renamed[name] = function.signature.name = f"{_plain(name)}_{digest}"
    for node in graph_def.node:
        rename_calls(node, renamed)


def _number_arguments(function: FunctionDef) -> None:
    """Rename a function's arguments: `while_cond_2427___redundant_placeholder0` contains a counter."""
    taken = {node.name for node in function.node_def}
    renamed = {
        argument.name: _free(f"argument_{place}", taken) for place, argument in enumerate(function.signature.input_arg)
    }
    for argument in function.signature.input_arg:
        argument.name = renamed[argument.name]
    for node in function.node_def:
        node.input[:] = [_renamed(producer, renamed) for producer in node.input]
    for name, producer in list(function.ret.items()):
        function.ret[name] = _renamed(producer, renamed)


def _renamed(producer: str, names: Mapping[str, str]) -> str:
    """Return a node's input with the node's new name: `b:0` for `a:0`, `^b` for `^a`."""
    name = node_name(producer)
    return producer.replace(name, names[name], 1) if name in names else producer


def _callees_first(graph_def: GraphDef, library: Mapping[str, FunctionDef]) -> list[str]:
    done: dict[str, None] = {}
    stack = [(name, False) for name in reversed(_called(graph_def.node, library))]
    entered: set[str] = set()
    while stack:
        name, left = stack.pop()
        if left:
            done[name] = None
        elif name not in entered:
            entered.add(name)
            stack.append((name, True))
            stack += [(callee, False) for callee in reversed(_called(library[name].node_def, library))]
    return list(done)


def _called(callers: Iterable[NodeDef], library: Mapping[str, FunctionDef]) -> list[str]:
    return [name for node in callers for name in [node.op, *(f.name for f in _functions(node))] if name in library]


def _functions(node: NodeDef) -> Iterator[NameAttrList]:
    for name in sorted(node.attr):
        if node.attr[name].HasField("func"):
            yield node.attr[name].func
        yield from node.attr[name].list.func if node.attr[name].HasField("list") else ()


def rename_calls(node: NodeDef, renamed: Mapping[str, str]) -> None:
    """Make a node call functions by their new names."""
    node.op = renamed.get(node.op, node.op)
    for function in _functions(node):
        function.name = renamed.get(function.name, function.name)


def _plain(name: str) -> str:
    """Return a function's name without its counters: `while_body` for `__inference_while_body_1234_frozen`."""
    while (shorter := _COUNTED.sub("", name)) not in {name, ""}:
        name = shorter
    return name


def register(graph_def: GraphDef) -> None:
    """Register the graph's functions (branches, loop bodies) with TensorFlow; importing a graph does not."""
    for function in graph_def.library.function:
        if not context.context().has_function(function.signature.name):
            context.context().add_function_def(function)


# inputs


def with_placeholders(graph_def: GraphDef, tensors: Iterable[tf.Tensor]) -> dict[str, str]:
    """Make inputs of these tensors (tf.Tensor of TF1), and return the Placeholder's tensor for each.

    A Placeholder is kept. For any other tensor, all its consumers get a new Placeholder instead.
    """
    taken = {node.name for node in graph_def.node}
    ops = {node.name: node.op for node in graph_def.node}
    fed: dict[str, str] = {}
    for tensor in tensors:
        if ops.get(node_name(tensor.name)) == "Placeholder":
            fed[tensor.name] = tensor.name
            continue
        name = _free(tensor.name.replace(":", "_"), taken)
        node = graph_def.node.add(name=name, op="Placeholder")
        node.attr["dtype"].type = tensor.dtype.base_dtype.as_datatype_enum
        node.attr["shape"].shape.CopyFrom(tensor.shape.as_proto())
        fed[tensor.name] = f"{name}:0"
    for node in graph_def.node:
        node.input[:] = [fed.get(canonical(producer), producer) for producer in node.input]
    return fed


def _free(name: str, taken: set[str]) -> str:
    candidate, turn = name, 0
    while candidate in taken:
        turn += 1
        candidate = f"{name}_{turn}"
    taken.add(candidate)
    return candidate
