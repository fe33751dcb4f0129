"""What a framework costs before it does anything: its import, in a process that did nothing yet.

    imported("openvino") -> ImportCost

The memory is the highest resident memory of the process after the import: Python's own 10 MB and numpy are in it, which
whoever uses the framework from Python has, too.
"""

from __future__ import annotations

import importlib
import time
from pathlib import Path

from ovmake.contracts.timing import ImportCost


def imported(framework: str) -> ImportCost:
    """Import a framework and return what that took. Only the first time in a process tells something."""
    started = time.perf_counter()
    module = importlib.import_module(framework)
    passed = time.perf_counter() - started
    version = str(getattr(module, "__version__", ""))
    return ImportCost(import_ms=passed * 1000, memory_bytes=peak_memory_bytes(), version=version)


def peak_memory_bytes() -> int | None:
    """Return this process's highest resident memory so far; None where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration, IndexError, ValueError):
        return None
