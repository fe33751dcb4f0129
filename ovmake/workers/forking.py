"""Do one action apart: in a process that is forked for it, in a cage of its own, and gone after it.

    answer = apart(request, answer=...)       the line of the response, from a fork

A worker imports its framework once, uses nothing of it, and so has no threads of the framework's when it forks. The
fork enters its cage, does the action, writes its answer into a pipe, and ends. It is not asked twice: what a model's
bytes may have done to it ends with it, and so does all that it started.

What the fork had to import besides, it names in a second line. The worker imports that, too, once it has answered, if
it is one of KEPT: the next fork finds it.

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
from collections.abc import Callable
from pathlib import Path

from ovmake.workers import cage

_PR_SET_CHILD_SUBREAPER = 36
_PIECE_BYTES = 1 << 16
# Facts of an action are a few numbers and names; `inspect` lists a model's layers.
_MOST_BYTES = 1 << 28
_LINES = 2

# Packages that take long to import, and are imported where an action turns out to need them.
KEPT = ("PIL.Image", "h5py", "keras", "pycocotools.cocoeval", "scipy.sparse", "sklearn.metrics", "tf_keras")
_wanted: set[str] = set()


def apart(inside: cage.Cage, scratch: str, answer: Callable[[], bytes]) -> bytes:
    """Return the line that `answer` returns, called in a fork and in the cage. It does not return if the fork dies.

    `scratch` is where temporary files of the action go, "" for where they go anyway.
    """
    _be_heir()
    cage.python()  # looked up once, and not by each fork
    gc.freeze()  # or the fork's garbage collector copies every page of what was imported
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _fork(inside, scratch, answer, writing)
    os.close(writing)
    with contextlib.suppress(OSError):  # both sides do it: whoever comes first
        os.setpgid(child, child)
    line, also = _lines_from(reading)
    if line:
        _kill_group(child)
    _, status = os.waitpid(child, 0)
    _kill_group(child)
    _bury_children()
    if not line:
        _die_as(status)
    _wanted.update(name for name in also.decode(errors="replace").split() if name in KEPT)
    return line


def keep() -> None:
    """Import what the last fork had to import."""
    while _wanted:
        with contextlib.suppress(Exception):  # the next fork says why, if it matters to it
            importlib.import_module(_wanted.pop())


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


def _lines_from(reading: int) -> tuple[bytes, bytes]:
    """Return the two lines that the fork wrote, the first with its end; nothing if it wrote anything else."""
    heard = bytearray()
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while heard.count(b"\n") < _LINES and len(heard) < _MOST_BYTES and (piece := pipe.read(_PIECE_BYTES)):
            heard += piece
    first, *rest = bytes(heard).split(b"\n")
    return (first + b"\n", rest[0]) if len(rest) == _LINES and not rest[-1] else (b"", b"")


def _be_heir() -> None:
    """Have what a fork leaves behind become this process's children."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _kill_group(child: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def _bury_children() -> None:
    """End whatever the fork left, in whatever process group it is."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with contextlib.suppress(OSError):
        while found := children.read_text().split():
            for pid in map(int, found):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for pid in map(int, found):
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
