"""Run one action in a forked process: in a cage of its own, and ended after the action.

    forks = Forks(help)
    said = forks.in_fork(line, cage, scratch, answer)    the result of `answer(line)` in a fork
    said = forks.go_on(line, cage, scratch)              the same in the fork that stayed, or None
    said = ask(line)                                     in the fork: the answer of the worker's helper
    keep()                                               import the packages that the last fork had to import

A worker imports its framework once and never uses it, so it has no framework threads when it forks. The fork enters its
cage, does the action, writes its answer into a pipe, and ends. Damage that a model's bytes did to it ends with it, and
so does every process that it started.

A fork's last line names the packages that it had to import itself. After answering, the worker imports those that are
in KEPT, so that the next fork has them.

A fork may stay for one more action, if its cage was made for both: *check-source* loads the model that *reference*
runs.

An action of OpenVINO's worker may need TensorFlow. The worker keeps a second worker for that: its fork sends a line
that begins with "?", and the worker passes the request on, in the same cage.

Rule 1: the worker itself opens no file that an action reads. It passes on one line of its fork's answer, unchanged.
Rule 2: if a fork dies, the worker ends with the same signal or status, so that its parent sees the cause and starts a
        new worker.
Rule 3: no process of an action outlives it: the worker kills what the fork left running (PR_SET_CHILD_SUBREAPER).
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from ovmake.workers.ipc import cage
from ovmake.workers.ipc.protocol import die_with_parent, write_all

_PR_SET_CHILD_SUBREAPER = 36
# The facts of an action are a few numbers and names; those of `inspect` list a model's layers.
_MOST_BYTES = 1 << 28
_ASK = b"?"

# Packages that take long to import, and that only some actions import.
KEPT = ("PIL.Image", "h5py", "keras", "pycocotools.cocoeval", "scipy.sparse", "sklearn.metrics", "tf_keras")
_wanted: set[str] = set()

Answer = Callable[[bytes], bytes]
# In a fork: the descriptors to ask its worker and to read the answer.
_worker: list[tuple[int, BinaryIO]] = []


class Help(Protocol):
    """The workers that a worker keeps for its forks."""

    @property
    def pids(self) -> Collection[int]:
        """The ids of their processes."""

    def answer(self, line: bytes) -> bytes:
        """Return the answer to a fork's line, an empty line if there is none. The fork is untrusted."""


@dataclass(frozen=True, slots=True)
class _Fork:
    """A running fork: its process, its cage, and the pipes from it and to it."""

    pid: int
    inside: cage.Cage
    speaks: BinaryIO
    hears: BinaryIO


class Forks:
    """The forks of a worker: one at a time. The last one may stay for one more request."""

    def __init__(self, helper: Help) -> None:
        self._helper = helper
        self._staying: _Fork | None = None

    def in_fork(self, line: bytes, inside: cage.Cage, scratch: str, answer: Answer, *, stay: bool = False) -> bytes:
        """Return what `answer(line)` returns in a caged fork. If the fork dies, this process ends too.

        `scratch` is the folder for temporary files of the action, "" for the system's own. With `stay`, the fork waits
        for one more line: its cage is also made for a second action, which can use what the first one loaded.
        """
        self.end_staying()
        fork = _start(inside, scratch, answer, line, stay=stay)
        found = self._heard(fork)
        if stay:
            self._staying = fork
        else:
            self._end(fork)
        return found

    def go_on(self, line: bytes, inside: cage.Cage, scratch: str) -> bytes | None:
        """Return the answer of the fork that stayed, if the line is for its cage; else None."""
        fork, self._staying = self._staying, None
        if fork is None:
            return None
        if not (scratch in fork.inside.write and set(inside.read) <= set(fork.inside.read)):
            self._end(fork)
            return None
        with contextlib.suppress(BrokenPipeError):
            fork.hears.write(line)
        found = self._heard(fork)
        self._end(fork)
        return found

    def end_staying(self) -> None:
        """End the fork that stayed, if there is one."""
        if self._staying is not None:
            self._end(self._staying)
            self._staying = None

    def _heard(self, fork: _Fork) -> bytes:
        """Return a fork's answer, after answering its questions. If it has none, this process ends as the fork did."""
        line = fork.speaks.readline(_MOST_BYTES)
        while line.startswith(_ASK):
            with contextlib.suppress(BrokenPipeError):
                fork.hears.write(self._helper.answer(line.removeprefix(_ASK)))
            line = fork.speaks.readline(_MOST_BYTES)
        also = fork.speaks.readline(_MOST_BYTES)
        if not (line.endswith(b"\n") and also.endswith(b"\n")):
            _die_as(self._end(fork, kill=False))
        _wanted.update(name for name in also.decode(errors="replace").split() if name in KEPT)
        return line

    def _end(self, fork: _Fork, *, kill: bool = True) -> int:
        """End a fork and every process that it started; return its wait status."""
        if kill:
            _kill_group(fork.pid)
        _, status = os.waitpid(fork.pid, 0)
        _kill_group(fork.pid)
        _bury_children(self._helper.pids)
        fork.speaks.close()
        fork.hears.close()
        return status


