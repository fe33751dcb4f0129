"""No telemetry: whichever module of a worker comes first, the package that reports usage cannot be imported.

Importing the frameworks for each of some seventy modules would take minutes. So a module's import is stopped where it
asks for a framework, which tells what would be found then; and the import is done to its end where the framework is
there already. One process does all of it for real.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ovmake.workers
from tests import warm

pytestmark = pytest.mark.heavy

SCRIPT = str(Path(__file__).with_name("import_each.py"))
MODULES = sorted(f"ovmake.workers.{path.stem}" for path in Path(ovmake.workers.__file__).parent.glob("[a-z]*.py"))
# What each asks for first; keras comes with TensorFlow.
BY = {"openvino": "openvino", "nncf": "openvino", "tensorflow": "tensorflow", "keras": "tensorflow", "": "openvino"}


@pytest.fixture(scope="module")
def stopped() -> dict[str, dict[str, Any]]:
    """What was so when each module asked for a framework."""
    done = subprocess.run([sys.executable, SCRIPT, "--block", *MODULES], capture_output=True, text=True, check=True)
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


def test_openvino_and_nncf_load_nothing_that_reports() -> None:
    program = (
        "import ovmake.workers.quantizing, nncf, openvino, sys; "
        "print([m for m in sys.modules if m.startswith('openvino_telemetry.')])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
