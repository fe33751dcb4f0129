"""The real runner: a pool of worker processes, one request at a time each.

    runner = WorkerRunner(logs=folder)
    runner.start(job); runner.wait() -> Completion; runner.close()

A worker is started when it is first needed, kept for later jobs, and replaced when it dies. Its death fails the job it
had and nothing else. Before an exclusive job (a measurement) the idle workers are ended: they hold memory and threads.
"""

from __future__ import annotations

import collections
import itertools
import selectors
import time
from dataclasses import dataclass
from pathlib import Path

from ovmake.engine.here import run_here
from ovmake.engine.job import Completion, Failure, Job, Success
from ovmake.graph.trace import as_tuples
from ovmake.workers.client import WorkerProcess
from ovmake.workers.protocol import Request, Response

LOG_LINES_SHOWN = 5


@dataclass(slots=True, kw_only=True)
class _Busy:
    worker: WorkerProcess
    job: Job
    started: float


class WorkerRunner:
    """See `ovmake.engine.job.Runner`."""

    def __init__(self, *, logs: Path) -> None:
        self._logs = logs
        self._idle: dict[str, list[WorkerProcess]] = collections.defaultdict(list)
        self._busy: dict[int, _Busy] = {}
        self._done: collections.deque[Completion] = collections.deque()
        self._selector = selectors.DefaultSelector()
        self._ids = itertools.count(1)
        self.started_workers = 0

    def start(self, job: Job) -> None:
        """Give the job to an idle worker or a new one."""
        started = time.monotonic()
        try:
            Path(job.log).unlink(missing_ok=True)
            if job.action.worker == "here":
                self._finish(job, run_here(job), started)
                return
            if job.action.exclusive:
                self._end_idle()
            worker = self._worker(job.action.worker)
        except OSError as error:
            self._finish(job, Failure(code="cannot-start", message=f"{job.action.name}: {error}"), started)
            return
        request = Request(
            id=next(self._ids),
            kind=job.action.kind,
            params=job.params,
            inputs=job.inputs,
            outputs=job.outputs,
            log=job.log,
            journal=job.journal,
        )
        worker.send(request)
        self._busy[worker.fileno()] = _Busy(worker=worker, job=job, started=started)
        self._selector.register(worker.fileno(), selectors.EVENT_READ)

    def wait(self) -> Completion:
        """Return the next completion."""
        while not self._done:
            for key, _ in self._selector.select():
                self._collect(key.fd)
        return self._done.popleft()

    def close(self) -> None:
        """End all workers, busy or not."""
        for busy in self._busy.values():
            busy.worker.end()
        self._busy.clear()
        self._end_idle()
        self._selector.close()

    def _worker(self, name: str) -> WorkerProcess:
        while self._idle[name]:
            worker = self._idle[name].pop()
            if worker.alive:
                return worker
            worker.end()  # it died between two jobs, and neither is to blame
        self.started_workers += 1
        return WorkerProcess.start(name, boot_log=str(self._logs / f"worker-{name}.log"))

    def _end_idle(self) -> None:
        for workers in self._idle.values():
            for worker in workers:
                worker.end()
            workers.clear()

    def _collect(self, descriptor: int) -> None:
        busy = self._busy.pop(descriptor)
        self._selector.unregister(descriptor)
        response = busy.worker.receive()
        if response is None:
            self._finish(busy.job, _death(busy), busy.started)
            busy.worker.end()
            return
        # A measuring worker holds processes of its own and is not worth keeping.
        if busy.job.action.exclusive:
            busy.worker.end()
        else:
            self._idle[busy.worker.name].append(busy.worker)
        self._finish(busy.job, _result(response, busy.job), busy.started)

    def _finish(self, job: Job, result: Success | Failure, started: float) -> None:
        self._done.append(Completion(job=job, result=result, seconds=time.monotonic() - started))


def _result(response: Response, job: Job) -> Success | Failure:
    if response.ok:
        return Success(facts={name: as_tuples(value) for name, value in response.facts.items()})
    return Failure(
        code=response.code,
        message=response.message,
        notes=(*response.notes, *_log_note(job)),
        help=response.help,
        setting=response.setting,
    )


def _death(busy: _Busy) -> Failure:
    cause = busy.worker.how_it_died()
    hint = "run it again; if it was the kernel's memory killer, try fewer jobs (-j 1)" if "SIGKILL" in cause else ""
    lines = _last_lines(_log_lines(busy.job)) or _last_lines(busy.worker.said())
    return Failure(code="worker-died", message=cause, notes=(*lines, *_log_note(busy.job)), help=hint)


def _log_note(job: Job) -> tuple[str, ...]:
    lines = _log_lines(job)
    shown = "/".join(Path(job.log).parts[-3:])
    return (f"full output in {shown} ({len(lines)} lines)",) if lines else ()


def _last_lines(lines: list[str]) -> tuple[str, ...]:
    return tuple([line.strip() for line in lines if line.strip()][-LOG_LINES_SHOWN:])


def _log_lines(job: Job) -> list[str]:
    try:
        return Path(job.log).read_text(errors="replace").splitlines()
    except OSError:
        return []
