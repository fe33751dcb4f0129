"""Make the models of `test_gate_inputs.py`: `python make_kinds_of_inputs.py FOLDER`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

F32, I32 = tf.float32, tf.int32
rng = np.random.default_rng(1)


def floats(*shape: int) -> Any:
    """Return random numbers."""
    return rng.normal(size=shape).astype("float32")


def save(name: str, function: Callable[..., Any], **inputs: tuple[list[int | None], Any]) -> None:
    """Save a function as a SavedModel."""
    module = tf.Module()
    signature = [tf.TensorSpec(shape, kind, name=key) for key, (shape, kind) in inputs.items()]
    module.function = tf.function(function, input_signature=signature)
    tf.saved_model.save(module, name, signatures=module.function)


def make_odd_outputs() -> None:
    """Outputs that are empty, hold no number, or have as many rows as the data has."""
    save("nothing", lambda x: {"found": tf.where(x > 1e9), "sum": tf.reduce_sum(x)}, x=([None, 6], F32))
    save("only-nothing", lambda x: {"found": tf.where(x > 1e9)}, x=([None, 6], F32))
    save("allnan", lambda x: {"y": tf.sqrt(-1.0 - tf.abs(x))}, x=([None, 6], F32))
    save("allinf", lambda x: {"y": (1.0 + tf.abs(x)) * np.inf}, x=([None, 6], F32))
    save("nan-beside", lambda x: {"y": tf.sqrt(-1.0 - tf.abs(x)), "z": x * 2.0}, x=([None, 6], F32))
    save("firstn", lambda x, n: {"y": x[:, :n]}, x=([None, 6], F32), n=([], I32))
    save("boxes", lambda x: {"boxes": tf.gather_nd(x, tf.where(x[:, :, 0] > 0.7)) * 2.0}, x=([None, 5, 4], F32))
    save("times", lambda x, n: {"y": tf.repeat(x, n, axis=0)}, x=([None, 3], F32), n=([], I32))


def make_refusing() -> None:
    """Models that refuse what is made up at first."""
    table, positions = tf.constant(floats(2, 3)), tf.constant(floats(16, 3))
    save("divide", lambda a, b: {"y": a // b}, a=([None, 4], I32), b=([None, 4], I32))
    save("segments", lambda ids: {"y": tf.gather(table, ids)}, ids=([None, 7], I32))
    save("top", lambda x, k: {"y": tf.nn.top_k(x, k).values}, x=([2, 3], F32), k=([], I32))
    save("square", lambda x: {"y": tf.linalg.matmul(x, x)}, x=([None, None], F32))
    save(
        "positions",
        lambda ids: {"y": tf.gather(table, ids) + positions[: tf.shape(ids)[1]]},
        ids=([None, None], I32),
    )
    save("never", lambda x, n: {"y": tf.reshape(x, [n + 1000, 7])}, x=([None, 3], F32), n=([], I32))
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(F32, [None, 4], name="x")
        training = tf.compat.v1.placeholder(tf.bool, [], name="is_training")
        tf.compat.v1.disable_control_flow_v2()
        y = tf.cond(training, lambda: image - tf.reduce_mean(image, 0), lambda: image * 3.0)
        tf.identity(y @ tf.constant(floats(4, 2)), name="y")
    Path("switch.pb").write_bytes(graph.as_graph_def().SerializeToString())
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(F32, [None, 16, 8, 1], name="x")
        training = tf.compat.v1.placeholder(tf.bool, [], name="is_training")
        norm, one, zero = tf.compat.v1.nn.fused_batch_norm, tf.constant([1.0]), tf.constant([0.0])
        mean, variance = tf.constant([0.5]), tf.constant([0.1])
        y = tf.cond(
            training,
            lambda: norm(image * 50.0, one, zero, is_training=True)[0],
            lambda: norm(image * 50.0, one, zero, mean, variance, is_training=False)[0],
        )
        tf.identity(tf.nn.conv2d(y, tf.constant(floats(3, 3, 1, 4)), 1, "SAME"), name="y")
    Path("normalizes.pb").write_bytes(graph.as_graph_def().SerializeToString())


def make_restless() -> None:
    """Models that TensorFlow itself does not answer alike."""
    save("amplifies", lambda x: {"y": tf.sin(x * 1e7)}, x=([None, 64], F32))
    save("draws", lambda x: {"y": tf.nn.dropout(x, 0.5)}, x=([None, 64], F32))


def make_rounded() -> None:
    """Half precision inside, weights in 8 bits, and fake quantization."""
    layers = keras.layers
    for half in ("bfloat16", "float16"):
        keras.mixed_precision.set_dtype_policy(f"mixed_{half}")
        image = keras.Input((12, 12, 3), name="image")
        hidden = layers.BatchNormalization()(layers.Conv2D(8, 3, activation="relu")(image))
        pooled = layers.GlobalAveragePooling2D()(hidden)
        keras.Model(image, layers.Dense(4, activation="softmax", dtype="float32")(pooled)).save(f"mixed-{half}.keras")
    keras.mixed_precision.set_dtype_policy("float32")
    stored = tf.constant(floats(64, 16).astype("float16"))
    save("stored-in-half", lambda x: {"y": tf.nn.relu(x @ tf.cast(stored, F32))}, x=([None, 64], F32))
    image = keras.Input((16, 16, 3), name="image")
    hidden = layers.Flatten()(layers.Conv2D(8, 3, activation="relu")(image))
    net = keras.Model(image, layers.Dense(4)(layers.Dense(64, activation="relu")(hidden)))
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    Path("dynamic-range.tflite").write_bytes(converter.convert())
    make_integer()
    weights = [tf.constant(floats(64, 64) / 4) for _ in range(4)]

    def quantized(x: Any) -> dict[str, Any]:
        hidden = tf.quantization.fake_quant_with_min_max_args(x, 0, 1)
        for weight in weights:
            exact = tf.quantization.fake_quant_with_min_max_args(weight, -127 / 128, 127 / 128, narrow_range=True)
            hidden = tf.quantization.fake_quant_with_min_max_args(tf.nn.relu(hidden @ exact), 0, 255 / 64)
        return {"y": hidden, "logits": hidden @ weights[0]}

    save("fake-quantized", quantized, x=([None, 64], F32))


def make_integer() -> None:
    """A residual network in integers throughout, deep enough for TFLite's own kernels to differ by steps."""
    layers = keras.layers
    image = hidden = keras.Input((16, 16, 3), name="image")
    hidden = layers.Conv2D(16, 3, padding="same", activation="relu")(hidden)
    for _ in range(6):
        inner = layers.Conv2D(16, 3, padding="same", activation="relu")(
            layers.DepthwiseConv2D(3, padding="same")(hidden)
        )
        hidden = layers.ReLU()(layers.Add()([hidden, layers.Conv2D(16, 3, padding="same")(inner)]))
    net = keras.Model(image, layers.Dense(8)(layers.GlobalAveragePooling2D()(hidden)))
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.random((1, 16, 16, 3), dtype="float32")] for _ in range(20))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    Path("integer.tflite").write_bytes(converter.convert())


def main() -> None:
    """Make them all in the current folder."""
    keras.utils.set_random_seed(1)
    make_odd_outputs()
    make_refusing()
    make_restless()
    make_rounded()


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    main()
