"""Load SavedModels as shipped: `python call_shipped.py FOLDER...`, the error code of each; see test_shipped.py."""

from __future__ import annotations

import json
import sys

from ovmake.contracts.files.interface import Interface, Tensor
from ovmake.contracts.params.source import SourceParams
from ovmake.errors import ActionError
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.loading.shipped import Signature

INTERFACE = Interface(
    inputs=(Tensor(name="x", shape=(-1, 4), type="f32"),), outputs=(Tensor(name="y", shape=(-1, 4), type="f32"),)
)


def told(folder: str) -> str:
    """Return why a model is refused."""
    try:
        Signature.load(Request(id=1, kind="reference", inputs={"source": folder}), INTERFACE, SourceParams())
    except ActionError as error:
        return error.code
    return ""


if __name__ == "__main__":
    print(json.dumps({folder: told(folder) for folder in sys.argv[1:]}))
