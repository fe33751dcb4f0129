"""Make the models that `test_broken_models.py` breaks: `python make_broken.py FOLDER`, after make_sources.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

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

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def scalar(self, x: Any) -> Any:
        """Take a single number."""
        return {"y": x * 2.0}


def main() -> None:
    """Make them all in the current folder."""
    module = Module()
    for name in ("whole", "strings", "unsupported", "scalar"):
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


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    main()
