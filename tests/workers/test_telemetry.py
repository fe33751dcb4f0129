"""No telemetry: whichever module of a worker comes first, the package that reports usage cannot be imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ovmake.workers

MODULES = sorted(path.stem for path in Path(ovmake.workers.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.heavy
@pytest.mark.parametrize("name", MODULES)
def test_no_worker_module_lets_openvino_find_its_telemetry(name: str) -> None:
    program = (
        f"import ovmake.workers.{name}, sys; print([m for m in sys.modules if m.startswith('openvino_telemetry.')])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
