"""sever: the part of a .tflite file between two sets of tensors, as a file of its own, for OpenVINO to read.

params      inputs, outputs: tensors as the file spells them; allow-ops
inputs      source
outputs     part

Nothing of the model is run, nor given to TFLite.
"""

from __future__ import annotations

from pathlib import Path

from ovmake.errors import ActionError
from ovmake.sources.screening.screen import allowed_of, screen
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.reference.tflite_file import cut_out


def sever(request: Request) -> dict[str, object]:
    """Write `part`.

    Raises:
        ActionError: the file cannot be read, does more than compute, or has no such tensors.
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
