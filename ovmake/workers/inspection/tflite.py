"""inspect, TensorFlow's half for .tflite files: facts from the interpreter.

    facts = inspect_lite(source, allowed)    as in tensorflow.py, and "quantization" of inputs and outputs

Nothing is computed and no tensors are allocated, so that models which crash the interpreter can be inspected. Inputs,
outputs and layers have the names of tflite_graph.py, which an Ovfile uses.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ovmake.errors import ActionError, message_of
from ovmake.sources.dataflow import PLACEHOLDERS
from ovmake.sources.layers import Layers
from ovmake.sources.screening.screen import screen
from ovmake.sources.tflite_graph import TfliteGraph, ops_of_tflite
from ovmake.workers.inspection.spelling import Json, openvino_name

# Operations that the interpreter adds to a model's own.
_DELEGATED = "DELEGATE"


def inspect_lite(source: Path, allowed: Collection[str]) -> Json:
    """Return the facts about a .tflite file.

    Raises:
        ActionError: the interpreter cannot read it, or it has side effects.
    """
    screen(source, "tflite", allowed)
    interpreter = _interpreter(source)
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    operations = [op for op in interpreter._get_ops_details() if op["op_name"] != _DELEGATED]  # noqa: SLF001
    kinds = {tensors[int(op["outputs"][0])]["name"]: op["op_name"] for op in operations if len(op["outputs"])}
    made = {int(index) for op in operations for index in op["outputs"]}
    given = {tensor["index"] for tensor in interpreter.get_input_details()}
    counts = Counter(op["op_name"] for op in operations)
    flat = ops_of_tflite(source.read_bytes())
    by_name = {tensor["name"]: tensor for tensor in tensors.values()}
    return {
        "way": "tf.lite.Interpreter",
        "signature": "",
        "tags": [],
        "choices": _signatures(interpreter),
        "inputs": [_port(name, by_name[flat.spelling[tensor]]) for name, tensor in flat.inputs.items()],
        "outputs": [_port(name, by_name[flat.spelling[tensor]]) for name, tensor in flat.outputs.items()],
        "parameters": sum(_weights(tensor) for index, tensor in tensors.items() if index not in made | given),
        "operations": dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))),
        "layers": _layers(flat, kinds, by_name),
    }


def _interpreter(source: Path) -> Any:
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


def _signatures(interpreter: Any) -> list[Json]:
    found = interpreter.get_signature_list()
    signatures = {name: {side: list(found[name][side]) for side in ("inputs", "outputs")} for name in sorted(found)}
    return [{"tags": [], "signatures": signatures}] if signatures else []


def _port(name: str, tensor: Json) -> Json:
    described = _tensor(name, tensor)
    scales, zeros = (tensor["quantization_parameters"][key] for key in ("scales", "zero_points"))
    if len(scales) == 1:
        described["quantization"] = {"scale": float(scales[0]), "zero-point": int(zeros[0])}
    return described


def _tensor(name: str, tensor: Json) -> Json:
    shape = tensor["shape_signature"] if len(tensor["shape_signature"]) else tensor["shape"]
    return {
        "name": name,
        "shape": [int(size) for size in shape],
        "type": openvino_name(tensor["dtype"]),
    }


def _layers(flat: TfliteGraph, kinds: Mapping[str, str], tensors: Mapping[str, Json]) -> list[Json]:
    """Return the layers by the names that `cut` uses, with the interpreter's names of operations."""
    ops = [replace(op, type=kinds.get(op.name, op.type)) for op in flat.ops]
    found = Layers(ops, inputs=flat.inputs, outputs=flat.outputs).layers()
    return [
        {
            "name": layer.name,
            "operations": list(layer.types),
            "parts": layer.parts,
            "outputs": [_tensor(tensor, tensors[flat.spelling[tensor]]) for tensor in layer.outputs],
        }
        for layer in found
        if not set(layer.types) <= PLACEHOLDERS
    ]


def _weights(tensor: Json) -> int:
    """Count the numbers of a constant if it is a weight: not an index, not a scalar."""
    shape = tensor["shape"]
    quantized = len(tensor["quantization_parameters"]["scales"]) > 0
    if not len(shape) or not (quantized or np.issubdtype(tensor["dtype"], np.floating)):
        return 0
    return int(np.prod(shape))
