"""sever: write the part of a .tflite file between two sets of tensors to a file of its own, for OpenVINO.

params      SeverParams
inputs      source
outputs     part

The model is neither run nor loaded by TFLite.
"""

from __future__ import annotations

from pathlib import Path

from ovmake.contracts.params.helping import SeverParams
from ovmake.sources.screening.screen import screen
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.reference.tflite_file import cut_out


def sever(request: Request) -> dict[str, object]:
    """Write `part`.

    Raises:
        ActionError: the file cannot be read, has side effects, or lacks such tensors.
    """
    source = Path(request.inputs["source"])
    asked = request.asked(SeverParams)
    screen(source, "tflite", frozenset(asked.allow_ops))
    Path(request.outputs["part"]).write_bytes(cut_out(source, list(asked.inputs), list(asked.outputs)))
    return {}
