"""Run a .tflite model once, on zeros, in a separate process, because it may crash.

stdin       {"threads": 1, "shapes": [[tensor, shape], ...]} on a line, then the model; with "run": false it is only
            loaded, not run
stdout      "loaded", as soon as the interpreter exists
exit        0: it ran; 1: the interpreter refused it, message on stderr; killed by a signal: it crashed

The interpreter is one extension module of TensorFlow that needs nothing else of it. Importing it without the package
takes 0.03 s; `import tensorflow` takes 4 s.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import types
from pathlib import Path

import numpy as np

from ovmake.workers.ipc.protocol import die_with_parent

_PACKAGES = (
    "tensorflow",
    "tensorflow.lite",
    "tensorflow.lite.python",
    "tensorflow.lite.python.interpreter_wrapper",
)
_EXTENSION = "tensorflow.lite.python.interpreter_wrapper._pywrap_tensorflow_interpreter_wrapper"
_MAIN = 0  # the subgraph
_DEFAULT_RESOLVER = 1  # OpResolverType.AUTO: with XNNPACK


def main() -> None:
    """Read, build, run."""
    die_with_parent()
    order = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read()
    # As tensorflow/lite/python/interpreter.py calls it.
    interpreter = _extension().CreateWrapperFromBuffer(
        content, _DEFAULT_RESOLVER, [], [], False, False, int(order["threads"]), False
    )
    os.write(1, b"loaded\n")
    if not order.get("run", True):
        return
    for index, shape in order["shapes"]:
        interpreter.ResizeInputTensor(index, np.array(shape, dtype=np.int32), False)
    interpreter.AllocateTensors()
    for index in interpreter.InputIndices():
        size, dtype = interpreter.TensorSize(index, _MAIN), interpreter.TensorType(index, _MAIN)
        interpreter.SetTensor(index, np.zeros(size, dtype=dtype), _MAIN)
    interpreter.Invoke()


def _extension() -> types.ModuleType:
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'tensorflow'")
    root = Path(spec.submodule_search_locations[0])
    for name in _PACKAGES:
        package = types.ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    try:
        return importlib.import_module(_EXTENSION)
    except ImportError:  # a TensorFlow version in which it needs the rest
        for name in [name for name in sys.modules if name.partition(".")[0] == "tensorflow"]:
            del sys.modules[name]
        return importlib.import_module(_EXTENSION)


if __name__ == "__main__":
    main()
