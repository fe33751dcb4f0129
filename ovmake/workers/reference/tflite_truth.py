"""Convert the integer weights of a "dynamic range" .tflite, which otherwise computes in floating point, to FP32.

    floated(content) -> bytes | None        None for a model without such weights

TFLite rounds the inputs of such a layer to 8 bits, with their current range. OpenVINO does not, and is closer to the
float model. Compared with TFLite alone, it would look wrong.
"""

from __future__ import annotations

import numpy as np
from tensorflow.lite.python.schema_py_generated import BufferT, BuiltinOperator, ModelT, TensorT, TensorType
from tensorflow.lite.tools import flatbuffer_utils

from ovmake.workers.inputs.preparing import Array

# The layers that take integer weights with floating-point inputs.
_HYBRID = {
    BuiltinOperator.FULLY_CONNECTED,
    BuiltinOperator.CONV_2D,
    BuiltinOperator.DEPTHWISE_CONV_2D,
    BuiltinOperator.TRANSPOSE_CONV,
    BuiltinOperator.BATCH_MATMUL,
}
_TYPES = {TensorType.INT8: np.int8, TensorType.UINT8: np.uint8}


def floated(content: bytes) -> bytes | None:
    """Return the same model with the weights of such layers in FP32."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    graph = model.subgraphs[0]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    weights: set[int] = set()
    others: set[int] = set()
    for op in graph.operators:
        indexes = [int(index) for index in op.inputs if index >= 0]
        hybrid = codes[op.opcodeIndex] in _HYBRID and graph.tensors[int(op.outputs[0])].type == TensorType.FLOAT32
        for index in indexes:
            (weights if hybrid and _is_weight(model, graph.tensors[index]) else others).add(index)
    weights -= others
    for index in weights:
        _float(model, graph.tensors[index])
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model)) if weights else None


def _is_weight(model: ModelT, tensor: TensorT) -> bool:
    quantization = tensor.quantization
    held = model.buffers[tensor.buffer].data
    has_scale = quantization is not None and quantization.scale is not None and len(quantization.scale) > 0
    return tensor.type in _TYPES and has_scale and held is not None and len(held) > 0


def _float(model: ModelT, tensor: TensorT) -> None:
    """Give a tensor a buffer of its own, because other tensors may share its buffer."""
    buffer = BufferT()
    buffer.data = np.frombuffer(_values(model, tensor).tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor.buffer, tensor.type, tensor.quantization = len(model.buffers) - 1, TensorType.FLOAT32, None


def _values(model: ModelT, tensor: TensorT) -> Array:
    """Return (integer - zero point) * scale, per channel if there are several scales."""
    quantization = tensor.quantization
    held = np.frombuffer(np.asarray(model.buffers[tensor.buffer].data, np.uint8).tobytes(), _TYPES[tensor.type])
    whole = held.reshape(tensor.shape).astype(np.float32)
    along = [1] * whole.ndim
    along[quantization.quantizedDimension if len(quantization.scale) > 1 else 0] = -1
    points = np.zeros(1) if quantization.zeroPoint is None else np.asarray(quantization.zeroPoint, np.float32)
    scale = np.asarray(quantization.scale, np.float32)
    return np.asarray((whole - points.reshape(along)) * scale.reshape(along), np.float32)
