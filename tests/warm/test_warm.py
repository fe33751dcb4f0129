"""Warm processes are what cold ones are, only sooner: how they end, what they leave, what they know of each other."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.environment import ENVIRONMENT
from ovmake.workers.ipc.protocol import Request
from tests import warm
from tests.e2e.processes import alive, wait_for
from tests.warm import ASKED

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(bool(os.environ.get("OVMAKE_TESTS_COLD")), reason="OVMAKE_TESTS_COLD: nothing is warm"),
]

IS_WARM = "import sys; print('openvino' in sys.modules)"


def variables(**more: str) -> dict[str, str]:
    return {**os.environ, **ENVIRONMENT, **warm.environment(), ASKED: "openvino", **more}


def said(code: str, **more: str) -> str:
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env=variables(**more), capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_the_framework_is_there_already() -> None:
    assert "True" == said(IS_WARM)


def test_what_a_framework_reads_makes_a_process_import_for_itself() -> None:
    assert "False" == said(IS_WARM, TF_ENABLE_ONEDNN_OPTS="1")
    assert "False" == said(IS_WARM, ONEDNN_MAX_CPU_ISA="AVX2")
    assert "True" == said(IS_WARM, COLUMNS="40")


def test_in_cold_each_process_imports_for_itself() -> None:
    with warm.cold():
        assert "False" == said(IS_WARM)
    assert "True" == said(IS_WARM)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("pass", 0),
        ("import sys; sys.exit(3)", 3),
        ("import os; os._exit(7)", 7),
        ("raise SystemExit('a word')", 1),
        ("1 / 0", 1),
        ("import os; os.abort()", -signal.SIGABRT),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
        ("import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 3)", -(signal.SIGRTMIN + 3)),
    ],
)
def test_a_process_ends_as_it_would(code: str, status: int) -> None:
    done = warm.run(["-c", code], by="openvino")

    assert status == done.returncode
    assert ("ZeroDivisionError" in done.stderr) == (code == "1 / 0")
    assert ("a word\n" == done.stderr) == ("a word" in code)


def test_words_folder_and_pipes_are_those_of_the_command(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.argv[1:], os.getcwd(), sys.stdin.read(), end=''); sys.stderr.write('e')"

    done = warm.run(["-c", code, "one", "two"], by="openvino", cwd=tmp_path, stdin="given")

    assert (f"['one', 'two'] {tmp_path} given", "e") == (done.stdout, done.stderr)


def test_one_process_knows_nothing_of_another() -> None:
    seen = {said("import numpy, random, sys; print(random.random(), numpy.random.random())") for _ in range(3)}
    said("import sys, openvino; openvino.mark = 1")

    assert 3 == len(seen)
    assert "False" == said("import openvino; print(hasattr(openvino, 'mark'))")


HOLDING = "import subprocess, sys, time; other = subprocess.Popen(['sleep', '1000']); print(other.pid, flush=True)\n"


@pytest.fixture
def started() -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Start code in a warm process, which is gone after the test."""
    processes = []

    def start(code: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", code]
        process = subprocess.Popen(command, env=variables(), stdout=subprocess.PIPE, start_new_session=True)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_a_killed_process_takes_its_fork_and_what_that_started_with_it(
    started: Callable[[str], subprocess.Popen[bytes]],
) -> None:
    process = started(f"import os; print(os.getpid(), flush=True)\n{HOLDING}time.sleep(1000)")
    assert process.stdout is not None
    fork, other = int(process.stdout.readline()), int(process.stdout.readline())
    assert fork != process.pid
    assert alive(fork)

    os.killpg(process.pid, signal.SIGKILL)

    wait_for(lambda: not (alive(fork) or alive(other)), seconds=10)
    assert b"" == process.stdout.read()


def test_pipes_are_closed_when_the_fork_closes_them(started: Callable[[str], subprocess.Popen[bytes]]) -> None:
    process = started("import os, time; os.close(1); os.close(2); time.sleep(1000)")
    assert process.stdout is not None

    assert b"" == process.stdout.read()


def test_what_a_library_sets_in_the_process_of_a_test_makes_no_process_cold() -> None:
    importlib.import_module("sklearn")

    assert "True" == said(IS_WARM)


@pytest.mark.parametrize("framework", ["openvino", "tensorflow"])
@pytest.mark.parametrize("is_warm", [True, False])
def test_workers_of_ovmake_are_warm_and_have_their_framework_in_the_fork(
    tmp_path: Path,
    framework: str,
    is_warm: bool,  # noqa: FBT001
) -> None:
    with warm.here() if is_warm else warm.cold():
        worker = WorkerProcess.start(framework, boot_log=str(tmp_path / "log"))
    try:
        worker.send(Request(id=1, kind="time", params={"operation": "import"}, log=str(tmp_path / "log")))
        answer = worker.receive()

        assert answer is not None, worker.said()
        assert answer.ok, answer
        held = Path(f"/proc/{worker.process.pid}/maps").read_text()
        assert (not is_warm) == (f"/{framework}/" in held)
    finally:
        worker.end()


def test_without_a_server_a_process_imports_for_itself(tmp_path: Path) -> None:
    assert "False" == said(IS_WARM, **{warm.FOLDER: str(tmp_path)})
