"""Warm frameworks: processes of the tests that need TensorFlow or OpenVINO start in 0.05 s, not in 1 to 5.

    environment() -> dict                   what makes the processes below a command warm
    run(["-c", script], by="tensorflow")    a script in such a process, to its end
    with here(): ...                        workers that the test's own process starts are warm
    with cold(): ...                        every process imports for itself

A *server* (`server.py`) imports one framework, uses none of it, and forks for whoever asks. The rest is as it is for a
user: ovmake starts its workers by their command lines and speaks to them through pipes. What Python runs first in each
process is `path/sitecustomize.py`. In a worker, it hands the pipes to the server's fork and stays as a *stand-in*. The
stand-in has the pid that ovmake knows. It ends with the fork's status, or by the same signal. When it is killed, the
server kills the fork and its process group a moment later. So each worker is a new process that did nothing before, and
no test sees another one's state.

These processes are not warm, and import for themselves:
- one whose environment differs in what a framework may read (`UNREAD` are the names that none reads). The two sides of
  a benchmark are such ones, for they run TensorFlow with oneDNN; those that are raced against each other are not;
- those of a test that tests the process itself: its memory, its parents, its death, its imports. Such a test is in
  `cold()`;
- all of them, where OVMAKE_TESTS_COLD is set. A lazy import that is missing shows there, and in the tests that are
  cold: a fork finds more imported than its action asked for.

Linux only, as all that starts workers here. The servers end with the process that started them.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ovmake.workers.ipc.environment import ENVIRONMENT as OF_WORKERS

ROOT = Path(__file__).parents[2]
ON_PATH = Path(__file__).parent / "path"
PYTHONPATH = os.pathsep.join([str(ROOT), str(ON_PATH)])
FRAMEWORKS = ("openvino", "tensorflow")
# Where the servers listen, and which of them a process that is no worker of ovmake's asks.
FOLDER, ASKED = "OVMAKE_TESTS_WARM", "OVMAKE_TESTS_WARM_BY"

_servers: list[subprocess.Popen[bytes]] = []
_folder: list[str] = []
_cold: list[bool] = [True] if os.environ.get("OVMAKE_TESTS_COLD") else []
# As it was before any test changed it.
_BEGUN = dict(os.environ)


def environment() -> dict[str, str]:
    """Return what a command's environment needs besides, for its workers to be warm. Starts the servers."""
    return {"PYTHONPATH": PYTHONPATH, FOLDER: "" if _cold else _started()}


def run(
    words: Sequence[str], *, by: str, cwd: Path | None = None, stdin: str = "", seconds: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run Python with these words, as `python *words`, where `by` is imported already: "tensorflow" or "openvino"."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, **OF_WORKERS, **environment(), ASKED: by},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@contextlib.contextmanager
def here() -> Iterator[None]:
    """Have workers that this process starts be warm."""
    before = dict(os.environ)
    os.environ.update(environment())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def cold() -> Iterator[None]:
    """Have processes that are started here import for themselves."""
    _cold.append(True)
    try:
        yield
    finally:
        _cold.pop()


def _started() -> str:
    """Start the servers if there are none; return the folder where they listen."""
    if not _folder:
        # Short: the path of a socket has 107 bytes.
        folder = tempfile.mkdtemp(prefix="warm-")
        atexit.register(_end, folder)
        environment = {**_BEGUN, **OF_WORKERS, "PYTHONPATH": PYTHONPATH}
        for name in FRAMEWORKS:
            command = [sys.executable, "-P", "-W", "ignore", "-m", "tests.warm.server", name, f"{folder}/{name}"]
            server = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            _servers.append(server)
        for server in _servers:  # until it listens; it imports after that
            if server.stdout is None or server.stdout.readline() != b"listening\n":
                raise AssertionError("a server of warm frameworks did not start")
        _folder.append(folder)
    return _folder[0]


def _end(folder: str) -> None:
    for server in _servers:
        server.kill()
        server.communicate()
    shutil.rmtree(folder, ignore_errors=True)
