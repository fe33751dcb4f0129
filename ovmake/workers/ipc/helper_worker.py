"""A worker that another worker starts, for tasks that must not run in its own process.

    tensorflow = HelperWorker("tensorflow")
    response = tensorflow.ask(request)       starts it when first needed; None if it died or cannot start

It ends with the process that started it. A fork (forking.py) does not start one itself: it asks its worker, which keeps
the helper for later actions.
"""

from __future__ import annotations

import os

from ovmake.workers.ipc import forking
from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.protocol import Request, Response


class HelperWorker:
    """One worker process, started on the first request and again after it died.

    `who` names it in messages; `death` says how the last one died, "" if it did not start.
    """

    def __init__(self, name: str, *, who: str = "") -> None:
        self._name = name
        self._who = who
        self.death = ""
        self._process: WorkerProcess | None = None

    def send(self, request: Request) -> bool:
        """Send a request without waiting; return whether there is a process to answer it."""
        try:
            if self._process is None or not self._process.alive:
                self.end()
                self._process = WorkerProcess.start(self._name, boot_log=request.log or os.devnull)
        except OSError:
            return False
        self._process.send(request)
        return True

    def receive(self) -> Response | None:
        """Return the answer to the last request."""
        response = self._process.receive() if self._process else None
        if response is None:
            self.death = self._process.how_it_died(self._who) if self._process else ""
            self.end()
        return response

    def ask(self, request: Request) -> Response | None:
        """Send a request and wait for its answer."""
        return self.receive() if self.send(request) else None

    @property
    def pid(self) -> int | None:
        """The process, None if there is none."""
        return None if self._process is None else self._process.process.pid

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.end()
            self._process = None


_tensorflow = HelperWorker("tensorflow")


def ask_tensorflow(request: Request) -> Response | None:
    """Send a request to TensorFlow's worker: in a fork, the worker's helper; in any other process, one kept here."""
    if not forking.is_fork():
        return _tensorflow.ask(request)
    line = forking.ask(request.to_line())
    return None if line is None else Response.from_line(line)
