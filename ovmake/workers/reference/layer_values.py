"""layers: what TensorFlow computes inside a source. Part of *compare-layers*, asked for by OpenVINO's worker.

params      tensors: which, as the file spells them; integers: those of which TFLite's integers are wanted; kind
inputs      interface; feeds: .npz with `0_image`, input `image` of the first feed; graph and names, or source
outputs     values: .npz with `0_7`, the eighth tensor in the first feed
facts       steps: of TFLite's integers, by tensor

A tensor that holds no numbers (a list, a resource) is left out. Other integers of TFLite's come as the numbers that
they stand for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ovmake.errors import ActionError, message_of
from ovmake.sources.screening.screen import allowed_of
from ovmake.workers.inputs.interface import Interface, Tensor
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
    tensors = _words(request, "tensors")
    lite = request.params.get("kind") == "tflite"
    run = _lite(request, interface, tensors) if lite else _frozen(request, interface, tensors)
    values: dict[str, Array] = {}
    for turn, feed in enumerate(_feeds(request, interface)):
        try:
            found = run(prepared(feed, interface))
        except Exception as error:
            message = f"TensorFlow cannot run the layers on these samples: {message_of(error)}"
            raise ActionError("tensorflow-cannot-run", message, setting="source") from error
        values |= {f"{turn}_{tensors.index(tensor)}": array for tensor, array in found.items()}
    np.savez(request.outputs["values"], allow_pickle=False, **values)
    return {"steps": _steps(request, tensors) if lite else {}}


def _steps(request: Request, tensors: Sequence[str]) -> dict[str, float]:
    """Return the steps of TFLite's integers: in the unit of what they stand for, or 1 where they are wanted as such."""
    from ovmake.workers.reference.tflite_file import quantization

    known = quantization(Path(request.inputs["source"]))
    as_they_are = _words(request, "integers")
    return {tensor: 1.0 if tensor in as_they_are else known[tensor].scale for tensor in tensors if tensor in known}


def _words(request: Request, name: str) -> list[str]:
    value = request.params.get(name)
    return [str(word) for word in value] if isinstance(value, list) else []


def _feeds(request: Request, interface: Interface) -> Iterator[Feed]:
    with np.load(request.inputs["feeds"], allow_pickle=False) as stored:
        names = [tensor.name for tensor in interface.inputs]
        turns = len(stored.files) // len(names)
        for turn in range(turns):
            yield {name: stored[f"{turn}_{name}"] for name in names}


def _frozen(request: Request, interface: Interface, tensors: Sequence[str]) -> Run:
    ends = tuple(Tensor(name=tensor, shape=(), type="") for tensor in tensors)
    model = Frozen.load(request, replace(interface, outputs=ends))

    def run(feed: Feed) -> dict[str, Array]:
        results = zip(tensors, model.function(*model.tensors(feed)), strict=True)
        return {tensor: _plain(result) for tensor, result in results if _holds_numbers(result)}

    return run


def _holds_numbers(result: tf.Tensor | Array) -> bool:
    """Whether a result is no list or resource. The session that runs the loops of TF1 gives arrays, never those."""
    return isinstance(result, np.ndarray | np.generic) or bool(result.dtype.is_numpy_compatible)


def _plain(result: tf.Tensor | Array) -> Array:
    array = np.asarray(result)
    # bfloat16 is no type of numpy's and cannot be stored as one.
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _lite(request: Request, interface: Interface, tensors: Sequence[str]) -> Run:
    from ovmake.workers.reference.tflite import Lite
    from ovmake.workers.reference.tflite_file import quantization

    source = Path(request.inputs["source"])
    as_they_are = _words(request, "integers")
    model = Lite.load(
        source,
        inputs={tensor.name: (tensor.source_name, tensor.source_shape) for tensor in interface.inputs},
        outputs={tensor: tensor for tensor in tensors},
        allowed=allowed_of(request),
    )
    steps = {tensor: step for tensor, step in quantization(source).items() if tensor not in as_they_are}

    def run(feed: Feed) -> dict[str, Array]:
        found = model(feed)
        return {tensor: _meant(array, steps.get(tensor)) for tensor, array in found.items()}

    return run


def _meant(array: Array, step: Quantization | None) -> Array:
    """Return the numbers that integers stand for."""
    if step is None or array.dtype.kind not in "iu":
        return array
    return np.asarray((array.astype(np.float32) - step.zero_point) * np.float32(step.scale))
