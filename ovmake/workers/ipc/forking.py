"""Do one action apart: in a process that is forked for it, in a cage of its own, and gone after it.

    forks = Forks(help)
    said = forks.apart(line, cage, scratch, answer)      what `answer(line)` returns in a fork
    said = forks.go_on(line, cage, scratch)              the same in the fork that was told to stay, or None
    said = ask(line)                                     in the fork: the answer of the worker's helper
    keep()                                               import what the last fork had to import

A worker imports its framework once, uses nothing of it, and so has no threads of the framework's when it forks. The
fork enters its cage, does the action, writes its answer into a pipe, and ends. What a model's bytes may have done to it
ends with it, and so does all that it started.

What the fork had to import besides, it names in a last line. The worker imports that, too, once it has answered, if
it is one of KEPT: the next fork finds it.

A fork may stay for one more action, if its cage was made for both: *check-source* loads the model that *reference*
runs.

An action of OpenVINO's worker may need TensorFlow. That is another worker, which the first one keeps: its fork asks by
a line that begins with "?", and the worker asks on, in the same cage.

Rule 1: the worker itself touches nothing that an action reads. Of its fork's words it passes on one line, as it is.
Rule 2: a fork that dies takes the worker along, by the same signal or with the same status: whoever waits for the
        worker sees what happened, and starts another.
Rule 3: nothing of an action outlives it: what it started and left is the worker's to kill (PR_SET_CHILD_SUBREAPER).
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
# Facts of an action are a few numbers and names; `inspect` lists a model's layers.
_MOST_BYTES = 1 << 28
_ASK = b"?"

# Packages that take long to import, and are imported where an action turns out to need them.
KEPT = ("PIL.Image", "h5py", "keras", "pycocotools.cocoeval", "scipy.sparse", "sklearn.metrics", "tf_keras")
_wanted: set[str] = set()

Answer = Callable[[bytes], bytes]
# In a fork: where it asks its worker, and where it hears from it.
_worker: list[tuple[int, BinaryIO]] = []


class Help(Protocol):
    """The workers that a worker keeps for its forks."""

    @property
    def pids(self) -> Collection[int]:
        """Their processes."""

    def answer(self, line: bytes) -> bytes:
        """Return the answer to a fork's line, an empty line if there is none. A fork is not to be trusted."""


@dataclass(frozen=True, slots=True)
class _Fork:
    """A fork that runs: its process, its cage, and the pipes by which it speaks and hears."""

    pid: int
    inside: cage.Cage
    speaks: BinaryIO
    hears: BinaryIO


class Forks:
    """The forks of a worker: one at a time, and the last one as long as it may be asked once more."""

    def __init__(self, helper: Help) -> None:
        self._helper = helper
        self._staying: _Fork | None = None

    def apart(self, line: bytes, inside: cage.Cage, scratch: str, answer: Answer, *, stay: bool = False) -> bytes:
        """Return what `answer(line)` returns, called in a fork and in the cage. It does not return if the fork dies.

        `scratch` is where temporary files of the action go, "" for where they go anyway. With `stay`, the fork waits
        for one more line: its cage is made for another action, too, which finds what this one has loaded.
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
        """Have the fork that stays answer one more line, if that is for its cage; else None."""
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
        """End the fork that stays, if there is one."""
        if self._staying is not None:
            self._end(self._staying)
            self._staying = None

    def _heard(self, fork: _Fork) -> bytes:
        """Return a fork's answer, once it has been helped. If it has none, this process ends as the fork did."""
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
        """End a fork and all that it started; return how it ended."""
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
    cage.python()  # looked up once, and not by each fork
    gc.freeze()  # or the fork's garbage collector copies every page of what was imported
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
    with contextlib.suppress(OSError):  # both sides do it: whoever comes first
        os.setpgid(child, child)
    return _Fork(child, inside, os.fdopen(reading, "rb"), os.fdopen(telling, "wb", buffering=0))


def keep() -> None:
    """Import what the last fork had to import."""
    while _wanted:
        with contextlib.suppress(Exception):  # the next fork says why, if it matters to it
            importlib.import_module(_wanted.pop())


def is_fork() -> bool:
    """Whether this process was forked for an action, and has a worker to ask."""
    return bool(_worker)


def ask(line: bytes) -> bytes | None:
    """Have the worker's helper answer a line, from a fork; None if it has no answer.

    Raises:
        OSError: the worker is gone.
    """
    asking, answers = _worker[0]
    write_all(asking, _ASK + line)
    return answers.readline().strip() or None


def _fork(inside: cage.Cage, scratch: str, answer: Answer, line: bytes, *, stay: bool) -> None:
    """Answer, and end. Nothing of the worker's own is reachable from here but its log."""
    status = 1
    try:
        os.setpgid(0, 0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        if scratch:
            os.environ["TMPDIR"] = tempfile.tempdir = scratch
        missing = cage.enter(inside)
        if missing:
            os.write(2, f"the worker's cage is not whole: {missing}\n".encode())
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
    """Have what a fork leaves behind become this process's children."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _kill_group(child: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def _bury_children(but: Collection[int]) -> None:
    """End whatever the fork left, in whatever process group it is."""
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
