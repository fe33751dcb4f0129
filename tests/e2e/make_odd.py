"""Make the models of `test_odd_options.py`: `python make_odd.py FOLDER`."""

from __future__ import annotations

import os
import sys
from typing import Any

import keras
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(1)


def floats(*shape: int) -> Any:
    """Return random numbers."""
    return rng.normal(size=shape).astype("float32")


class Module(tf.Module):  # type: ignore[misc]
    """What options stumble over."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel, self.weight = tf.Variable(floats(3, 3, 3, 4)), tf.Variable(floats(4, 4))
        self.wide, self.calls = tf.Variable(floats(256, 4)), tf.Variable(0.0)

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[
            tf.TensorSpec([None, 8, 8, 3], tf.float32, "image"),
            tf.TensorSpec([], tf.float32, "gain"),
            tf.TensorSpec([None, 4], tf.float32, "unused"),
        ]
    )
    def several(self, image: Any, gain: Any, unused: Any) -> Any:  # noqa: ARG002 - by name
        """Give one tensor twice, and an input."""
        pooled = tf.reduce_mean(tf.nn.relu(tf.nn.conv2d(image, self.kernel, 1, "SAME")), [1, 2])
        logits = pooled @ self.weight + gain * pooled
        scores = tf.nn.softmax(logits)
        return {"a": scores, "b": logits, "again": scores, "echo": image}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def constant(self, x: Any) -> Any:
        """Give a constant beside what is computed."""
        return {"y": x @ self.weight, "c": self.weight[0] + 0.0}

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, "x")])  # type: ignore[untyped-decorator]
    def ranks(self, x: Any) -> Any:
        """Take any number of dimensions."""
        return {"y": tf.nn.relu(x) * 2.0}

    @tf.function(input_signature=[tf.TensorSpec([1, 8, 8, 3], tf.float32, "image")])  # type: ignore[untyped-decorator]
    def single(self, image: Any) -> Any:
        """Take one image, for TensorFlow; OpenVINO makes that reshape follow the batch."""
        hidden = tf.nn.relu(tf.nn.conv2d(image, self.kernel, 1, "SAME"))
        return {"y": tf.reshape(hidden, [1, 256]) @ self.wide}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def counting(self, x: Any) -> Any:
        """Count calls in a variable, which a frozen graph cannot."""
        self.calls.assign_add(1.0)
        return {"y": x @ self.weight}


def main() -> None:
    """Make them all in the current folder."""
    module = Module()
    for name in ("several", "constant", "ranks", "single", "counting"):
        tf.saved_model.save(module, name, signatures=getattr(module, name))
    layers = keras.layers
    image, extra = keras.Input((8, 8, 3), name="image"), keras.Input((4,), name="extra")
    pooled = layers.GlobalAveragePooling2D(name="gap")(layers.Conv2D(4, 3, name="conv")(image))
    joined = layers.Add(name="add")([pooled, extra])
    keras.Model([image, extra], [layers.Dense(3, name="out")(joined), joined]).save("two.keras")
    pixels = rng.integers(0, 256, (10, 12, 20, 3)).astype("uint8")
    np.savez("data.npz", big=pixels, image=pixels[:, 2:10, 5:13], extra=floats(10, 4))


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    main()
