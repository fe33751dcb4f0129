"""inspect, TensorFlow's half for .tflite files: facts from the interpreter.

    inspect_tflite(source, allowed) -> SourceFacts    as of tensorflow.py, with the quantization of inputs and outputs

Nothing is computed and no tensors are allocated, so that models which crash the interpreter can be inspected. Inputs,
outputs and layers have the names of tflite_graph.py, which an Ovfile uses.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ovmake.contracts.files.inspected import LayerDescription, Port, Quantization, Signature, SourceFacts
from ovmake.errors import ActionError, message_of
from ovmake.sources.dataflow import PLACEHOLDERS
from ovmake.sources.layers import Layers
from ovmake.sources.screening.screen import screen
from ovmake.sources.tflite_graph import TfliteGraph, ops_of_tflite
from ovmake.workers.inspection.spelling import openvino_name

# Operations that the interpreter adds to a model's own.
_DELEGATED = "DELEGATE"


class _Quantized(TypedDict):
    """A tensor's quantization as the interpreter reports it; empty arrays if it has none."""

    scales: npt.NDArray[np.float32]
    zero_points: npt.NDArray[np.int32]


class _Tensor(TypedDict):
    """What we use of `Interpreter.get_tensor_details()`. -1 in `shape_signature` is a dynamic dimension."""

    name: str
    index: int
    shape: npt.NDArray[np.int32]
    shape_signature: npt.NDArray[np.int32]
    dtype: type[np.generic]
    quantization_parameters: _Quantized


class _Operation(TypedDict):
    """What we use of `Interpreter._get_ops_details()`. `outputs` are tensors by their index."""

    op_name: str
    outputs: npt.NDArray[np.int32]


def inspect_tflite(source: Path, allowed: Collection[str]) -> SourceFacts:
    """Return the facts about a .tflite file.

    Raises:
        ActionError: the interpreter cannot read it, or it has side effects.
    """
    screen(source, "tflite", allowed)
    interpreter = _interpreter(source)
    every: list[_Tensor] = interpreter.get_tensor_details()
    tensors = {tensor["index"]: tensor for tensor in every}
    details: list[_Operation] = interpreter._get_ops_details()  # noqa: SLF001
    operations = [op for op in details if op["op_name"] != _DELEGATED]
    kinds = {tensors[int(op["outputs"][0])]["name"]: op["op_name"] for op in operations if len(op["outputs"])}
    made = {int(index) for op in operations for index in op["outputs"]}
    given = {tensor["index"] for tensor in interpreter.get_input_details()}
    counts = Counter(op["op_name"] for op in operations)
    flat = ops_of_tflite(source.read_bytes())
    by_name = {tensor["name"]: tensor for tensor in every}
    return SourceFacts(
        way="tf.lite.Interpreter",
        signatures=_signatures(interpreter),
        inputs=tuple(_port(name, by_name[flat.spelling[tensor]]) for name, tensor in flat.inputs.items()),
        outputs=tuple(_port(name, by_name[flat.spelling[tensor]]) for name, tensor in flat.outputs.items()),
        parameters=sum(_weights(tensor) for index, tensor in tensors.items() if index not in made | given),
        operations=dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))),
        layers=_layers(flat, kinds, by_name),
    )


def _interpreter(source: Path) -> tf.lite.Interpreter:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning that it will move to another package
            return tf.lite.Interpreter(
                str(source),
                experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
    except (ValueError, RuntimeError) as error:
        message = f"TensorFlow Lite cannot read `{source.name}`: {message_of(error)}"
        raise ActionError("tensorflow-cannot-load", message, setting="source") from error


def _signatures(interpreter: tf.lite.Interpreter) -> tuple[Signature, ...]:
    found: Mapping[str, Mapping[str, list[str]]] = interpreter.get_signature_list()
    return tuple(
        Signature(name=name, tags=(), inputs=tuple(sides["inputs"]), outputs=tuple(sides["outputs"]))
        for name, sides in sorted(found.items())
    )


def _port(name: str, tensor: _Tensor) -> Port:
    """Return an input or output, with its quantization if the whole tensor has one."""
    scales, zeros = (tensor["quantization_parameters"][key] for key in ("scales", "zero_points"))
    whole = Quantization(scale=float(scales[0]), zero_point=int(zeros[0])) if len(scales) == 1 else None
    return replace(_plain(name, tensor), quantization=whole)


def _plain(name: str, tensor: _Tensor) -> Port:
    shape = tensor["shape_signature"] if len(tensor["shape_signature"]) else tensor["shape"]
    return Port(name=name, shape=tuple(int(size) for size in shape), type=openvino_name(tensor["dtype"]))


def _layers(
    flat: TfliteGraph, kinds: Mapping[str, str], tensors: Mapping[str, _Tensor]
) -> tuple[LayerDescription, ...]:
    """Return the layers by the names that `cut` uses, with the interpreter's names of operations."""
    ops = [replace(op, type=kinds.get(op.name, op.type)) for op in flat.ops]
    found = Layers(ops, inputs=flat.inputs, outputs=flat.outputs).layers()
    return tuple(
        LayerDescription(
            name=layer.name,
            operations=tuple(layer.types),
            parts=layer.parts,
            outputs=tuple(_plain(tensor, tensors[flat.spelling[tensor]]) for tensor in layer.outputs),
        )
        for layer in found
        if not set(layer.types) <= PLACEHOLDERS
    )


def _weights(tensor: _Tensor) -> int:
    """Count the numbers of a constant if it is a weight: not an index, not a scalar."""
    shape = tensor["shape"]
    quantized = len(tensor["quantization_parameters"]["scales"]) > 0
    if not len(shape) or not (quantized or np.issubdtype(tensor["dtype"], np.floating)):
        return 0
    return int(np.prod(shape))
