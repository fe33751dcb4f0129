"""layers: TensorFlow's values of inner tensors of a source. OpenVINO's worker requests it for *compare-layers*.

params      LayersParams
inputs      interface; feeds: .npz with `0_image`, input `image` of the first feed; graph and names, or source
outputs     values: .npz with `0_7`, the eighth tensor in the first feed
facts       steps: the step sizes of TFLite's integers, by tensor

A tensor without numbers (a list, a resource) is left out. Other quantized tensors of TFLite are returned as the numbers
that they represent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ovmake.contracts.files.interface import Interface, Tensor
from ovmake.contracts.params.helping import LayersParams
from ovmake.errors import ActionError, message_of
from ovmake.workers.inputs.preparing import Array, prepared
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.reference.frozen import Frozen

if TYPE_CHECKING:
    from ovmake.workers.reference.tflite_file import Quantization

Feed = Mapping[str, Array]
Run = Callable[[Feed], Mapping[str, Array]]


def run_layers(request: Request) -> dict[str, object]:
    """Run; write `values`.

    Raises:
        ActionError: TensorFlow cannot load the source, or cannot run it.
    """
    interface = Interface.read(request.inputs["interface"])
    asked = request.asked(LayersParams)
    tensors, is_tflite = asked.tensors, asked.source.kind == "tflite"
    run = _tflite(request, interface, asked) if is_tflite else _frozen(request, interface, asked)
    values: dict[str, Array] = {}
    for turn, feed in enumerate(_feeds(request, interface)):
        try:
            found = run(prepared(feed, interface))
        except Exception as error:
            message = f"TensorFlow cannot run the layers on these samples: {message_of(error)}"
            raise ActionError("tensorflow-cannot-run", message, setting="source") from error
        values |= {f"{turn}_{tensors.index(tensor)}": array for tensor, array in found.items()}
    np.savez(request.outputs["values"], allow_pickle=False, **values)
    return {"steps": _steps(request, asked) if is_tflite else {}}


def _steps(request: Request, asked: LayersParams) -> dict[str, float]:
    """Return the step sizes of TFLite's integers: in the unit of the real numbers, or 1 for returned integers."""
    from ovmake.workers.reference.tflite_file import quantization

    known = quantization(Path(request.inputs["source"]))
    there = [tensor for tensor in asked.tensors if tensor in known]
    return {tensor: 1.0 if tensor in asked.integers else known[tensor].scale for tensor in there}


def _feeds(request: Request, interface: Interface) -> Iterator[Feed]:
    with np.load(request.inputs["feeds"], allow_pickle=False) as stored:
        names = [tensor.name for tensor in interface.inputs]
        turns = len(stored.files) // len(names)
        for turn in range(turns):
            yield {name: stored[f"{turn}_{name}"] for name in names}


def _frozen(request: Request, interface: Interface, asked: LayersParams) -> Run:
    tensors = asked.tensors
    ends = tuple(Tensor(name=tensor, shape=(), type="") for tensor in tensors)
    model = Frozen.load(request, replace(interface, outputs=ends), asked.source)

    def run(feed: Feed) -> dict[str, Array]:
        results = zip(tensors, model.function(*model.tensors(feed)), strict=True)
        return {tensor: _plain(result) for tensor, result in results if _holds_numbers(result)}

    return run


def _holds_numbers(result: tf.Tensor | Array) -> bool:
    """Whether a result holds numbers: it is not a list or a resource. The session for TF1 loops returns only arrays."""
    return isinstance(result, np.ndarray | np.generic) or bool(result.dtype.is_numpy_compatible)


def _plain(result: tf.Tensor | Array) -> Array:
    array = np.asarray(result)
    # numpy has no bfloat16 and cannot store it.
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _tflite(request: Request, interface: Interface, asked: LayersParams) -> Run:
    from ovmake.workers.reference.tflite import TfliteKernels
    from ovmake.workers.reference.tflite_file import quantization

    source = Path(request.inputs["source"])
    model = TfliteKernels.load(
        source,
        inputs={tensor.name: (tensor.source_name, tensor.source_shape) for tensor in interface.inputs},
        outputs={tensor: tensor for tensor in asked.tensors},
        allowed=asked.source.allowed,
    )
    steps = {tensor: step for tensor, step in quantization(source).items() if tensor not in asked.integers}

    def run(feed: Feed) -> dict[str, Array]:
        found = model(feed)
        return {tensor: _meant(array, steps.get(tensor)) for tensor, array in found.items()}

    return run


def _meant(array: Array, step: Quantization | None) -> Array:
    """Return the numbers that integers represent."""
    if step is None or array.dtype.kind not in "iu":
        return array
    return np.asarray((array.astype(np.float32) - step.zero_point) * np.float32(step.scale))
