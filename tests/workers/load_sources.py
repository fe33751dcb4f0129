"""Load sources one after the other in one process: `python load_sources.py FOLDER`, orders on stdin, JSON on stdout.

    [["tf2", {"kind": "saved-model"}, "tf2.npz"], ...]  ->  [{"way", "inputs", ...} or {"code", "message", ...}, ...]

`error`: how far the graph's outputs are from what the model computed when it was made, relative to the largest.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import tensorflow as tf

from ovmake.errors import ActionError
from ovmake.workers.loading.any_source import load
from ovmake.workers.loading.graphs import Loaded, nodes


def answer(source: str, arguments: dict[str, Any], expected: str) -> dict[str, Any]:
    """Load one source, and call it where it is known what it computes."""
    if "tags" in arguments:
        arguments["tags"] = tuple(arguments["tags"])
    blocked = {"tf_keras": None} if arguments.pop("without-tf-keras", False) else {}
    with patch.dict(sys.modules, blocked):
        return outcome(source, arguments, expected)


def outcome(source: str, arguments: dict[str, Any], expected: str) -> dict[str, Any]:
    """Return what came of it."""
    try:
        loaded = load(Path(source), **arguments)
    except ActionError as error:
        fields = ("code", "message", "help", "notes", "setting")
        return {name: getattr(error, name) for name in fields}
    by_name = {node.name: node for node in loaded.graph_def.node}
    fed = {name: by_name[tensor.partition(":")[0]] for name, tensor in loaded.inputs.items()}
    return {
        "way": loaded.way,
        "inputs": {name: described(node) for name, node in fed.items()},
        "outputs": list(loaded.outputs),
        "operations": sorted({node.op for node in nodes(loaded.graph_def)}),
        "error": difference(loaded, expected),
        "signature": difference_of_signature(loaded, expected),
    }


def described(node: Any) -> str:
    """Return op, type and shape of an input."""
    shape = tf.TensorShape(node.attr["shape"].shape)
    return f"{node.op} {tf.as_dtype(node.attr['dtype'].type).name} {shape}"


def difference(loaded: Loaded, expected: str) -> float:
    """Return how far the graph is from what it should compute."""
    arrays = np.load(expected)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(loaded.graph_def, name="")
        feed = {tensor: arrays[f"in_{name}"] for name, tensor in loaded.inputs.items()}
        return largest(session.run(dict(loaded.outputs), feed), arrays)


def difference_of_signature(loaded: Loaded, expected: str) -> float | None:
    """Return the same of the callable as shipped, which must work after freezing too."""
    if loaded.signature is None:
        return None
    arrays = np.load(expected)
    return largest(loaded.signature(**{name: tf.constant(arrays[f"in_{name}"]) for name in loaded.inputs}), arrays)


def largest(outputs: Any, arrays: Any) -> float:
    """Return the largest relative difference over all outputs."""
    assert {f"out_{name}" for name in outputs} == {name for name in arrays if name.startswith("out_")}
    return max(
        float(np.abs(np.asarray(array, float) - arrays[f"out_{name}"]).max() / np.abs(arrays[f"out_{name}"]).max())
        for name, array in outputs.items()
    )


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    print(json.dumps([answer(*order) for order in json.load(sys.stdin)]))
