"""Workers that die: of a user's code, of a signal, of what they print. Their action fails, and nothing else does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.crashes.project import Clean, Project, assert_next_build_is_right, make_project, some
from tests.e2e.processes import wait_for, workers

pytestmark = pytest.mark.heavy

# Model `a` has a gate with a metric of the user's, `b` has none.
GATED = """
[models.a.accuracy]
dataset = "val"
metric = "metrics.py:share"
higher-is-better = true
max-drop = 0.5

[datasets.val]
path = "data/val.npz"
inputs = { x = "x" }
labels = "y"
"""
GOOD = "def share(outputs, labels):\n    return float((outputs.argmax(axis=1) == labels).mean())\n"


@pytest.fixture(scope="module")
def gated_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = make_project(tmp_path_factory.mktemp("gated") / "repo")
    (made.folder / "data").mkdir()
    numbers = np.random.default_rng(0)
    x, y = numbers.random((40, 8), np.float32), numbers.integers(0, 8, 40)
    np.savez(made.folder / "data/val.npz", x=x, y=y)
    with (made.folder / "Ovfile").open("a") as file:
        file.write(GATED)
    write_metric(made, GOOD)
    result = made.ovmake("build")
    assert result.status == 0, result.stderr
    return made


@pytest.fixture
def gated(gated_once: Project, tmp_path: Path) -> Project:
    return Project(folder=gated_once.copy(tmp_path / "repo").folder)


def write_metric(project: Project, text: str) -> None:
    (project.folder / "metrics.py").write_text(text)


def dying(how: str) -> str:
    return f"import ctypes, os, signal, sys\ndef share(outputs, labels):\n    {how}\n"


PROCESS = "the process of `metrics.py:share`"
DEATHS = {
    "segfaults": ("ctypes.string_at(0)", f"{PROCESS} was killed by SIGSEGV"),
    "exits politely": ("sys.exit(0)", "`metrics.py:share` failed: SystemExit: 0"),
    "is killed": ("os.kill(os.getpid(), signal.SIGKILL)", f"{PROCESS} was killed by SIGKILL"),
    "aborts": ("os.abort()", f"{PROCESS} was killed by SIGABRT"),
    "exits": ("os._exit(7)", f"{PROCESS} ended with exit status 7"),
}


@pytest.mark.usefixtures("cold")
@pytest.mark.parametrize("how", some(DEATHS, 3))
def test_metric_of_which_its_worker_dies_fails_its_gate_and_nothing_else(
    gated: Project, clean: Clean, how: str
) -> None:
    code, cause = DEATHS[how]
    before = gated.outputs()
    write_metric(gated, dying(code))
    (gated.folder / "models/b.pb").write_bytes((gated.folder / "models/a.pb").read_bytes())

    result = gated.build("-k")

    assert 1 == result.status
    assert {"a:fp32": "failed", "a:fp16": "failed", "b:fp32": "built", "b:fp16": "built"} == result.targets
    failed = [event["diagnostic"] for event in result.events if event.get("diagnostic")]
    assert [("user-code", True)] * 2 == [(found["code"], cause in found["message"]) for found in failed]
    after = gated.outputs()
    assert [] == [name for name, content in before.items() if name.startswith("a/") and after[name] != content]
    write_metric(gated, GOOD)
    assert_next_build_is_right(gated, clean)


# Whatever pipe the answers go to, it is written to, once; but not to the end of the world.
SCREAM = """
import os, stat
NOISE = {noise!r}

def share(outputs, labels):
    global NOISE
    for fd in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(fd).st_mode):
                os.write(fd, NOISE)
        except OSError:
            pass
    NOISE = b""
    return 1.0
"""
NOISE = {
    "half a line": b'{"id": 1, "ok"',
    "garbage": b"\x00\xff not JSON at all\n",
    "a number": b"42\n",
    "a word of JSON": b'{"ok": true}\n',
    "the answer to another question": b'{"id": 999, "ok": true, "facts": {}, "code": "", "message": "", "notes": [], '
    b'"help": "", "setting": ""}\n',
    "a lot": b"x" * 1_000_000,
}


@pytest.mark.usefixtures("cold")
@pytest.mark.parametrize("noise", some(NOISE, 2))
def test_metric_that_writes_into_the_protocol_fails_its_gate_and_nothing_else(
    gated: Project, clean: Clean, noise: str
) -> None:
    write_metric(gated, SCREAM.format(noise=NOISE[noise]))

    result = gated.build("-k")

    assert (1, {"a:fp32": "failed", "a:fp16": "failed", "b:fp32": "fresh", "b:fp16": "fresh"}) == (
        result.status,
        result.targets,
    )
    found = {(one["code"], one["message"].partition(": ")[2]) for e in result.events if (one := e.get("diagnostic"))}
    said = "the process of `metrics.py:share` gave no answer: its answer channel has other output"
    assert {("user-code", said)} == found
    write_metric(gated, GOOD)
    assert_next_build_is_right(gated, clean)


def test_metric_that_prints_is_none_of_the_protocols_business(gated: Project, clean: Clean) -> None:
    write_metric(gated, GOOD.replace("    return", "    print('{}', flush=True)\n    return"))

    assert_next_build_is_right(gated, clean)


def test_worker_killed_from_outside_says_it_may_have_been_memory(unbuilt: Project, clean: Clean) -> None:
    process = unbuilt.start("build", "--json", "-k", "-j", "1")
    wait_for(lambda: workers(process.pid, "openvino"))
    os.kill(workers(process.pid, "openvino")[0], signal.SIGKILL)

    stdout, _ = process.communicate(timeout=120)

    events = [json.loads(line) for line in stdout.splitlines()]
    (died,) = [event["diagnostic"] for event in events if event.get("diagnostic")]
    assert ("worker-died", "convert a: the openvino worker was killed by SIGKILL") == (died["code"], died["message"])
    assert "memory" in died["help"]
    assert ["a:fp32", "a:fp16"] == [event["target"] for event in events if event.get("status") == "failed"][-2:]
    assert_next_build_is_right(unbuilt, clean)


def test_every_worker_killed_again_and_again_ends_the_build(unbuilt: Project, clean: Clean) -> None:
    process = unbuilt.start("build", "-k")
    try:
        while process.poll() is None:
            for pid in workers(process.pid, "openvino"):
                os.kill(pid, signal.SIGKILL)
            with_patience(process, 0.01)
    finally:
        process.communicate(timeout=60)

    assert 1 == process.returncode
    assert_next_build_is_right(unbuilt, clean)


def with_patience(process: subprocess.Popen[str], seconds: float) -> None:
    """Wait a moment for the end."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return
