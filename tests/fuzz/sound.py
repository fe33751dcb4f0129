"""Make a small model of every kind, all of `x` [batch, 4] -> 3 numbers: `python sound.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

v1 = tf.compat.v1
SPEC = tf.TensorSpec([None, 4], tf.float32, "x")


class Module(tf.Module):  # type: ignore[misc]
    """Two layers, a branch, a loop; a variable that no output needs."""

    def __init__(self, random: np.random.Generator) -> None:
        super().__init__()
        self.first = tf.Variable(random.normal(size=(4, 6)).astype("float32"), name="first")
        self.second = tf.Variable(random.normal(size=(6, 3)).astype("float32"), name="second")
        self.idle = tf.Variable(random.normal(size=(5,)).astype("float32"), name="idle")

    @tf.function(input_signature=[SPEC])  # type: ignore[untyped-decorator]
    def plain(self, x: Any) -> Any:
        """Compute two layers."""
        return {"y": tf.nn.softmax(tf.nn.relu(x @ self.first) @ self.second)}

    @tf.function(input_signature=[SPEC])  # type: ignore[untyped-decorator]
    def train(self, x: Any) -> Any:
        """Change what no output needs."""
        self.idle.assign_add(tf.reduce_sum(x) * tf.ones([5]))
        return {"loss": tf.reduce_sum(self.idle)}


def tf1(folder: Path, random: np.random.Generator) -> None:
    """Make a SavedModel and a checkpoint as TF1 does."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        first = v1.get_variable("first", initializer=random.normal(size=(4, 6)).astype("float32"))
        second = v1.get_variable("second", initializer=random.normal(size=(6, 3)).astype("float32"), use_resource=False)
        y = tf.nn.softmax(tf.nn.relu(x @ first) @ second, name="y")
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(folder / "tf1"), {"x": x}, {"y": y})
        v1.train.Saver().save(session, str(folder / "checkpoint/model"))


def main(folder: Path) -> None:
    """Make them all."""
    random = np.random.default_rng(0)
    module = Module(random)
    tf.saved_model.save(
        module, str(folder / "tf2"), signatures={"serving_default": module.plain, "train": module.train}
    )
    frozen = convert_variables_to_constants_v2(module.plain.get_concrete_function())
    (folder / "frozen").mkdir()
    tf.io.write_graph(frozen.graph, str(folder / "frozen"), "model.pb", as_text=False)
    layers = keras.layers
    model = keras.Sequential([layers.Input((4,), name="x"), layers.Dense(6, "relu"), layers.Dense(3, "softmax")])
    for kind in ("keras", "h5"):
        (folder / kind).mkdir()
        model.save(folder / kind / f"model.{kind}")
    (folder / "lite").mkdir()
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    (folder / "lite/model.tflite").write_bytes(converter.convert())
    tf1(folder, random)
    np.savez(folder / "val.npz", x=random.normal(size=(9, 4)).astype("float32"))


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    main(Path(sys.argv[1]).resolve())
