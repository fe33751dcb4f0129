"""reference: TensorFlow's own outputs for the samples, kept for all precisions to be compared with.

outputs     .npz with `output_0`, `output_1`, ... in the order of the interface's outputs, each [samples, ...]
facts       JSON: how many operations the frozen graph has
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ovmake.workers.frozen import Frozen
from ovmake.workers.interface import Interface
from ovmake.workers.protocol import ActionError, Request, message_of
from ovmake.workers.samples import Array, Collected, Samples, normalized, take


def refer(request: Request) -> dict[str, object]:
    """Run TensorFlow; write `outputs` and `facts`."""
    interface = Interface.read(request.inputs["interface"])
    samples = take(request, interface)
    model = Frozen.load(
        Path(request.inputs["source"]),
        {tensor.name: tensor.shape for tensor in interface.inputs},
    )
    outputs = _run(model, interface, samples)
    with Path(request.outputs["outputs"]).open("wb") as file:
        named = {f"output_{index}": outputs[tensor.name] for index, tensor in enumerate(interface.outputs)}
        np.savez(file, allow_pickle=False, **named)
    Path(request.outputs["facts"]).write_text(json.dumps({"format": 1, "operations": model.operations}) + "\n")
    return {}


def _run(model: Frozen, interface: Interface, samples: Samples) -> dict[str, Array]:
    names = tuple(tensor.name for tensor in interface.outputs)
    unknown = [name for name in names if name not in model.outputs]
    if unknown:
        listed = ", ".join(f"`{name}`" for name in model.outputs)
        message = f"the IR's output `{unknown[0]}` is none of TensorFlow's: {listed}"
        raise ActionError("interface-mismatch", message, setting="source")
    # A frozen graph's ends are a guess, a signature's outputs are a promise: OpenVINO drops those that are constants.
    lost = [name for name in model.outputs if name not in names]
    if lost and model.signature is not None:
        message = f"the IR lacks output `{lost[0]}` of the source's signature: OpenVINO drops constant outputs"
        hint = "take it out of the signature, or build without the comparison: `accuracy = false`"
        raise ActionError("output-lost", message, setting="source", help=hint)
    collected = Collected(interface.outputs)
    for feed, count in samples.feeds():
        try:
            results = model(normalized(feed, interface))
        except Exception as error:
            message = f"TensorFlow cannot run the model on these samples: {message_of(error)}"
            raise ActionError("tensorflow-cannot-run", message, setting="source") from error
        collected.add(results, count, samples.fed(feed))
    return collected.arrays()
