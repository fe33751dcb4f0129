"""sever: write the part of a .tflite file between two sets of tensors to a file of its own, for OpenVINO.

params      inputs, outputs: names of tensors in the file; allow-ops
inputs      source
outputs     part

The model is neither run nor loaded by TFLite.
"""

from __future__ import annotations

from pathlib import Path

from ovmake.errors import ActionError
from ovmake.sources.screening.screen import allowed_of, screen
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.reference.tflite import cut_out


def sever(request: Request) -> dict[str, object]:
    """Write `part`.

    Raises:
        ActionError: the file cannot be read, has side effects, or lacks such tensors.
    """
    source = Path(request.inputs["source"])
    screen(source, "tflite", allowed_of(request))
    inputs, outputs = (request.params[side] for side in ("inputs", "outputs"))
    if not isinstance(inputs, list | tuple) or not isinstance(outputs, list | tuple):
        raise ActionError("bad-request", "a cut without tensors")
    Path(request.outputs["part"]).write_bytes(
        cut_out(source, [str(one) for one in inputs], [str(one) for one in outputs])
    )
    return {}