def _start(inside: cage.Cage, scratch: str, answer: Answer, line: bytes, *, stay: bool) -> _Fork:
    _be_heir()
    cage.python()  # cached here once, and not in each fork
    gc.freeze()  # otherwise the fork's garbage collector would copy every page of the imported modules
    sys.stdout.flush()
    sys.stderr.flush()
    (reading, writing), (hearing, telling) = os.pipe(), os.pipe()
    worker = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.close(telling)
        _worker.append((writing, os.fdopen(hearing, "rb")))
        die_with_parent(worker)
        _fork(inside, scratch, answer, line, stay=stay)
    os.close(writing)
    os.close(hearing)
    with contextlib.suppress(OSError):  # both processes do it, since either may come first
        os.setpgid(child, child)
    return _Fork(child, inside, os.fdopen(reading, "rb"), os.fdopen(telling, "wb", buffering=0))


def keep() -> None:
    """Import the packages that the last fork had to import."""
    while _wanted:
        with contextlib.suppress(Exception):  # the next fork reports it, if it needs the package
            importlib.import_module(_wanted.pop())


def is_fork() -> bool:
    """Whether this process is the fork of a worker, which it can ask."""
    return bool(_worker)


def ask(line: bytes) -> bytes | None:
    """Return the answer of the worker's helper to a line from a fork; None if it has no answer.

    Raises:
        OSError: the worker has ended.
    """
    asking, answers = _worker[0]
    write_all(asking, _ASK + line)
    return answers.readline().strip() or None


def _fork(inside: cage.Cage, scratch: str, answer: Answer, line: bytes, *, stay: bool) -> None:
    """Answer, and end. Of the worker's own descriptors, only the log is open here."""
    status = 1
    try:
        os.setpgid(0, 0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        if scratch:
            os.environ["TMPDIR"] = tempfile.tempdir = scratch
        missing = cage.enter(inside)
        if missing:
            os.write(2, f"the worker's cage is incomplete: {missing}\n".encode())
        _answer(answer, line)
        if stay and (more := _worker[0][1].readline()):
            _answer(answer, more)
        status = 0
    except SystemExit as error:  # a user's function that calls sys.exit
        status = error.code if isinstance(error.code, int) else 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


def _answer(answer: Answer, line: bytes) -> None:
    before = set(sys.modules)
    said = answer(line)
    said += " ".join(name for name in KEPT if name in sys.modules and name not in before).encode() + b"\n"
    write_all(_worker[0][0], said)


def _be_heir() -> None:
    """Make this process the parent of the processes that a fork leaves behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _kill_group(child: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def _bury_children(but: Collection[int]) -> None:
    """End every process that the fork left behind, in any process group."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with contextlib.suppress(OSError):
        while found := set(map(int, children.read_text().split())).difference(but):
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for pid in found:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)


def _die_as(status: int) -> None:
    """End as the fork ended."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
