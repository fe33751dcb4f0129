"""The process that measures: `python -m ovmake.workers.bench_worker`. It loads no framework; those it times do."""

from __future__ import annotations

from ovmake.contracts.entry_points import HANDLERS
from ovmake.workers.ipc.serving import serve

if __name__ == "__main__":
    serve(HANDLERS["bench"])
