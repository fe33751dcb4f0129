"""No telemetry: whichever module of a worker comes first, the package that reports usage cannot be imported.

Importing the frameworks for each of some hundred modules would take minutes. So a module's import is stopped where it
asks for a framework, and what would be found then is looked up. That the import succeeds is seen where the framework is
there already, and telemetry refused. Two processes do all of it for real, one for each framework.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ovmake.workers
from tests import warm

pytestmark = pytest.mark.heavy

HERE = {**os.environ, "PYTHONPATH": str(warm.ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
SCRIPT = str(Path(__file__).with_name("import_each.py"))
WORKERS = Path(ovmake.workers.__file__).parent
MODULES = sorted(
    ".".join(("ovmake", "workers", *path.relative_to(WORKERS).with_suffix("").parts))
    for path in WORKERS.rglob("[a-z]*.py")
)
# What each asks for first; keras comes with TensorFlow.
BY = {"openvino": "openvino", "nncf": "openvino", "tensorflow": "tensorflow", "keras": "tensorflow", "": "openvino"}


@pytest.fixture(scope="module")
def stopped() -> dict[str, dict[str, Any]]:
    """What was so when each module asked for a framework."""
    command = [sys.executable, SCRIPT, "--block", *MODULES]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=HERE)
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def whole(stopped: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What came of importing each to its end."""
    found: dict[str, dict[str, Any]] = {}
    for framework in ("openvino", "tensorflow"):
        names = [name for name in MODULES if BY[stopped[name]["asked"]] == framework]
        done = warm.run([SCRIPT, *names], by=framework)
        assert 0 == done.returncode, done.stderr
        found |= json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", MODULES)
def test_no_worker_module_lets_openvino_find_its_telemetry(
    stopped: dict[str, dict[str, Any]], whole: dict[str, dict[str, Any]], name: str
) -> None:
    assert (False, "") == (stopped[name]["telemetry"], stopped[name]["error"])
    assert {"asked": "", "telemetry": False, "error": ""} == whole[name]


def test_modules_that_ask_for_frameworks_are_seen_to(stopped: dict[str, dict[str, Any]]) -> None:
    assert {"openvino", "tensorflow"} <= {found["asked"] for found in stopped.values()}


@pytest.mark.parametrize("modules", ["quantization.quantizing, nncf, openvino", "loading.freezing, tensorflow, keras"])
def test_frameworks_load_nothing_that_reports(modules: str) -> None:
    first, *others = modules.split(", ")
    program = (
        f"import ovmake.workers.{first}, {', '.join(others)}, sys; "
        "print([m for m in sys.modules if m.startswith('openvino_telemetry.')])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=HERE)
    assert result.stdout == "[]\n"
