"""The real runner: a pool of worker processes; each worker handles one request at a time.

    runner = WorkerRunner(logs=folder, allowance=allowance)
    runner.start(job); runner.wait() -> Completion | Answer; runner.close()
    runner.post(answer)            in any thread: `wait` returns it

A worker starts when it is first needed, stays for later jobs, and is replaced if it dies. Its death fails only the job
that it had. Before an exclusive job (a measurement) all idle workers are ended, because they hold memory and threads.
Before a job that needs more memory than is free, the idle workers that it cannot use are ended.

A worker writes its progress to a file (`progress.py`); the runner reads it and reports it. While jobs run, the runner
measures the memory of their workers and all descendants a few times a second. A job over its limit fails, and its
worker is ended with all descendants.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import os
import re
import selectors
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ovmake.contracts.codec import encode_object
from ovmake.diagnostics import OvmakeError
from ovmake.engine.in_process.run import run_here
from ovmake.engine.job import Completion, Failure, Job, Progress, ResourceUsage, Success
from ovmake.engine.remote import Answer
from ovmake.engine.resource_limits import ResourceLimits
from ovmake.engine.user_code import ran_by
from ovmake.graph.trace import as_tuples
from ovmake.store.files.own_folders import ensure_file, read_file, remove_file
from ovmake.store.processes import Gauge, available_bytes, end_family, family, parents
from ovmake.workers.ipc.cage import Cage
from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.progress import FILE, LINE_BYTES
from ovmake.workers.ipc.protocol import Request, Response

LOG_LINES_SHOWN = 5
# Seconds between two measurements of the memory of running workers: a worker that grows by 2 GB/s exceeds its limit by
# half a GB. During a benchmark they are rarer, because they slow it down.
LOOK_SECONDS = 0.25
LOOK_SECONDS_ALONE = 1.0
# Seconds between two searches for descendants of workers. Each reads all processes of the machine: 2 ms for a hundred.
FAMILY_SECONDS = 1.0
# Limits on the unit and the numbers that a worker may report.
UNIT = re.compile(r"[a-z]{1,12}( [a-z]{1,12}){0,2}")
MOST_DONE = 10**12


def cage_of(job: Job) -> Cage:
    """Return the sandbox of a job. It may read its inputs, and write its scratch folder, its journal and its log."""
    # The names in a source's folder are not secret, and TensorFlow and Python list folders to find files.
    beside = tuple(dict.fromkeys(os.path.dirname(path) for path in job.reads))  # noqa: PTH120
    kept = tuple(path for path in (job.journal, job.log) if path)
    return Cage(read=job.reads, list=beside, write=(job.folder, *kept, *job.writes))


@dataclass(slots=True, kw_only=True)
class _Busy:
    worker: WorkerProcess
    job: Job
    started: float
    gauge: Gauge
    progress: Progress | None = None

    @property
    def effort(self) -> ResourceUsage:
        """The resources that the job has used so far."""
        worker, pid = self.worker.name, self.worker.process.pid
        return ResourceUsage(worker=worker, pid=pid, started=self.started, peak_bytes=self.gauge.peak_bytes)


class WorkerRunner:
    """See `ovmake.engine.world.Runner`."""

    def __init__(self, *, logs: Path, allowance: ResourceLimits | None = None) -> None:
        self._logs = logs
        self._allowance = allowance or ResourceLimits()
        self._looked = 0.0
        self._parents: dict[int, int] = {}
        self._parents_known = 0.0
        self._idle: dict[str, list[WorkerProcess]] = collections.defaultdict(list)
        self._busy: dict[int, _Busy] = {}
        self._done: collections.deque[Completion | Answer] = collections.deque()
        self._selector = selectors.DefaultSelector()
        # A byte in it wakes `wait`: an answer came from another thread.
        self._wakes, self._woken = socket.socketpair()
        self._wakes.setblocking(False)
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._ids = itertools.count(1)
        self.started_workers = 0

    def start(self, job: Job) -> None:
        """Give the job to an idle worker or a new one."""
        started = time.monotonic()
        try:
            if job.action.worker == "in-process":
                remove_file(job.log)
                effort = ResourceUsage(worker="in-process", pid=os.getpid(), started=started)
                self._finish(job, run_here(job), started, effort)
                return
            # The worker may write this file, and may not replace it by a different one.
            for path in filter(None, (job.journal, *job.writes[1:])):
                ensure_file(path)
            ensure_file(job.log, empty=True)
            self._make_room(job)
            worker = self._worker(job.action.worker)
        except OSError as error:
            self._finish(job, Failure(code="cannot-start", message=f"{job.action.name}: {error}"), started)
            return
        request = Request(
            id=next(self._ids),
            kind=job.action.kind,
            params=encode_object(job.action.params),
            inputs=job.inputs,
            outputs=job.outputs,
            log=job.log,
            journal=job.journal,
            scratch=job.folder,
            stay=bool(job.action.prepares),
            cage=cage_of(job) if job.folder else None,
        )
        gauge = Gauge(worker.process.pid, forks=request.cage is not None)
        worker.send(request)
        self._busy[worker.fileno()] = _Busy(worker=worker, job=job, started=started, gauge=gauge)
        self._selector.register(worker.fileno(), selectors.EVENT_READ)

    def post(self, answer: Answer) -> None:
        """Hand over an answer; called in any thread. After `close` nobody waits for it."""
        self._done.append(answer)
        with contextlib.suppress(OSError):  # full: a wake is on its way; closed: the build has ended
            self._wakes.send(b"\0")

    def wait(self) -> Completion | Answer:
        """Return the next completion or answer."""
        while not self._done:
            for key, _ in self._selector.select(self._patience() if self._busy else None):
                if key.fileobj is self._woken:
                    self._woken.recv(4096)
                else:
                    self._collect(key.fd)
            if self._busy and self._patience() <= 0:
                self._look()
        return self._done.popleft()

    def close(self) -> None:
        """End all workers, busy or not."""
        known = parents() if self._busy else {}
        for busy in self._busy.values():
            _end_all(busy.worker, known)
        self._busy.clear()
        self._end_idle()
        self._selector.close()
        self._wakes.close()
        self._woken.close()

    def _worker(self, name: str) -> WorkerProcess:
        while self._idle[name]:
            worker = self._idle[name].pop()
            if worker.alive:
                return worker
            worker.end()  # it died between two jobs; neither job is the cause
        self.started_workers += 1
        return WorkerProcess.start(name, boot_log=str(self._logs / f"worker-{name}.log"))

    def _make_room(self, job: Job) -> None:
        """End idle workers for the job: all of them before a benchmark, else those that hold the memory it needs."""
        if job.action.exclusive:
            self._end_idle()
        elif job.memory_bytes and (free := available_bytes()) is not None and free < job.memory_bytes:
            self._end_idle(but_one_of=job.action.worker)

    def _end_idle(self, *, but_one_of: str = "") -> None:
        for name, workers in self._idle.items():
            spared = workers[-1:] if name == but_one_of else []  # the one that `_worker` returns
            for worker in workers:
                if worker not in spared:
                    worker.end()
            workers[:] = spared

    def _patience(self) -> float:
        """Return the seconds until the next measurement."""
        alone = any(busy.job.action.exclusive for busy in self._busy.values())
        return self._looked + (LOOK_SECONDS_ALONE if alone else LOOK_SECONDS) - time.monotonic()

    def _look(self) -> None:
        """Measure every busy worker, and end those that exceed a limit."""
        self._looked = time.monotonic()
        begun = max((busy.started for busy in self._busy.values()), default=0.0)
        if self._parents_known <= max(self._looked - FAMILY_SECONDS, begun):
            self._parents, self._parents_known = parents(), self._looked
        for descriptor, busy in list(self._busy.items()):
            held = self._measure(busy)
            _tell_progress(busy)
            failure = self._allowance.too_large(held) or self._allowance.too_long(self._looked - busy.started)
            if failure is not None:
                self._end_busy(descriptor, failure)

    def _measure(self, busy: _Busy) -> int:
        """Return the memory of a worker and its descendants, in bytes."""
        return busy.gauge.read(family(busy.worker.process.pid, self._parents))

    def _end_busy(self, descriptor: int, failure: Failure) -> None:
        busy = self._busy.pop(descriptor)
        self._selector.unregister(descriptor)
        _end_all(busy.worker, parents())
        ran = ran_by(busy.job)
        notes = (*failure.notes, *((ran.note,) if ran else ()), *_log_note(busy.job))
        hint = "; ".join(filter(None, (ran.endless_help if ran else "", failure.help)))
        self._finish(busy.job, replace(failure, notes=notes, help=hint), busy.started, busy.effort)

    def _collect(self, descriptor: int) -> None:
        if not self._busy[descriptor].worker.hear():
            return
        busy = self._busy.pop(descriptor)
        self._selector.unregister(descriptor)
        response = busy.worker.receive()
        self._measure(busy)
        busy.gauge.learn(response.peak_bytes if response else None)
        if response is None:
            self._finish(busy.job, _death(busy), busy.started, busy.effort)
            busy.worker.end()
            return
        # A measuring worker holds processes of its own and is not worth keeping.
        if busy.job.action.exclusive:
            busy.worker.end()
        else:
            self._idle[busy.worker.name].append(busy.worker)
        self._finish(busy.job, _result(response, busy.job), busy.started, busy.effort)

    def _finish(self, job: Job, result: Success | Failure, started: float, effort: ResourceUsage | None = None) -> None:
        seconds = time.monotonic() - started
        self._done.append(Completion(job=job, result=result, seconds=seconds, effort=effort))


def _tell_progress(busy: _Busy) -> None:
    """Report the progress of a job if it changed. A worker runs foreign code: an invalid report is ignored."""
    try:
        words = read_file(f"{busy.job.folder}/{FILE}")[:LINE_BYTES].decode("ascii").split(maxsplit=2)
        count, of, unit = int(words[0]), None if words[1] == "-" else int(words[1]), words[2].strip()
    except (OSError, OvmakeError, ValueError, IndexError):
        return
    progress = Progress(done=count, of=of, unit=unit)
    if progress != busy.progress and UNIT.fullmatch(unit) and 0 <= count <= (count if of is None else of) < MOST_DONE:
        busy.progress = progress
        busy.job.tell(progress)


def _end_all(worker: WorkerProcess, known: Mapping[int, int]) -> None:
    """End a worker and its descendants; `known` are the parents of all processes."""
    end_family(family(worker.process.pid, known))
    worker.end()


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
    """Return the failure of a job whose worker died or gave an invalid answer, with the user function if one ran.

    A function that had already returned may have left a thread that wrote into the worker's answers.
    """
    ran = ran_by(busy.job)
    guilty = ran if ran is not None and (ran.running or busy.worker.garbled) else None
    cause = busy.worker.how_it_died(f"the process of `{guilty.name}`" if guilty else "")
    hint = "run it again; if it was the kernel's memory killer, try fewer jobs (-j 1)" if "SIGKILL" in cause else ""
    lines = _last_lines(_log_lines(busy.job)) or _last_lines(busy.worker.said())
    return Failure(
        code=guilty.code if guilty else "worker-died",
        message=cause,
        notes=(*((ran.note,) if ran and not guilty else ()), *lines, *_log_note(busy.job)),
        help=hint,
        setting=guilty.setting if guilty else "",
    )


def _log_note(job: Job) -> tuple[str, ...]:
    lines = _log_lines(job)
    shown = "/".join(Path(job.log).parts[-3:])
    return (f"full output in {shown} ({len(lines)} lines)",) if lines else ()


def _last_lines(lines: list[str]) -> tuple[str, ...]:
    return tuple([line.strip() for line in lines if line.strip()][-LOG_LINES_SHOWN:])


def _log_lines(job: Job) -> list[str]:
    try:
        return read_file(job.log).decode(errors="replace").splitlines()
    except OSError:
        return []
