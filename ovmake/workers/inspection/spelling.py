"""OpenVINO's names of tensor types, for the modules that load TensorFlow."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

_OPENVINO_NAMES = {"float": "f", "double": "f", "int": "i", "uint": "u"}


def openvino_name(dtype: tf.DType | type[np.generic]) -> str:
    """Return OpenVINO's name of a TensorFlow or numpy type: `f32` for float32."""
    name = tf.as_dtype(dtype).name
    kind = name.rstrip("0123456789")
    if name == "bfloat16":
        return "bf16"
    if name == "bool":
        return "boolean"
    return f"{_OPENVINO_NAMES[kind]}{name.removeprefix(kind)}" if kind in _OPENVINO_NAMES else name
