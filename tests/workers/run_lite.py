"""Run .tflite models, whole and cut: `python run_lite.py FOLDER`, JSON on stdout; see test_lite.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tensorflow.lite.tools import flatbuffer_utils

from ovmake.errors import ActionError
from ovmake.workers.reference.tflite import TfliteKernels
from ovmake.workers.reference.tflite_file import quantization

FLOAT, INTEGER = Path("float.tflite"), Path("integer.tflite")


def ends(path: Path) -> tuple[str, str]:
    """Return the names of a model's input and output."""
    graph = flatbuffer_utils.read_model(str(path)).subgraphs[0]
    return graph.tensors[graph.inputs[0]].name.decode(), graph.tensors[graph.outputs[0]].name.decode()


def pooled(path: Path) -> str:
    """Return the name of the tensor that comes out of the pooling."""
    names = [tensor.name.decode() for tensor in flatbuffer_utils.read_model(str(path)).subgraphs[0].tensors]
    return str(next(name for name in names if "pool" in name))


def whole(path: Path, shape: tuple[int, ...] | None = None) -> TfliteKernels:
    """Load all of a model."""
    start, end = ends(path)
    return TfliteKernels.load(path, inputs={"image": (start, shape)}, outputs={"scores": end})


def refused(attempt: Callable[[], object]) -> dict[str, Any]:
    """Return the error that an attempt ends with."""
    try:
        attempt()
    except ActionError as error:
        return {name: getattr(error, name) for name in ("code", "message", "help", "setting")}
    raise AssertionError("it went well")


def dies() -> Path:
    """Write a model that kills the interpreter: its first operation takes what a later one makes."""
    model = flatbuffer_utils.read_model(str(INTEGER))
    first, *_, last = model.subgraphs[0].operators
    first.inputs = [int(last.outputs[0]), *first.inputs[1:]]
    path = Path("dies.tflite")
    path.write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    return path


def unloadable() -> Path:
    """Write a model with a damaged flag: a weight that is a variable, which TFLite refuses before anything is fed."""
    model = flatbuffer_utils.read_model(str(FLOAT))
    graph = model.subgraphs[0]
    weight = next(index for index in graph.operators[0].inputs if index not in graph.inputs)
    graph.tensors[weight].isVariable = True
    path = Path("unloadable.tflite")
    path.write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    return path


def probed() -> int:
    """Return the exit status of the probe of a good model, which no one else would miss."""
    command = [sys.executable, "-P", "-m", "ovmake.workers.reference.tflite_probe"]
    order = b'{"threads": 1, "shapes": [[0, [2, 8, 8, 3]]]}\n'
    return subprocess.run(command, input=order + FLOAT.read_bytes(), capture_output=True, check=False).returncode


def cut() -> dict[str, Any]:
    """Run a model in two halves."""
    images = np.load("lite.npz")["in_image"]
    start, end = ends(FLOAT)
    inner = pooled(FLOAT)
    first = TfliteKernels.load(FLOAT, inputs={"image": (start, None)}, outputs={"pooled": inner})
    second = TfliteKernels.load(FLOAT, inputs={"pooled": (inner, None)}, outputs={"scores": end})
    halves = second(first({"image": images}))["scores"]
    both = TfliteKernels.load(FLOAT, inputs={"image": (start, None)}, outputs={"a": end, "b": inner})({"image": images})
    return {
        "operations": [whole(FLOAT).operations, first.operations, second.operations],
        "same": bool(np.array_equal(halves, whole(FLOAT)({"image": images})["scores"])),
        "both": {name: list(array.shape) for name, array in both.items()},
    }


def integers() -> dict[str, Any]:
    """Run the quantized model on quantized numbers, and compare what its integers mean."""
    arrays = np.load("lite.npz")
    scales = {name: (found.scale, found.zero_point) for name, found in quantization(INTEGER).items()}
    start, end = ends(INTEGER)
    scale, zero = scales[start]
    fed = np.clip(np.round(arrays["in_image"] / scale) + zero, -128, 127).astype(np.int8)
    found = whole(INTEGER)({"image": fed})["scores"]
    scale, zero = scales[end]
    return {
        "type": found.dtype.name,
        "error": float(np.abs((found.astype(float) - zero) * scale - arrays["out_scores"]).max()),
        "floats": list(quantization(FLOAT)),
    }


def apart() -> float:
    """Return by how much the model in floating point differs from itself when it is run again."""
    feed = {"image": np.load("lite.npz")["in_image"]}
    model = whole(FLOAT)
    again = model.again(feed)
    assert again is not None
    return float(np.abs(again["scores"] - model(feed)["scores"]).max())


def main() -> dict[str, Any]:
    """Do all of it."""
    arrays = np.load("lite.npz")
    start, end = ends(FLOAT)
    inner = pooled(FLOAT)
    Path("torn.tflite").write_bytes(FLOAT.read_bytes()[:-600])
    three = np.repeat(arrays["in_image"], 3, 0)
    return {
        "error": float(np.abs(whole(FLOAT)({"image": arrays["in_image"]})["scores"] - arrays["out_scores"]).max()),
        "dynamic": list(whole(FLOAT, (-1, 8, 8, 3))({"image": three})["scores"].shape),
        "fixed": list(whole(FLOAT, (3, 8, 8, 3))({"image": three})["scores"].shape),
        "cut": cut(),
        "integers": integers(),
        "apart": apart(),
        "probe": probed(),
        "unloadable": refused(lambda: whole(unloadable())),
        "dies": refused(lambda: whole(dies())),
        "torn": refused(
            lambda: TfliteKernels.load(Path("torn.tflite"), inputs={"x": (start, None)}, outputs={"y": end})
        ),
        "shape": refused(lambda: whole(FLOAT, (1, 8, 8, 5))),
        "unknown": refused(lambda: TfliteKernels.load(FLOAT, inputs={"x": (start, None)}, outputs={"y": f"{end}s"})),
        "incomplete": refused(lambda: TfliteKernels.load(FLOAT, inputs={"x": (end, None)}, outputs={"y": inner})),
    }


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    print(json.dumps(main()))
