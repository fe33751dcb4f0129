"""A repo with the bundled example, built once per session and copied for each test.

built -> Repo       a copy of examples/fashion after `ovmake build`
fresh -> Repo       the same before it
repo.ovmake("build") -> Result      the real command, events parsed
bf16_runs_as -> "bf16" | "f32"      what this processor computes in where bf16 is asked for
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import warm
from tests.once import copy_of, once

# A shell without job control starts what runs in its background (`nohup .ci/run &`) with Ctrl-C ignored, and so would
# all commands that these tests start. What is caught here is a default there.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "fashion"

# OpenVINO accepts the hint on any processor, and the compiled model tells what became of it. ovmake judges by something
# else, the graph of kernels.
ASK_FOR_BF16 = """
import sys; sys.modules["openvino_telemetry"] = None
import openvino as ov
x = ov.opset13.parameter([1, 8], ov.Type.f32)
model = ov.Model([ov.opset13.relu(x)], [x])
compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
print(compiled.get_property("INFERENCE_PRECISION_HINT").to_string())
"""


def environment() -> dict[str, str]:
    """Return the environment for the command: the checkout first, its workers warm, nothing of a user's settings."""
    return {**os.environ, **warm.environment(), "TERM": "dumb"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command did."""

    status: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of `--json`."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def actions(self, status: str) -> list[str]:
        """Return the actions that ended so, as "kind target"."""
        return [
            f"{event['action']} {event['target']}"
            for event in self.events
            if event["event"] == "action-finished" and event["status"] == status
        ]

    @property
    def ran(self) -> list[str]:
        """Actions that ran, sorted."""
        return sorted(self.actions("ran"))

    @property
    def targets(self) -> dict[str, str]:
        """What became of the targets."""
        return {e["target"]: e["status"] for e in self.events if e["event"] == "target-finished"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repo:
    """A folder with an Ovfile."""

    folder: Path

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the command and return at once. Its workers are cold: a test that does not wait means to meddle."""
        with warm.cold():
            return self._start(environment(), "-m", "ovmake", *words)

    def ovmake(self, *words: str) -> Result:
        """Run the command to its end."""
        process = self._start(environment(), "-m", "ovmake", *words)
        stdout, stderr = process.communicate(timeout=300)
        return Result(status=process.returncode, stdout=stdout, stderr=stderr)

    def _start(self, variables: Mapping[str, str], *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=self.folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def build(self, *words: str) -> Result:
        """Run `ovmake build --json`."""
        return self.ovmake("build", "--json", *words)

    def record(self, model: str, precision: str = "fp32") -> dict[str, Any]:
        """Return a target's record."""
        content = json.loads((self.folder / f"build/{model}/{precision}/record.json").read_text())
        assert isinstance(content, dict)
        return content

    def copy(self, folder: Path) -> Repo:
        """Copy it with all that was built in it, which stays fresh."""
        return Repo(folder=copy_of(self.folder, folder))

    def edit(self, old: str, new: str) -> None:
        """Change the Ovfile; `old` must be there."""
        path = self.folder / "Ovfile"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def outputs(self) -> dict[str, bytes]:
        """Return every file under build/."""
        build = self.folder / "build"
        return {str(path.relative_to(build)): path.read_bytes() for path in sorted(build.rglob("*")) if path.is_file()}

    def workers_started(self) -> set[str]:
        """Return the workers that were started since this was last called: each opens its log."""
        logs = self.folder / ".ovmake" / "logs"
        found = {path.name for path in logs.glob("worker-*.log")}
        for path in logs.glob("worker-*.log"):
            path.unlink()
        return found


def copy_example(folder: Path) -> Repo:
    """Copy the example without anything that was built in it."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("build", ".ovmake"))
    return Repo(folder=folder)


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """The example, built; not to be changed."""

    def build(folder: Path) -> None:
        result = copy_example(folder / "fashion").build()
        assert result.status == 0, result.stdout + result.stderr

    return Repo(folder=once(tmp_path_factory, "built", build) / "fashion")


@pytest.fixture
def cold() -> Iterator[None]:
    """Have each worker of this test be a process like a user's, from its first import on."""
    with warm.cold():
        yield


@pytest.fixture
def built(built_once: Repo, tmp_path: Path) -> Repo:
    """A built repo of the test's own, at another place than where it was built."""
    repo = built_once.copy(tmp_path / "fashion")
    repo.workers_started()
    return repo


@pytest.fixture
def fresh(tmp_path: Path) -> Repo:
    """A repo in which nothing was built."""
    return copy_example(tmp_path / "fashion")


@pytest.fixture(scope="session")
def bf16_runs_as() -> str:
    """Return what OpenVINO says it computes in where bf16 is asked for: bf16, or f32 for want of the instructions."""
    done = subprocess.run([sys.executable, "-c", ASK_FOR_BF16], capture_output=True, text=True, check=True)
    answer = done.stdout.strip()
    assert answer in {"bf16", "f32"}
    return answer


def run_tensorflow(script: str, folder: Path) -> None:
    """Run a Python script with TensorFlow in a process of its own."""
    result = warm.run(["-c", script], by="tensorflow", cwd=folder)
    assert result.returncode == 0, result.stderr
