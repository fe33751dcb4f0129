"""A TensorFlow source as one frozen graph, called the fastest plain way.

    model = Frozen.load(source, shapes)      shapes: input name -> shape as the IR has it
    outputs = model(feed)                    name -> array, names as in the interface

A SavedModel's signature is frozen (variables become constants); a frozen graph is taken as it is. Both are then
imported into one ConcreteFunction: TensorFlow called through a signature takes half as long again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from ovmake.workers.protocol import ActionError, message_of
from ovmake.workers.samples import Array

# They hold or hand on values and compute nothing.
NOT_COUNTED = {"Const", "Placeholder", "Identity", "NoOp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Graph:
    """A graph without variables; tensor names by the names a user knows. `signature` is where it came from, or None."""

    signature: Any
    graph_def: Any
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A callable graph. `operations` counts what computes something, loop bodies once; `signature` is as shipped."""

    function: Any
    signature: Any
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    operations: int

    @classmethod
    def load(cls, source: Path, shapes: Mapping[str, tuple[int, ...]]) -> Frozen:
        """Load a SavedModel folder or a frozen .pb.

        Raises:
            ActionError: TensorFlow cannot load or freeze it.
        """
        try:
            graph = _from_saved_model(source) if source.is_dir() else _from_frozen(source)
        except ActionError:
            raise
        except Exception as error:
            message = f"TensorFlow cannot load `{source.name}`: {message_of(error)}"
            raise ActionError("tensorflow-cannot-load", message, setting="source") from error
        missing = [name for name in shapes if name not in graph.inputs]
        if missing:
            listed = ", ".join(f"`{name}`" for name in graph.inputs)
            message = f"the IR's input `{missing[0]}` is none of TensorFlow's: {listed}"
            raise ActionError("interface-mismatch", message, setting="source")
        graph = replace(graph, inputs={name: graph.inputs[name] for name in shapes})
        dtypes = _take_shapes(graph, shapes)
        return cls(
            function=_callable(graph, dtypes, shapes),
            signature=graph.signature,
            inputs=tuple(graph.inputs),
            outputs=tuple(graph.outputs),
            operations=sum(node.op not in NOT_COUNTED for node in _nodes(graph.graph_def)),
        )

    def tensors(self, feed: Mapping[str, Array]) -> list[Any]:
        """Return a feed as the function's arguments."""
        return [tf.constant(feed[name]) for name in self.inputs]

    def __call__(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run once."""
        results = self.function(*self.tensors(feed))
        return {name: _plain(np.asarray(result)) for name, result in zip(self.outputs, results, strict=True)}


def _plain(array: Array) -> Array:
    """Return bfloat16, which is no type of numpy's and cannot be stored as one, as float32."""
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _from_saved_model(source: Path) -> _Graph:
    loaded = tf.saved_model.load(str(source))
    if "serving_default" not in loaded.signatures:
        listed = ", ".join(f"`{name}`" for name in loaded.signatures) or "none"
        message = f"the SavedModel has no signature `serving_default`; it has {listed}"
        raise ActionError("unknown-signature", message, setting="source")
    signature = loaded.signatures["serving_default"]
    # Loops stay While operations: lowered to Enter and Exit, an LSTM cannot be called from another function ("inputs
    # from different frames").
    frozen = convert_variables_to_constants_v2(signature, lower_control_flow=False)
    # A signature's arguments are its keys; the frozen function keeps their order and drops the captured variables.
    keys = [spec.name for spec in tf.nest.flatten(signature.structured_input_signature[1])]
    outputs = sorted(signature.structured_outputs)
    # The signature refers to its variables weakly: whoever calls it must keep `loaded`, which owns them.
    signature._ovmake_owner = loaded  # noqa: SLF001
    return _Graph(
        signature=signature,
        graph_def=frozen.graph.as_graph_def(),
        inputs=dict(zip(keys, [tensor.name for tensor in frozen.inputs], strict=True)),
        outputs=dict(zip(outputs, [tensor.name for tensor in frozen.outputs], strict=True)),
    )


def _from_frozen(source: Path) -> _Graph:
    graph_def = tf.compat.v1.GraphDef()
    graph_def.ParseFromString(source.read_bytes())
    _register_functions(graph_def)
    consumed = {name.lstrip("^").partition(":")[0] for node in graph_def.node for name in node.input}
    inputs = [node.name for node in graph_def.node if node.op == "Placeholder"]
    ends = [node.name for node in graph_def.node if node.name not in consumed and node.op not in {"NoOp", "Const"}]
    outputs = [name for name in ends if name not in inputs]
    return _Graph(
        signature=None,
        graph_def=graph_def,
        inputs={name: f"{name}:0" for name in inputs},
        outputs={name: f"{name}:0" for name in outputs},
    )


def _register_functions(graph_def: Any) -> None:
    """Make the graph's functions (branches, loop bodies) known to TensorFlow, which importing the graph does not.

    Under names that hold the library's digest: two graphs of this process may use one name for two functions.
    """
    library = graph_def.library.function
    digest = hashlib.sha256(graph_def.library.SerializeToString(deterministic=True)).hexdigest()[:12]
    names = {function.signature.name: f"{function.signature.name}_{digest}" for function in library}
    for node in _nodes(graph_def):
        node.op = names.get(node.op, node.op)
        for attribute in node.attr.values():
            for called in [attribute.func, *attribute.list.func] if attribute.WhichOneof("value") else []:
                if called.name in names:
                    called.name = names[called.name]
    for gradient in graph_def.library.gradient:
        gradient.function_name = names.get(gradient.function_name, gradient.function_name)
        gradient.gradient_func = names.get(gradient.gradient_func, gradient.gradient_func)
    for function in library:
        function.signature.name = names[function.signature.name]
        if not context.context().has_function(function.signature.name):
            context.context().add_function_def(function)


def _nodes(graph_def: Any) -> Iterator[Any]:
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def


def _take_shapes(graph: _Graph, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """Give placeholders the IR's shapes, and return their types.

    `_output_shapes` would contradict the new shapes, and is a note, not a rule.
    """
    nodes = {node.name: node for node in graph.graph_def.node}
    for node in graph.graph_def.node:
        node.attr.pop("_output_shapes", None)
    dtypes = {}
    for name, shape in shapes.items():
        node = nodes[graph.inputs[name].partition(":")[0]]
        node.attr["shape"].shape.CopyFrom(tf.TensorShape([None if size == -1 else size for size in shape]).as_proto())
        dtypes[name] = tf.as_dtype(node.attr["dtype"].type)
    return dtypes


def _callable(graph: _Graph, dtypes: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> Any:
    """Import the graph into a function that TensorFlow traces itself.

    Not `wrap_function(...).prune(...)`, nor what `convert_variables_to_constants_v2` returns: calls to those skip
    Grappler, so nothing is fused. On examples/fashion they took 9.2 ms, the signature 1.8 ms, this one 1.4 ms.
    """
    specs = [
        tf.TensorSpec([None if size == -1 else size for size in shapes[name]], dtypes[name]) for name in graph.inputs
    ]

    def run(*tensors: Any) -> Any:
        return tf.graph_util.import_graph_def(
            graph.graph_def,
            input_map=dict(zip(graph.inputs.values(), tensors, strict=True)),
            return_elements=list(graph.outputs.values()),
            name="model",
        )

    try:
        return tf.function(run, input_signature=specs, autograph=False).get_concrete_function()
    except (ValueError, KeyError) as error:
        message = f"TensorFlow cannot run this part of the graph: {message_of(error)}"
        raise ActionError("tensorflow-cannot-run", message, setting="source") from error
