"""Do one action apart: in a process that is forked for it, in a cage of its own, and gone after it.

    line = apart(cage, scratch, answer, help)       the line that `answer()` returns in a fork
    line = ask(line)                                in the fork: the answer of the worker's helper
    keep()                                          import what the last fork had to import

A worker imports its framework once, uses nothing of it, and so has no threads of the framework's when it forks. The
fork enters its cage, does the action, writes its answer into a pipe, and ends. It is not asked twice: what a model's
bytes may have done to it ends with it, and so does all that it started.

What the fork had to import besides, it names in a last line. The worker imports that, too, once it has answered, if
it is one of KEPT: the next fork finds it.

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
from pathlib import Path
from typing import BinaryIO, Protocol

from ovmake.workers import cage

_PR_SET_CHILD_SUBREAPER = 36
# Facts of an action are a few numbers and names; `inspect` lists a model's layers.
_MOST_BYTES = 1 << 28
_ASK = b"?"

# Packages that take long to import, and are imported where an action turns out to need them.
KEPT = ("PIL.Image", "h5py", "keras", "pycocotools.cocoeval", "scipy.sparse", "sklearn.metrics", "tf_keras")
_wanted: set[str] = set()
# In a fork: where it asks its worker, and where it reads the answer.
_worker: list[tuple[int, BinaryIO]] = []


class Help(Protocol):
    """The workers that a worker keeps for its forks."""

    @property
    def pids(self) -> Collection[int]:
        """Their processes."""

    def answer(self, line: bytes) -> bytes:
        """Return the answer to a fork's line, an empty line if there is none. A fork is not to be trusted."""


def apart(inside: cage.Cage, scratch: str, answer: Callable[[], bytes], helper: Help) -> bytes:
    """Return the line that `answer` returns, called in a fork and in the cage. It does not return if the fork dies.

    `scratch` is where temporary files of the action go, "" for where they go anyway.
    """
    _be_heir()
    cage.python()  # looked up once, and not by each fork
    gc.freeze()  # or the fork's garbage collector copies every page of what was imported
    sys.stdout.flush()
    sys.stderr.flush()
    (reading, writing), (hearing, telling) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.close(telling)
        _worker.append((writing, os.fdopen(hearing, "rb")))
        _fork(inside, scratch, answer, writing)
    os.close(writing)
    os.close(hearing)
    with contextlib.suppress(OSError):  # both sides do it: whoever comes first
        os.setpgid(child, child)
    line, also = _heard(reading, telling, helper)
    if line:
        _kill_group(child)
    _, status = os.waitpid(child, 0)
    _kill_group(child)
    _bury_children(helper.pids)
    if not line:
        _die_as(status)
    _wanted.update(name for name in also.decode(errors="replace").split() if name in KEPT)
    return line


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
    line = _ASK + line
    while line:
        line = line[os.write(asking, line) :]
    return answers.readline().strip() or None


def _fork(inside: cage.Cage, scratch: str, answer: Callable[[], bytes], writing: int) -> None:
    """Answer, and end. Nothing of the worker's own is reachable from here but its log."""
    # Not protocol.die_with_parent: the worker may be process 1 of a container.
    status = 1
    try:
        os.setpgid(0, 0)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        if scratch:
            os.environ["TMPDIR"] = tempfile.tempdir = scratch
        missing = cage.enter(inside)
        if missing:
            os.write(2, f"the worker's cage is not whole: {missing}\n".encode())
        before = set(sys.modules)
        line = answer()
        line += " ".join(name for name in KEPT if name in sys.modules and name not in before).encode() + b"\n"
        while line:
            line = line[os.write(writing, line) :]
        status = 0
    except SystemExit as error:  # a user's function that calls sys.exit
        status = error.code if isinstance(error.code, int) else 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


def _heard(reading: int, telling: int, helper: Help) -> tuple[bytes, bytes]:
    """Return the two lines that a fork ends with, the first with its end, once it has been helped; else nothing."""
    with os.fdopen(reading, "rb") as pipe, os.fdopen(telling, "wb", buffering=0) as answers:
        line = pipe.readline(_MOST_BYTES)
        while line.startswith(_ASK):
            with contextlib.suppress(BrokenPipeError):
                answers.write(helper.answer(line.removeprefix(_ASK)))
            line = pipe.readline(_MOST_BYTES)
        also = pipe.readline(_MOST_BYTES)
    return (line, also) if line.endswith(b"\n") and also.endswith(b"\n") else (b"", b"")


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
    os._exit(code or 1)
