"""The parent's side of a worker: start it, send it a request, read its response, end it.

    worker = WorkerProcess.start("openvino", boot_log=path)
    worker.send(request)
    response = worker.receive()      # None when the worker died, or wrote an invalid answer
    worker.end()

Standard library only; used by the runner, and by the bench worker for the processes it times.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovmake.workers.ipc.environment import ENVIRONMENT, passed
from ovmake.workers.ipc.protocol import Request, Response

ANSWER_BYTES = 1 << 16
# The time that a process may take to end after its pipes are closed: it may write a core dump of some GB.
DYING_SECONDS = 60


def start_module(
    name: str, *arguments: str, environment: Mapping[str, str] = ENVIRONMENT, **options: Any
) -> subprocess.Popen[bytes]:
    """Start `ovmake.workers.<name>` as a program, with pipes to its input and from its output.

    Raises:
        OSError: the process cannot be started.
    """
    package_parent = str(Path(__file__).parents[3])
    path = os.pathsep.join(filter(None, [package_parent, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(  # noqa: S603 - our own module
        # -P: an `openvino.py` in the user's folder must not be imported as the framework
        [sys.executable, "-P", "-m", f"ovmake.workers.{name}", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**passed(os.environ), **environment, "PYTHONPATH": path},
        **options,
    )


@dataclass(slots=True)
class WorkerProcess:
    """A running worker."""

    name: str
    process: subprocess.Popen[bytes]
    boot_log: str = ""
    boot_log_start: int = 0
    asked: int = 0
    garbled: bool = False
    heard: bytes = b""

    @classmethod
    def start(cls, name: str, *, boot_log: str, environment: Mapping[str, str] = ENVIRONMENT) -> WorkerProcess:
        """Start `ovmake.workers.<name>_worker`. Its output outside of requests goes to `boot_log`.

        Raises:
            OSError: the process cannot be started, or its log cannot be created.
        """
        Path(boot_log).parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(boot_log, flags, 0o666), "ab") as log:
            start = log.tell()
            process = start_module(
                f"{name}_worker",
                environment=environment,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches ovmake only, and `kill` reaches what a worker started
            )
        return cls(name=name, process=process, boot_log=boot_log, boot_log_start=start)

    @property
    def alive(self) -> bool:
        """Whether the process is still running."""
        return self.process.poll() is None

    def said(self) -> list[str]:
        """Return the lines that this process printed outside of requests: they say why it could not start."""
        try:
            return Path(self.boot_log).read_bytes()[self.boot_log_start :].decode(errors="replace").splitlines()
        except OSError:
            return []

    def send(self, request: Request) -> None:
        """Send a request. `receive` detects a dead worker."""
        stdin = self.process.stdin
        if stdin is None:
            raise AssertionError("workers are started with pipes")
        self.asked = request.id
        with contextlib.suppress(BrokenPipeError):
            stdin.write(request.to_line())
            stdin.flush()

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there is a response or the worker died."""
        if self.process.stdout is None:
            raise AssertionError("workers are started with pipes")
        return self.process.stdout.fileno()

    def hear(self) -> bool:
        """Read the worker's output so far; return whether it ends an answer, or the worker's output ended.

        It waits for the first byte only, so that a time limit can end a worker that hangs in the middle of an answer.
        """
        if b"\n" not in self.heard:
            said = os.read(self.fileno(), ANSWER_BYTES)
            self.heard += said
            return not said or b"\n" in said
        return True

    def receive(self) -> Response | None:
        """Wait for the response; None when the worker ended without one, or wrote something else between its answers.

        User code shares the worker's process, and may write to any descriptor. After that, the worker's answers cannot
        be trusted, and the caller must end it.
        """
        while not self.hear():
            continue
        line, whole, self.heard = self.heard.partition(b"\n")
        if not whole:
            return None
        try:
            response = Response.from_line(line)
        except (ValueError, TypeError, KeyError):
            response = None
        self.garbled = response is None or response.id != self.asked
        return None if self.garbled else response

    def how_it_died(self, who: str = "") -> str:
        """Return why the worker ended, in words, after `receive` returned None. `who` replaces "the … worker"."""
        who = who or f"the {self.name} worker"
        if self.garbled:
            return f"{who} gave no answer: its answer channel has other output"
        try:
            status = self.process.wait(DYING_SECONDS)
        except subprocess.TimeoutExpired:
            return f"{who} closed its answer channel, and kept running"
        if status >= 0:
            return f"{who} ended with exit status {status}"
        try:
            name = signal.Signals(-status).name
        except ValueError:  # a real-time signal has no name
            name = f"signal {-status}"
        return f"{who} was killed by {name}"

    def end(self) -> None:
        """Kill the worker and every process that it started. Nothing in them is needed any more."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
