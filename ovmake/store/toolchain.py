"""Versions of the installed tools, the code of ovmake that an action runs, and facts of the machine.

They are read from metadata, from our own files and from /proc. No tool is imported.

toolchain.version("openvino") -> "2026.4.1"
toolchain.environment("isa") -> "avx2 avx512f ... amx_bf16"
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cached_property

from ovmake import machine
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.graph.action import MACHINE_PARTS, MACHINE_SEPARATOR, EnvironmentName
from ovmake.store.own_code import OwnCode

# One import name, several wheels.
WHEELS = {"tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tensorflow-macos")}

INSTALL = {"tensorflow": 'pip install "ovmake[cpu]", or "ovmake[tensorflow]" for the wheel with GPU support'}

MOST_JOBS = 4  # by default


class Toolchain:
    """Reads versions and machine facts, once each."""

    def __init__(self) -> None:
        self._versions: dict[str, str] = {}
        self._code = OwnCode()

    def version(self, tool: str) -> str:
        """Return the installed version of a tool.

        Raises:
            OvmakeError: the tool is not installed.
        """
        if tool not in self._versions:
            self._versions[tool] = _installed(tool)
        return self._versions[tool]

    def code(self, worker: str, kind: str) -> Mapping[str, str]:
        """Return the digest of each room of ovmake that a kind of action runs."""
        return self._code.of(worker, kind)

    def environment(self, name: EnvironmentName) -> str:
        """Return a part of the environment as one line of text."""
        return self.isa if name == "isa" else self.machine

    @cached_property
    def isa(self) -> str:
        """The instruction sets that decide which kernels run, sorted."""
        return " ".join(machine.instruction_sets(machine.processor())) or os.uname().machine

    @cached_property
    def machine(self) -> str:
        """What a measurement depends on: CPU model, usable cores, limits, memory, kernel, instruction sets."""
        limit = machine.cpu_limit()
        found = {
            "processor": machine.processor().get("model name") or os.uname().machine,
            "cores": f"{machine.usable_cores()} cores",
            "CPU limit": f"cpu limit {'none' if limit is None else f'{limit:g}'}",
            "memory": f"{(machine.memory_bytes() or 0) // (1024 * 1024)} MiB",
            "kernel": os.uname().release,
            "instruction sets": self.isa,
        }
        return MACHINE_SEPARATOR.join(found[part] for part in MACHINE_PARTS)


def default_jobs() -> int:
    """Return how many actions to run at a time: the number of cores, at most 4.

    Inference, calibration and TensorFlow use all cores by themselves; only the rest gains, such as reading models and
    writing IRs. A fifth worker would gain little. It would load a framework of its own and hold up to some 300 MB
    before it holds a model; on a first build no estimate limits that memory.
    """
    return min(machine.usable_cores(), MOST_JOBS)


def _installed(tool: str) -> str:
    wheels = WHEELS.get(tool, (tool,))
    for look in (_version_of_folder, _version_of_metadata):
        for wheel in wheels:
            if version := look(wheel):
                return version
    hint = INSTALL.get(tool, f"pip install {tool}")
    message = f"`{tool}` is not installed in the Python that runs ovmake"
    raise OvmakeError(Diagnostic(code="tool-missing", message=message, help=hint), exit_status=1)


def _version_of_folder(wheel: str) -> str:
    """Return the version in the name of a wheel's metadata folder (PEP 427, `openvino-2026.4.1.dist-info`), "" if none.

    Importing importlib.metadata takes 16 ms, a tenth of a no-op build.
    """
    start = wheel.replace("-", "_") + "-"
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            if name.startswith(start) and name.endswith(".dist-info"):
                return name[len(start) : -len(".dist-info")]
    return ""


def _version_of_metadata(wheel: str) -> str:
    """Return the version from importlib.metadata, which knows all forms of installation; "" if there is none."""
    import importlib.metadata  # noqa: PLC0415

    try:
        return importlib.metadata.version(wheel)
    except importlib.metadata.PackageNotFoundError:
        return ""
