"""Warm frameworks: processes of the tests that need TensorFlow or OpenVINO start in 30 ms, not in 1 to 5 s.

    environment() -> dict                   what makes the processes below a command warm
    run(["-c", script], by="tensorflow")    a script in such a process, to its end
    with here(): ...                        workers that the test's own process starts are warm
    with cold(): ...                        every process imports for itself

A *server* (`server.py`) imports one framework, uses none of it, and forks for whoever asks. The rest is as it is for a
user: ovmake starts its workers by their command lines and speaks to them through pipes. What Python runs first in each
process is `path/sitecustomize.py`. In a worker, it hands the pipes to the server's fork and stays as a *stand-in*: it
has the pid that ovmake knows, ends as the fork ends, of the same status or signal, and takes the fork with it when it
is killed. So each worker is a new process that did nothing before, and no test sees another one's state.

These processes are not warm, and import for themselves:
- one whose environment differs in what a framework may read (`UNREAD` are the names that none reads). Processes that
  are timed are such ones, for they run TensorFlow with oneDNN;
- those of a test that tests the process itself: its memory, its parents, its imports. Such a test is in `cold()`.

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

from ovmake.workers.client import ENVIRONMENT as OF_WORKERS

ROOT = Path(__file__).parents[2]
ON_PATH = Path(__file__).parent / "path"
FRAMEWORKS = ("openvino", "tensorflow")
# Where the servers listen, and which of them a process that is no worker of ovmake's asks.
FOLDER, ASKED = "OVMAKE_TESTS_WARM", "OVMAKE_TESTS_WARM_BY"

_servers: list[subprocess.Popen[bytes]] = []
_folder: list[str] = []
_cold: list[bool] = []


def environment() -> dict[str, str]:
    """Return what a command's environment needs besides, for its workers to be warm. Starts the servers."""
    path = os.pathsep.join([str(ROOT), str(ON_PATH)])
    return {"PYTHONPATH": path} if _cold else {"PYTHONPATH": path, FOLDER: _started()}


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
    """Have workers be warm that this process itself starts."""
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
        _folder.append(tempfile.mkdtemp(prefix="warm-"))
        atexit.register(_end)
        path = os.pathsep.join([str(ROOT), str(ON_PATH)])
        environment = {**os.environ, **OF_WORKERS, "PYTHONPATH": path}
        for name in FRAMEWORKS:
            command = [sys.executable, "-P", "-W", "ignore", "-m", "tests.warm.server", name, f"{_folder[0]}/{name}"]
            server = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            _servers.append(server)
        for server in _servers:  # until it listens; it imports after that
            if server.stdout is None or server.stdout.readline() != b"listening\n":
                raise AssertionError("a server of warm frameworks did not start")
    return _folder[0]


def _end() -> None:
    for server in _servers:
        server.kill()
        server.communicate()
    shutil.rmtree(_folder[0], ignore_errors=True)
