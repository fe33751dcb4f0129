"""The process that runs a user's loader: `python -m ovmake.workers.loader_worker`."""

from __future__ import annotations

from ovmake.contracts.entry_points import HANDLERS
from ovmake.workers.ipc.serving import serve

if __name__ == "__main__":
    serve(HANDLERS["loader"])
