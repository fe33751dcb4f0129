"""The process that holds TensorFlow: `python -m ovmake.workers.tensorflow_worker`. Imports it when needed."""

from __future__ import annotations

from ovmake.contracts.entry_points import HANDLERS
from ovmake.workers.ipc.serving import serve

# *time* measures the import, in a process that did nothing yet.
IMPORTING = [kind for kind in HANDLERS["tensorflow"] if kind != "time"]

if __name__ == "__main__":
    serve(HANDLERS["tensorflow"], imports=dict.fromkeys(IMPORTING, ("tensorflow",)))
