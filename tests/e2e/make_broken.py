"""Make the models that `test_broken_models.py` breaks: `python make_broken.py FOLDER`, after make_sources.py."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


class Module(tf.Module):  # type: ignore[misc]
    """Layers in scopes, two of a name; an operation that OpenVINO lacks; strings."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(tf.eye(4))

    @tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def whole(self, x: Any) -> Any:
        """Take one row, no more."""
        with tf.name_scope("left"), tf.name_scope("dense"):
            left = tf.nn.relu(x @ self.weight)
        with tf.name_scope("right"), tf.name_scope("dense"):
            right = tf.nn.relu(x @ (2 * self.weight))
        with tf.name_scope("head"):
            joined = tf.concat([left, right], 1) @ tf.ones([8, 3])
        return {"scores": joined, "square": tf.reshape(joined, [1, 3]) ** 2}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])  # type: ignore[untyped-decorator]
    def strings(self, text: Any) -> Any:
        """Take strings."""
        return {"length": tf.strings.length(text)}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def unsupported(self, x: Any) -> Any:
        """Compute what OpenVINO does not."""
        return {"y": tf.math.betainc(tf.abs(x), 0.5, 0.5)}

    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 1], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def gray(self, x: Any) -> Any:
        """Take a picture without colours."""
        return {"y": x * 2.0}

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def scalar(self, x: Any) -> Any:
        """Take a single number."""
        return {"y": x * 2.0}


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 123456\n"


def half_done() -> None:
    """Make what a checkout or a copy leaves behind."""
    for name in ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"):
        folder = shutil.copytree("whole", f"pointer-{Path(name).suffix[1:6].strip('-')}")
        Path(folder, name).write_bytes(POINTER)
    for suffix in ("tflite", "keras", "h5", "pb"):
        Path(f"pointer.{suffix}").write_bytes(POINTER)
    shutil.copytree("checkpoint", "pointer-checkpoint")
    next(Path("pointer-checkpoint").glob("*.data-*")).write_bytes(POINTER)
    Path(shutil.copytree("whole", "no-shard"), "variables/variables.data-00000-of-00001").unlink()
    Path(shutil.copytree("whole", "no-index"), "variables/variables.index").unlink()
    short = Path(shutil.copytree("whole", "short-shard"), "variables/variables.data-00000-of-00001")
    short.write_bytes(short.read_bytes()[:20])


def unfrozen() -> None:
    """Make graphs that say of variables that they are there, and not what is in them."""
    for name, resource in {"reference": False, "resource": True}.items():
        with tf.Graph().as_default() as graph:
            x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
            for variable in ("v", "w", "u")[: 3 if resource else 1]:
                x = x * tf.compat.v1.get_variable(variable, [3], use_resource=resource)
            tf.compat.v1.train.Saver()
            tf.io.write_graph(graph, ".", f"unfrozen-{name}.pb", as_text=False)
    kept = tf.Variable([1.0, 2.0, 3.0], name="kept")
    function = tf.function(lambda x: x * kept).get_concrete_function(tf.TensorSpec([None, 3], name="x"))
    tf.io.write_graph(function.graph, ".", "unfrozen-function.pb", as_text=False)


def stateful() -> None:
    """Make models that keep something from one call to the next: of Keras, of a function, of TF1."""
    x = keras.Input((7, 5), name="x", batch_size=2)
    model = keras.Model(x, keras.layers.LSTM(4, stateful=True)(x))
    model.save("stateful.keras")
    model.export("stateful", verbose=False)
    module = tf.Module()
    module.kept = tf.Variable(tf.zeros([4]), name="kept")

    def smoothed(x: Any) -> Any:
        for _ in tf.range(2):
            module.kept.assign(module.kept * 0.5 + x[0])
        return {"y": x + module.kept}

    module.function = tf.function(smoothed, input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")])
    tf.saved_model.save(module, "smoothed", signatures={"serving_default": module.function, "again": module.function})
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [2, 4], name="x")
        kept = tf.compat.v1.get_variable("kept", [2, 4], use_resource=False)
        y = tf.identity(tf.compat.v1.assign(kept, kept * 0.5 + x), name="y")
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.saved_model.simple_save(session, "smoothed-tf1", {"x": x}, {"y": y})


def uncallable() -> None:
    """Make a Keras file with a table in it, a table of strings, and a SavedModel of two functions and no signature."""
    ids = keras.Input((1,), dtype="int64", name="shop")
    found = keras.layers.IntegerLookup(vocabulary=[1, 3, 5], name="ids")(ids)
    keras.Model(ids, keras.layers.Embedding(4, 3, name="vectors")(found)).save("shop.keras")
    job = keras.Input((1,), dtype="string", name="job")
    found = keras.layers.StringLookup(vocabulary=["x", "y", "z"], name="jobs")(job)
    keras.Model(job, keras.layers.Embedding(5, 3, name="numbers")(found)).export("strings-table", verbose=False)
    module = tf.Module()
    for name, factor in {"first": 1.0, "second": 2.0}.items():
        spec = tf.TensorSpec([None, 3], name="x")
        setattr(module, name, tf.function(lambda x, factor=factor: x * factor, input_signature=[spec]))
    tf.saved_model.save(module, "two-functions")


def main() -> None:
    """Make them all in the current folder."""
    module = Module()
    for name in ("whole", "strings", "unsupported", "scalar", "gray"):
        tf.saved_model.save(module, name, signatures=getattr(module, name))
    frozen = convert_variables_to_constants_v2(module.whole.get_concrete_function())
    tf.io.write_graph(frozen.graph, ".", "whole.pb", as_text=False)
    for name, size in {"several.keras": -500, "float.tflite": 1500, "integer.tflite": 700}.items():
        Path(f"torn-{name}").write_bytes(Path(name).read_bytes()[:size])
    Path("page.keras").write_bytes(b"<!DOCTYPE html><html>Not found</html>")
    Path("magic.tflite").write_bytes(b"\x1c\x00\x00\x00TFL9" + bytes(200))
    Path("magic.h5").write_bytes(b"\x89HDX\r\n\x1a\n" + bytes(200))
    Path("noise.pb").write_bytes(bytes(range(255, 0, -1)))
    Path("empty.pb").touch()
    half_done()
    unfrozen()
    stateful()
    uncallable()


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    main()
