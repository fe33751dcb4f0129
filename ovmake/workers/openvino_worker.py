"""The process that holds OpenVINO and NNCF: `python -m ovmake.workers.openvino_worker`. Imports them when needed."""

from __future__ import annotations

from ovmake.contracts.entry_points import HANDLERS
from ovmake.workers.ipc.serving import serve

if __name__ == "__main__":
    serve(HANDLERS["openvino"])
