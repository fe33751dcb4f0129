"""The cost of importing a framework, in a fresh process.

    imported("openvino") -> ImportCost

The memory is the peak resident memory of the process after the import. It includes Python's own 10 MB and numpy, which
every user of the framework in Python needs too.
"""

from __future__ import annotations

import importlib
import time
from pathlib import Path

from ovmake.contracts.files.timing import ImportCost


def imported(framework: str) -> ImportCost:
    """Import a framework and return the cost. Only the first import in a process is meaningful."""
    started = time.perf_counter()
    module = importlib.import_module(framework)
    passed = time.perf_counter() - started
    version = str(getattr(module, "__version__", ""))
    return ImportCost(import_ms=passed * 1000, memory_bytes=peak_memory_bytes(), version=version)


def peak_memory_bytes() -> int | None:
    """Return this process's peak resident memory so far; None if the system does not report it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration, IndexError, ValueError):
        return None
