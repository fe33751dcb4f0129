"""Find the parts of a graph that round more than FP32: half precision and fake quantization.

    computes_in(nodes) -> "f16", "bf16" or ""     the half precision that a part of the graph computes in
    widened(graph_def) -> GraphDef                the same graph in FP32 throughout, as the truth to compare with
    with_reduced_inputs(graph_def) -> GraphDef    the inputs of fake quantization slightly reduced; None without any
    steps(graph_def, tensors) -> {name: step}     the step sizes of outputs that are fake-quantized

A graph in half precision mostly has FP32 inputs and outputs (Keras' mixed precision): its interface does not show it,
and the last bit of its outputs is meaningless. OpenVINO computes it in FP32, and is closer to the truth.

FakeQuant rounds to a few hundred steps. Values halfway between two steps round differently: TensorFlow rounds halves
up, OpenVINO rounds them to even.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import tensorflow as tf
from tensorflow.core.framework.attr_value_pb2 import AttrValue
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef

from ovmake.workers.loading.graphs import nodes, rename_calls

_HALVES = {tf.half.as_datatype_enum: "f16", tf.bfloat16.as_datatype_enum: "bf16"}
_FLOAT = tf.float32.as_datatype_enum
# Operations that move values without rounding. Weights may be stored in half precision and used in FP32.
_MOVING = {
    "Const", "Placeholder", "PlaceholderWithDefault", "Identity", "IdentityN", "NoOp", "Cast", "Reshape", "Squeeze",
    "ExpandDims", "Transpose", "Slice", "StridedSlice", "ConcatV2", "Pack", "Unpack", "Split", "SplitV", "Gather",
    "GatherV2", "GatherNd", "Pad", "PadV2", "MirrorPad", "Shape", "Fill", "Tile", "Switch", "Merge", "Enter", "Exit",
    "NextIteration", "ZerosLike", "OnesLike", "BroadcastTo", "Reverse", "ReverseV2", "Select", "SelectV2",
    "StopGradient",
}  # fmt: skip
_FAKE = "FakeQuantWithMinMax"
# One in a million: more than the rounding of FP32 sums, and much less than a step.
_HAIR = 1 - 2.0**-20
_SUFFIX = "_in_f32"


def computes_in(every: Iterable[NodeDef]) -> str:
    """Return the coarsest half precision that some node computes in, "" if none does."""
    found = {
        name
        for node in every
        if node.op not in _MOVING and "T" in node.attr and (name := _HALVES.get(node.attr["T"].type))
    }
    return "bf16" if "bf16" in found else "f16" if found else ""


def widened(graph_def: GraphDef) -> GraphDef:
    """Return the graph with FP32 in place of half precision, also in functions."""
    wide = tf.compat.v1.GraphDef()
    wide.CopyFrom(graph_def)
    renamed = {}
    for function in wide.library.function:
        renamed[function.signature.name] = function.signature.name = f"{function.signature.name}{_SUFFIX}"
        for argument in (*function.signature.input_arg, *function.signature.output_arg):
            argument.type = _FLOAT if argument.type in _HALVES else argument.type
    renamed = {name.removesuffix(_SUFFIX): name for name in renamed.values()}
    for node in nodes(wide):
        rename_calls(node, renamed)
        for value in node.attr.values():
            _widen(value)
    return wide


def _widen(value: AttrValue) -> None:
    if value.HasField("type") and value.type in _HALVES:
        value.type = _FLOAT
    elif value.HasField("list"):
        value.list.type[:] = [_FLOAT if kind in _HALVES else kind for kind in value.list.type]
    elif value.HasField("tensor") and value.tensor.dtype in _HALVES:
        value.tensor.CopyFrom(tf.make_tensor_proto(tf.make_ndarray(value.tensor).astype("float32")))


def with_reduced_inputs(graph_def: GraphDef) -> GraphDef | None:
    """Return the graph with slightly smaller inputs of fake quantization; None if the main graph has none."""
    if not any(node.op.startswith(_FAKE) for node in graph_def.node):
        return None
    changed = tf.compat.v1.GraphDef()
    changed.CopyFrom(graph_def)
    hair = changed.node.add(name="ovmake/hair", op="Const")
    hair.attr["dtype"].type = _FLOAT
    hair.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(_HAIR, tf.float32))
    for node in list(changed.node):
        if node.op.startswith(_FAKE):
            less = changed.node.add(name=f"{node.name}/ovmake/less", op="Mul", input=[node.input[0], hair.name])
            less.attr["T"].type = _FLOAT
            node.input[0] = less.name
    return changed


def steps(graph_def: GraphDef, tensors: Mapping[str, str]) -> dict[str, float]:
    """Return the step size by output name, for outputs that end in fake quantization."""
    by_name = {node.name: node for node in graph_def.node}
    found = {}
    for name, tensor in tensors.items():
        node = _maker(by_name, tensor)
        if node is not None and node.op.startswith(_FAKE) and (step := _step(by_name, node)):
            found[name] = step
    return found


def _maker(by_name: Mapping[str, NodeDef], tensor: str) -> NodeDef | None:
    """Return the node that computed a tensor; nodes that only hand it on are skipped."""
    node = by_name.get(tensor.lstrip("^").partition(":")[0])
    while node is not None and node.op in {"Identity", "Reshape", "Squeeze", "StopGradient"}:
        node = by_name.get(node.input[0].partition(":")[0])
    return node


def _step(by_name: Mapping[str, NodeDef], node: NodeDef) -> float:
    """Return the step size of a fake quantization with one range, 0 if its ends are not constants."""
    if node.op == f"{_FAKE}Args":
        ends = [node.attr[name].f for name in ("min", "max")]
    else:
        makers = [_maker(by_name, tensor) for tensor in node.input[1:3]]
        if any(maker is None or maker.op != "Const" for maker in makers):
            return 0.0
        ends = [float(tf.make_ndarray(maker.attr["value"].tensor).max()) for maker in makers if maker is not None]
    levels: int = 2 ** int(node.attr["num_bits"].i or 8) - 1 - int(node.attr["narrow_range"].b)
    width = float(ends[1]) - float(ends[0])
    return width / levels
